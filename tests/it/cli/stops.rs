//! Runs that are interrupted: by the network, by signals, by `kill -9`. Nothing is started twice, nothing is
//! forgotten, and `resume` goes on.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{apply, on, release, resume};
use crate::program::{Program, Semaphore};

/// An address of this machine at which nobody listens.
fn closed() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

/// Where a run of the state folder stands.
fn state_of_last(program: &Program) -> serde_json::Value {
    program.run(&["runs", "--json"]).expect(0).json()[0].clone()
}

#[test]
fn without_a_server_the_run_is_parked_and_goes_on_later() {
    let program = Program::new()
        .with("SEMAPHORE_ORGANIZATION_URL", &closed())
        .with("SEMAPHORE_API_TOKEN", "admin-token");
    let args = apply_with(&["--set", "retry.first_contact=1s"]);
    let done = program.run(&args).expect(7);
    assert!(done.out.contains("runner resume"), "{}", done.out);
    let report = program.report("report.json");
    assert_eq!(report["run"]["outcome"], json!("parked"));
    assert_eq!(report["run"]["exit_code"], json!(7));
    assert_eq!(state_of_last(&program)["state"], json!("parked"));

    let server = Semaphore::built_in("passing", 1_000);
    let program = program.on(&server);
    program.run(&resume("last", &[])).expect(0);
    assert_eq!(server.started(), (1, 1));
    assert_eq!(
        program.report("report.json")["run"]["outcome"],
        json!("passed")
    );
}

fn apply_with(more: &[&str]) -> Vec<String> {
    apply(&release(), more)
        .iter()
        .map(|word| (*word).to_owned())
        .collect()
}

#[test]
fn a_run_goes_on_only_on_the_semaphore_that_it_began_on() {
    let (program, first) = on("passing", 40);
    program.run(&apply_with(&["--park", "1s"])).expect(75);
    let second = Semaphore::built_in("passing", 1_000);
    let program = program.on(&second);
    program
        .run(&resume("last", &[]))
        .expect(2)
        .says(&[&first.url, &second.url, "--url"]);
    assert_eq!((first.started(), second.started()), ((1, 0), (0, 0)));
}

/// The server goes away when the workflow was started already.
#[test]
fn a_server_that_goes_away_parks_the_run() {
    let faults = "faults:\n  - { on: describe_pipeline, until: 1h, do: { answer: { status: 503, body: away } } }\n";
    let server = Semaphore::yaml(
        &format!(
            "{}{faults}",
            include_str!("../../../src/simulator/scenarios/passing.yml")
        ),
        60,
    );
    let program = Program::new().on(&server);
    let done = program.run(&apply_with(&["--set", "retry.budget=1s"]));
    assert!([7, 1].contains(&done.code), "{}", done.err);
    let report = program.report("report.json");
    assert_ne!(report["run"]["outcome"], json!("passed"));
    assert_eq!(server.started(), (1, 0));
}

#[test]
fn a_signal_parks_the_run_within_three_seconds() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let (program, server) = on("passing", 40);
        let mut child = program.start(&apply_with(&[]));
        child.until("tests: started");
        let asked = Instant::now();
        child.signal(signal);
        child.finish().expect(code);
        assert!(asked.elapsed() < Duration::from_secs(3), "{signal}");
        let report = program.report("report.json");
        assert_eq!(report["run"]["outcome"], json!("parked"), "{signal}");
        assert_eq!(report["run"]["exit_code"], json!(code), "{signal}");
        let last = state_of_last(&program);
        assert_eq!(last["state"], json!("parked"), "{last}");
        if signal == "TERM" {
            program.run(&resume("last", &[])).expect(0);
            assert_eq!(server.started(), (1, 1));
        }
    }
}

#[test]
fn a_run_that_only_waits_is_parked_when_that_is_wanted() {
    let (program, server) = on("passing", 40);
    let done = program.run(&apply_with(&["--park", "1s"])).expect(75);
    assert!(done.out.contains("runner resume"), "{}", done.out);
    assert_eq!(server.started(), (1, 0));
    same_later(&program);
    program.run(&resume("last", &[])).expect(0);
    assert_eq!(server.started(), (1, 1));
    // Both sessions count.
    let api = same_later(&program)["api"].clone();
    assert_eq!(api["requests"], json!(server.requests()));
    let endpoints = api["by_endpoint"].as_object().expect("a map");
    let sum: u64 = endpoints.values().filter_map(Value::as_u64).sum();
    assert_eq!(json!(sum), api["requests"]);
}

/// The report of the last run as it is made from the state folder: the very one that was written at its end.
fn same_later(program: &Program) -> Value {
    program
        .run(&["report", "last", "json=later.json"])
        .expect(0);
    let later = program.report("later.json");
    assert_eq!(later, program.report("report.json"));
    later
}

/// Killed at each line that it says, and resumed every time.
#[test]
fn kill_nine_and_resume_start_nothing_twice() {
    for line in [
        "run release-",
        "build: started",
        "build: workflow_id",
        "tests: started",
        "deploy: started",
        "deploy: promotion",
    ] {
        let (program, server) = on("passing", 200);
        let mut child = program.start(&apply_with(&[]));
        child.until(line);
        child.signal("KILL");
        child.finish().expect(137);
        // The kill may hit the moment of a write, which is then looked for.
        let quickly = ["--set", "writes.settle=2s"];
        program.run(&resume("last", &quickly)).expect(0);
        assert_eq!(server.started(), (1, 1), "killed after `{line}`");
        let report = program.report("report.json");
        assert_eq!(report["run"]["outcome"], json!("passed"), "{line}");
    }
}

/// Killed between the request and its answer: the server has acted, and nobody was told.
#[test]
fn kill_nine_in_the_middle_of_a_write_starts_nothing_twice() {
    for endpoint in ["run_workflow", "promote"] {
        let server = Semaphore::yaml(
            &format!(
                "{}faults:\n  - {{ on: {endpoint}, do: hang }}\n",
                include_str!("../../../src/simulator/scenarios/passing.yml")
            ),
            1_000,
        );
        let program = Program::new().on(&server);
        let child = program.start(&apply_with(&[]));
        let acted = (1, usize::from(endpoint == "promote"));
        server.until(|started| started == acted);
        child.signal("KILL");
        child.finish().expect(137);
        program.run(&resume("last", &[])).expect(0);
        assert_eq!(server.started(), (1, 1), "{endpoint}");
    }
}

#[test]
fn a_run_that_somebody_works_on_is_not_taken() {
    let (program, server) = on("passing", 40);
    let mut child = program.start(&apply_with(&[]));
    let id = child.until("run release-");
    let id = id.trim_start_matches("run ").trim().to_owned();
    child.until("tests: started");
    let pid = child.pid().to_string();
    let refused = program.run(&resume(&id, &[])).expect(8).says(&[&pid]);
    assert!(refused.out.is_empty(), "{}", refused.out);
    child.signal("TERM");
    child.finish().expect(143);
    // The owner is gone, and with it the lock.
    program.run(&resume(&id, &[])).expect(0);
    assert_eq!(server.started(), (1, 1));
}

#[test]
fn a_run_whose_time_is_over_ends_with_six() {
    let (program, server) = on("passing", 1);
    let done = program.run(&apply_with(&["--timeout", "2s"])).expect(6);
    assert!(done.out.contains("deadline"), "{}", done.out);
    assert_eq!(
        program.report("report.json")["run"]["outcome"],
        json!("deadline")
    );
    assert_eq!(server.started(), (1, 0));
}
