//! From a run that happened to a test that tells it again.

use crate::program::Program;

const RELEASE: &str = include_str!("../../../playbooks/release.yml");

/// What happened in each built-in world can be replayed from the test that was written of it.
#[test]
fn a_run_in_every_world_becomes_a_test_that_passes() {
    for (scenario, code) in [
        ("passing", 0),
        ("failing", 1),
        ("stuck", 1),
        ("deploy_fails", 1),
    ] {
        let program = Program::new();
        program.file("release.yml", RELEASE);
        let simulate = format!("--simulate={scenario}");
        program
            .run(&[
                "apply",
                "release.yml",
                &simulate,
                "--speed",
                "max",
                "-i",
                "project=demo",
            ])
            .expect(code);
        let done = program
            .run(&[
                "report",
                "last",
                "test=incident.test.yml",
                "json=report.json",
            ])
            .expect(0);
        assert!(!done.err.contains("hint:"), "{scenario}: {}", done.err);
        let done = program.run(&["test"]);
        let text = std::fs::read_to_string(program.work().join("incident.test.yml"));
        assert_eq!(
            done.code,
            0,
            "{scenario}: {}{}\n{}",
            done.out,
            done.err,
            text.unwrap()
        );
        program.report("report.json");
    }
}

/// The log that was fetched is in the world of the test, and a secret of the run is not.
#[test]
fn an_incident_holds_what_was_seen_and_no_secret() {
    let program = Program::new().with("HOOK", "hooks-secret-9Kq2");
    let playbook = RELEASE.replace(
        "inputs:\n",
        "inputs:\n  hook: { type: string, secret: true, env: HOOK }\n",
    );
    program.file("release.yml", &playbook);
    program
        .run(&[
            "apply",
            "release.yml",
            "--simulate=failing",
            "--speed",
            "max",
        ])
        .expect(1);
    program
        .run(&["report", "last", "test=incident.test.yml"])
        .expect(0);
    let text = std::fs::read_to_string(program.work().join("incident.test.yml")).unwrap();
    for part in [
        "make test",
        "311 passed; 1 failed",
        "pipeline_failed",
        "a-made-up-secret",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    assert!(!text.contains("9Kq2"), "{text}");
    program.run(&["test"]).expect(0);
}

#[test]
fn a_test_stands_beside_its_playbook() {
    let program = Program::new();
    program.file("release.yml", RELEASE);
    program
        .run(&["apply", "release.yml", "--simulate", "--speed", "max"])
        .expect(0);
    let elsewhere = program.folder().join("home/x.test.yml");
    let target = format!("test={}", elsewhere.display());
    let done = program.run(&["report", "last", &target]).expect(2);
    assert!(
        done.err.contains("a test must stand beside its playbook"),
        "{}",
        done.err
    );
}
