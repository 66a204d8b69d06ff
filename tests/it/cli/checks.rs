//! `runner check`: several files and folders, the forms of what is said, and the checkout around a playbook.

use std::fmt::Write as _;

use super::release;
use crate::program::Program;

const GOOD: &str = "playbook: 1\nsteps:\n  a: { sleep: 1s }\n";
const WRONG: &str = "playbook: 1\nsteps:\n  a: { sleep: 5 }\n";
const TEST: &str =
    "test: good.yml\ncases: { passes: { expect: { outcome: passed, steps: { a: passed } } } }\n";
const DOUBTFUL: &str =
    "playbook: 1\ninputs:\n  x: { type: string, default: y }\nsteps:\n  a: { sleep: 1s }\n";

#[test]
fn folders_give_the_playbooks_below_them() {
    let program = Program::new();
    for (name, text) in [
        ("ci/good.yml", GOOD),
        ("ci/deep/er/wrong.yaml", WRONG),
        ("ci/deep/doubtful.yml", DOUBTFUL),
        ("ci/compose.yml", "services: {}\nsteps: {}\n"),
        ("ci/good.test.yml", TEST),
        ("ci/.hidden/wrong.yml", WRONG),
        ("ci/notes.txt", WRONG),
        ("empty/compose.yml", "services: {}\n"),
    ] {
        let path = program.work().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be written");
        std::fs::write(path, text).expect("it can be written");
    }
    let done = program.run(&["check", "ci", &release()]).expect(3).says(&[
        "ci/deep/er/wrong.yaml:3:15",
        "ci/deep/doubtful.yml:3:3",
        "1 error, 1 warning in 2 files",
    ]);
    for never in [".hidden", "compose", "notes"] {
        assert!(!done.err.contains(never), "{}", done.err);
    }
    program
        .run(&["check", "empty"])
        .expect(2)
        .says(&["there is no playbook here", "hint: "]);
    program
        .run(&["check", "ci/good.yml", &release()])
        .expect(0)
        .says(&["2 playbooks are in order"]);
}

#[test]
fn test_files_are_checked_as_what_they_are() {
    let program = Program::new();
    program.file("good.yml", GOOD);
    program.file("wrong.yml", WRONG);
    program.file("doubtful.yml", DOUBTFUL);
    program.file("good.test.yml", TEST);
    let checked = |files: &[&str]| program.run(&[&["check"], files].concat());
    checked(&["good.yml", "good.test.yml"])
        .expect(0)
        .says(&["1 playbook and 1 test file are in order"]);
    checked(&["good.test.yml"])
        .expect(0)
        .says(&["1 test file is in order"]);
    checked(&["."]).expect(3).says(&["wrong.yml:3:15"]);
    // A test by its words, though not by its name.
    program.file("case.yml", &TEST.replace("a: passed", "b: passed"));
    checked(&["case.yml"])
        .expect(3)
        .says(&["case.yml:2:", "the playbook has no step `b`"]);
    // What is wrong with a playbook is told once, and what is doubtful of the playbook alone.
    program.file("wrong.test.yml", &TEST.replace("good", "wrong"));
    let both = checked(&["wrong.yml", "wrong.test.yml"]).expect(3);
    assert_eq!(
        both.err.matches("wrong.yml:3:15").count(),
        1,
        "{}",
        both.err
    );
    checked(&["wrong.test.yml"])
        .expect(3)
        .says(&["wrong.yml:3:15"]);
    program.file("doubtful.test.yml", &TEST.replace("good", "doubtful"));
    checked(&["doubtful.test.yml", "--deny-warnings"]).expect(0);
    program.file("lost.test.yml", &TEST.replace("good", "lost"));
    checked(&["lost.test.yml", "good.yml"]).expect(3).says(&[
        "error[P027]: there is no playbook `lost.yml`",
        "lost.test.yml:1:7",
        "hint: ",
    ]);
}

#[test]
fn a_file_that_cannot_be_read_hides_nothing() {
    let program = Program::new();
    program.file("wrong.yml", WRONG);
    program
        .run(&["check", "missing.yml", "wrong.yml"])
        .expect(2)
        .says(&["`missing.yml` cannot be read", "wrong.yml:3:15"]);
}

#[test]
fn warnings_refuse_nothing_unless_they_are_denied() {
    let program = Program::new();
    program.file("doubtful.yml", DOUBTFUL);
    let run = |more: &[&str]| {
        let mut args = vec!["check", "doubtful.yml"];
        args.extend(more);
        program.run(&args)
    };
    let said = [
        "warning[P100]: nothing reads the input `x`",
        "1 warning in doubtful.yml",
    ];
    run(&[]).expect(0).says(&said);
    run(&["--deny-warnings"]).expect(3).says(&said);
    run(&["-q", "--deny-warnings"]).expect(3).says(&said);
    let quiet = run(&["-q"]).expect(0);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let github = run(&["--format", "github"]).expect(0);
    assert_eq!(
        github.out,
        "::warning file=doubtful.yml,line=3,col=3,endLine=3,endColumn=4,title=P100::nothing reads the input `x`\
         %0Ahint: remove it, or read it with `{{ inputs.x }}`\n"
    );
}

#[test]
fn json_says_everything_that_people_are_told() {
    let program = Program::new();
    program.file("good.yml", GOOD);
    program.file("b.yml", "playbook: 1\nsteps:\n  a: { slep: 1s }\n");
    program.file(
        "a.yml",
        "playbook: 1\nsteps:\n  a: { sleep: 1s, sleep: 2s }\n",
    );
    let none = program
        .run(&["check", "good.yml", "--format", "json"])
        .expect(0)
        .json();
    assert_eq!(none, serde_json::json!([]));
    let said = program
        .run(&["check", "b.yml", "a.yml", "good.yml", "--format", "json"])
        .expect(3)
        .json();
    let place = |file: &str, columns: (u32, u32)| {
        serde_json::json!({
            "file": file, "line": 3, "column": columns.0, "end_line": 3, "end_column": columns.1,
        })
    };
    assert_eq!(
        said,
        serde_json::json!([
            {
                "code": "P007", "severity": "error", "message": "`sleep` stands twice in this map",
                "place": place("a.yml", (19, 24)),
                "labels": [{ "place": place("a.yml", (8, 13)), "message": "the first one stands here" }],
                "hint": "keep one of them: the other would be silently lost", "fix": null,
            },
            {
                "code": "P032", "severity": "error", "message": "there is no action `slep`",
                "place": place("b.yml", (8, 12)), "labels": [],
                "hint": "did you mean `sleep`?", "fix": "sleep",
            },
        ])
    );
}

/// A playbook that promotes something that no pipeline file has.
const PROMOTES: &str = "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  a: { promote: { pipeline: \"{{ inputs.pipeline }}\", name: Prod } }\n";

fn pipeline(promotion: &str) -> String {
    format!("version: v1.0\npromotions:\n  - {{ name: {promotion}, pipeline_file: prod.yml }}\n")
}

/// Writes files into the folder of a program; folders are made.
fn files(program: &Program, all: &[(&str, &str)]) {
    for (name, text) in all {
        let path = program.work().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be written");
        std::fs::write(path, text).expect("it can be written");
    }
}

#[test]
fn the_checkout_is_the_nearest_folder_that_is_one() {
    let program = Program::new();
    let (outer, inner) = (pipeline("Outer"), pipeline("Inner"));
    files(
        &program,
        &[
            (".semaphore/semaphore.yml", &outer),
            ("playbooks/deep/release.yml", PROMOTES),
            ("other/.semaphore/semaphore.yml", &inner),
            ("other/playbooks/release.yml", PROMOTES),
            ("lonely/runner.toml", ""),
            ("lonely/release.yml", PROMOTES),
        ],
    );
    program
        .run(&["check", "playbooks/deep/release.yml"])
        .expect(0)
        .says(&["warning[P104]", "it has `Outer`"]);
    program
        .run(&["check", "other/playbooks/release.yml"])
        .expect(0)
        .says(&["it has `Inner`"]);
    program
        .run(&["check", "lonely/release.yml"])
        .expect(0)
        .says(&["1 playbook is in order"]);
}

#[test]
fn nothing_outside_of_the_checkout_is_read() {
    let program = Program::new();
    let canary = pipeline("Canary7Zq1");
    files(
        &program,
        &[
            ("outside/semaphore.yml", &canary),
            ("linked/.semaphore/semaphore.yml", &pipeline("Inside")),
            ("linked/release.yml", PROMOTES),
            ("folder/runner.toml", ""),
            ("folder/release.yml", PROMOTES),
            (
                "named/release.yml",
                "playbook: 1\nsteps:\n  a: { run_workflow: { project: web, reference: main, pipeline_file: ../outside/semaphore.yml } }\n  b: { promote: { pipeline: \"{{ steps.a.pipeline_id }}\", name: Prod } }\n",
            ),
            ("named/.semaphore/semaphore.yml", &pipeline("Inside")),
        ],
    );
    #[cfg(unix)]
    {
        let link = |from: &str, to: &str| {
            std::os::unix::fs::symlink(program.work().join(from), program.work().join(to))
                .expect("it can be written");
        };
        link("outside/semaphore.yml", "linked/.semaphore/other.yml");
        link("outside", "folder/.semaphore");
    }
    for playbook in [
        "linked/release.yml",
        "folder/release.yml",
        "named/release.yml",
    ] {
        let done = program.run(&["check", playbook]).expect(0);
        assert!(!done.err.contains("Canary7Zq1"), "{}", done.err);
    }
    program
        .run(&["check", "linked/release.yml"])
        .expect(0)
        .says(&["it has `Inside`"]);
    program
        .run(&["check", "named/release.yml"])
        .expect(0)
        .says(&["this checkout has no pipeline file `../outside/semaphore.yml`"]);
}

#[test]
fn a_hostile_checkout_costs_little_and_drives_nothing() {
    let program = Program::new();
    let mut many = String::from("promotions:\n");
    for n in 0..20_000 {
        let _ = writeln!(many, "  - name: p{n}");
    }
    files(
        &program,
        &[
            ("many/.semaphore/semaphore.yml", &many),
            ("many/release.yml", PROMOTES),
            (
                "huge/.semaphore/semaphore.yml",
                &"# filler\n".repeat(100_000),
            ),
            ("huge/release.yml", PROMOTES),
            (
                "signs/.semaphore/semaphore.yml",
                "promotions:\n  - name: \"\\e[31m\\u202eProd\\n::error::x\"\n    pipeline_file: ../../../etc/passwd\n",
            ),
            ("signs/release.yml", PROMOTES),
        ],
    );
    for playbook in ["many/release.yml", "huge/release.yml"] {
        program
            .run(&["check", playbook])
            .expect(0)
            .says(&["1 playbook is in order"]);
    }
    let done = program.run(&["check", "signs/release.yml"]).expect(0);
    assert!(done.err.contains("P104"), "{}", done.err);
    let harmful = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
    assert!(!done.err.contains(harmful), "{:?}", done.err);
    assert!(
        !done.err.lines().any(|line| line.starts_with("::")),
        "{}",
        done.err
    );
}
