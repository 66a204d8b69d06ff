//! Concurrency groups: who holds one keeps the others out.

use std::sync::{Arc, Mutex};

use runner::event::{Event, FailureKind};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::simulator::Scenario;
use runner::store::{LockGuard, MemoryStore, OwnerInfo};

use super::{ended, park, parked, started, step, warnings};
use crate::lab::{End, Lab, Plot, plan};

fn lab(on_conflict: &str) -> Lab {
    let text = format!(
        "
playbook: 1
name: release
inputs: {{ lane: {{ type: string, default: blue }} }}
concurrency: {{ group: 'lane-{{{{ inputs.lane }}}}', on_conflict: {on_conflict} }}
timeout: 10m
steps:
  build: {{ run_workflow: {{ project: demo, reference: refs/heads/main }} }}
finally:
  tell: {{ set: {{ how: '{{{{ run.outcome }}}}' }} }}
outputs: {{ id: '{{{{ steps.build.pipeline_id }}}}' }}
"
    );
    // The other process lives on when this one starts anew: no locks are freed between sessions.
    let store = Arc::new(MemoryStore::new());
    let scenario = Scenario::built_in("passing").expect("it");
    Lab::over(&plan(&text), scenario, store)
}

fn hold(lab: &Lab) -> LockGuard {
    let owner = OwnerInfo {
        pid: 4711,
        host: "elsewhere".into(),
        since: lab.now,
        run: "other".into(),
    };
    let store = lab.ledger.inner();
    store
        .acquire_group("lane-blue", &owner)
        .expect("it is free")
}

#[test]
fn a_group_that_is_free_is_held_while_the_run_is_worked_on() {
    let mut lab = lab("wait");
    parked(&lab.session(&park(60)));
    assert_eq!(started(&lab).len(), 1);
    drop(hold(&lab));
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    drop(hold(&lab));
}

#[test]
fn who_waits_says_for_whom_and_sends_nothing() {
    let mut lab = lab("wait");
    let guard = hold(&lab);
    parked(&lab.session(&park(120)));
    assert!(lab.acts().is_empty());
    let words = warnings(&lab).join("\n");
    assert!(
        words.contains("lane-blue") && words.contains("process 4711 on elsewhere"),
        "{words}"
    );
    assert_eq!(warnings(&lab).len(), 1, "said once");
    drop(guard);
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
}

/// The other run goes while this one waits.
#[test]
fn who_waits_begins_when_the_group_is_free() {
    let mut lab = lab("wait");
    let guard = Mutex::new(Some(hold(&lab)));
    lab.ledger.on_commit(Arc::new(move |number, _| {
        // The first commit says that it waits.
        if number >= 1 {
            drop(guard.lock().expect("not poisoned").take());
        }
    }));
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    let facts: Vec<&str> = lab
        .events()
        .iter()
        .filter_map(|recorded| match recorded.event {
            Event::GroupBusy { .. } => Some("busy"),
            Event::GroupTaken { .. } => Some("taken"),
            _ => None,
        })
        .collect();
    assert_eq!(facts, ["busy", "taken"]);
}

#[test]
fn the_deadline_counts_while_it_waits() {
    let mut lab = lab("wait");
    let _guard = hold(&lab);
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Deadline, "{end:?}");
    assert!(lab.acts().is_empty());
    assert_eq!(step(&lab, "build").outcome, StepOutcome::Canceled);
    assert_eq!(step(&lab, "tell").outputs["how"], "deadline");
}

#[test]
fn a_cancel_counts_while_it_waits() {
    let mut lab = lab("wait");
    let _guard = hold(&lab);
    let end = lab.session(&super::cancel(60));
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled, "{end:?}");
    assert!(lab.acts().is_empty());
}

#[test]
fn fail_ends_the_run_without_having_begun() {
    let mut lab = lab("fail");
    let _guard = hold(&lab);
    let end = lab.session(&Plot::default());
    let ended = ended(&end);
    assert_eq!(ended.outcome, RunOutcome::Failed);
    assert_eq!(ended.failure, Some(FailureKind::Locked));
    let why = ended.why.as_deref().unwrap_or_default();
    assert!(why.contains("process 4711"), "{why}");
    assert!(lab.acts().is_empty());
    assert_eq!(step(&lab, "tell").outcome, StepOutcome::Canceled);
}

#[test]
fn skip_passes_without_having_begun() {
    let mut lab = lab("skip");
    let _guard = hold(&lab);
    let end = lab.session(&Plot::default());
    assert_eq!(ended(&end).outcome, RunOutcome::Passed, "{end:?}");
    assert!(lab.acts().is_empty());
    assert_eq!(step(&lab, "build").outcome, StepOutcome::Skipped);
    assert_eq!(step(&lab, "tell").outcome, StepOutcome::Skipped);
    assert!(warnings(&lab).join("\n").contains("nothing was done"));
}

/// A parked run gave its group back: it waits for it before it goes on, and a cancel does not wait.
#[test]
fn a_parked_run_takes_its_group_again() {
    let mut lab = lab("wait");
    parked(&lab.session(&park(60)));
    let guard = hold(&lab);
    let before = lab.events();
    parked(&lab.session(&park(60)));
    assert_eq!(lab.events(), before, "it did not go on");
    let end = lab.session(&super::cancel(30));
    assert_eq!(ended(&end).outcome, RunOutcome::Canceled, "{end:?}");
    drop(guard);
}

#[test]
fn a_parked_run_that_does_not_wait_says_who_holds_its_group() {
    let mut lab = lab("fail");
    parked(&lab.session(&park(60)));
    let _guard = hold(&lab);
    match lab.session(&Plot::default()) {
        End::Broken(error) => assert!(error.to_string().contains("process 4711"), "{error}"),
        other => panic!("{other:?}"),
    }
}
