//! `runner explain` as a user types it: after the end of a run, while another process works on it, of a playbook.

use serde_json::Value;

use super::{apply, on, release};
use crate::program::Program;

fn rehearse(program: &Program, (scenario, seed): (&str, &str), code: i32) {
    let (playbook, simulate) = (release(), format!("--simulate={scenario}"));
    // Another seed, or its pipelines would be the same ones.
    let args = [
        "apply", &playbook, &simulate, "--speed", "max", "--seed", seed,
    ];
    program.run(&args).expect(code);
}

#[test]
fn a_failed_run_is_explained_step_by_step() {
    let program = Program::new();
    rehearse(&program, ("failing", "1"), 1);
    let all = program.run(&["explain", "last"]).expect(0).out;
    for words in [
        "failed: `tests` failed",
        "why each step stands where it stands:",
        "where the ",
        "needs `tests: passed`, but it failed",
    ] {
        assert!(all.contains(words), "{words}: {all}");
    }
    let deploy = program.run(&["explain", "last", "deploy"]).expect(0).out;
    assert!(
        deploy.contains("✗ tests failed (wanted: passed, which will not do)"),
        "{deploy}"
    );
    let tests = program.run(&["explain", "last", "tests"]).expect(0).out;
    assert!(tests.contains("triage: new: not seen before"), "{tests}");
    assert!(tests.contains("not run because of it: deploy"), "{tests}");
    let json = program
        .run(&["explain", "last", "deploy", "--json"])
        .expect(0);
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["of"], "run");
    let steps: Vec<&String> = json["steps"].as_object().expect("steps").keys().collect();
    assert_eq!(steps, ["deploy", "tests", "build"]);
    let wrong = program.run(&["explain", "last", "depoy"]).expect(2).err;
    assert!(wrong.contains("did you mean `deploy`?"), "{wrong}");
    program.run(&["explain", "nobody"]).expect(2);
}

#[test]
fn a_second_run_knows_the_failure_of_the_first() {
    let program = Program::new();
    rehearse(&program, ("failing", "1"), 1);
    rehearse(&program, ("failing", "2"), 1);
    let tests = program.run(&["explain", "last", "tests"]).expect(0).out;
    assert!(
        tests.contains("triage: new: seen once on 1 branch"),
        "{tests}"
    );
}

#[test]
fn a_playbook_is_explained_without_a_request() {
    let program = Program::new();
    let playbook = release();
    let all = program.run(&["explain", &playbook]).expect(0).out;
    assert!(
        all.contains("waits for tests (failed): `needs` says so"),
        "{all}"
    );
    let deploy = program.run(&["explain", &playbook, "deploy"]).expect(0).out;
    assert!(deploy.starts_with("deploy (promote)"), "{deploy}");
    assert!(deploy.contains("`steps.tests.pipeline_id` at "), "{deploy}");
    let json = program.run(&["explain", &playbook, "--json"]).expect(0);
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(json["of"], "playbook");
    assert_eq!(json["steps"]["deploy"]["needs"][0]["step"], "tests");
}

/// What is said of a step, once it holds some words: what was told is in the store a moment later.
fn told(program: &Program, step: &str, words: &str) -> String {
    let mut said = String::new();
    for _ in 0..200 {
        said = program.run(&["explain", "last", step]).expect(0).out;
        if said.contains(words) {
            return said;
        }
    }
    panic!("`{words}` was never said: {said}");
}

#[test]
fn a_run_of_another_process_is_explained_while_it_works() {
    let (program, _server) = on("passing", 20);
    let mut child = program.start(&apply(&release(), &[]));
    child.until("tests: started");
    let tests = told(&program, "tests", "▸ tests (wait_pipeline) running");
    assert!(tests.contains("now: waits for "), "{tests}");
    told(&program, "deploy", "now: waits for `tests`");
    child.signal("KILL");
    child.finish();
    let all = program.run(&["explain", "last"]).expect(0).out;
    assert!(all.contains("nobody works on it"), "{all}");
}
