//! `runner plan`, `runner library` and `runner new`, as people use them.

use crate::program::{Program, Semaphore};

/// A playbook of the library.
fn playbook(name: &str) -> String {
    format!("{}/playbooks/{name}.yml", env!("CARGO_MANIFEST_DIR"))
}

/// All sorts of steps: conditions with both branches, reruns, undos, secrets, hostile names.
const ALL_SORTS: &str = r#"
playbook: 1
name: all "sorts" <b>
description: Every word of a step.
inputs:
  project: { type: string, default: demo }
  deploy: { type: boolean, default: false }
  hook: { type: string, secret: true, env: HOOK, optional: true }
  commit: { type: string, default: 4f2a81c }
timeout: 3h
steps:
  build:
    ensure_pipeline: { project: "{{ inputs.project }}", reference: main, commit_sha: "{{ inputs.commit }}" }
    rerun: { max: 2, scope: failed, when: "this.reason == 'stuck'" }
    timeout: 45m
  nightly:
    run_task: { project: "{{ inputs.project }}", task: nightly, wait: false }
    allow_failure: true
  deploy:
    when: inputs.deploy
    promote: { pipeline: "{{ steps.build.pipeline_id }}", name: 'Pro"duction <i>' }
    undo: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Rollback } }
  again:
    promote: { pipeline: 6cf4569c-f76c-4dea-b293-3e4282ba1153, name: Production }
    needs: [deploy]
    undo: { stop_pipeline: { pipeline: "{{ this.pipeline_id }}" } }
  only_if_deployed:
    needs: { deploy: failed }
    sleep: 1m
finally:
  tell:
    when: inputs.hook is defined
    http: { method: POST, url: "{{ inputs.hook }}", json: { text: done } }
outputs:
  url: "{{ steps.build.url }}"
"#;

#[test]
fn a_plan_reads_and_writes_nothing() {
    let server = Semaphore::built_in("passing", 60);
    let program = Program::new().on(&server);
    program.file("all.yml", ALL_SORTS);
    let done = program.run(&["plan", "all.yml"]);
    // The pipeline that is to be promoted is not there, and the plan says so.
    assert_eq!(done.code, 1, "{}{}", done.out, done.err);
    for words in [
        "project `demo` is 11111111-1111-4111-8111-111111111111",
        "task `nightly` is ",
        "no pipeline of `4f2a81c` has passed or runs: one is started",
        "What would go wrong\n  again: ",
        "when: inputs.deploy (it does not)",
        "else: it is skipped, and again may run all the same, and only_if_deployed is blocked",
        "rerun: what failed of it, up to 2 times when this.reason == 'stuck'",
        "time: at most 45m",
        "may fail without failing the run",
        "reads of the environment: HOOK",
        "secrets: hook",
        "  1. again (stop_pipeline): stops pipeline `this.pipeline_id`, at most 10m\n  2. deploy (promote)",
        "Finally, when the run ends\n  tell (http)",
        "6 steps, 5 of them write, gives url",
    ] {
        assert!(
            done.out.contains(words),
            "`{words}` is not in\n{}",
            done.out
        );
    }
    assert!(server.requests() > 0);
    assert!(server.acts().is_empty(), "{:?}", server.acts());
    // Nothing was run, so nothing is remembered.
    assert!(!program.state().exists());
}

#[test]
fn what_is_already_there_is_told() {
    let program = Program::new();
    let plan = |commit: &str, more: &[&str]| {
        let commit = format!("commit={commit}");
        let ensure = playbook("ensure-green");
        let mut args = vec!["plan", &ensure, "-i", &commit];
        args.extend(more);
        program.run(&args)
    };
    program.file(
        "busy.yml",
        "past: 1h\nprojects:\n  - name: demo\n    references: { refs/heads/main: { commit: 4f2a81c09d7b3e65f1a0c2d4e6f8091a2b3c4d5e } }\n    pipelines: { .semaphore/semaphore.yml: { run: 20m } }\npeople: [{ at: 50m, do: { start: { project: demo } } }]\n",
    );
    let done = plan("4f2a81c", &["--simulate=busy.yml"]).expect(0);
    assert!(
        done.out.contains("runs already: it is joined"),
        "{}",
        done.out
    );
    let done = plan("aaaaaaa", &["--simulate=busy.yml"]).expect(0);
    assert!(done.out.contains("one is started"), "{}", done.out);
    // Without Semaphore the graph is shown, whatever is missing.
    let ensure = playbook("ensure-green");
    let done = program.run(&["plan", &ensure, "--offline"]).expect(0);
    assert!(
        done.out.contains("commit     has no value yet"),
        "{}",
        done.out
    );
    program.run(&["plan", &ensure, "--simulate"]).expect(3);
    program
        .run(&["apply", &ensure, "--dry-run", "--simulate"])
        .expect(3);
}

#[test]
fn a_secret_and_what_is_made_of_it_is_not_shown() {
    let program = Program::new().with("HOOK", "https://hooks.example.com/very-secret");
    program.file("all.yml", ALL_SORTS);
    for format in ["human", "json", "mermaid", "dot"] {
        let args = ["plan", "all.yml", "--offline", "--format", format];
        let done = program.run(&args).expect(0);
        assert!(!done.out.contains("very-secret"), "{}", done.out);
    }
}

#[test]
fn pictures_escape_every_name() {
    let program = Program::new();
    let text = ALL_SORTS.replace(
        "when: inputs.deploy\n",
        "when: inputs.project == '\"];<script>'\n",
    );
    program.file("all.yml", &text);
    let picture = |format| {
        let args = ["plan", "all.yml", "--format", format];
        program.run(&args).expect(0).out
    };
    let mermaid = picture("mermaid");
    assert!(
        mermaid.contains("when inputs.project #61;#61; '#34;#93;#59;#60;script#62;'"),
        "{mermaid}"
    );
    let dot = picture("dot");
    assert!(
        dot.starts_with("digraph \"all \\\"sorts\\\" <b>\" {\n"),
        "{dot}"
    );
    assert!(
        dot.contains(r#"when inputs.project == '\"];<script>'"#),
        "{dot}"
    );
}

#[test]
fn a_part_of_a_playbook_is_planned_and_run_alone() {
    let program = Program::new();
    program.file(
        "parts.yml",
        "playbook: 1\nsteps:\n  one: { set: { a: 1 } }\n  other: { fail: never }\n  two: { set: { b: \"{{ steps.one.a + 1 }}\" } }\nfinally:\n  last: { set: { c: 3 } }\noutputs:\n  b: \"{{ steps.two.b }}\"\n  o: \"{{ steps.other.outcome }}\"\n",
    );
    let plan = |only: &str| program.run(&["plan", "parts.yml", "--format", "json", "--only", only]);
    let view = plan("two").expect(0).json();
    let ids: Vec<&str> = view["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["id"].as_str())
        .collect();
    assert_eq!(ids, ["one", "two"]);
    assert_eq!(view["finally"], serde_json::json!([]));
    assert_eq!(view["outputs"], serde_json::json!(["b"]));
    plan("tow")
        .expect(2)
        .says(&["no step `tow`", "did you mean `two`?"]);
    plan("last").expect(2).says(&["a step of `finally`"]);
    let apply = [
        "apply",
        "parts.yml",
        "--only",
        "two",
        "--simulate",
        "--speed",
        "max",
        "--report",
        "json=r.json",
    ];
    program.run(&apply).expect(0);
    let report = program.report("r.json");
    assert_eq!(report["outputs"], serde_json::json!({"b": 2}));
    assert_eq!(report["steps"].as_object().unwrap().len(), 2);
    let whole = ["apply", "parts.yml", "--simulate", "--speed", "max"];
    program.run(&whole).expect(1);
}

#[test]
fn what_took_long_lately_is_told() {
    let program = Program::new();
    let release = playbook("release");
    program
        .run(&["apply", &release, "--simulate", "--speed", "max"])
        .expect(0);
    let done = program.run(&["plan", &release, "--simulate"]).expect(0);
    assert!(done.out.contains("at most 45m, lately 4m"), "{}", done.out);
    assert!(done.out.contains(", took 5m"), "{}", done.out);
}

#[test]
fn a_new_playbook_is_right_and_nothing_is_overwritten() {
    let program = Program::new();
    program.run(&["new", "mine"]).expect(0);
    program.run(&["check", "mine.yml"]).expect(0);
    program.run(&["test", "mine.test.yml"]).expect(0);
    let schema = program.work().join(".runner/playbook.schema.json");
    assert!(schema.is_file());
    let text = std::fs::read_to_string(program.work().join("mine.yml")).unwrap();
    assert!(text.starts_with("# yaml-language-server: $schema=.runner/playbook.schema.json\n"));
    let listed = program.run(&["library", "list", "--json"]).expect(0).json();
    let names: Vec<&str> = listed
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry["name"].as_str())
        .collect();
    assert!(names.contains(&"canary"));
    for name in &names {
        let own = format!("my-{name}");
        program.run(&["new", &own, "--from", name]).expect(0);
        program.run(&["check", &format!("{own}.yml")]).expect(0);
    }
    program.run(&["test", "my-canary.test.yml"]).expect(0);
    program
        .run(&["new", "mine"])
        .expect(2)
        .says(&["there is a file `mine.yml` already"]);
    program.run(&["new", "../mine"]).expect(2);
    program
        .run(&["new", "other", "--from", "canry"])
        .expect(2)
        .says(&["did you mean `canary`?"]);
    assert!(!program.work().join("other.yml").exists());
    let shown = program.run(&["library", "show", "canary"]).expect(0);
    assert_eq!(
        shown.out,
        std::fs::read_to_string(playbook("canary")).unwrap()
    );
}

/// A chain of a thousand steps is a picture that can be read: every step once, and none far to the right.
#[test]
fn a_long_chain_stays_on_the_page() {
    let program = Program::new();
    let step = |at: i32| {
        let before = at - 1;
        format!("  s{at}: {{ set: {{ v: \"{{{{ steps.s{before}.v }}}}\" }} }}\n")
    };
    let steps: String = (1..1_000).map(step).collect();
    let head = "playbook: 1\nname: chain\nsteps:\n  s0: { set: { v: 0 } }\n";
    program.file("chain.yml", &format!("{head}{steps}"));
    let done = program.run(&["plan", "chain.yml", "--offline"]).expect(0);
    let steps: Vec<&str> = done.out.lines().filter(|l| l.ends_with("(set)")).collect();
    assert_eq!(steps.len(), 1_000);
    let longest = done.out.lines().map(|line| line.chars().count()).max();
    assert!(longest < Some(100), "{longest:?}");
    assert!(done.out.contains("needs: s11 passed"), "{}", done.out);
}
