//! What a terminal shows while a run goes, through the eyes of an emulator.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use indicatif::TermLike;
use jiff::Timestamp;
use runner::cli::output::Output;
use runner::cli::progress::Progress;
use runner::clock::{Clock, Moment};
use runner::event::{
    EffectKey, Event, Failure, FailureKind, Observation, Recorded, RunCreated, Seen, StepEnded,
    StepInfo,
};
use runner::outcome::StepOutcome;
use runner::secret::Redactor;
use runner::store::{Estimates, PastStep};
use serde_json::json;

use super::fixtures::{Golden, time};

const URL: &str = "https://acme.semaphoreci.com/workflows/00000002-f76c-4dea-b293-3e4282ba1153?pipeline_id=00000003-f76c-4dea-b293-3e4282ba1153";

/// A terminal that understands what is drawn, and counts it.
#[derive(Clone)]
struct Emulator(Arc<Mutex<Inside>>);

struct Inside {
    parser: vt100::Parser,
    pending: String,
    writes: usize,
    bytes: usize,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Emulator")
    }
}

impl Emulator {
    fn new(rows: u16, columns: u16) -> Self {
        Self(Arc::new(Mutex::new(Inside {
            parser: vt100::Parser::new(rows, columns, 1_000),
            pending: String::new(),
            writes: 0,
            bytes: 0,
        })))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        look(&mut self.0.lock().expect("no panic"))
    }

    fn text(&self) -> String {
        self.with(|inside| inside.parser.screen().contents() + "\n")
    }

    /// As a terminal does whose lines are not broken anew.
    fn resize(&self, rows: u16, columns: u16) {
        self.with(|inside| inside.parser.screen_mut().set_size(rows, columns));
    }

    /// What a person types, as the terminal shows it.
    fn echo(&self, typed: &str) {
        self.with(|inside| inside.parser.process(typed.as_bytes()));
    }
}

impl io::Write for Emulator {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).replace('\n', "\r\n");
        self.with(|inside| inside.parser.process(text.as_bytes()));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TermLike for Emulator {
    fn width(&self) -> u16 {
        self.with(|inside| inside.parser.screen().size().1)
    }

    fn height(&self) -> u16 {
        self.with(|inside| inside.parser.screen().size().0)
    }

    fn move_cursor_up(&self, _n: usize) -> io::Result<()> {
        unreachable!("all goes through text")
    }

    fn move_cursor_down(&self, _n: usize) -> io::Result<()> {
        unreachable!("all goes through text")
    }

    fn move_cursor_right(&self, _n: usize) -> io::Result<()> {
        unreachable!("all goes through text")
    }

    fn move_cursor_left(&self, _n: usize) -> io::Result<()> {
        unreachable!("all goes through text")
    }

    fn write_line(&self, _line: &str) -> io::Result<()> {
        unreachable!("all goes through text")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.with(|inside| inside.pending.push_str(text));
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        unreachable!("all goes through text")
    }

    /// What was held back until here is one write.
    fn flush(&self) -> io::Result<()> {
        self.with(|inside| {
            let text = std::mem::take(&mut inside.pending);
            inside.writes += 1;
            inside.bytes += text.len();
            inside.parser.process(text.as_bytes());
        });
        Ok(())
    }
}

/// A display on an emulator, fed by hand.
struct Show {
    progress: Progress,
    terminal: Emulator,
    seq: u64,
    began: Timestamp,
    now: Timestamp,
}

impl Show {
    fn new(rows: u16, columns: u16) -> Self {
        let terminal = Emulator::new(rows, columns);
        terminal.echo("$ runner apply playbooks/release.yml\r\n");
        let output = Output::to(io::sink(), terminal.clone(), Redactor::new());
        let began = time("2026-11-24T12:00:00Z");
        let progress = Progress::on(Arc::new(terminal.clone()), Arc::new(output))
            .timed_by(Clock::paused(began))
            .knowing(history());
        Self {
            progress,
            terminal,
            seq: 0,
            began,
            now: began,
        }
    }

    /// Time passes, in the run and for whoever looks on.
    async fn pass(&mut self, seconds: u64) {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        self.now = runner::clock::later(self.now, Duration::from_secs(seconds));
        self.progress.tick(self.now);
    }

    fn event(&mut self, event: Event) {
        self.seq += 1;
        let at = Moment {
            wall: self.now,
            active_ms: runner::clock::millis_between(self.began, self.now),
        };
        self.progress.event(&Recorded {
            seq: self.seq,
            at,
            event,
        });
    }

    fn started(&mut self, step: &str) {
        self.event(Event::StepStarted {
            step: step.into(),
            because: None,
        });
    }

    fn ended(&mut self, step: &str, outcome: StepOutcome, seconds: u64) {
        self.event(Event::StepEnded(ended(step, outcome, seconds)));
    }

    fn waits(&mut self, step: &str, about: &str) {
        self.started(step);
        let key = EffectKey {
            step: step.into(),
            call: 1,
            attempt: 1,
        };
        self.event(Event::CallStarted {
            key,
            call: "await_pipeline".into(),
            about: about.into(),
            writes: false,
        });
    }

    fn sees(
        &mut self,
        step: &str,
        (queued, ran): (u64, Option<u64>),
        blocks: (u32, u32),
        red: &[&str],
    ) {
        self.progress.observe(&Observation {
            step: step.into(),
            at: self.now,
            seen: Seen::Pipeline {
                pipeline_id: "00000003-f76c-4dea-b293-3e4282ba1153".into(),
                name: "CI".into(),
                state: if ran.is_some() { "running" } else { "queuing" }.into(),
                queued_ms: Some(queued * 1_000),
                running_ms: ran.map(|ran| ran * 1_000),
                blocks: ran.map(|_| blocks),
                next_blocks: Vec::new(),
                failed_jobs: red.iter().map(|job| (*job).to_owned()).collect(),
                url: URL.into(),
            },
        });
    }
}

fn ended(step: &str, outcome: StepOutcome, seconds: u64) -> StepEnded {
    let (why, error) = match outcome {
        StepOutcome::Failed => {
            let why = "the pipeline `CI` failed (test): `unit`";
            let error = Failure::new(FailureKind::PipelineFailed, why);
            (Some(why.to_owned()), Some(error))
        }
        StepOutcome::Blocked => (
            Some("needs `tests: passed`, but it failed".to_owned()),
            None,
        ),
        _ => (None, None),
    };
    StepEnded {
        step: step.into(),
        outcome,
        why,
        error,
        allowed_to_fail: false,
        outputs: serde_json::Map::new(),
        links: Vec::new(),
        files: Vec::new(),
        reruns: Vec::new(),
        duration_ms: seconds * 1_000,
    }
}

fn info(id: &str, action: &str, needs: &[(&str, &str)]) -> StepInfo {
    StepInfo {
        id: id.into(),
        action: action.into(),
        description: None,
        needs: needs
            .iter()
            .map(|(need, accepted)| ((*need).to_owned(), (*accepted).to_owned()))
            .collect(),
        finally: action == "http",
        undoes: None,
        parent: id
            .split_once(['[', '/'])
            .map(|(parent, _)| parent.to_owned()),
    }
}

fn created(steps: Vec<StepInfo>) -> Event {
    Event::RunCreated(RunCreated {
        id: "release-7f3a".into(),
        name: "release".into(),
        path: "playbooks/release.yml".into(),
        digest: "sha256:5d41402abc4b2a76".into(),
        salt: "42".into(),
        runner: "0.1.0".into(),
        inputs: indexmap::IndexMap::from([("project".to_owned(), json!("web"))]),
        secrets: Vec::new(),
        url: String::new(),
        steps,
        deadline: time("2026-11-24T16:00:00Z"),
    })
}

/// What earlier runs took.
fn history() -> Estimates {
    let past = |seconds: u64, queued: u64| PastStep {
        outcome: StepOutcome::Passed,
        failure: None,
        duration_ms: seconds * 1_000,
        queued_ms: (queued > 0).then_some(queued * 1_000),
        ran_ms: (queued > 0).then(|| (seconds - queued) * 1_000),
        at: Timestamp::UNIX_EPOCH,
    };
    let all = [
        ("build", past(3, 0)),
        ("tests", past(560, 20)),
        ("nightly", past(300, 0)),
        ("nightly[web]", past(120, 10)),
        ("release", past(600, 0)),
        ("release/deploy", past(420, 5)),
        ("release/check", past(30, 0)),
    ];
    let all = all.map(|(step, past)| (step.to_owned(), vec![past]));
    Estimates::of(&all.into_iter().collect())
}

fn plan() -> Vec<StepInfo> {
    vec![
        info("build", "run_workflow", &[]),
        info("tests", "wait_pipeline", &[("build", "passed")]),
        info("nightly", "run_task", &[]),
        info("release", "use", &[("tests", "passed")]),
        info("release/deploy", "promote", &[("tests", "passed")]),
        info(
            "release/check",
            "http_check",
            &[("release/deploy", "passed")],
        ),
        info("logs", "fetch_logs", &[("tests", "failed")]),
        info("tell", "http", &[]),
    ]
}

/// The beginning of a run: things wait and queue.
async fn beginning(show: &mut Show) {
    show.event(created(plan()));
    show.started("build");
    show.started("nightly");
    show.pass(3).await;
    show.ended("build", StepOutcome::Passed, 3);
    show.waits("tests", "pipeline of `web` on main");
    for item in ["web", "api", "docs"] {
        let mut item = info(&format!("nightly[{item}]"), "run_task", &[]);
        item.finally = false;
        show.event(Event::StepAdded(item));
    }
    show.waits("nightly[web]", "task `nightly` of `web`");
    show.sees("tests", (2, None), (0, 0), &[]);
    show.pass(180).await;
}

/// The middle of it: pipelines run, one has lost its network.
async fn middle(show: &mut Show) {
    beginning(show).await;
    show.sees("tests", (183, Some(0)), (0, 5), &[]);
    show.ended("nightly[web]", StepOutcome::Passed, 180);
    show.waits("nightly[api]", "task `nightly` of `api`");
    show.pass(249).await;
    show.sees("tests", (183, Some(249)), (3, 5), &[]);
    show.progress.observe(&Observation {
        step: "nightly[api]".into(),
        at: show.now,
        seen: Seen::Trouble {
            message: "Semaphore does not answer (503)".into(),
        },
    });
    show.pass(3).await;
}

/// A job has failed; then the pipeline has, and what was done is taken back.
async fn failing(show: &mut Show) {
    middle(show).await;
    show.sees("tests", (183, Some(252)), (3, 5), &["unit"]);
    show.pass(1).await;
}

async fn failed(show: &mut Show) {
    failing(show).await;
    show.event(Event::Warned {
        step: Some("tell".into()),
        message: "`inputs.slack` is not given: nobody is told".into(),
    });
    show.ended("tests", StepOutcome::Failed, 437);
    for step in ["release", "release/deploy", "release/check"] {
        show.ended(step, StepOutcome::Blocked, 0);
    }
    show.started("logs");
    let mut undo = info("build/undo", "stop_pipeline", &[]);
    (undo.undoes, undo.parent) = (Some("build".into()), None);
    show.event(Event::StepAdded(undo));
    show.started("build/undo");
    show.pass(2).await;
}

#[tokio::test(start_paused = true)]
async fn a_run_as_it_is_seen() {
    let mut golden = Golden::default();
    for columns in [40, 80, 200] {
        for moment in ["beginning", "middle", "failing", "failed"] {
            let mut show = Show::new(24, columns);
            match moment {
                "beginning" => beginning(&mut show).await,
                "middle" => middle(&mut show).await,
                "failing" => failing(&mut show).await,
                _ => failed(&mut show).await,
            }
            golden.check(
                &format!("screen.{moment}.{columns}.txt"),
                &show.terminal.text(),
            );
        }
    }
    golden.finish();
}

#[tokio::test(start_paused = true)]
async fn a_low_window_folds_what_has_ended_and_what_is_to_come() {
    let mut golden = Golden::default();
    for rows in [10, 6, 3, 1] {
        let mut show = Show::new(rows, 80);
        failed(&mut show).await;
        golden.check(&format!("screen.low.{rows}.txt"), &show.terminal.text());
    }
    golden.finish();
}

#[tokio::test(start_paused = true)]
async fn a_window_that_changes_shows_the_run_once() {
    let mut golden = Golden::default();
    for (rows, columns) in [(24, 40), (24, 200), (8, 60), (40, 80)] {
        let mut show = Show::new(24, 80);
        middle(&mut show).await;
        show.terminal.resize(rows, columns);
        show.pass(1).await;
        let text = show.terminal.text();
        assert_eq!(text.matches("release  running").count(), 1, "{text}");
        golden.check(&format!("screen.resized.{columns}.txt"), &text);
    }
    golden.finish();
}

#[tokio::test(start_paused = true)]
async fn what_is_typed_stays_and_the_end_leaves_the_terminal_as_it_was() {
    let mut show = Show::new(24, 80);
    middle(&mut show).await;
    show.terminal.echo("ye");
    show.pass(1).await;
    let typed = show.terminal.text();
    assert!(typed.trim_end().ends_with("\nye"), "{typed}");
    show.terminal.echo("s\r\n");
    show.progress.typed();
    show.pass(1).await;
    let text = show.terminal.text();
    assert_eq!(text.matches("release  running").count(), 1, "{text}");
    show.terminal.echo("^C");
    show.event(Event::Parked {
        reason: "SIGINT".into(),
        exit_code: 130,
    });
    show.progress.finish();
    let left = show.terminal.text();
    assert_eq!(left, "$ runner apply playbooks/release.yml\n");
    show.terminal.with(|inside| {
        let screen = inside.parser.screen();
        assert_eq!(screen.cursor_position(), (1, 0));
        assert!(!screen.hide_cursor() && !screen.alternate_screen());
        assert_eq!(screen.fgcolor(), vt100::Color::Default);
    });
}

#[tokio::test(start_paused = true)]
async fn what_is_left_stands_on_a_terminal_that_gets_no_summary() {
    let mut show = Show::new(24, 80);
    failed(&mut show).await;
    show.progress.leave();
    show.progress.finish();
    let left = show.terminal.text();
    assert_eq!(left.matches("release  running").count(), 1, "{left}");
    assert!(left.contains("✗ tests"), "{left}");
}

/// 500 steps in about a minute, 20 of them at a time.
async fn many(show: &mut Show, until: usize) {
    let steps: Vec<String> = (0..500).map(|n| format!("step_{n:03}")).collect();
    show.event(created(
        steps.iter().map(|id| info(id, "run_task", &[])).collect(),
    ));
    for (n, step) in steps.iter().enumerate().take(until) {
        show.waits(step, "task `nightly`");
        if let Some(done) = n.checked_sub(20) {
            let outcome = match done % 100 {
                57 => StepOutcome::Failed,
                _ => StepOutcome::Passed,
            };
            show.ended(&steps[done], outcome, 2);
        }
        tokio::time::advance(Duration::from_millis(120)).await;
        show.now = runner::clock::later(show.now, Duration::from_millis(120));
        show.progress.tick(show.now);
    }
}

#[tokio::test(start_paused = true)]
async fn five_hundred_steps_are_drawn_ten_times_a_second_at_most() {
    let mut golden = Golden::default();
    for columns in [40, 80, 200] {
        let mut show = Show::new(24, columns);
        let before = show.terminal.with(|inside| (inside.writes, inside.bytes));
        many(&mut show, 400).await;
        golden.check(&format!("screen.many.{columns}.txt"), &show.terminal.text());
        let (writes, bytes) = show.terminal.with(|inside| (inside.writes, inside.bytes));
        let (writes, bytes) = (writes - before.0, bytes - before.1);
        let seconds = 400 * 120 / 1_000;
        println!("{columns} columns: {writes} writes and {bytes} bytes in {seconds} s");
        assert!(writes <= seconds * 10, "{writes} writes in {seconds} s");
        assert!(
            bytes <= writes * 24 * 100,
            "{bytes} bytes in {writes} writes"
        );
    }
    golden.finish();
}

#[tokio::test(start_paused = true)]
async fn a_burst_is_drawn_once() {
    let mut show = Show::new(24, 80);
    show.event(created(plan()));
    show.pass(1).await;
    let before = show.terminal.with(|inside| inside.writes);
    for n in 0..1_000 {
        show.event(Event::Warned {
            step: None,
            message: format!("warning {n}"),
        });
    }
    let after = show.terminal.with(|inside| inside.writes);
    assert!(after - before <= 1, "{} writes", after - before);
    show.pass(1).await;
    let said = show.terminal.with(|inside| {
        inside.parser.screen_mut().set_scrollback(900);
        inside.parser.screen().contents()
    });
    assert!(said.contains("warning: warning 100"), "{said}");
    show.progress.finish();
}
