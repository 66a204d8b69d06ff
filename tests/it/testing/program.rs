//! The command itself: what it finds, what it says, what it ends with, what it writes.

use std::path::Path;

use super::PLAYBOOK;
use crate::program::Program;

const TEST: &str = "test: play.yml\ncases:\n  passes: { expect: { outcome: passed } }\n  it's wrong: { expect: { outcome: failed } }\n";

fn program() -> Program {
    let program = Program::new();
    program.file("play.yml", PLAYBOOK);
    program.file("play.test.yml", TEST);
    program
}

#[test]
fn what_fails_is_told_with_the_command_that_runs_it_again() {
    let program = program();
    let done = program.run(&["test"]).expect(1);
    assert!(done.out.contains("FAILED play.test.yml: it's wrong\n  play.test.yml:4:36: the run\n    expected `failed`\n    got      `passed`\n"), "{}", done.out);
    assert!(
        done.out
            .contains(r"again: runner test play.test.yml --filter 'it'\''s wrong'"),
        "{}",
        done.out
    );
    assert!(done.out.contains("1 passed, 1 failed: "), "{}", done.out);
    program.run(&["test", "--filter", "passes"]).expect(0);
    program
        .run(&["test", "--filter", "it's wrong", "--seed", "answer_lost@2"])
        .expect(0);
}

#[test]
fn results_are_written_as_junit_and_json() {
    let program = program();
    program
        .run(&[
            "test",
            "--report",
            "junit=t.xml",
            "--report",
            "json=t.json",
            "--coverage",
        ])
        .expect(1);
    let xml = std::fs::read_to_string(program.work().join("t.xml")).expect("it was written");
    assert!(
        xml.contains("tests=\"2\" skipped=\"0\" failures=\"1\""),
        "{xml}"
    );
    assert!(
        xml.contains("the run: expected `failed`, got `passed`"),
        "{xml}"
    );
    let json = std::fs::read_to_string(program.work().join("t.json")).expect("it was written");
    let json: serde_json::Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!((&json["passed"], &json["failed"]), (&1.into(), &1.into()));
    let problem = &json["files"][0]["cases"][1]["problem"];
    assert_eq!(problem["differences"][0]["place"], "play.test.yml:4:36");
    assert_eq!(problem["schedule"], "plain");
}

#[test]
fn what_cannot_be_run_is_refused() {
    let program = program();
    let cases: [(&[&str], i32, &str); 5] = [
        (
            &["test", "--filter", "nothing like it"],
            2,
            "no case was run",
        ),
        (
            &["test", "absent.test.yml"],
            2,
            "`absent.test.yml` cannot be read",
        ),
        (&["test", "--seed", "wrong"], 2, "a schedule is a number"),
        (
            &["test", "--report", "html=x"],
            2,
            "there is no format `html`",
        ),
        (
            &["test", "play.yml"],
            3,
            "a test file has no key `playbook`",
        ),
    ];
    for (args, code, said) in cases {
        let done = program.run(args).expect(code);
        assert!(done.err.contains(said), "{args:?}: {}", done.err);
    }
    let empty = Program::new();
    let done = empty.run(&["test"]).expect(2);
    assert!(
        done.err.contains("there is no file `*.test.yml` here"),
        "{}",
        done.err
    );
    empty.file(
        "x.test.yml",
        "test: absent.yml\ncases: { a: { expect: { outcome: passed } } }\n",
    );
    let done = empty.run(&["test"]).expect(3);
    assert!(
        done.err
            .contains("there is no playbook `absent.yml`\n --> x.test.yml:1:7"),
        "{}",
        done.err
    );
}

/// The tests of the library hold, as they are run by everybody.
#[test]
fn the_tests_of_the_library_pass() {
    let program = Program::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("playbooks");
    let mut files = 0;
    for entry in std::fs::read_dir(folder)
        .expect("the folder is there")
        .flatten()
    {
        let path = entry.path().display().to_string();
        if path.ends_with(".test.yml") {
            let done = program.run(&["test", &path]);
            assert_eq!(done.code, 0, "{}{}", done.out, done.err);
            files += 1;
        }
    }
    assert!(files > 10, "only {files}");
}
