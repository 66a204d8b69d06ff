//! `rerun` and `until`: done again, and asked again.

use std::time::Duration;

use runner::event::FailureKind;
use runner::outcome::StepOutcome;

use super::*;

fn rebuilt(ran: &Ran) -> usize {
    ours(ran, |deed| matches!(deed, Done::Rebuild { .. })).len()
}

fn started(ran: &Ran) -> usize {
    ours(ran, |deed| matches!(deed, Done::RunWorkflow { .. })).len()
}

#[test]
fn what_ended_badly_is_run_again_as_often_as_it_may() {
    for (reference, rerun, outcome, rebuilds, starts) in [
        ("flaky", "{}", StepOutcome::Passed, 1, 1),
        (
            "flaky",
            "{ max: 1, scope: failed }",
            StepOutcome::Passed,
            1,
            1,
        ),
        ("flaky", "{ max: 1, scope: all }", StepOutcome::Passed, 0, 2),
        ("flaky-twice", "{ max: 1 }", StepOutcome::Failed, 1, 1),
        ("flaky-twice", "{ max: 2 }", StepOutcome::Passed, 2, 1),
        (
            "flaky-twice",
            "{ max: 3, scope: all }",
            StepOutcome::Passed,
            0,
            3,
        ),
        ("red", "{ max: 2 }", StepOutcome::Failed, 2, 1),
        ("main", "{ max: 2 }", StepOutcome::Passed, 0, 1),
        ("malformed", "{ max: 2 }", StepOutcome::Failed, 0, 1),
        (
            "flaky",
            r#"{ when: "this.reason in ['stuck', 'internal']" }"#,
            StepOutcome::Failed,
            0,
            1,
        ),
        (
            "flaky",
            r#"{ when: "this.reason == 'test' and this.error.kind == 'pipeline_failed'" }"#,
            StepOutcome::Passed,
            1,
            1,
        ),
    ] {
        let steps = format!(
            "it: {{ run_workflow: {{ project: demo, reference: {reference} }}, rerun: {rerun} }}"
        );
        let ran = run(&steps, "");
        let case = format!("{reference} {rerun}: {:#?}", ran.words());
        assert_eq!(ran.step("it").outcome, outcome, "{case}");
        assert_eq!((rebuilt(&ran), started(&ran)), (rebuilds, starts), "{case}");
        let again = rebuilds + starts - 1;
        assert_eq!(ran.step("it").reruns.len(), again, "{case}");
        assert_eq!(
            output(&ran, "result") == "passed",
            outcome == StepOutcome::Passed,
            "{case}"
        );
    }
}

#[test]
fn the_outputs_are_those_of_the_last_pipeline() {
    let steps = r#"
it: { run_workflow: { project: demo, reference: flaky }, rerun: { max: 1 } }
look: { describe_pipeline: { pipeline: "{{ steps.it.pipeline_id }}" } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert_eq!(
        ran.step("look").outputs["partial_rerun_of"],
        ran.step("it").reruns[0]["pipeline_id"]
    );
    // What the first round said and the second did not is still there.
    assert!(output(&ran, "workflow_id").is_string());
}

#[test]
fn a_promotion_is_done_again_on_purpose() {
    for (rerun, promotions, rebuilds) in [("{ scope: all }", 2, 0), ("{ scope: failed }", 1, 1)] {
        let steps = format!(
            r#"
build: {{ run_workflow: {{ project: demo, reference: main }} }}
it: {{ promote: {{ pipeline: "{{{{ steps.build.pipeline_id }}}}", name: Red }}, rerun: {rerun} }}"#
        );
        let ran = run(&steps, "");
        ended(&ran, StepOutcome::Failed);
        assert_eq!(
            ours(&ran, |deed| matches!(deed, Done::Promote { .. })).len(),
            promotions,
            "{rerun}"
        );
        assert_eq!(rebuilt(&ran), rebuilds, "{rerun}");
    }
}

#[test]
fn what_a_person_stopped_is_left_stopped() {
    let people = "people:\n  - { at: 8s, on: pipeline_running, do: { stop: { project: demo } } }\n";
    for (rerun, rebuilds) in [
        ("{ max: 1 }", 0),
        ("{ max: 1, when: this.result == 'stopped' }", 1),
    ] {
        let steps = format!(
            "it: {{ run_workflow: {{ project: demo, reference: slow }}, rerun: {rerun}, timeout: 3h }}"
        );
        let ran = run(&steps, people);
        assert_eq!(rebuilt(&ran), rebuilds, "{rerun}: {:#?}", ran.words());
    }
}

/// A rerun whose answer is lost is not done twice either.
#[test]
fn a_rerun_is_a_write_like_any_other() {
    for mishap in [
        "reset_after_acting",
        "{ slow_backend: 3s }",
        "hang",
        "{ cut_body: 3 }",
    ] {
        let faults = format!("faults:\n  - {{ on: rebuild_pipeline, do: {mishap} }}\n");
        let ran = run(
            "it: { run_workflow: { project: demo, reference: flaky }, rerun: { max: 1 } }",
            &faults,
        );
        ended(&ran, StepOutcome::Passed);
        assert_eq!(rebuilt(&ran), 1, "{mishap}");
        let faults = format!("faults:\n  - {{ on: run_workflow, nth: 2, do: {mishap} }}\n");
        let ran = run(
            "it: { run_workflow: { project: demo, reference: flaky }, rerun: { max: 1, scope: all } }",
            &faults,
        );
        ended(&ran, StepOutcome::Passed);
        assert_eq!(started(&ran), 2, "{mishap}");
    }
}

#[test]
fn what_is_not_yet_as_wanted_is_asked_again() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: main, wait: false } }
it: { describe_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" }, until: this.result == 'passed', poll: 4s }
list: { needs: [build], list_pipelines: { project: demo, state: done }, until: ["this.count > 0", "this.found[0].result == 'passed'"] }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert_eq!(output(&ran, "result"), "passed");
    assert!(
        ran.virtual_time > Duration::from_secs(28) && ran.virtual_time < Duration::from_secs(50)
    );
    assert_eq!(ran.step("list").outputs["count"], 1);
}

#[test]
fn what_never_becomes_as_wanted_says_so_at_its_deadline() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
it: { describe_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" }, until: this.state == 'done', timeout: 2m }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Failed);
    let error = ran.step("it").error.clone().expect("an error");
    assert_eq!(error.kind, FailureKind::Deadline);
    assert!(
        error
            .message
            .contains("`until` does not hold: `this.state == 'done'`"),
        "{}",
        error.message
    );
    assert!(error.message.contains("running"), "{}", error.message);
    assert_eq!(output(&ran, "state"), "running");
}
