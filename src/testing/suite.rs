//! All cases of some files, side by side: each on a thread with a runtime and a paused clock of its own.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::coverage::Coverage;
use super::file::{Case, TestFile};
use super::invariants;
use super::judge::{Difference, judge};
use super::play::{PlaySettings, play};
use super::ran::Ran;
use super::schedule::Schedule;
use super::sweep;
use super::timeline::{Line, timeline};
use crate::diagnostic::Place;
use crate::secret::Redactor;

/// What a case is put through beside the run that its file describes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sweeps {
    /// A fault at every request and a kill at every commit, one after the other.
    pub faults: bool,
    /// So many schedules by chance.
    pub seeds: u64,
    /// Only this schedule.
    pub only: Option<Schedule>,
}

/// What went wrong in a case.
#[derive(Debug, Clone)]
pub struct Problem {
    /// In which schedule.
    pub schedule: Schedule,
    /// What came out otherwise.
    pub differences: Vec<Difference>,
    /// What happened in that run.
    pub timeline: Vec<Line>,
}

/// What came of a case.
#[derive(Debug, Clone)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// What went wrong, when something did.
    pub problem: Option<Problem>,
    /// How many runs it took.
    pub runs: u64,
    /// How long it took.
    pub real: Duration,
    /// How much virtual time passed in the run that the file describes.
    pub virtual_time: Duration,
}

/// What came of a file.
#[derive(Debug, Clone)]
pub struct FileResult {
    /// The path of the file.
    pub file: String,
    /// The path of the playbook.
    pub playbook: String,
    /// Its cases, in the order of the file.
    pub cases: Vec<CaseResult>,
    /// What they exercised of the playbook.
    pub coverage: Coverage,
}

impl FileResult {
    /// Whether all its cases passed.
    pub fn passed(&self) -> bool {
        self.cases.iter().all(|case| case.problem.is_none())
    }
}

/// A case to be run, and its file.
type Job<'a> = (usize, &'a TestFile, &'a Case);

/// Runs all cases whose name, or file and name, holds `filter`.
pub fn run(
    files: &[TestFile],
    filter: Option<&str>,
    sweeps: &Sweeps,
    settings: &PlaySettings,
) -> Vec<FileResult> {
    let wanted = |file: &TestFile, case: &Case| {
        filter.is_none_or(|part| {
            case.name.contains(part)
                || format!("{}: {}", file.source.name, case.name).contains(part)
        })
    };
    let jobs: Vec<Job<'_>> = files
        .iter()
        .enumerate()
        .flat_map(|(at, file)| file.cases.iter().map(move |case| (at, file, case)))
        .filter(|(_, file, case)| wanted(file, case))
        .collect();
    let mut results: Vec<FileResult> = files
        .iter()
        .map(|file| FileResult {
            file: file.source.name.clone(),
            playbook: file.playbook.clone(),
            cases: Vec::new(),
            coverage: Coverage::of(&file.plan),
        })
        .collect();
    for ((at, _, _), done) in jobs.iter().zip(all_done(&jobs, sweeps, settings)) {
        if let (Some(result), Some((case, plain))) = (results.get_mut(*at), done) {
            result.coverage.add(&plain.events);
            result.cases.push(case);
        }
    }
    results
}

type Done = Option<(CaseResult, Ran)>;

fn all_done(jobs: &[Job<'_>], sweeps: &Sweeps, settings: &PlaySettings) -> Vec<Done> {
    let done: Vec<Mutex<Done>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads.min(jobs.len()) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let (Some((_, file, case)), Some(slot)) = (jobs.get(at), done.get(at)) else {
                        return;
                    };
                    let result = one(file, case, sweeps, settings);
                    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                }
            });
        }
    });
    done.into_iter()
        .map(|slot| slot.into_inner().unwrap_or_else(PoisonError::into_inner))
        .collect()
}

/// One case: the run that its file describes, and then the sweeps, up to the first that goes wrong.
fn one(
    file: &TestFile,
    case: &Case,
    sweeps: &Sweeps,
    settings: &PlaySettings,
) -> (CaseResult, Ran) {
    let began = Instant::now();
    let played = |schedule, usual| play(case, &file.plan, schedule, usual, settings);
    let plain = played(Schedule::Plain, Duration::ZERO);
    let mut runs = 1;
    let mut problem = None;
    if sweeps.only.is_none_or(|only| only == Schedule::Plain) {
        let mut differences = judge(&case.expect, &plain, settings.exit_of);
        differences.extend(too_late(case, &plain));
        differences.extend(invariants::broken(&plain));
        problem = told(Schedule::Plain, differences, &plain);
    }
    let schedules = match sweeps.only {
        Some(Schedule::Plain) => Vec::new(),
        Some(only) => vec![only],
        None if problem.is_some() => Vec::new(),
        None => sweep::schedules(&plain, sweeps),
    };
    for schedule in schedules {
        let ran = played(schedule, plain.elapsed);
        runs += 1;
        let mut differences = invariants::broken(&ran);
        differences.extend(sweep::changed(case, &plain, &ran, schedule));
        problem = told(schedule, differences, &ran);
        if problem.is_some() {
            break;
        }
    }
    let result = CaseResult {
        name: case.name.clone(),
        place: case.place.clone(),
        problem,
        runs,
        real: began.elapsed(),
        virtual_time: plain.elapsed,
    };
    (result, plain)
}

/// A kill that never came: the run was over before it.
fn too_late(case: &Case, ran: &Ran) -> Vec<Difference> {
    let missed = case.kill_at.get(ran.killed.len());
    let late = missed.map(|at| Difference {
        place: Some(case.place.clone()),
        about: "`kill_at`".to_owned(),
        expected: format!("a run that is at work after {}", crate::duration::show(*at)),
        got: format!("it was over after {}", crate::duration::show(ran.elapsed)),
        step: None,
    });
    late.into_iter().collect()
}

/// A problem, with all secrets masked: it is shown to people.
fn told(schedule: Schedule, differences: Vec<Difference>, ran: &Ran) -> Option<Problem> {
    if differences.is_empty() {
        return None;
    }
    let about: BTreeSet<String> = differences.iter().filter_map(|d| d.step.clone()).collect();
    let redactor: &Redactor = &ran.redactor;
    let differences = differences.into_iter().map(|difference| Difference {
        expected: redactor.text(&difference.expected).to_string(),
        got: redactor.text(&difference.got).to_string(),
        ..difference
    });
    let lines = timeline(ran, &about).into_iter().map(|line| Line {
        words: redactor.text(&line.words).to_string(),
        ..line
    });
    Some(Problem {
        schedule,
        differences: differences.collect(),
        timeline: lines.collect(),
    })
}
