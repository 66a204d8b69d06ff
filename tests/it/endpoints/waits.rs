//! Waiting: following what replaced a pipeline, deadlines that say what was seen, trouble on the way.

use std::time::Duration;

use runner::event::FailureKind;
use runner::outcome::StepOutcome;
use serde_json::json;

use super::*;

const FOLLOW: &str = r#"
build: { run_workflow: { project: demo, reference: flaky, wait: false } }
it: { wait_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", follow: true } }"#;

#[test]
fn a_rebuild_and_a_rerun_are_followed() {
    for deed in ["rebuild", "rerun"] {
        let people = format!(
            "people:\n  - {{ at: 0s, on: pipeline_done, do: {{ {deed}: {{ project: demo }} }} }}\n"
        );
        let ran = run(FOLLOW, &people);
        ended(&ran, StepOutcome::Passed);
        assert_ne!(
            output(&ran, "pipeline_id"),
            &ran.step("build").outputs["pipeline_id"],
            "{deed}"
        );
        let reruns = &ran.step("it").reruns;
        assert_eq!(reruns.len(), 1, "{deed}");
        assert_eq!(reruns[0]["result"], "failed", "{deed}");
        assert_eq!(output(&ran, "failed_jobs"), &json!([]), "{deed}");
    }
    let ran = run(FOLLOW, "");
    ended(&ran, StepOutcome::Failed);
}

#[test]
fn the_times_of_a_wait_are_told() {
    let ran = run(
        "it: { run_workflow: { project: demo, reference: main } }",
        "",
    );
    let (queued, took) = (
        output(&ran, "queued_for").as_f64().expect("seconds"),
        output(&ran, "ran_for").as_f64().expect("seconds"),
    );
    assert!((2.0..10.0).contains(&queued), "{queued}");
    assert!((25.0..40.0).contains(&took), "{took}");
}

#[test]
fn a_deadline_says_what_was_seen_last() {
    let slow = r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
it: { wait_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" }, timeout: 5m }"#;
    for (faults, words) in [
        (
            "",
            "the pipeline was not done after 5m: last seen `running`",
        ),
        (
            "faults:\n  - { on: describe_pipeline, from: 2m, do: reset_after_acting }\n",
            "last seen `running`; the last error was: no answer",
        ),
        (
            "faults:\n  - { on: describe_pipeline, from: 2m, do: hang }\n",
            "last seen `running`",
        ),
    ] {
        let ran = run(slow, faults);
        ended(&ran, StepOutcome::Failed);
        let error = ran.step("it").error.clone().expect("an error");
        assert_eq!(error.kind, FailureKind::Deadline);
        assert!(error.message.contains(words), "{}", error.message);
        // Not even a server that never answers holds a wait up beyond its time.
        assert!(
            ran.virtual_time < Duration::from_secs(303),
            "{:?}",
            ran.virtual_time
        );
    }
}

#[test]
fn an_id_that_is_not_found_everywhere_yet_is_waited_for() {
    let fresh = r#"
faults:
  - { on: describe_pipeline, count: 3, do: { answer: { status: 404, body: Not Found } } }
  - { on: describe_workflow, count: 2, do: { answer: { status: 404, body: Not Found } } }
"#;
    let steps = r#"
build: { run_workflow: { project: demo, reference: main } }
it: { needs: [build], describe_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#;
    let ran = run(steps, fresh);
    assert_eq!(
        ran.step("build").outcome,
        StepOutcome::Passed,
        "{:#?}",
        ran.words()
    );
    let ran = run("it: { run_task: { project: demo, task: marked } }", fresh);
    ended(&ran, StepOutcome::Passed);
}

#[test]
fn a_workflow_is_over_when_its_promotions_are() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: main, wait: false } }
it: { wait_workflow: { workflow: "{{ steps.build.workflow_id }}", expect: done } }"#;
    // A colleague promotes some seconds after the end.
    let people = "people:\n  - { at: 10s, on: pipeline_done, do: { promote: { project: demo, name: Red } } }\n";
    let ran = run(steps, people);
    ended(&ran, StepOutcome::Passed);
    assert_eq!(output(&ran, "result"), "failed");
    let pipelines = output(&ran, "pipelines").as_array().expect("a list");
    let names: Vec<&str> = pipelines
        .iter()
        .filter_map(|p| p["name"].as_str())
        .collect();
    assert_eq!(names, ["Build", "Broken deploy"]);
    assert_eq!(pipelines[1]["promotion_of"], pipelines[0]["pipeline_id"]);
}

#[test]
fn a_workflow_that_was_rebuilt_green_is_green() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: flaky, wait: false } }
it: { wait_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#;
    let people = "people:\n  - { at: 5s, on: pipeline_done, do: { rebuild: { project: demo } } }\n";
    let ran = run(steps, people);
    ended(&ran, StepOutcome::Passed);
    assert_eq!(output(&ran, "pipelines").as_array().map(Vec::len), Some(2));
}

#[test]
fn a_pipeline_of_the_commit_is_reused_joined_or_started() {
    let sha = "abcdef0123456789abcdef0123456789abcdef01";
    let start = |rest: &str| {
        format!("run_workflow: {{ project: demo, reference: main, commit_sha: {sha}, {rest} }}")
    };
    let ensure = |rest: &str| {
        format!(
            "ensure_pipeline: {{ project: demo, reference: refs/heads/main, commit_sha: abcdef01, {rest} }}"
        )
    };
    for (first, second, found, workflows) in [
        (start("wait: true"), ensure("wait: true"), "reused", 1),
        (start("wait: false"), ensure("wait: true"), "joined", 1),
        (start("wait: false"), ensure("wait: false"), "joined", 1),
        (
            start("parameters: { A: b }"),
            ensure("wait: true"),
            "started",
            2,
        ),
        (
            start("parameters: { A: b }"),
            ensure("parameters: { A: b }"),
            "reused",
            1,
        ),
        (
            start("pipeline_file: .semaphore/alone.yml"),
            ensure("wait: true"),
            "started",
            2,
        ),
    ] {
        let ran = run(
            &format!("first: {{ {first} }}\nit: {{ needs: [first], {second} }}"),
            "",
        );
        ended(&ran, StepOutcome::Passed);
        assert_eq!(output(&ran, "found"), found, "{first} {second}");
        let started = ours(&ran, |deed| matches!(deed, Done::RunWorkflow { .. }));
        assert_eq!(started.len(), workflows, "{first} {second}");
    }
}

#[test]
fn stopping_what_is_over_is_no_error() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: main } }
it: { stop_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" } }
all: { stop_workflow: { workflow: "{{ steps.build.workflow_id }}", wait: false } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert_eq!(output(&ran, "stopped"), false);
    assert_eq!(ran.step("all").outcome, StepOutcome::Passed);
}
