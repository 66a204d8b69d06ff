//! `undo`: what was done is taken back when a step fails, in the reverse of its order, and only then.

use std::sync::Arc;
use std::time::Duration;

use runner::drivers::{Finish, StopRequest};
use runner::engine::Ev;
use runner::event::{Event, FailureKind};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::report::{ApiUse, RunView, report};
use runner::store::MemoryStore;
use serde_json::json;

use crate::lab::{Lab, Plot, Side, plan};
use crate::rig::{Ran, Rig};

/// Three deeds elsewhere, one after the other, each with an undo; then something that decides.
const DEEDS: &str = r#"playbook: 1
inputs: { end: { type: string, default: red } }
steps:
  first:
    http: { method: POST, url: "https://a.example/first", json: { n: 1 } }
    undo: { http: { method: DELETE, url: "https://a.example/first/{{ this.body.id }}" } }
  second:
    needs: first
    http: { method: PUT, url: "https://a.example/second" }
    undo:
      http: { method: DELETE, url: "https://a.example/second/{{ steps.first.body.id }}" }
      timeout: 2m
  third:
    needs: second
    http: { method: POST, url: "https://a.example/third" }
  last:
    needs: third
    when: inputs.end == 'red'
    fail: it went wrong
finally:
  tell:
    set: { ended: "{{ run.outcome }}" }
"#;
const ALL_WELL: &str = "projects: []\nhttp:\n  - { url: '*', json: { id: 7 } }\n";

fn run(playbook: &str, scenario: &str) -> Ran {
    Rig::from_yaml(playbook, scenario).run()
}

/// What other servers were told, without the address they share.
fn heard(ran: &Ran) -> Vec<String> {
    let line = |heard: &runner::simulator::Heard| {
        let path = heard.request.path.trim_start_matches("https://a.example/");
        format!("{} {path}", heard.request.method)
    };
    ran.heard.iter().map(line).collect()
}

fn outcomes(ran: &Ran) -> Vec<(&str, &'static str)> {
    ran.outcomes()
        .into_iter()
        .map(|(step, outcome)| (step, outcome.as_str()))
        .collect()
}

#[test]
fn what_was_done_is_taken_back_in_reverse_before_finally() {
    let ran = run(DEEDS, ALL_WELL);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Failed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(
        heard(&ran),
        [
            "POST first",
            "PUT second",
            "POST third",
            "DELETE second/7",
            "DELETE first/7"
        ]
    );
    assert_eq!(
        outcomes(&ran),
        [
            ("first", "passed"),
            ("second", "passed"),
            ("third", "passed"),
            ("last", "failed"),
            ("second/undo", "passed"),
            ("first/undo", "passed"),
            ("tell", "passed"),
        ]
    );
    let added: Vec<_> = ran
        .events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::StepAdded(info) => Some((info.id.as_str(), info.undoes.as_deref())),
            _ => None,
        })
        .collect();
    assert_eq!(
        added,
        [
            ("second/undo", Some("second")),
            ("first/undo", Some("first"))
        ]
    );
    let view = RunView::of(&ran.events);
    let report = report(&view, 1, &ApiUse::default());
    assert_eq!(
        report.steps["first"].undone_by.as_deref(),
        Some("first/undo")
    );
    assert_eq!(
        report.steps["second"].undone_by.as_deref(),
        Some("second/undo")
    );
    assert_eq!(report.steps["third"].undone_by, None);
    let ids: Vec<&String> = report.steps.keys().collect();
    assert_eq!(
        ids,
        [
            "first",
            "first/undo",
            "second",
            "second/undo",
            "third",
            "last",
            "tell"
        ]
    );
}

#[test]
fn a_green_run_takes_nothing_back() {
    let ran = Rig::from_yaml(DEEDS, ALL_WELL).input("end", "green").run();
    assert_eq!(ran.outcome(), Some(RunOutcome::Passed));
    assert_eq!(heard(&ran), ["POST first", "PUT second", "POST third"]);
}

#[test]
fn a_failure_that_is_allowed_takes_nothing_back() {
    let soft = DEEDS.replace(
        "fail: it went wrong",
        "fail: it went wrong\n    allow_failure: true",
    );
    let ran = run(&soft, ALL_WELL);
    assert_eq!(ran.outcome(), Some(RunOutcome::Passed));
    assert_eq!(ran.heard.len(), 3);
}

#[test]
fn the_order_is_that_in_which_they_ended() {
    let playbook = r#"playbook: 1
steps:
  slow:
    http: { method: POST, url: "https://a.example/slow" }
    undo: { http: { method: DELETE, url: "https://a.example/slow" } }
  quick:
    http: { method: POST, url: "https://a.example/quick" }
    undo: { http: { method: DELETE, url: "https://a.example/quick" } }
  bad:
    needs: [slow, quick]
    fail: no
"#;
    let servers = "projects: []\nhttp:\n  - { url: '*/slow', count: 1, do: { delay: 20s } }\n  - { url: '*' }\n";
    let ran = run(playbook, servers);
    assert_eq!(
        heard(&ran),
        ["POST slow", "POST quick", "DELETE slow", "DELETE quick"]
    );
}

/// What was not done is not taken back; what may have been done is, also when its step failed.
#[test]
fn only_what_was_done_or_may_have_been_is_taken_back() {
    let playbook = r#"playbook: 1
steps:
  deed:
    http: { method: POST, url: "https://a.example/deed" }
    retry: { attempts: 1 }
    undo: { http: { method: DELETE, url: "https://a.example/deed" } }
  skipped:
    when: false
    http: { method: POST, url: "https://a.example/skipped" }
    undo: { http: { method: DELETE, url: "https://a.example/skipped" } }
  blocked:
    needs: { bad: passed }
    http: { method: POST, url: "https://a.example/blocked" }
    undo: { http: { method: DELETE, url: "https://a.example/blocked" } }
  bad:
    needs: { deed: any }
    check: ["1 == 2"]
"#;
    for (server, undone) in [
        ("status: 200", true),
        ("status: 500", true),
        ("do: reset", true),
        ("do: hang", true),
        ("status: 404", false),
        ("status: 429", false),
        ("do: refuse", false),
    ] {
        let servers = format!(
            "projects: []\nhttp:\n  - {{ url: '*', method: POST, {server} }}\n  - {{ url: '*' }}\n"
        );
        let ran = run(playbook, &servers);
        let deletes = heard(&ran)
            .iter()
            .filter(|h| h.starts_with("DELETE"))
            .count();
        assert_eq!(deletes, usize::from(undone), "{server}: {:#?}", ran.words());
    }
}

#[test]
fn an_undo_that_fails_is_told_and_keeps_no_other_from_its_turn() {
    let servers = "projects: []\nhttp:\n  - { url: '*/second/*', status: 409 }\n  - { url: '*', json: { id: 7 } }\n";
    let ran = run(DEEDS, servers);
    assert_eq!(ran.outcome(), Some(RunOutcome::Failed));
    assert_eq!(ran.step("second/undo").outcome, StepOutcome::Failed);
    assert_eq!(ran.step("first/undo").outcome, StepOutcome::Passed);
    let Finish::Ended(ended) = &ran.finish else {
        panic!("it ended");
    };
    assert_eq!(
        ended.why.as_deref(),
        Some("`last` and `second/undo` failed")
    );
    let view = RunView::of(&ran.events);
    let report = report(&view, 1, &ApiUse::default());
    assert_eq!(report.steps["second"].undone_by, None);
}

#[test]
fn an_undo_has_its_own_time() {
    let hangs = "projects: []\nhttp:\n  - { url: '*', method: DELETE, do: hang }\n  - { url: '*', json: { id: 7 } }\n";
    // Neither the time of every step nor that of the run counts.
    let playbook = DEEDS.replace(
        "steps:\n",
        "timeout: 3m\ndefaults: { timeout: 1m, retry: { attempts: 100 } }\nsteps:\n",
    );
    let ran = run(&playbook, hangs);
    for (step, words) in [
        ("second/undo", "the step's time of 2m is over"),
        ("first/undo", "the step's time of 10m is over"),
    ] {
        let error = ran.step(step).error.clone().expect("an error");
        assert_eq!(error.kind, FailureKind::Deadline);
        assert!(error.message.starts_with(words), "{}", error.message);
    }
    assert_eq!(ran.outcome(), Some(RunOutcome::Failed), "not the deadline");
    assert_eq!(ran.step("tell").outputs["ended"], json!("failed"));
}

const MIXED: &str = r#"playbook: 1
steps:
  deed:
    http: { method: POST, url: "https://a.example/deed" }
    undo: { http: { method: DELETE, url: "https://a.example/deed" } }
  build:
    needs: deed
    run_workflow: { project: demo, reference: refs/heads/main }
  bad:
    needs: deed
    fail: no
"#;

fn demo(more: &str) -> String {
    format!("projects: [ {{ name: demo }} ]\nhttp: [ {{ url: '*' }} ]\n{more}")
}

#[test]
fn nothing_is_taken_back_when_anything_is_unknown() {
    // The workflow is started by somebody else at the same time, and our own answer is lost.
    let lost = "faults:\n  - { on: run_workflow, do: reset_after_acting }\n  - { on: list_workflows, nth: 2, count: 100, do: { answer: { status: 500, body: no } } }\n";
    let ran = run(MIXED, &demo(lost));
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Unknown),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.step("bad").outcome, StepOutcome::Failed);
    assert_eq!(heard(&ran), ["POST deed"]);
}

#[test]
fn a_canceled_run_is_not_taken_back() {
    let slow = DEEDS
        .replace(
            "needs: third\n",
            "needs: third\n    retry: { attempts: 2 }\n",
        )
        .replace("fail: it went wrong", "sleep: 10m");
    let mut rig = Rig::from_yaml(&slow, ALL_WELL);
    let cancel = StopRequest::Cancel { by: "ada".into() };
    rig.stops = vec![(Duration::from_secs(60), cancel)];
    let ran = rig.run();
    assert_eq!(ran.outcome(), Some(RunOutcome::Canceled));
    assert_eq!(ran.heard.len(), 3);
}

/// A cancel while things are taken back stops that too; what is under way is seen to its end.
#[test]
fn a_cancel_while_it_is_taken_back_leaves_the_rest() {
    let slow = "projects: []\nhttp:\n  - { url: '*/second/*', do: { delay: 30s } }\n  - { url: '*', json: { id: 7 } }\n";
    let mut rig = Rig::from_yaml(DEEDS, slow);
    let cancel = StopRequest::Cancel { by: "ada".into() };
    rig.stops = vec![(Duration::from_secs(10), cancel)];
    let ran = rig.run();
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Canceled),
        "{:#?}",
        ran.words()
    );
    assert_eq!(
        heard(&ran).last().map(String::as_str),
        Some("DELETE second/7")
    );
    assert_eq!(ran.step("first/undo").outcome, StepOutcome::Canceled);
    assert_eq!(
        ran.step("first/undo").why.as_deref(),
        Some("the run was canceled by ada")
    );
    assert_eq!(ran.step("tell").outputs["ended"], json!("canceled"));
}

#[test]
fn after_the_deadline_of_the_run_what_failed_is_still_taken_back() {
    let playbook = DEEDS.replace("steps:\n", "timeout: 5m\nsteps:\n  long:\n    sleep: 10m\n");
    let ran = run(&playbook, ALL_WELL);
    assert_eq!(ran.outcome(), Some(RunOutcome::Deadline));
    assert_eq!(ran.step("first/undo").outcome, StepOutcome::Passed);
    // Without a failure the deadline alone takes nothing back.
    let calm = playbook.replace("when: inputs.end == 'red'", "when: false");
    let ran = run(&calm, ALL_WELL);
    assert_eq!(ran.outcome(), Some(RunOutcome::Deadline));
    assert_eq!(ran.heard.len(), 3);
}

const WORKFLOW: &str = r#"playbook: 1
steps:
  build:
    run_workflow: { project: demo, reference: refs/heads/main, wait: false }
    undo: { stop_workflow: { workflow: "{{ this.workflow_id }}" } }
  bad:
    needs: build
    fail: no
"#;

#[test]
fn a_workflow_can_be_taken_back_by_stopping_it() {
    let ran = Rig::new(WORKFLOW, "passing").run();
    assert_eq!(
        ran.step("build/undo").outcome,
        StepOutcome::Passed,
        "{:#?}",
        ran.words()
    );
    let stopped = ran
        .acts
        .iter()
        .any(|act| matches!(act.deed, runner::simulator::Done::StopWorkflow { .. }));
    assert!(stopped, "{:#?}", ran.acts);
}

/// A session is killed before and after each commit and each request: the run ends as it does without, every
/// deed is taken back, and none that is sent at most once is sent twice.
#[test]
fn a_crash_at_any_instant_changes_nothing() {
    let playbook = DEEDS
        .replace("method: DELETE", "method: POST")
        .replace("method: PUT", "method: POST");
    let scenario = || {
        let source = runner::diagnostic::Source::new("s.yml", ALL_WELL);
        runner::simulator::Scenario::parse(&source).expect("a scenario")
    };
    let mut crashes = 0;
    for side in [Side::Before, Side::After] {
        for number in 1..200 {
            let mut lab = Lab::new(&plan(&playbook), scenario());
            let plot = Plot {
                at_commit: Some((number, side)),
                ..Plot::default()
            };
            let finish = lab.until_the_end(&[plot], &mut |_| {});
            let Finish::Ended(ended) = finish else {
                panic!("it ends");
            };
            assert_eq!(ended.outcome, RunOutcome::Failed, "{side:?} {number}");
            let world = lab.world.lock().expect("not poisoned");
            let mut paths: Vec<String> = world
                .heard()
                .iter()
                .map(|h| h.request.path.clone())
                .collect();
            let sent = paths.len();
            paths.sort();
            paths.dedup();
            assert_eq!(
                paths.len(),
                sent,
                "{side:?} {number}: sent twice: {paths:?}"
            );
            drop(world);
            let view = RunView::of(&lab.events());
            for deed in ["first", "second"] {
                // Whatever was done, or may have been, had its undo.
                let outcome = |id: &str| view.steps.get(id).and_then(|step| step.outcome());
                let acted = matches!(
                    outcome(deed),
                    Some(StepOutcome::Passed | StepOutcome::Failed)
                );
                let undo = outcome(&format!("{deed}/undo"));
                assert_eq!(undo.is_some(), acted, "{side:?} {number} {deed}");
            }
            if lab.seen.len() == 1 {
                break;
            }
            crashes += 1;
        }
    }
    assert!(crashes > 10, "only {crashes}");
}

#[test]
fn a_parked_run_goes_on_taking_back() {
    let store = Arc::new(MemoryStore::new());
    let slow = "projects: []\nhttp:\n  - { url: '*/second/*', count: 3, status: 503, headers: { Retry-After: '60' } }\n  - { url: '*', json: { id: 7 } }\n";
    let mut first = Rig::from_yaml(DEEDS, slow);
    first.park_after = Some(Duration::from_secs(30));
    let parked = first.session(&store, None);
    assert!(matches!(parked.finish, Finish::Parked { .. }));
    let resumed = Rig::from_yaml(DEEDS, ALL_WELL).session(&store, None);
    assert_eq!(resumed.outcome(), Some(RunOutcome::Failed));
    assert_eq!(heard(&resumed), ["DELETE second/7", "DELETE first/7"]);
}

/// Another round does again what was taken back, and what failed; what was not taken back keeps its results.
#[test]
fn another_round_does_again_what_was_taken_back() {
    let servers = "projects: []\nhttp:\n  - { url: '*/last', count: 1, status: 409 }\n  - { url: '*', json: { id: 7 } }\n";
    let playbook = DEEDS.replace(
        "fail: it went wrong",
        "http: { method: POST, url: 'https://a.example/last' }",
    );
    let source = runner::diagnostic::Source::new("s.yml", servers);
    let scenario = runner::simulator::Scenario::parse(&source).expect("a scenario");
    let mut lab = Lab::new(&plan(&playbook), scenario);
    let finish = lab.until_the_end(&[], &mut |_| {});
    let outcome = |finish: &Finish| match finish {
        Finish::Ended(ended) => Some(ended.outcome),
        Finish::Parked { .. } => None,
    };
    assert_eq!(outcome(&finish), Some(RunOutcome::Failed));
    let again = Plot {
        opening: vec![Ev::RoundRequested {
            failed: true,
            by: "ada".into(),
        }],
        ..Plot::default()
    };
    let finish = lab.until_the_end(&[again], &mut |_| {});
    assert_eq!(outcome(&finish), Some(RunOutcome::Passed));
    let world = lab.world.lock().expect("not poisoned");
    let heard: Vec<String> = world
        .heard()
        .iter()
        .map(|h| {
            let path = h.request.path.trim_start_matches("https://a.example/");
            format!("{} {path}", h.request.method)
        })
        .collect();
    assert_eq!(
        heard,
        [
            "POST first",
            "PUT second",
            "POST third",
            "POST last",
            "DELETE second/7",
            "DELETE first/7",
            "POST first",
            "PUT second",
            "POST last",
        ]
    );
    // What was taken back is done: nothing of it is undone any more.
    let report = report(&RunView::of(&lab.events()), 0, &ApiUse::default());
    assert_eq!(report.steps["first"].undone_by, None);
}

/// `runner test` plays other servers and people who are asked.
#[test]
fn tests_of_playbooks_know_other_servers_and_approvals() {
    let program = crate::program::Program::new();
    program.file(
        "p.yml",
        &DEEDS.replace("fail: it went wrong", "approve: { message: go? }"),
    );
    program.file(
        "p.test.yml",
        "test: p.yml\nworld:\n  http: [ { url: '*', json: { id: 7 } } ]\ncases:\n  yes: { world: { approvals: { last: approve } }, expect: { outcome: passed } }\n  no:\n    world: { approvals: { last: reject } }\n    expect: { outcome: failed, steps: { last: failed, first/undo: passed, second/undo: passed } }\n  broken:\n    world: { http: [ { url: '*/first', do: reset } ] }\n    expect: { outcome: failed, steps: { first: { outcome: failed, error: fate_unknown } } }\n",
    );
    program.run(&["test"]).expect(0);
}
