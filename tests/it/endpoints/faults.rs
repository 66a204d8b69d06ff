//! Every write with everything that can happen to its request: it is never done twice.

use std::fmt::Write as _;

use runner::outcome::StepOutcome;
use runner::simulator::Done;

use super::*;

/// A write: its endpoint, the steps that lead to it, and what it does.
struct Write {
    endpoint: &'static str,
    steps: &'static str,
    is: fn(&Done) -> bool,
    /// Whether a lost one can be found again: else the step may end as unknown.
    found_again: bool,
}

const WRITES: &[Write] = &[
    Write {
        endpoint: "run_workflow",
        steps: "it: { run_workflow: { project: demo, reference: main } }",
        is: |deed| matches!(deed, Done::RunWorkflow { .. }),
        found_again: true,
    },
    Write {
        endpoint: "run_workflow",
        steps: "it: { ensure_pipeline: { project: demo, reference: main, commit_sha: abcdef0123 } }",
        is: |deed| matches!(deed, Done::RunWorkflow { .. }),
        found_again: true,
    },
    Write {
        endpoint: "run_task",
        steps: "it: { run_task: { project: demo, task: marked } }",
        is: |deed| matches!(deed, Done::RunTask { .. }),
        found_again: true,
    },
    Write {
        endpoint: "run_task",
        steps: "it: { run_task: { project: demo, task: nightly } }",
        is: |deed| matches!(deed, Done::RunTask { .. }),
        found_again: false,
    },
    Write {
        endpoint: "rerun_workflow",
        steps: r#"
build: { run_workflow: { project: demo, reference: main, wait: false } }
it: { rerun_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        is: |deed| matches!(deed, Done::Rerun { .. }),
        found_again: true,
    },
    Write {
        endpoint: "rebuild_pipeline",
        steps: r#"
build: { run_workflow: { project: demo, reference: flaky }, allow_failure: true }
it: { needs: { build: any }, rebuild_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" } }"#,
        is: |deed| matches!(deed, Done::Rebuild { .. }),
        found_again: true,
    },
    Write {
        endpoint: "promote",
        steps: r#"
build: { run_workflow: { project: demo, reference: main } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, parameters: { COMMIT: abc } } }"#,
        is: |deed| matches!(deed, Done::Promote { .. }),
        found_again: true,
    },
];

const STOPS: &[Write] = &[
    Write {
        endpoint: "stop_workflow",
        steps: r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
it: { stop_workflow: { workflow: "{{ steps.build.workflow_id }}" } }"#,
        is: |deed| matches!(deed, Done::StopWorkflow { .. }),
        found_again: true,
    },
    Write {
        endpoint: "stop_pipeline",
        steps: r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
it: { stop_pipeline: { pipeline: "{{ steps.build.pipeline_id }}" } }"#,
        is: |deed| matches!(deed, Done::StopPipeline { .. }),
        found_again: true,
    },
    Write {
        endpoint: "stop_job",
        steps: r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
nap: { needs: [build], sleep: 15s }
look: { needs: [nap], describe_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", detailed: true } }
it: { stop_job: { job: "{{ steps.look.blocks[1].jobs[0].job_id }}" } }"#,
        is: |deed| matches!(deed, Done::StopJob { .. }),
        found_again: true,
    },
];

/// What happens to the first request, and whether the server acts.
const MISHAPS: &[(&str, bool)] = &[
    (
        "{ answer: { status: 500, body: '\"Internal error\"' } }",
        false,
    ),
    ("{ answer: { status: 503, body: unavailable } }", false),
    (
        "{ answer: { status: 502, body: '<html>bad gateway</html>' } }",
        false,
    ),
    (
        "{ answer: { status: 504, body: upstream request timeout, acts: true } }",
        true,
    ),
    ("{ answer: { status: 200, body: '{}', acts: true } }", true),
    (
        "{ answer: { status: 200, body: '<html>hello</html>', acts: true } }",
        true,
    ),
    (
        "{ answer: { status: 302, headers: { location: 'https://elsewhere.test/' } } }",
        false,
    ),
    ("{ answer: { status: 403 } }", false),
    ("reset_before_acting", false),
    ("reset_after_acting", true),
    ("hang", true),
    ("{ delay: 20s }", true),
    ("{ cut_body: 7 }", true),
    ("{ slow_backend: 0s }", true),
    ("{ slow_backend: 6s }", true),
    ("{ rate_limit: 7s }", false),
];

fn faulty(endpoint: &str, mishap: &str) -> String {
    format!("faults:\n  - on: {endpoint}\n    do: {mishap}\n")
}

#[test]
fn no_write_is_done_twice() {
    let mut told = String::new();
    for write in WRITES {
        for (mishap, acts) in MISHAPS {
            let ran = run(write.steps, &faulty(write.endpoint, mishap));
            let it = ran.step("it");
            let done = ours(&ran, write.is).len();
            let may_be_unknown = *acts && !write.found_again;
            let ends = match it.outcome {
                StepOutcome::Passed => done == 1,
                StepOutcome::Unknown => {
                    done == 1
                        && may_be_unknown
                        && !it.error.as_ref().is_none_or(|e| e.candidates.is_empty())
                }
                _ => false,
            };
            if !ends {
                let _ = writeln!(
                    told,
                    "{} {mishap}: done {done} times, {:?}",
                    write.steps.lines().last().unwrap_or_default(),
                    ran.words()
                );
            }
        }
    }
    assert!(told.is_empty(), "{told}");
}

#[test]
fn a_stop_is_said_until_it_is_heard() {
    for write in STOPS {
        for (mishap, _) in MISHAPS {
            let ran = run(write.steps, &faulty(write.endpoint, mishap));
            // A server that says yes to everything cannot be told from one that heard.
            assert_eq!(
                ran.step("it").outcome,
                StepOutcome::Passed,
                "{} {mishap}: {:#?}",
                write.endpoint,
                ran.words()
            );
            assert_eq!(output(&ran, "stopped"), true, "{} {mishap}", write.endpoint);
            assert!(!ours(&ran, write.is).is_empty());
        }
    }
}

/// Nothing proves that a task's run is ours: what is there may be a colleague's.
#[test]
fn a_task_without_room_for_a_mark_adopts_nobody() {
    let steps = "it: { run_task: { project: demo, task: nightly } }";
    let lost = faulty("run_task", "reset_after_acting");
    let ran = run(steps, &lost);
    ended(&ran, StepOutcome::Unknown);
    let error = ran.step("it").error.clone().expect("an error");
    assert_eq!(error.candidates.len(), 1, "{error:#?}");
    assert!(
        error
            .hint
            .is_some_and(|hint| hint.contains("runner resolve"))
    );
}

/// A colleague pushes to the same branch while our request is lost: that is never ours.
#[test]
fn a_push_of_a_colleague_is_never_ours() {
    for (steps, endpoint) in [
        (
            "it: { run_workflow: { project: demo, reference: main } }",
            "run_workflow",
        ),
        (
            "it: { run_task: { project: demo, task: marked } }",
            "run_task",
        ),
        (
            "it: { run_task: { project: demo, task: nightly } }",
            "run_task",
        ),
    ] {
        let people = "people:\n  - { at: 1s, do: { start: { project: demo } } }\n";
        let faults = faulty(endpoint, "reset_before_acting");
        let ran = run(steps, &format!("{people}{faults}"));
        ended(&ran, StepOutcome::Passed);
        let theirs: Vec<&str> = ran
            .acts
            .iter()
            .filter(|act| matches!(act.origin, Origin::Person { .. }))
            .filter_map(|act| match &act.deed {
                Done::RunWorkflow { workflow_id, .. } => Some(workflow_id.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(theirs.len(), 1);
        assert_ne!(
            output(&ran, "workflow_id").as_str(),
            theirs.first().copied()
        );
    }
}

/// Whatever happens to reads, they come to the right result.
#[test]
fn reads_come_through() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: red, wait: false } }
red: { wait_workflow: { workflow: "{{ steps.build.workflow_id }}", expect: failed } }
pipelines: { needs: [red], list_pipelines: { workflow: "{{ steps.build.workflow_id }}" } }
workflows: { needs: [red], list_workflows: { project: demo, branch: red } }
look: { needs: [red], describe_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", detailed: true } }
it: { needs: [look, workflows, pipelines], fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}" } }"#;
    let mishaps = [
        "{ answer: { status: 500, body: '\"Internal error\"' } }",
        "{ answer: { status: 403 } }",
        "reset_after_acting",
        "{ cut_body: 9 }",
        "{ rate_limit: 5s }",
        "{ answer: { status: 200, body: '<html>' } }",
    ];
    for mishap in mishaps {
        let faults = format!("faults:\n  - {{ on: reads, percent: 20, do: {mishap} }}\n");
        let ran = run(steps, &faults);
        ended(&ran, StepOutcome::Passed);
        assert_eq!(ran.step("pipelines").outputs["count"], 1, "{mishap}");
        assert_eq!(ran.step("workflows").outputs["count"], 1, "{mishap}");
        assert_eq!(
            output(&ran, "failed_commands")[0]["exit_code"],
            2,
            "{mishap}"
        );
    }
}
