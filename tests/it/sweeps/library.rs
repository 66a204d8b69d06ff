//! A crash at every point of every playbook of the library, in the worlds of its own tests.
//!
//! Whatever lies in `playbooks/` is found here by itself. The first case of a playbook that leaves the run
//! alone is crashed at every commit and every request; its other cases at some of them, which differ from
//! case to case. The two shortest are also crashed twice, at all pairs of points. With
//! `RUNNER_TEST_EXHAUSTIVE=1` no point is left out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner::diagnostic::Source;
use runner::event::FailureKind;
use runner::plan::Limits;
use runner::testing::{Case, TestFile};

use super::crashes::{Ending, run};
use crate::lab::{Lab, Plot, Side};
use crate::rig;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks")
}

fn source(path: &Path) -> Arc<Source> {
    let text = std::fs::read_to_string(path).expect("a file");
    Source::new(path.display().to_string(), text)
}

/// The tests of every playbook of the library.
fn library() -> Vec<TestFile> {
    let files = std::fs::read_dir(folder()).expect("the library").flatten();
    let mut paths: Vec<PathBuf> = files
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(".test.yml"))
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "the library has no tests");
    paths.iter().map(|path| load(path)).collect()
}

fn load(path: &Path) -> TestFile {
    let limits = Limits::default();
    let (draft, wrong) = runner::testing::read(&source(path), &limits);
    let draft = draft.unwrap_or_else(|| panic!("{}: {wrong:?}", path.display()));
    let playbook = folder().join(&draft.playbook.value);
    let (plan, wrong) = runner::plan::check(&source(&playbook), &limits);
    let plan = plan.unwrap_or_else(|| panic!("{}: {wrong:?}", playbook.display()));
    let name = playbook.display().to_string();
    let (file, wrong) = draft.with(name, Arc::new(plan), &limits);
    file.unwrap_or_else(|| panic!("{}: {wrong:?}", path.display()))
}

/// One point at which a session dies.
#[derive(Debug, Clone, Copy)]
enum Point {
    Commit(u64, Side),
    Request(u64, Side),
}

impl Point {
    fn plot(self) -> Plot {
        match self {
            Self::Commit(number, side) => Plot {
                at_commit: Some((number, side)),
                ..Plot::default()
            },
            Self::Request(number, side) => Plot {
                at_request: Some((number, side)),
                ..Plot::default()
            },
        }
    }
}

/// A case, how it ends when nothing disturbs it, and where it can be disturbed.
struct Subject<'f> {
    file: &'f TestFile,
    case: &'f Case,
    calm: Ending,
    points: Vec<Point>,
}

impl<'f> Subject<'f> {
    fn new(file: &'f TestFile, case: &'f Case) -> Self {
        let mut lab = Lab::of_case(&file.plan, case);
        let calm = run(&mut lab, &[], &format!("{}: {}", file.playbook, case.name));
        let (commits, _) = lab.ledger.commits();
        let requests = lab.wire.log().len() as u64;
        let sides = [Side::Before, Side::After];
        let commits = (1..=commits).flat_map(|n| sides.map(|side| Point::Commit(n, side)));
        let requests = (1..=requests).filter(|number| rig::worth_a_try(*number, requests));
        let requests = requests.flat_map(|n| sides.map(|side| Point::Request(n, side)));
        Self {
            file,
            case,
            calm,
            points: commits.chain(requests).collect(),
        }
    }

    fn crash(&self, points: &[Point]) {
        let about = format!("{}: {}: {points:?}", self.file.playbook, self.case.name);
        let plots: Vec<Plot> = points.iter().map(|point| point.plot()).collect();
        let mut lab = Lab::of_case(&self.file.plan, self.case);
        let ending = run(&mut lab, &plots, &about);
        assert_eq!(self.forgiven(ending), self.calm, "{about}");
    }

    /// What another server was told at most once may fail when the runner dies with the answer: nobody can
    /// look there for what became of it.
    fn forgiven(&self, ending: Ending) -> Ending {
        let tells = |id: &str| {
            let step = self.file.plan.steps.iter().find(|step| step.id == id);
            step.is_some_and(|step| step.action.name == "http")
        };
        let (outcome, steps) = ending;
        let steps = steps.into_iter().zip(&self.calm.1).map(|(step, calm)| {
            let lost = step.2 == Some(FailureKind::FateUnknown) && tells(&step.0);
            if lost && step.0 == calm.0 {
                calm.clone()
            } else {
                step
            }
        });
        (outcome, steps.collect())
    }
}

/// Every case that leaves the run alone; the first of each file is `true`.
fn subjects(files: &[TestFile]) -> Vec<(bool, Subject<'_>)> {
    let calm = |file: &'_ TestFile| file.cases.iter().filter(|case| case.is_calm()).count() > 0;
    for file in files {
        assert!(
            calm(file),
            "{} has no case without faults and kills",
            file.playbook
        );
    }
    files
        .iter()
        .flat_map(|file| {
            let calm = file.cases.iter().filter(|case| case.is_calm());
            calm.enumerate()
                .map(move |(number, case)| (number == 0, Subject::new(file, case)))
        })
        .collect()
}

#[test]
fn every_playbook_of_the_library_survives_a_crash_anywhere() {
    let files = library();
    let mut crashes = 0;
    for (number, (first, subject)) in subjects(&files).iter().enumerate() {
        let every = if *first || rig::exhaustive() { 1 } else { 7 };
        for point in subject.points.iter().skip(number % every).step_by(every) {
            subject.crash(&[*point]);
            crashes += 1;
        }
    }
    println!("{} playbooks, {crashes} crashes", files.len());
}

#[test]
fn the_two_shortest_survive_any_two_crashes() {
    let files = library();
    let mut all: Vec<Subject<'_>> = subjects(&files)
        .into_iter()
        .filter_map(|(first, subject)| first.then_some(subject))
        .collect();
    all.sort_by_key(|subject| subject.points.len());
    let every = if rig::exhaustive() { 1 } else { 5 };
    let mut crashes = 0;
    for subject in all.iter().take(2) {
        let pairs = subject
            .points
            .iter()
            .flat_map(|one| subject.points.iter().map(move |two| [*one, *two]));
        for pair in pairs.step_by(every) {
            subject.crash(&pair);
            crashes += 1;
        }
    }
    println!("{crashes} pairs of crashes");
}
