//! Whole runs over HTTP: what comes out of them, and through which stream.

use serde_json::json;

use super::{apply, on, release, resume};
use crate::program::{Program, Semaphore, valid_report};

#[test]
fn a_run_that_passes_ends_with_zero_and_a_report() {
    let (program, server) = on("passing", 1_000);
    let done = program.run(&apply(&release(), &[])).expect(0);
    assert!(done.out.contains("release passed"), "{}", done.out);
    assert_eq!(server.started(), (1, 1));
    let report = program.report("report.json");
    assert_eq!(report["run"]["outcome"], json!("passed"));
    assert_eq!(report["run"]["exit_code"], json!(0));
    assert_eq!(report["run"]["why"], json!(null));
    assert_eq!(report["steps"]["deploy"]["outcome"], json!("passed"));
    assert_eq!(report["steps"]["logs"]["outcome"], json!("blocked"));
    assert_eq!(report["api"]["requests"], json!(server.requests()));
    let commit = report["outputs"]["commit"].as_str().expect("an output");
    assert_eq!(commit.len(), 40);
}

#[test]
fn a_run_that_fails_ends_with_one_and_the_log_of_what_failed() {
    let (program, server) = on("failing", 1_000);
    let done = program
        .run(&apply(&release(), &["--files", "files"]))
        .expect(1);
    assert!(
        done.out.contains("`make test` ended with exit code 2"),
        "{}",
        done.out
    );
    assert_eq!(server.started(), (1, 0));
    let report = program.report("report.json");
    assert_eq!(report["run"]["outcome"], json!("failed"));
    assert_eq!(
        report["steps"]["tests"]["error"]["kind"],
        json!("pipeline_failed")
    );
    assert_eq!(report["steps"]["deploy"]["outcome"], json!("blocked"));
    let path = report["steps"]["logs"]["files"][0]["path"]
        .as_str()
        .expect("a file");
    let log = std::fs::read_to_string(program.work().join(path)).expect("it is there");
    assert!(log.contains("311 passed; 1 failed"), "{log}");
}

/// Whoever comes later reads what the first reader did.
#[test]
fn a_report_that_is_made_later_is_the_same() {
    for (scenario, code) in [("passing", 0), ("failing", 1)] {
        let (program, _server) = on(scenario, 1_000);
        program.run(&apply(&release(), &[])).expect(code);
        program
            .run(&["report", "last", "json=later.json"])
            .expect(0);
        let text = |name: &str| {
            let text = std::fs::read_to_string(program.work().join(name));
            text.expect("it was written")
        };
        assert_eq!(text("later.json"), text("report.json"));
        let api = &program.report("later.json")["api"];
        assert!(api["by_endpoint"]["run_workflow"] == json!(1), "{api}");
        let shown = program.run(&["show", "last", "--json"]).expect(0);
        assert_eq!(shown.json()["api"], *api);
    }
}

#[test]
fn a_failed_deployment_is_not_a_passed_run() {
    let (program, server) = on("deploy_fails", 1_000);
    program.run(&apply(&release(), &[])).expect(1);
    assert_eq!(server.started(), (1, 1));
    assert_eq!(
        program.report("report.json")["steps"]["deploy"]["outcome"],
        json!("failed")
    );
}

#[test]
fn the_simulator_of_its_own_is_reached_over_http() {
    let program = Program::new();
    let args = ["apply", &release(), "--simulate", "--speed", "1000"];
    let done = program.run(&args).expect(0);
    assert!(done.out.contains("release passed"), "{}", done.out);
    let show = program.run(&["show", "last", "--json"]).expect(0).json();
    let url = show["steps"]["build"]["outputs"]["url"].clone();
    assert!(
        url.as_str()
            .is_some_and(|url| url.starts_with("http://127.0.0.1:")),
        "{url}"
    );
}

#[test]
fn a_simulated_server_serves_another_process() {
    let host = Program::new();
    let mut server = host.start(&[
        "simulate",
        "passing",
        "--port-file",
        "port",
        "--speed",
        "1000",
    ]);
    server.until("Ctrl-C");
    let port = std::fs::read_to_string(host.work().join("port")).expect("a port");
    let program = Program::new()
        .with(
            "SEMAPHORE_ORGANIZATION_URL",
            &format!("http://127.0.0.1:{port}"),
        )
        .with("SEMAPHORE_API_TOKEN", "admin-token");
    program.run(&apply(&release(), &[])).expect(0);
    server.signal("INT");
    server.finish().expect(0);
}

#[test]
fn stdout_is_nothing_but_the_report() {
    let (program, _server) = on("failing", 1_000);
    let done = program
        .run(&apply(&release(), &["--output", "json"]))
        .expect(1);
    let report = done.json();
    valid_report(&report);
    assert_eq!(report, program.report("report.json"));
}

/// The lines of `--output events`, each held against the schema; what was observed has the number of the
/// event before it, and the events are numbered without gaps from the first one on.
fn event_lines(out: &str, mut last: u64) -> Vec<serde_json::Value> {
    let schema = runner::report::event_schema();
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .expect("the schema is one");
    let mut all = Vec::new();
    for line in out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect(line);
        assert!(validator.is_valid(&event), "{line}");
        if event["event"] != "observed" {
            last += 1;
        }
        assert_eq!(event["seq"].as_u64(), Some(last), "{line}");
        all.push(event);
    }
    all
}

fn named(lines: &[serde_json::Value], name: &str) -> usize {
    lines.iter().filter(|line| line["event"] == name).count()
}

#[test]
fn stdout_is_nothing_but_events() {
    let (program, _server) = on("passing", 200);
    let done = program
        .run(&apply(&release(), &["--output", "events"]))
        .expect(0);
    let lines = event_lines(&done.out, 0);
    assert_eq!(named(&lines, "run_created"), 1);
    assert_eq!(named(&lines, "run_ended"), 1);
    let seen = |line: &&serde_json::Value| line["event"] == "observed" && line["step"] == "tests";
    let pipeline = lines.iter().find(seen).expect("a wait is observed");
    assert_eq!(pipeline["seen"], "pipeline");
    assert!(pipeline["pipeline_id"].is_string(), "{pipeline}");
}

#[test]
fn events_of_later_sessions_and_rounds_go_on_counting() {
    let (program, _server) = on("failing", 1_000);
    let (playbook, events) = (release(), ["--output", "events"]);
    let parked = apply(
        &playbook,
        &["--park", "0s", "--run-id", "r1", "--output", "events"],
    );
    let first = event_lines(&program.run(&parked).expect(75).out, 0);
    assert_eq!(
        (named(&first, "run_created"), named(&first, "parked")),
        (1, 1)
    );
    let last = |lines: &[serde_json::Value]| {
        let line = lines.last().expect("there are lines");
        line["seq"].as_u64().expect("a number")
    };
    let second = program.run(&resume("r1", &events)).expect(1);
    let second = event_lines(&second.out, last(&first));
    assert_eq!(
        (named(&second, "resumed"), named(&second, "run_ended")),
        (1, 1)
    );
    assert_eq!(named(&second, "run_created"), 0);
    let again = program.run(&resume("r1", &["--failed", "--output", "events"]));
    let third = event_lines(&again.out, last(&second));
    assert_eq!(
        (named(&third, "round_started"), named(&third, "run_ended")),
        (1, 1)
    );
}

#[test]
fn with_json_and_quiet_a_run_that_passes_says_nothing_else() {
    let (program, _server) = on("passing", 1_000);
    let done = program.run(&apply(&release(), &["--output", "json", "-q"]));
    let done = done.expect(0);
    valid_report(&done.json());
    assert_eq!(done.err, "");
}

#[test]
fn what_was_run_can_be_looked_at_afterwards() {
    let program = Program::new();
    let args = ["apply", &release(), "--simulate=failing", "--speed", "max"];
    let summary = program.run(&args).expect(1);
    let runs = program.run(&["runs", "--json"]).expect(0).json();
    assert_eq!(runs.as_array().map(Vec::len), Some(1));
    assert_eq!(runs[0]["outcome"], json!("failed"));
    let id = runs[0]["id"].as_str().expect("an id");
    assert!(summary.out.contains(&format!("runner show {id}")));
    let shown = program.run(&["show", &id[..12]]).expect(0);
    assert!(shown.out.contains("`make test` ended with exit code 2"));
    let report = program.run(&["show", "last", "--json"]).expect(0).json();
    valid_report(&report);
    assert_eq!(report["run"]["id"], json!(id));
    program
        .run(&["resume", "last", "--failed"])
        .expect(2)
        .says(&["rehearsal"]);
    program
        .run(&["show", "nothing-like-this"])
        .expect(2)
        .says(&["nothing-like-this", "hint: "]);
}

#[test]
fn a_run_that_ended_is_not_resumed() {
    let (program, server) = on("passing", 1_000);
    program.run(&apply(&release(), &[])).expect(0);
    let before = server.requests();
    program
        .run(&["resume", "last"])
        .expect(2)
        .says(&["has ended", "runner show"]);
    assert_eq!(server.requests(), before);
}

/// The answer to the start of the workflow is lost: it is found again by its mark, and not sent twice.
#[test]
fn a_lost_answer_starts_nothing_twice() {
    for mishap in [
        "reset_after_acting",
        "hang",
        "{ slow_backend: 2s }",
        "{ cut_body: 5 }",
    ] {
        let server = Semaphore::yaml(
            &format!(
                "{}faults:\n  - {{ on: run_workflow, do: {mishap} }}\n  - {{ on: promote, do: {mishap} }}\n",
                include_str!("../../../src/simulator/scenarios/passing.yml")
            ),
            1_000,
        );
        let program = Program::new().on(&server);
        program
            .run(&apply(&release(), &["--set", "http.total_timeout=2s"]))
            .expect(0);
        assert_eq!(server.started(), (1, 1), "{mishap}");
    }
}
