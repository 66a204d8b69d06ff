//! A canceled run stops what it started, and nothing else.

use std::time::Duration;

use runner::outcome::{RunOutcome, StepOutcome};
use runner::simulator::{Done, Scenario};

use super::{cancel, count, ended, park, parked, pipeline, started, step, warnings};
use crate::lab::{Lab, Plot, plan};

const RELEASE: &str = "
playbook: 1
name: release
steps:
  build: { run_workflow: { project: demo, reference: refs/heads/main, wait: false } }
  tests: { wait_pipeline: { pipeline: '{{ steps.build.pipeline_id }}' } }
  deploy:
    needs: { tests: passed }
    promote: { pipeline: '{{ steps.tests.pipeline_id }}', name: Production }
finally:
  tell: { check: { that: [\"run.outcome == 'canceled'\"] } }
";

fn lab(scenario: &str) -> Lab {
    Lab::new(
        &plan(RELEASE),
        Scenario::built_in(scenario).expect("a scenario"),
    )
}

fn is_stop(deed: &Done) -> bool {
    matches!(deed, Done::StopPipeline { .. } | Done::StopWorkflow { .. })
}

#[test]
fn a_canceled_run_stops_its_pipeline_and_then_runs_finally() {
    let mut lab = lab("passing");
    let end = lab.session(&cancel(100));
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled, "{end:?}");
    assert_eq!(step(&lab, "tests").outcome, StepOutcome::Canceled);
    assert_eq!(step(&lab, "deploy").outcome, StepOutcome::Blocked);
    assert_eq!(step(&lab, "tell").outcome, StepOutcome::Passed);
    let (_, id) = started(&lab).remove(0);
    assert_eq!(
        pipeline(&lab, Duration::ZERO, &id),
        ("done".into(), "stopped".into()),
        "the run ended after its pipeline"
    );
    assert_eq!(count(&lab, is_stop), 1);
    assert!(warnings(&lab).is_empty(), "{:?}", warnings(&lab));
}

/// At whatever second it is canceled, also between a trigger and the pipeline that comes of it.
#[test]
fn nothing_that_was_started_goes_on() {
    for second in (0..330).step_by(3) {
        let mut lab = lab("passing");
        let end = lab.session(&cancel(second));
        let outcome = ended(&end).outcome;
        let canceled = outcome == RunOutcome::Canceled;
        assert!(
            canceled || outcome == RunOutcome::Failed,
            "{second}: {outcome}"
        );
        for (workflow, _) in started(&lab) {
            let all = super::ask(
                &lab,
                Duration::from_secs(30),
                &format!("/pipelines?wf_id={workflow}"),
            );
            for pipeline in all.as_array().expect("a list") {
                let state = pipeline["state"].as_str().unwrap_or_default();
                assert!(state.eq_ignore_ascii_case("done"), "{second}: {pipeline}");
            }
        }
    }
}

#[test]
fn what_somebody_else_started_goes_on() {
    let mut first = lab("passing");
    parked(&first.session(&park(60)));
    let (_, id) = started(&first).remove(0);
    let only_waits = format!(
        "playbook: 1\nname: release\nsteps:\n  tests: {{ wait_pipeline: {{ pipeline: {id} }} }}\n"
    );
    let mut second = Lab::new(
        &plan(&only_waits),
        Scenario::built_in("passing").expect("it"),
    );
    second.world = std::sync::Arc::clone(&first.world);
    second.now = first.now;
    let end = second.session(&cancel(20));
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled);
    assert_eq!(count(&second, is_stop), 0);
    assert_eq!(pipeline(&second, Duration::ZERO, &id).0, "running");
}

#[test]
fn a_cancel_of_a_parked_run_counts_when_it_is_gone_on_with() {
    use runner::store::{InboxMessage, Store as _};
    let mut lab = lab("passing");
    parked(&lab.session(&park(100)));
    assert_eq!(
        count(&lab, is_stop),
        0,
        "parked runs leave everything alone"
    );
    let wish = InboxMessage::Cancel { by: "ann".into() };
    lab.ledger.post("r1", &wish).expect("it is kept");
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled);
    assert_eq!(count(&lab, is_stop), 1);
    assert_eq!(count(&lab, |d| matches!(d, Done::Promote { .. })), 0);
}

#[test]
fn a_run_that_is_canceled_before_it_begins_sends_nothing() {
    use runner::store::{InboxMessage, Store as _};
    let mut lab = lab("passing");
    let wish = InboxMessage::Cancel { by: "ann".into() };
    lab.ledger.post("r1", &wish).expect("it is kept");
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled);
    assert!(lab.acts().is_empty());
}

/// The grace is over at some time, whatever the server does; what did not stop is named, and no write is
/// left without its outcome.
#[test]
fn what_does_not_stop_is_named_after_the_grace() {
    for (mishap, took) in [
        ("{ answer: { status: 500 } }", 119_000..125_000),
        ("hang", 119_000..165_000),
        ("{ delay: 25s }", 119_000..130_000),
    ] {
        let scenario = format!(
            "
projects:
  - name: demo
    pipelines:
      .semaphore/semaphore.yml: {{ init: 1s, run: 10m }}
faults:
  - {{ on: stop_pipeline, count: 100, do: {mishap} }}
"
        );
        let source = runner::diagnostic::Source::new("scenario.yml", scenario);
        let mut lab = Lab::new(
            &plan(RELEASE),
            Scenario::parse(&source).expect("a scenario"),
        );
        let end = lab.session(&cancel(100));
        assert_eq!(ended(&end).outcome, RunOutcome::Canceled);
        let (_, id) = started(&lab).remove(0);
        let words = warnings(&lab).join("\n");
        assert!(words.contains(&id) && words.contains("20s"), "{words}");
        let ended_after = lab.events().last().expect("an event").at.active_ms;
        assert!(took.contains(&ended_after), "{mishap}: {ended_after}");
        let open = lab.ledger.inner().open_intents("r1").expect("the intents");
        assert!(open.is_empty(), "{mishap}: {open:?}");
    }
}

/// Killed while it stops, it goes on stopping.
#[test]
fn stopping_survives_a_crash_at_every_commit() {
    use crate::lab::{End, Side};
    for commit in 1..40 {
        for side in [Side::Before, Side::After] {
            let mut lab = lab("passing");
            let mut plot = cancel(100);
            plot.at_commit = Some((commit, side));
            match lab.session(&plot) {
                End::Finished(_) => return,
                End::Broken(_) if lab.ledger.is_dead() => {}
                other => panic!("{commit}: {other:?}"),
            }
            let was_canceled = lab.events().iter().any(|recorded| {
                matches!(recorded.event, runner::event::Event::CancelRequested { .. })
            });
            let end = lab.session(&if was_canceled {
                Plot::default()
            } else {
                cancel(50)
            });
            assert_eq!(ended(&end).outcome, RunOutcome::Canceled, "{commit}");
            for (_, id) in started(&lab) {
                let state = pipeline(&lab, Duration::from_secs(30), &id).0;
                assert_eq!(state, "done", "{commit} {side:?}");
            }
            assert!(started(&lab).len() <= 1, "{commit} {side:?}");
        }
    }
}
