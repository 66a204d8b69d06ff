//! Logs: which jobs, where their logs are, and what is said of those that have none.

use runner::outcome::StepOutcome;

use super::*;

fn files(ran: &Ran) -> Vec<String> {
    output(ran, "files")
        .as_array()
        .expect("a list")
        .iter()
        .map(|file| std::fs::read_to_string(file["path"].as_str().expect("a path")).expect("text"))
        .collect()
}

#[test]
fn every_red_pipeline_of_the_run_is_looked_through() {
    let steps = r#"
one: { run_workflow: { project: demo, reference: red }, allow_failure: true }
two: { run_workflow: { project: demo, reference: main } }
three: { needs: [two], promote: { pipeline: "{{ steps.two.pipeline_id }}", name: Red }, allow_failure: true }
four: { run_workflow: { project: demo, reference: flaky }, rerun: { max: 1 } }
it: { needs: { one: any, two: any, three: any, four: any }, fetch_logs: { of: failed, save_to: all/logs } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    let commands = output(&ran, "failed_commands").as_array().expect("a list");
    let jobs: Vec<&str> = commands.iter().filter_map(|c| c["job"].as_str()).collect();
    // What was red before it was run again is looked through as well.
    assert_eq!(jobs, ["unit", "deploy", "unit"], "{commands:#?}");
    assert_eq!(
        std::fs::read_dir(ran.files.path().join("all/logs"))
            .expect("the folder")
            .count(),
        3
    );
}

#[test]
fn a_run_without_red_pipelines_has_no_logs_of_failures() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: main } }
it: { needs: [build], fetch_logs: { of: failed } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert_eq!(output(&ran, "files"), &serde_json::json!([]));
}

#[test]
fn a_job_that_never_ran_has_the_reason_of_the_server() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: never }, allow_failure: true }
it: { needs: { build: any }, fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}" } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert_eq!(files(&ran).len(), 0);
    let reason = output(&ran, "failed_commands")[0]["last_lines"][0]
        .as_str()
        .expect("a reason");
    assert_eq!(reason, "invalid machine type");
}

#[test]
fn events_are_kept_as_they_came() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: red }, allow_failure: true }
it: { needs: { build: any }, fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}", format: events } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    let all = files(&ran);
    let kinds: Vec<String> = all[0]
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["event"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "job_started",
            "cmd_started",
            "cmd_output",
            "cmd_finished",
            "job_finished"
        ]
    );
}

/// The log of a job on an agent of our own is elsewhere, and comes in parts.
#[test]
fn the_log_of_a_self_hosted_job_is_fetched_to_its_end() {
    let lines: String = (0..40).map(|n| format!("{:>100}-{n}\\n", "x")).collect();
    let many: String = (0..600)
        .map(|n| {
            format!(
                "{{ command: step-{n}, output: \"{}\" }}, ",
                if n == 0 { lines.as_str() } else { "ok\\n" }
            )
        })
        .collect();
    let more = world("").replace(
        "{ name: only, run: 5s, self_hosted: true }",
        &format!("{{ name: only, run: 5s, self_hosted: true, log: [{many}] }}"),
    );
    let steps = r#"
build: { run_workflow: { project: demo, reference: main, pipeline_file: .semaphore/alone.yml } }
it: { fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}", jobs: all } }"#;
    let ran = Rig::from_yaml(&playbook(steps), &more).run();
    ended(&ran, StepOutcome::Passed);
    let all = files(&ran);
    assert!(
        all[0].starts_with("$ step-0\n") && all[0].contains("$ step-599\n"),
        "{}",
        all[0].len()
    );
    assert_eq!(output(&ran, "files")[0]["complete"], true);
    assert!(!all[0].contains("jwt"));
}

/// One log that cannot be had does not keep the others from being fetched.
#[test]
fn the_other_logs_are_fetched_all_the_same() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: main } }
it: { fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}", jobs: all } }"#;
    let ran = run(
        steps,
        "faults:\n  - { on: logs, count: 5, do: { answer: { status: 504, body: upstream request timeout } } }\n",
    );
    ended(&ran, StepOutcome::Failed);
    assert_eq!(files(&ran).len(), 2);
}

#[test]
fn a_job_is_named_by_its_id_alone() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: red }, allow_failure: true }
it: { needs: { build: any }, fetch_logs: { job: "{{ steps.build.failed_jobs[0].job_id }}" } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert!(files(&ran)[0].contains("$ make test\none\ntwo\n"));
}
