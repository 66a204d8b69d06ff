//! Unknown writes that a person settles, and further rounds of a run that has ended.

use std::time::Duration;

use runner::engine::Ev;
use runner::event::{Event, Resolution};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::report::RunView;
use runner::simulator::{Done, Scenario};
use runner::store::{InboxMessage, Store as _};

use super::{count, ended, ends, park, parked, started, step};
use crate::lab::{Lab, Plot, plan};

const PLAYBOOK: &str = "
playbook: 1
name: release
steps:
  before: { set: { lane: blue } }
  build:
    needs: [before]
    run_workflow: { project: demo, reference: refs/heads/main }
  after: { set: { id: '{{ steps.build.pipeline_id }}' } }
finally:
  tell: { set: { how: '{{ run.outcome }}' } }
outputs: { pipeline: '{{ steps.build.pipeline_id }}' }
";

/// The answer to the run is lost, and for a while nobody can look for it either.
fn lost(mishap: &str) -> Lab {
    let scenario = format!(
        "
projects:
  - name: demo
    pipelines:
      .semaphore/semaphore.yml: {{ init: 1s, run: 30s }}
faults:
  - {{ on: run_workflow, do: {mishap} }}
  - {{ on: list_workflows, nth: 2, count: 12, do: {{ answer: {{ status: 500 }} }} }}
"
    );
    let source = runner::diagnostic::Source::new("scenario.yml", scenario);
    Lab::new(
        &plan(PLAYBOOK),
        Scenario::parse(&source).expect("a scenario"),
    )
}

fn round(failed: bool) -> Plot {
    let by = "ann".to_owned();
    Plot {
        opening: vec![Ev::RoundRequested { failed, by }],
        ..Plot::default()
    }
}

fn settle(lab: &Lab, resolution: Resolution) {
    let message = InboxMessage::Resolve {
        step: "build".into(),
        resolution,
        by: "ann".into(),
    };
    lab.ledger.post("r1", &message).expect("it is kept");
}

fn unknown(mishap: &str) -> Lab {
    let mut lab = lost(mishap);
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Unknown, "{end:?}");
    assert_eq!(step(&lab, "after").outcome, StepOutcome::Blocked);
    assert_eq!(step(&lab, "tell").outputs["how"], "unknown");
    lab
}

#[test]
fn what_a_person_found_is_taken_over_and_the_run_goes_on() {
    for by_pipeline in [false, true] {
        let mut lab = unknown("reset_after_acting");
        let (workflow, pipeline) = started(&lab).remove(0);
        settle(
            &lab,
            Resolution::Is(if by_pipeline {
                pipeline.clone()
            } else {
                workflow
            }),
        );
        let end = lab.session(&round(false));
        assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
        assert_eq!(ended(&end).outputs["pipeline"], pipeline);
        assert_eq!(started(&lab).len(), 1, "nothing was started again");
        assert_eq!(ends(&lab, "before"), [StepOutcome::Passed], "done once");
        assert_eq!(
            ends(&lab, "build"),
            [StepOutcome::Unknown, StepOutcome::Passed]
        );
        assert_eq!(step(&lab, "after").outputs["id"], pipeline);
        assert_eq!(step(&lab, "tell").outputs["how"], "passed");
        let view = RunView::of(&lab.events());
        assert_eq!(view.round, Some(2));
        assert_eq!(view.word(), "passed");
    }
}

#[test]
fn what_was_never_sent_is_sent_once() {
    let mut lab = unknown("reset_before_acting");
    assert!(started(&lab).is_empty());
    settle(&lab, Resolution::NotSent);
    let end = lab.session(&round(false));
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    assert_eq!(started(&lab).len(), 1);
}

#[test]
fn nothing_goes_on_before_it_is_settled() {
    let mut lab = unknown("reset_after_acting");
    let (before, requests) = (lab.events(), lab.acts().len());
    let end = lab.session(&round(true));
    assert_eq!(ended(&end).outcome, RunOutcome::Unknown);
    assert_eq!(lab.events(), before, "nothing is written down");
    assert_eq!(lab.acts().len(), requests);
}

#[test]
fn an_id_that_is_not_there_leaves_it_unknown() {
    let mut lab = unknown("reset_after_acting");
    let elsewhere = "99999999-9999-4999-8999-999999999999";
    settle(&lab, Resolution::Is(elsewhere.into()));
    let end = lab.session(&round(false));
    assert_eq!(ended(&end).outcome, RunOutcome::Unknown, "{end:?}");
    let error = step(&lab, "build").error.expect("an error");
    assert!(error.message.contains(elsewhere), "{}", error.message);
    let (workflow, _) = started(&lab).remove(0);
    settle(&lab, Resolution::Is(workflow));
    let end = lab.session(&round(false));
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    assert_eq!(started(&lab).len(), 1);
}

/// While other steps are at work, what is settled goes on at once, in the same round.
#[test]
fn a_run_that_has_not_ended_goes_on_at_once() {
    let mut lab = lost("reset_after_acting");
    let text = PLAYBOOK.replace("  before:", "  pause: { sleep: 10m }\n  before:");
    lab.plan = plan(&text);
    parked(&lab.session(&park(200)));
    assert_eq!(ends(&lab, "build"), [StepOutcome::Unknown]);
    let (workflow, _) = started(&lab).remove(0);
    settle(&lab, Resolution::Is(workflow));
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    assert_eq!(
        ends(&lab, "tell"),
        [StepOutcome::Passed],
        "the run ended once"
    );
    assert_eq!(step(&lab, "after").outcome, StepOutcome::Passed);
}

#[test]
fn a_round_does_again_what_failed_and_only_that() {
    let mut lab = Lab::new(&plan(PLAYBOOK), Scenario::built_in("flaky").expect("it"));
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Failed, "{end:?}");
    let end = lab.session(&round(true));
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    assert_eq!(ends(&lab, "before"), [StepOutcome::Passed]);
    assert_eq!(
        ends(&lab, "build"),
        [StepOutcome::Failed, StepOutcome::Passed]
    );
    assert_eq!(
        ends(&lab, "after"),
        [StepOutcome::Blocked, StepOutcome::Passed]
    );
    assert_eq!(started(&lab).len(), 2);
    let marks: std::collections::BTreeSet<_> = lab
        .acts()
        .iter()
        .filter(|act| matches!(act.deed, Done::RunWorkflow { .. }))
        .flat_map(|act| act.parameters.clone())
        .filter(|(name, _)| name == "RUNNER_KEY")
        .collect();
    assert_eq!(marks.len(), 2, "another round has another mark: {marks:?}");
    let keys: Vec<_> = lab
        .events()
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::CallStarted { key, .. } => Some(key.clone()),
            _ => None,
        })
        .collect();
    let unique: std::collections::BTreeSet<_> = keys.iter().cloned().collect();
    assert_eq!(unique.len(), keys.len(), "keys of calls are not used twice");
}

/// Killed anywhere in its second round, it goes on there, and nothing is started a third time.
#[test]
fn a_round_survives_a_crash_at_every_commit() {
    use crate::lab::{End, Side};
    for commit in 1..60 {
        for side in [Side::Before, Side::After] {
            let mut lab = Lab::new(&plan(PLAYBOOK), Scenario::built_in("flaky").expect("it"));
            lab.session(&Plot::default());
            let mut plot = round(true);
            plot.at_commit = Some((commit, side));
            match lab.session(&plot) {
                End::Finished(_) => {
                    assert!(commit > 3);
                    return;
                }
                End::Broken(_) if lab.ledger.is_dead() => {}
                other => panic!("{commit}: {other:?}"),
            }
            let over = RunView::of(&lab.events()).ended().is_some();
            let calm = if over { round(true) } else { Plot::default() };
            let end = lab.session(&calm);
            assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{commit} {side:?}");
            assert_eq!(started(&lab).len(), 2, "{commit} {side:?}");
        }
    }
}

/// The deadline of a round is its own: the first round may lie days back.
#[test]
fn a_round_has_its_own_deadline() {
    let text = PLAYBOOK.replace("name: release", "name: release\ntimeout: 1h");
    let mut lab = Lab::new(&plan(&text), Scenario::built_in("flaky").expect("it"));
    lab.session(&Plot::default());
    lab.now = runner::clock::later(lab.now, Duration::from_secs(3 * 86_400));
    let end = lab.session(&round(true));
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
}

#[test]
fn a_run_that_was_canceled_goes_on_in_a_new_round() {
    let mut lab = Lab::new(&plan(PLAYBOOK), Scenario::built_in("passing").expect("it"));
    let end = lab.session(&super::cancel(60));
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled);
    let end = lab.session(&round(true));
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    assert_eq!(count(&lab, |d| matches!(d, Done::RunWorkflow { .. })), 2);
}
