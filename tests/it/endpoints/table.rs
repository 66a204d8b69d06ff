//! One run that passes and one that fails for every action that speaks to Semaphore.

use runner::event::FailureKind;
use runner::outcome::StepOutcome;
use serde_json::{Value, json};

use super::*;

/// An action, the steps (the one in question is `it`), and what it must give.
pub(crate) type Passing = (&'static str, &'static str, fn() -> Value);
/// An action, the steps, the kind of the error, and words of its message.
pub(crate) type Failing = (&'static str, &'static str, FailureKind, &'static str);

const NOBODY: &str = "99999999-9999-4999-8999-999999999999";

pub(crate) const PASSING: &[Passing] = &[
    (
        "run_workflow",
        "it: { run_workflow: { project: demo, reference: main, parameters: { A: b } } }",
        || json!({"result": "passed", "reason": "", "failed_jobs": []}),
    ),
    (
        "ensure_pipeline",
        "it: { ensure_pipeline: { project: demo, reference: main, commit_sha: abcdef0123456789abcdef0123456789abcdef01 } }",
        || json!({"result": "passed", "found": "started"}),
    ),
    (
        "rerun_workflow",
        r#"
build: { run_workflow: { project: demo, reference: main } }
it: { rerun_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        || json!({"result": "passed"}),
    ),
    (
        "rebuild_pipeline",
        r#"
build: { run_workflow: { project: demo, reference: flaky, wait: false } }
red: { wait_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", expect: failed } }
it: { rebuild_pipeline: { pipeline: "{{ steps.red.pipeline_id }}" } }"#,
        || json!({"result": "passed"}),
    ),
    (
        "run_task",
        "it: { run_task: { project: demo, task: nightly } }",
        || json!({"result": "passed"}),
    ),
    (
        "promote",
        r#"
build: { run_workflow: { project: demo, reference: main } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, parameters: { COMMIT: abc } } }"#,
        || json!({"result": "passed", "triggered_by": "aaaaaaaa-0000-4000-8000-00000000000a"}),
    ),
    (
        "wait_pipeline",
        r#"
build: { run_workflow: { project: demo, reference: red, wait: false } }
it: { wait_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", expect: done } }"#,
        || json!({"result": "failed", "reason": "test"}),
    ),
    (
        "wait_workflow",
        r#"
build: { run_workflow: { project: demo, reference: main } }
deploy: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, wait: false } }
it: { needs: [deploy], wait_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        || json!({"result": "passed", "reason": ""}),
    ),
    (
        "stop_workflow",
        r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
nap: { needs: [build], sleep: 15s }
it: { needs: [nap], stop_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        || json!({"stopped": true}),
    ),
    (
        "stop_pipeline",
        r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
nap: { needs: [build], sleep: 15s }
it: { needs: [nap], stop_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" } }"#,
        || json!({"stopped": true}),
    ),
    (
        "stop_job",
        r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
nap: { needs: [build], sleep: 15s }
look: { needs: [nap], describe_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", detailed: true } }
it: { stop_job: { job: "{{ steps.look.blocks[1].jobs[0].job_id }}" } }"#,
        || json!({"stopped": true}),
    ),
    (
        "describe_workflow",
        r#"
build: { run_workflow: { project: demo, reference: main, wait: false } }
it: { describe_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        || json!({"branch_name": "main", "triggered_by": "api", "rerun_of": null}),
    ),
    (
        "describe_pipeline",
        r#"
build: { run_workflow: { project: demo, reference: main, wait: false } }
it: { describe_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" } }"#,
        || json!({"state": "initializing", "result": null, "done_at": null, "blocks": []}),
    ),
    (
        "describe_job",
        r#"
build: { run_workflow: { project: demo, reference: never, wait: false } }
red: { wait_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", expect: failed } }
it: { describe_job: { job: "{{ steps.red.failed_jobs[0].job_id }}" } }"#,
        || {
            json!({
                "name": "unit", "state": "finished", "result": "failed", "started_at": null,
                "failure_reason": "invalid machine type",
            })
        },
    ),
    (
        "list_workflows",
        r#"
one: { run_workflow: { project: demo, reference: main, wait: false } }
two: { needs: [one], run_workflow: { project: demo, reference: red, wait: false } }
it: { needs: [two], list_workflows: { project: demo, branch: refs/heads/red, created_after: 2h } }"#,
        || json!({"count": 1}),
    ),
    (
        "list_pipelines",
        r#"
one: { run_workflow: { project: demo, reference: main } }
two: { run_workflow: { project: demo, reference: red }, allow_failure: true }
it: { needs: { one: any, two: any }, list_pipelines: { project: demo, result: passed, state: done, name: Build, file: .semaphore/semaphore.yml, limit: 5 } }"#,
        || json!({"count": 1}),
    ),
    (
        "list_promotions",
        r#"
build: { run_workflow: { project: demo, reference: main } }
deploy: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production } }
it: { needs: [deploy], list_promotions: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, state: passed, created_after: 1h } }"#,
        || json!({"count": 1}),
    ),
    (
        "fetch_logs",
        r#"
build: { run_workflow: { project: demo, reference: red }, allow_failure: true }
it: { needs: { build: any }, fetch_logs: { of: failed, tail: 1 } }"#,
        || {
            json!({"failed_commands": [
                {"job": "unit", "command": "make test", "exit_code": 2, "last_lines": ["two"]},
            ]})
        },
    ),
];

pub(crate) const FAILING: &[Failing] = &[
    (
        "run_workflow",
        "it: { run_workflow: { project: demo, reference: gone } }",
        FailureKind::PipelineFailed,
        "failed (stuck)",
    ),
    (
        "ensure_pipeline",
        "it: { ensure_pipeline: { project: demo, reference: red, commit_sha: abcdef0 } }",
        FailureKind::PipelineFailed,
        "failed (test): `unit`",
    ),
    (
        "rerun_workflow",
        "it: { rerun_workflow: { workflow: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the workflow was not found",
    ),
    (
        "rebuild_pipeline",
        r#"
build: { run_workflow: { project: demo, reference: main } }
it: { rebuild_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" } }"#,
        FailureKind::Refused,
        "which passed can not be partial rebuilt",
    ),
    (
        "run_task",
        "it: { run_task: { project: demo, task: nigthly } }",
        FailureKind::NotFound,
        "has no task `nigthly`",
    ),
    (
        "promote",
        r#"
build: { run_workflow: { project: demo, reference: main } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: production } }"#,
        FailureKind::Refused,
        "has no promotion of this name",
    ),
    (
        "wait_pipeline",
        "it: { wait_pipeline: { pipeline: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the pipeline was not found",
    ),
    (
        "wait_workflow",
        r#"
build: { run_workflow: { project: demo, reference: red, wait: false } }
it: { wait_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        FailureKind::PipelineFailed,
        "not all pipelines of the workflow passed: `Build` failed",
    ),
    (
        "stop_workflow",
        "it: { stop_workflow: { workflow: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the workflow was not found",
    ),
    (
        "stop_pipeline",
        "it: { stop_pipeline: { pipeline: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the pipeline was not found",
    ),
    (
        "stop_job",
        "it: { stop_job: { job: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "not found",
    ),
    (
        "describe_workflow",
        "it: { describe_workflow: { workflow: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the workflow was not found",
    ),
    (
        "describe_pipeline",
        "it: { describe_pipeline: { pipeline: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the pipeline was not found",
    ),
    (
        "describe_job",
        "it: { describe_job: { job: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "not found",
    ),
    (
        "list_workflows",
        "it: { list_workflows: { project: demoo } }",
        FailureKind::NotFound,
        "not found",
    ),
    (
        "list_pipelines",
        "it: { list_pipelines: { project: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the project or workflow was not found",
    ),
    (
        "list_promotions",
        "it: { list_promotions: { pipeline: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "the pipeline was not found",
    ),
    (
        "fetch_logs",
        "it: { fetch_logs: { job: 99999999-9999-4999-8999-999999999999 } }",
        FailureKind::NotFound,
        "not found",
    ),
];

#[test]
fn every_action_goes_as_it_should() {
    for (action, steps, expected) in PASSING {
        let ran = run(steps, "");
        let it = ran.step("it");
        assert_eq!(
            it.outcome,
            StepOutcome::Passed,
            "{action}: {:#?}",
            ran.words()
        );
        for (name, value) in expected().as_object().expect("an object") {
            assert_eq!(
                it.outputs.get(name),
                Some(value),
                "{action}.{name}: {:#?}",
                it.outputs
            );
        }
        let described = runner::catalog::find(action).expect("an action");
        // A pipeline that passed has no reason to be looked into.
        let there = described.outputs.iter().filter(|f| f.name != "triage");
        for field in there {
            assert!(
                it.outputs.contains_key(field.name),
                "{action} does not give `{}`: {:#?}",
                field.name,
                it.outputs
            );
        }
    }
}

#[test]
fn every_action_says_why_it_failed() {
    for (action, steps, kind, words) in FAILING {
        let ran = run(steps, "");
        let it = ran.step("it");
        assert_eq!(
            it.outcome,
            StepOutcome::Failed,
            "{action}: {:#?}",
            ran.words()
        );
        let error = it.error.as_ref().expect("an error");
        assert_eq!(error.kind, *kind, "{action}: {error:#?}");
        assert!(error.message.contains(words), "{action}: {}", error.message);
        assert!(!steps.contains(NOBODY) || ran.acts.is_empty(), "{action}");
    }
}
