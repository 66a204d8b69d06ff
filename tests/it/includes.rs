//! Playbooks that use others: where those are found, what of the disk may be seen, what is checked, and a
//! run that keeps all of them.
//!
//! Whatever lies outside holds a canary, which must never come to light.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use runner::diagnostic::Diagnostics;
use runner::plan::{self, BoundInputs, GivenInputs, Limits, Plan};
use runner::playbook::{DiskFiles, StoredFile, StoredFiles, source_from_bytes};

use crate::program::Program;

const CANARY: &str = "canary-8f3b2c";

/// A folder with a project (`project/`, a root), a library (`library/`), and a canary beside them.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().expect("a folder"));
        place.write("project/runner.toml", "");
        place.write("library/.keep", "");
        let outside =
            format!("playbook: 1\nname: {CANARY}\nsteps: {{ {CANARY}: {{ sleep: 5 }} }}\n");
        place.write("outside.yml", &outside);
        for (name, text) in files {
            place.write(name, text);
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("it can be written");
    }

    fn check(&self) -> (Option<Plan>, Diagnostics) {
        let limits = Limits::default();
        let path = self.path("project/main.yml");
        let bytes = std::fs::read(&path).expect("there is a playbook");
        let name = path.display().to_string();
        let source = source_from_bytes(&name, bytes, &limits).expect("it is text");
        let files = DiskFiles::new(&source, &path, [self.path("library")], &limits);
        plan::check_with(&source, &files, &limits)
    }

    /// What is said, one line for each, without the folder.
    /// Only what is wrong counts, not what is merely doubtful.
    fn said(&self) -> String {
        let (plan, diagnostics) = self.check();
        assert_eq!(plan.is_none(), diagnostics.has_errors());
        let folder = format!("{}/", self.0.path().display());
        let mut all = String::new();
        let wrong =
            |d: &&runner::diagnostic::Diagnostic| d.severity == runner::diagnostic::Severity::Error;
        for d in diagnostics.sorted().into_iter().filter(wrong) {
            let place = d.place.as_ref().map(ToString::to_string);
            let hint = d.hint.as_deref().unwrap_or("-");
            let labels: Vec<String> = d
                .labels
                .iter()
                .map(|(p, w)| format!(" ({p} {w})"))
                .collect();
            let line = format!(
                "{} {} {}{} | {hint}",
                d.code,
                place.unwrap_or_default(),
                d.message,
                labels.concat()
            );
            let _ = writeln!(all, "{}", line.replace(&folder, ""));
        }
        assert!(!all.contains(CANARY), "{all}");
        all
    }
}

fn using(written: &str) -> String {
    format!("playbook: 1\nsteps:\n  a: {{ use: {written} }}\n")
}

const SMALL: &str = "playbook: 1\nsteps: { s: { sleep: 1s } }\n";

#[test]
fn playbooks_are_found_by_path_and_by_name_and_each_is_read_once() {
    let place = Place::new(&[
        (
            "project/main.yml",
            "playbook: 1\nsteps:\n  a: { use: ./lib/notify.yml }\n  b: { use: lib/../lib/notify.yml }\n  c: { use: beside }\n  d: { use: shared }\n  e: { use: release }\n  f: { use: main }\n",
        ),
        ("project/lib/notify.yml", &using("../beside.yaml")),
        ("project/beside.yaml", SMALL),
        ("library/shared.yml", &using("other")),
        ("library/other.yml", SMALL),
        ("library/beside.yml", "no playbook"),
        ("library/main.yml", SMALL),
    ]);
    assert_eq!(place.said(), "");
    let plan = place.check().0.expect("nothing is wrong");
    let folder = format!("{}/", place.0.path().display());
    let names: Vec<String> = plan
        .sources
        .iter()
        .map(|source| source.name.replace(&folder, ""))
        .collect();
    assert_eq!(
        names,
        [
            "project/main.yml",
            "project/lib/notify.yml",
            "project/beside.yaml",
            "library/shared.yml",
            "library/other.yml",
            "built-in:release.yml",
            "library/main.yml",
        ]
    );
    // The text of what is used is part of the identity.
    let before = plan.digest;
    place.write(
        "library/other.yml",
        "playbook: 1\nsteps: { s: { sleep: 2s } }\n",
    );
    assert_ne!(before, place.check().0.expect("nothing is wrong").digest);
}

#[test]
fn a_plan_is_made_again_from_what_was_kept() {
    let place = Place::new(&[
        (
            "project/main.yml",
            "playbook: 1\nsteps:\n  a: { use: ./lib/one.yml }\n  b: { use: release }\n",
        ),
        ("project/lib/one.yml", &using("shared")),
        ("library/shared.yml", SMALL),
    ]);
    let plan = place.check().0.expect("nothing is wrong");
    let all = plan::links(&plan);
    let kept = all.iter().map(|(source, uses)| StoredFile {
        source: runner::diagnostic::Source::new(source.name.clone(), source.text.clone()),
        uses: uses.clone(),
    });
    let kept: Vec<StoredFile> = kept.collect();
    let first = std::sync::Arc::clone(&kept[0].source);
    drop(place);
    let (again, told) = plan::check_with(&first, &StoredFiles::new(kept), &Limits::default());
    assert!(!told.has_errors());
    assert_eq!(again.expect("nothing is wrong").digest, plan.digest);
}

/// What is written, and what is said of it.
const OUTSIDE: &[(&str, &str)] = &[
    (
        "../outside.yml",
        "P091 project/main.yml:3:14 `../outside.yml` leads out of its root",
    ),
    (
        "lib/../../outside.yml",
        "P091 project/main.yml:3:14 `lib/../../outside.yml` leads out of its root",
    ),
    (
        "./../project/../outside.yml",
        "P091 project/main.yml:3:14 `./../project/../outside.yml` leads out of its root",
    ),
    (
        "/etc/passwd",
        "P091 project/main.yml:3:14 `/etc/passwd` is an absolute path",
    ),
    (
        "~/outside.yml",
        "P091 project/main.yml:3:14 `~/outside.yml` is an absolute path",
    ),
    (
        "C:/outside.yml",
        "P091 project/main.yml:3:14 `C:/outside.yml` is an absolute path",
    ),
    (
        "..\\outside.yml",
        "P091 project/main.yml:3:14 `..\\outside.yml` is a path with `\\`: the parts of a path are separated by `/`",
    ),
    (
        "https://example.com/outside.yml",
        "P091 project/main.yml:3:14 `https://example.com/outside.yml` is an address, and nothing is fetched",
    ),
    (
        "file:///etc/passwd",
        "P091 project/main.yml:3:14 `file:///etc/passwd` is an address, and nothing is fetched",
    ),
    (
        "link.yml",
        "P091 project/main.yml:3:14 `link.yml` leads out of its root by a link",
    ),
    (
        "linked/outside.yml",
        "P091 project/main.yml:3:14 `linked/outside.yml` leads out of its root by a link",
    ),
    (
        "device.yml",
        "P091 project/main.yml:3:14 `device.yml` leads out of its root by a link",
    ),
    (
        "link",
        "P091 project/main.yml:3:14 `link` leads out of its root by a link",
    ),
    (
        "folder.yml",
        "P092 project/main.yml:3:14 `folder.yml` is a folder, and no playbook",
    ),
    (
        "./nothing.yml",
        "P090 project/main.yml:3:14 there is no file `./nothing.yml`",
    ),
    (
        "..",
        "P090 project/main.yml:3:14 `..` is neither a path nor a name",
    ),
    (
        "./",
        "P092 project/main.yml:3:14 `./` is a folder, and no playbook",
    ),
    (
        "outside",
        "P090 project/main.yml:3:14 there is no playbook `outside` in the library",
    ),
];

#[test]
fn nothing_outside_is_read() {
    let place = Place::new(&[("project/folder.yml/x", "")]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let made = [
            symlink(place.path("outside.yml"), place.path("project/link.yml")),
            symlink(place.0.path(), place.path("project/linked")),
            symlink("/dev/zero", place.path("project/device.yml")),
        ];
        assert!(made.iter().all(Result::is_ok));
    }
    let mut wrong = String::new();
    for (written, expected) in OUTSIDE {
        place.write("project/main.yml", &using(&format!("'{written}'")));
        let said = place.said();
        if !said.starts_with(expected) || said.lines().count() != 1 {
            let _ = writeln!(wrong, "{written}: {said}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
#[cfg(unix)]
fn a_pipe_is_not_waited_for() {
    let place = Place::new(&[("project/main.yml", &using("./pipe.yml"))]);
    let made = std::process::Command::new("mkfifo")
        .arg(place.path("project/pipe.yml"))
        .status();
    assert!(made.is_ok_and(|status| status.success()));
    assert_eq!(
        place.said(),
        "P092 project/main.yml:3:13 `./pipe.yml` is a device or a pipe, and no file | -\n"
    );
}

#[test]
fn a_circle_is_shown_whole() {
    let place = Place::new(&[
        ("project/main.yml", &using("./one.yml")),
        ("project/one.yml", &using("./two.yml")),
        (
            "project/two.yml",
            "playbook: 1\nsteps:\n  a: { use: ./one.yml }\n  b: { use: ./two.yml }\n  c: { use: ./main.yml }\n",
        ),
    ]);
    assert_eq!(
        place.said(),
        "P093 project/two.yml:3:13 playbooks use each other in a circle: `project/one.yml` → `project/two.yml` → `project/one.yml` | each uses the one after the arrow: cut one of them
P093 project/two.yml:4:13 playbooks use each other in a circle: `project/two.yml` → `project/two.yml` | each uses the one after the arrow: cut one of them
P093 project/two.yml:5:13 playbooks use each other in a circle: `project/main.yml` → `project/one.yml` → `project/two.yml` → `project/main.yml` | each uses the one after the arrow: cut one of them
"
    );
}

#[test]
fn depth_width_and_the_sum_of_steps_are_limited() {
    // A chain that is nine deep.
    let place = Place::new(&[("project/main.yml", &using("./d1.yml"))]);
    for n in 1..=9 {
        place.write(
            &format!("project/d{n}.yml"),
            &using(&format!("./d{}.yml", n + 1)),
        );
    }
    place.write("project/d10.yml", SMALL);
    assert_eq!(
        place.said(),
        "P094 project/d8.yml:3:13 playbooks use each other more than 8 deep | write fewer, larger playbooks, or raise the limits\n"
    );
    // Forty beside each other.
    let wide = (0..40).fold(String::from("playbook: 1\nsteps:\n"), |mut all, n| {
        place.write(&format!("project/w{n}.yml"), SMALL);
        let _ = writeln!(all, "  s{n}: {{ use: ./w{n}.yml }}");
        all
    });
    place.write("project/main.yml", &wide);
    assert_eq!(
        place.said(),
        "P094 project/main.yml:35:15 more than 32 other playbooks are used | write fewer, larger playbooks, or raise the limits\n"
    );
    // Small files that would become a hundred million steps.
    for n in 1..=7 {
        let ten = (0..10).fold(String::from("playbook: 1\nsteps:\n"), |mut all, s| {
            let _ = writeln!(all, "  s{s}: {{ use: ./d{}.yml }}", n + 1);
            all
        });
        place.write(&format!("project/d{n}.yml"), &ten);
    }
    place.write("project/d8.yml", SMALL);
    place.write("project/main.yml", &using("./d1.yml"));
    let said = place.said();
    assert_eq!(
        said,
        "P072 project/d5.yml:1:1 the playbook has 10 steps, with those of what it uses 2110, and at most 1000 are allowed | split the playbook, or raise the limits\n"
    );
}

#[test]
fn mistakes_are_told_in_their_own_files_all_at_once() {
    let place = Place::new(&[
        (
            "project/main.yml",
            r#"playbook: 1
inputs:
  token: { type: string, secret: true, env: TOKEN }
  name: { type: string, default: x }
vars: { hidden: "x-{{ inputs.token }}" }
steps:
  wrong: { use: ./lib/wrong.yml }
  wrong_again: { use: lib/wrong.yml }
  binary: { use: ./lib/binary.yml }
  named: { use: shard }
  template: { use: "{{ inputs.name }}" }
  list: { use: [shared] }
  no_with: { use: { playbook: shared, wiht: { must: x } } }
  with_template: { use: { playbook: shared, with: "{{ inputs }}" } }
  missing: { use: shared }
  given:
    use:
      playbook: shared
      with:
        musst: x
        count: "3"
        patience: 30
        flags: [true, "{{ inputs.name }}"]
        choice: c
        text: "{{ vars.hidden }}"
        key: "{{ vars.hidden }}"
        labels: "a {{ inputs.name }}"
        must: "{{ inputs.token }}"
  fine: { use: { playbook: shared, with: { must: "{{ inputs.name }}", key: "{{ inputs.token }}", patience: 1h, count: "{{ 1 + 2 }}" } } }
  reads:
    set:
      a: "{{ steps.fine.commit }} {{ steps.fine.comit }} {{ steps.fine.response }} {{ steps.wrong.anything }}"
      b: "{{ steps.fine.secret }}"
  shows: { run_workflow: { project: x, reference: main, parameters: { A: "{{ steps.fine.secret }}", B: "{{ steps.fine.commit }}" } } }
  undone: { use: { playbook: shared, with: { must: x } }, undo: { stop_workflow: { workflow: "{{ run.id }}" } } }
  undoes: { run_task: { project: x, task: y }, undo: { use: release } }
  extracts: { use: { playbook: shared, with: { must: x } }, extract: { a: $.x }, rerun: { max: 1 }, until: this.commit == '' }
"#,
        ),
        (
            "project/lib/wrong.yml",
            "playbook: 1\nconcurrency: { group: x }\non_interrupt: stop\nsteps:\n  a: { sleep: 5 }\n  b: { set: { x: \"{{ inputs.nothing }}\" } }\noutputs: { outcome: x }\n",
        ),
        (
            "library/shared.yml",
            r#"playbook: 1
inputs:
  must: { type: string }
  count: { type: integer, default: 1 }
  patience: { type: duration, default: 5m }
  flags: { type: list, items: boolean, default: [] }
  choice: { type: string, enum: [a, b], default: a }
  text: { type: string, optional: true }
  key: { type: string, secret: true, optional: true }
  labels: { type: object, optional: true }
steps: { s: { set: { x: "{{ inputs.key | default('none') }}" } } }
outputs: { commit: "{{ inputs.must }}", secret: "{{ steps.s.x }}" }
"#,
        ),
    ]);
    std::fs::write(
        place.path("project/lib/binary.yml"),
        b"playbook: 1\nname: \xff\n",
    )
    .expect("written");
    assert_eq!(place.said(), include_str!("../fixtures/corpus/used.expect"));
}

/// The environment, and what is said of it.
fn bind(plan: &Plan, env: &[(&str, &str)]) -> (Option<BoundInputs>, Vec<String>) {
    let look = |name: &str| {
        let found = env.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let given = GivenInputs {
        texts: &[],
        file: None,
        env: &look,
    };
    let (bound, told) = plan::bind(plan, &given);
    let line = |d: &runner::diagnostic::Diagnostic| {
        let hint = d.hint.clone().unwrap_or_default();
        format!("{} {} | {hint}", d.code, d.message)
    };
    (bound, told.sorted().into_iter().map(line).collect())
}

#[test]
fn the_environment_of_used_playbooks_is_bound_with_the_inputs() {
    let place = Place::new(&[
        (
            "project/main.yml",
            "playbook: 1\nsteps:\n  a: { use: { playbook: shared, with: { literal: from-the-file } } }\n  b: { use: shared }\n",
        ),
        (
            "library/shared.yml",
            "playbook: 1\ninputs:\n  token: { type: string, secret: true, env: SHARED_TOKEN }\n  count: { type: integer, env: SHARED_COUNT }\n  literal: { type: string, secret: true, default: from-the-default }\n  unset: { type: string, env: SHARED_UNSET, optional: true }\nsteps: { s: { sleep: 1s } }\n",
        ),
    ]);
    assert_eq!(place.said(), "");
    let plan = place.check().0.expect("nothing is wrong");
    let token = ("SHARED_TOKEN", "a-long-token");
    let (bound, told) = bind(&plan, &[token, ("SHARED_COUNT", "3"), ("OTHER", "x")]);
    assert_eq!(told, Vec::<String>::new());
    let bound = bound.expect("nothing is missing");
    let env = bound.env.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    assert_eq!(env.collect::<Vec<_>>(), [token, ("SHARED_COUNT", "3")]);
    let mut texts = plan::secret_texts(&plan, &bound);
    texts.sort();
    texts.dedup();
    assert_eq!(texts, ["a-long-token", "from-the-default", "from-the-file"]);
    let secret = plan::secret_variables(&plan);
    assert_eq!(secret.into_iter().collect::<Vec<_>>(), ["SHARED_TOKEN"]);
    let (bound, told) = bind(&plan, &[("SHARED_COUNT", "many")]);
    assert!(bound.is_none());
    assert_eq!(
        told,
        [
            "P080 input `token` has no value | give it with `with: { token: … }`, or in the environment variable `SHARED_TOKEN`",
            "P082 input `count` must be a whole number, and this is `many` | the value is given by the environment variable `SHARED_COUNT`",
        ]
    );
}

/// The folder that a library is looked for in: the flag before the variable, and both before what is built in.
#[test]
fn the_program_finds_the_library() {
    let program = Program::new().with("RUNNER_LIBRARY", "second:third");
    for folder in ["first", "second", "third"] {
        std::fs::create_dir_all(program.work().join(folder)).expect("a folder");
    }
    program.file("main.yml", "playbook: 1\nsteps:\n  a: { use: one }\n  b: { use: two }\n  c: { use: three }\n  d: { use: release }\noutputs: { a: \"{{ steps.a.from }}\", b: \"{{ steps.b.from }}\", c: \"{{ steps.c.from }}\", d: \"{{ steps.d.from }}\" }\n");
    let from = |name: &str| {
        format!(
            "playbook: 1\nsteps: {{ s: {{ set: {{ from: {name} }} }} }}\noutputs: {{ from: \"{{{{ steps.s.from }}}}\" }}\n"
        )
    };
    program.file("first/one.yml", &from("first"));
    program.file("second/one.yml", &from("second"));
    program.file("second/two.yml", &from("second"));
    program.file("third/two.yml", &from("third"));
    program.file("third/three.yml", &from("third"));
    program.file("third/release.yml", &from("third"));
    let done = program.run(&["check", "main.yml", "--library", "first"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let args = [
        "apply",
        "main.yml",
        "--simulate",
        "--speed",
        "max",
        "--library",
        "first",
        "--output",
        "json",
    ];
    let done = program.run(&args);
    assert_eq!(done.code, 0, "{}{}", done.err, done.out);
    let report: serde_json::Value = serde_json::from_str(&done.out).expect("a report");
    assert_eq!(
        report["outputs"],
        serde_json::json!({ "a": "first", "b": "second", "c": "third", "d": "third" })
    );
    let done = program.run(&["check", "main.yml"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let done = program
        .without("RUNNER_LIBRARY")
        .run(&["check", "main.yml"]);
    assert_eq!(done.code, 3);
    assert!(
        done.err
            .contains("there is no playbook `one` in the library"),
        "{}",
        done.err
    );
    assert!(done.err.contains("has no output `from`"), "{}", done.err);
}

/// A test sees no environment but its own, and shows no secret of it.
#[test]
fn a_test_gives_used_playbooks_their_environment() {
    let program = Program::new().with("SHARED_TOKEN", "of-this-machine");
    program.file(
        "main.yml",
        "playbook: 1\nsteps: { a: { use: shared } }\noutputs: { text: \"{{ steps.a.text }}\" }\n",
    );
    program.file("shared.yml", "playbook: 1\ninputs: { token: { type: string, secret: true, env: SHARED_TOKEN } }\nsteps: { s: { set: { text: \"x {{ inputs.token }}\" } } }\noutputs: { text: \"{{ steps.s.text }}\" }\n");
    let case = |env: &str, text: &str| {
        format!(
            "test: main.yml\ncases:\n  it:\n    {env}\n    expect: {{ outcome: passed, outputs: {{ text: \"{text}\" }} }}\n"
        )
    };
    program.file(
        "main.test.yml",
        &case("env: { SHARED_TOKEN: a-made-up-token }", "x ***"),
    );
    let done = program.run(&["test", "main.test.yml"]);
    assert_eq!(done.code, 0, "{}{}", done.out, done.err);
    program.file(
        "main.test.yml",
        &case("env: { SHARED_TOKEN: a-made-up-token }", "y"),
    );
    let done = program.run(&["test", "main.test.yml"]);
    let said = done.out + &done.err;
    assert!(
        done.code == 1 && !said.contains("a-made-up-token"),
        "{said}"
    );
    program.file("main.test.yml", &case("description: none", "x"));
    let done = program.run(&["test", "main.test.yml"]);
    assert_eq!(done.code, 3, "{}{}", done.out, done.err);
    assert!(
        done.err
            .contains("give it under `env` of the case or of the file"),
        "{}",
        done.err
    );
}

const WITH_USE: &str = "playbook: 1\nsteps:\n  a: { use: ./lib/shared.yml }\n  later: { needs: a, sleep: 1s }\noutputs: { text: \"{{ steps.a.text }}\" }\n";

const SHARED: &str = r#"playbook: 1
inputs:
  token: { type: string, secret: true, env: SHARED_TOKEN }
  word: { type: string, env: SHARED_WORD, default: none }
steps:
  gate: { approve: { message: "shall it?" } }
  s: { needs: gate, set: { text: "{{ inputs.word }} {{ inputs.token }}" } }
outputs: { text: "{{ steps.s.text }}" }
"#;

/// A run goes on with the texts that it began with, and reads its secrets again. What has not begun may use
/// something else, when that is wanted.
#[test]
fn a_run_is_gone_on_with_when_its_files_are_gone() {
    let server = crate::program::Semaphore::built_in("passing", 60);
    let program = Program::new().on(&server).with("SHARED_WORD", "before");
    let program = program.with("SHARED_TOKEN", "a-long-token");
    std::fs::create_dir_all(program.work().join("lib")).expect("a folder");
    program.file("main.yml", WITH_USE);
    program.file("lib/shared.yml", SHARED);
    let says = |program: &Program, args: &[&str], code: i32, words: &str| {
        let done = program.run(args);
        assert!(
            done.code == code && done.err.contains(words),
            "{args:?}: {} {}",
            done.code,
            done.err
        );
        done.out
    };
    says(
        &program,
        &["apply", "main.yml", "--run-id", "r1", "--park", "1s"],
        75,
        "",
    );
    std::fs::remove_file(program.work().join("lib/shared.yml")).expect("it was there");
    let state = all_bytes(&program.state());
    assert!(
        !state.contains("a-long-token"),
        "the token lies in the state folder"
    );
    let program = program.with("SHARED_WORD", "after").without("SHARED_TOKEN");
    says(&program, &["resume", "r1"], 3, "`SHARED_TOKEN` is missing");
    let program = program.with("SHARED_TOKEN", "a-long-token");
    let accept = ["resume", "r1", "--accept-changes", "--park", "1s"];
    says(&program, &accept, 3, "there is no file `./lib/shared.yml`");
    program.file(
        "other.yml",
        "playbook: 1\nsteps: { o: { set: { x: 1 } } }\noutputs: { text: other }\n",
    );
    program.file("main.yml", &WITH_USE.replace("./lib/shared.yml", "other"));
    says(&program, &accept, 2, "`a` was begun already");
    program.file("lib/shared.yml", SHARED);
    program.file("main.yml", &WITH_USE.replace("sleep: 1s", "use: other"));
    says(&program, &accept, 75, "");
    for name in ["main.yml", "other.yml", "lib/shared.yml"] {
        std::fs::remove_file(program.work().join(name)).expect("it was there");
    }
    says(&program, &["approve", "r1", "a/gate"], 0, "");
    let out = says(&program, &["resume", "r1", "--output", "json"], 0, "");
    let report: serde_json::Value = serde_json::from_str(&out).expect("a report");
    assert_eq!(report["outputs"]["text"], "before ***");
    assert_eq!(report["steps"]["a/s"]["outcome"], "passed");
    assert_eq!(report["steps"]["later/o"]["outcome"], "passed");
}

fn all_bytes(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&all_bytes(&path));
        } else {
            all.push_str(&String::from_utf8_lossy(
                &std::fs::read(&path).unwrap_or_default(),
            ));
        }
    }
    all
}
