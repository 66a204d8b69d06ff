//! What a session owes to those outside: it parks in time, hears its inbox, keeps the two clocks apart,
//! and neither hangs nor spins.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use runner::clock::{later, millis_between};
use runner::drivers::{Finish, StopRequest};
use runner::engine::call::Call;
use runner::engine::{CallRequest, Effects};
use runner::event::{Event, FailureKind, Outcome};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::simulator::{FaultRule, Mishap, Scenario, Span};
use runner::store::InboxMessage;

use super::crashes::{RELEASE, run, scenario};
use crate::invariants::{broken, broken_at_the_end};
use crate::lab::{self, End, Lab, Plot, Side};
use crate::rig;

fn rule(on: &str, mishap: Mishap) -> FaultRule {
    FaultRule {
        on: on.to_owned(),
        nth: 1,
        count: None,
        from: None,
        until: None,
        percent: None,
        mishap,
    }
}

fn lab(text: &str, faults: Vec<FaultRule>) -> Lab {
    Lab::new(
        &lab::plan(text),
        Scenario {
            faults,
            ..scenario("passing")
        },
    )
}

fn park(after: Duration) -> Plot {
    let request = StopRequest::Park {
        reason: "SIGTERM".into(),
        exit_code: 143,
    };
    Plot {
        stops: vec![(after, request)],
        ..Plot::default()
    }
}

fn cancel(after: Duration) -> Plot {
    Plot {
        stops: vec![(
            after,
            StopRequest::Cancel {
                by: "a test".into(),
            },
        )],
        ..Plot::default()
    }
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[track_caller]
fn outcome(end: &End) -> RunOutcome {
    match end {
        End::Finished(Finish::Ended(ended)) => ended.outcome,
        other => panic!("the run has not ended: {other:?}"),
    }
}

/// Told to stop at any time around a slow write, a session is parked within three seconds, and the write
/// happens once.
#[test]
fn a_session_parks_in_time_also_with_a_write_under_way() {
    for (on, from, until) in [("run_workflow", 0, 12_000), ("promote", 250_000, 268_000)] {
        for after in (from..until).step_by(500) {
            let mut lab = lab(RELEASE, vec![rule(on, Mishap::Delay(Span::seconds(9)))]);
            let end = lab.session(&park(Duration::from_millis(after)));
            let about = format!("{on}, told after {after} ms");
            assert!(
                matches!(end, End::Finished(Finish::Parked { exit_code: 143, .. })),
                "{about}: {end:?}"
            );
            let took = millis_between(rig::start_time(), lab.now);
            assert!(took <= after + 3_000, "{about}: parked after {took} ms");
            assert_eq!(broken(&lab), Vec::<String>::new(), "{about}");
            let ending = run(&mut lab, &[], &about);
            assert_eq!(ending.0, RunOutcome::Passed, "{about}");
        }
    }
}

/// The runner dies with the answer to a promotion, and then the network is away until the time of the step is
/// over. Whoever comes next could not send anything, and that says nothing of what was sent before.
#[test]
fn what_an_earlier_session_sent_may_have_happened() {
    let promotes = "playbook: 1\nsteps:\n  \
         build: { run_workflow: { project: demo, reference: main } }\n  \
         deploy: { promote: { pipeline: \"{{ steps.build.pipeline_id }}\", name: Production }, timeout: 3m }\n";
    let mut calm = lab(promotes, Vec::new());
    run(&mut calm, &[], "calm");
    let sent = |lab: &Lab| lab.wire.log().iter().rposition(|sent| sent.writes);
    let number = sent(&calm).expect("a promotion") as u64 + 1;
    let mut lab = lab(promotes, Vec::new());
    lab.session(&Plot {
        at_request: Some((number, Side::After)),
        ..Plot::default()
    });
    lab.wire.away(lab.now, later(lab.now, seconds(600)));
    let ending = run(&mut lab, &[], "without a network");
    assert_eq!(ending.0, RunOutcome::Unknown);
    let deploy = ending.1.iter().find(|(step, ..)| step == "deploy");
    assert_eq!(
        deploy.map(|(_, outcome, _)| *outcome),
        Some(StepOutcome::Unknown)
    );
}

/// `--park` with a write that hangs for longer than that: no spinning until it has ended.
#[test]
fn parking_what_only_waits_waits_for_a_write_and_does_not_spin() {
    let mut lab = lab(RELEASE, vec![rule("run_workflow", Mishap::Hang)]);
    let plot = Plot {
        park_after: Some(seconds(10)),
        ..Plot::default()
    };
    let end = lab.session(&plot);
    assert!(
        matches!(end, End::Finished(Finish::Parked { exit_code: 75, .. })),
        "{end:?}"
    );
    // The call hangs for its minute; then the workflow is found, and the run only waits.
    let took = millis_between(rig::start_time(), lab.now);
    assert!((60_000..80_000).contains(&took), "parked after {took} ms");
    assert_eq!(run(&mut lab, &[], "resumed").0, RunOutcome::Passed);
}

/// A call that is never answered ends with its time-out, wherever it is.
#[test]
fn a_hanging_call_ends_with_its_time_out() {
    let mut calm = lab(RELEASE, Vec::new());
    run(&mut calm, &[], "calm");
    let calm_ms = millis_between(rig::start_time(), calm.now);
    for number in (1..=calm.wire.log().len() as u64).step_by(5) {
        let fault = FaultRule {
            nth: number,
            ..rule("any", Mishap::Hang)
        };
        let mut lab = lab(RELEASE, vec![fault]);
        let about = format!("request {number} hangs");
        assert_eq!(run(&mut lab, &[], &about).0, RunOutcome::Passed, "{about}");
        let took = millis_between(rig::start_time(), lab.now);
        assert!(
            took <= calm_ms + 150_000,
            "{about}: {took} ms instead of {calm_ms}"
        );
    }
}

/// A step's time is over on time, also when the look that is under way hangs.
#[test]
fn a_step_ends_on_time_while_a_look_hangs() {
    let text = RELEASE.replace("timeout: 45m", "timeout: 100s");
    let hang = FaultRule {
        from: Some(Span::seconds(90)),
        count: Some(5),
        ..rule("describe_pipeline", Mishap::Hang)
    };
    let mut lab = lab(&text, vec![hang]);
    let mut steps = Vec::new();
    run(&mut lab, &[], "a look hangs");
    for recorded in lab.events() {
        if let Event::StepEnded(told) = recorded.event {
            steps.push((told.step, told.error.map(|e| e.kind), told.duration_ms));
        }
    }
    let tests = steps
        .iter()
        .find(|(step, ..)| step == "tests")
        .expect("the step");
    assert_eq!(tests.1, Some(FailureKind::Deadline));
    assert!(tests.2 < 101_000, "{} ms", tests.2);
}

/// What is posted while nobody works on the run is heard before anything else is done.
#[test]
fn a_cancel_while_the_run_is_parked_comes_before_anything_else() {
    let mut lab = lab(RELEASE, Vec::new());
    lab.session(&park(seconds(30)));
    let before = lab.wire.log().len();
    let message = InboxMessage::Cancel {
        by: "somebody".into(),
    };
    lab.ledger.inner().post("r1", &message).expect("posted");
    let end = lab.session(&Plot::default());
    assert_eq!(outcome(&end), RunOutcome::Canceled);
    // What was started is stopped; nothing else is asked.
    let asked: Vec<String> = lab.wire.log()[before..]
        .iter()
        .map(|sent| sent.what.clone())
        .collect();
    let stops = |what: &String| what.contains("terminate") || what.starts_with("PATCH");
    assert!(asked.first().is_none_or(stops), "{asked:#?}");
    let End::Finished(finish) = end else {
        panic!("it ended")
    };
    assert_eq!(broken_at_the_end(&lab, &finish), Vec::<String>::new());
}

/// A message is not lost by a crash between its fact and its removal, and cancels once.
#[test]
fn a_cancel_survives_a_crash_at_every_commit() {
    for side in [Side::Before, Side::After] {
        for commit in 1..=4 {
            let mut lab = lab(RELEASE, Vec::new());
            lab.session(&park(seconds(30)));
            let message = InboxMessage::Cancel {
                by: "somebody".into(),
            };
            lab.ledger.inner().post("r1", &message).expect("posted");
            let plot = Plot {
                at_commit: Some((commit, side)),
                ..Plot::default()
            };
            let about = format!("{side:?} commit {commit}");
            assert_eq!(
                run(&mut lab, &[plot], &about).0,
                RunOutcome::Canceled,
                "{about}"
            );
            let asked =
                |e: &runner::event::Recorded| matches!(e.event, Event::CancelRequested { .. });
            assert!(
                lab.events().iter().filter(|e| asked(e)).count() >= 1,
                "{about}"
            );
            assert!(
                lab.ledger.inner().take("r1").expect("the inbox").is_empty(),
                "{about}"
            );
        }
    }
}

/// The deadline of a run goes by the wall: it passes while the run is parked.
#[test]
fn a_deadline_that_passed_while_the_run_was_parked() {
    let mut lab = lab(RELEASE, Vec::new());
    lab.session(&park(seconds(100)));
    lab.now = later(lab.now, seconds(5 * 3600));
    let writes = lab.wire.log().iter().filter(|sent| sent.writes).count();
    assert_eq!(
        outcome(&lab.session(&Plot::default())),
        RunOutcome::Deadline
    );
    assert_eq!(
        lab.wire.log().iter().filter(|sent| sent.writes).count(),
        writes,
        "something was written"
    );
}

/// A step's own time is the time it was really tried, a sleep is the time of the wall.
#[test]
fn steps_count_the_time_they_are_worked_on_and_sleeps_the_time_of_the_wall() {
    let text = "playbook: 1\nsteps:\n  nap: { sleep: 2h }\n  wait: { run_workflow: { project: demo, reference: main }, timeout: 10m }\n";
    let mut lab = lab(text, Vec::new());
    lab.session(&park(seconds(60)));
    lab.now = later(lab.now, seconds(3_600));
    let end = lab.session(&Plot::default());
    assert_eq!(outcome(&end), RunOutcome::Passed);
    let slept = millis_between(rig::start_time(), lab.now);
    assert!((7_200_000..7_202_000).contains(&slept), "{slept} ms");
}

/// Canceled while it waits to try again: nothing is left to wait for.
#[test]
fn a_cancel_during_a_backoff_ends_the_run_at_once() {
    let text = "playbook: 1\nsteps:\n  look:\n    describe_pipeline: { pipeline: 6cf4569c-f76c-4dea-b293-3e4282ba1153 }\n    \
                retry: { attempts: 9, backoff: { first: 10m, factor: 1, max: 10m, jitter: 0 } }\n";
    let broken_server = Mishap::SlowBackend(Span::default());
    let mut lab = lab(
        text,
        vec![FaultRule {
            count: Some(99),
            ..rule("any", broken_server)
        }],
    );
    assert_eq!(
        outcome(&lab.session(&cancel(seconds(60)))),
        RunOutcome::Canceled
    );
    assert_eq!(millis_between(rig::start_time(), lab.now), 60_000);
}

/// Effects that panic in some calls.
struct Panics(Arc<dyn Effects>);

impl Effects for Panics {
    fn call(&self, request: CallRequest) -> BoxFuture<'static, Outcome> {
        if matches!(
            request.call,
            Call::RunWorkflow { .. } | Call::AwaitPipeline { .. }
        ) {
            return Box::pin(async { panic!("as the test wants") });
        }
        self.0.call(request)
    }
}

/// A call that breaks off ends its step; one that writes is not called "failed", for nobody knows.
#[test]
fn a_call_that_panics_ends_its_step_and_not_the_run() {
    let text = "playbook: 1\nsteps:\n  wait: { wait_pipeline: { pipeline: 6cf4569c-f76c-4dea-b293-3e4282ba1153 } }\n  \
                build: { run_workflow: { project: demo, reference: main, wait: false } }\n  nap: { sleep: 5m }\n";
    let mut lab = lab(text, Vec::new());
    lab.wrap = Some(|inner| Arc::new(Panics(inner)));
    let ending = run(&mut lab, &[], "two calls panic");
    assert_eq!(ending.0, RunOutcome::Unknown);
    let ended: Vec<(&str, StepOutcome)> = ending
        .1
        .iter()
        .map(|(step, outcome, _)| (step.as_str(), *outcome))
        .collect();
    use StepOutcome::{Failed, Passed, Unknown};
    assert_eq!(
        ended,
        [("build", Unknown), ("nap", Passed), ("wait", Failed)]
    );
    assert!(
        ending
            .1
            .iter()
            .all(|(_, outcome, kind)| *outcome == Passed || *kind == Some(FailureKind::Bug))
    );
}

/// Many steps without a write cost a handful of commits.
#[test]
fn steps_without_a_write_share_their_commits() {
    let mut text = "playbook: 1\nsteps:\n".to_owned();
    for number in 0..300 {
        writeln!(text, "  s{number}: {{ set: {{ v: {number} }} }}").expect("text");
    }
    let mut lab = lab(&text, Vec::new());
    assert_eq!(run(&mut lab, &[], "300 steps").0, RunOutcome::Passed);
    assert!(
        lab.ledger.commits().1 <= 3,
        "{} commits",
        lab.ledger.commits().1
    );
}

/// Resuming a run that has ended says how it ended, and does nothing.
#[test]
fn an_ended_run_is_resumed_as_ended() {
    let mut lab = lab(RELEASE, Vec::new());
    let first = outcome(&lab.session(&Plot::default()));
    let (events, requests) = (lab.events().len(), lab.wire.log().len());
    assert_eq!(outcome(&lab.session(&Plot::default())), first);
    assert_eq!(
        (lab.events().len(), lab.wire.log().len()),
        (events, requests)
    );
}
