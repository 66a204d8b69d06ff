//! Why a pipeline ended red, in whole runs: what is found out, what it costs, and what a playbook makes of it.

use runner::event::{Event, FailureKind};
use runner::outcome::StepOutcome;
use runner::triage::Kind;
use serde_json::{Value, json};

use crate::rig::{Ran, Rig};

/// How many requests the look at the red pipelines of a step took, and how many looks there were.
fn looks(ran: &Ran, step: &str) -> (u32, usize) {
    let mut keys = Vec::new();
    let mut requests = 0;
    for recorded in &ran.events {
        match &recorded.event {
            Event::CallStarted { key, call, .. } if call == "triage" && key.step == step => {
                keys.push(key.clone());
            }
            Event::CallEnded { key, outcome } if keys.contains(key) => requests += outcome.requests,
            _ => {}
        }
    }
    (requests, keys.len())
}

fn triage<'a>(ran: &'a Ran, step: &str) -> &'a Value {
    &ran.step(step).outputs["triage"]
}

const ONE: &str = "\
playbook: 1
name: one
steps:
  tests:
    run_workflow: { project: demo, reference: refs/heads/main }
    rerun: { max: 3, when: \"this.triage.kind in ['infrastructure', 'known_flake']\" }
";

#[test]
fn a_failure_that_nobody_knows_is_new_and_is_not_run_again() {
    let ran = Rig::new(ONE, "failing").run();
    let found = triage(&ran, "tests");
    assert_eq!(found["kind"], json!("new"), "{found:#}");
    assert_eq!(found["why"], json!("not seen before in the last 14d"));
    assert_eq!((&found["seen"], &found["branches"]), (&json!(0), &json!(0)));
    let job = &found["jobs"][0];
    assert_eq!(job["job"], json!("unit"));
    assert_eq!(job["block"], json!("Test"));
    assert_eq!(job["command"], json!("make test"));
    assert_eq!(job["exit_code"], json!(2));
    assert_eq!(job["signature"], found["signature"]);
    let lines = job["last_lines"].as_array().expect("lines");
    assert_eq!(
        lines.last(),
        Some(&json!("make: *** [Makefile:12: test] Error 1"))
    );
    assert_eq!(
        looks(&ran, "tests"),
        (1, 1),
        "one request for one failed job"
    );
    let error = ran.step("tests").error.clone().expect("an error");
    assert_eq!(error.kind, FailureKind::PipelineFailed);
    let hint = error.hint.expect("a hint");
    assert!(
        hint.starts_with("it was not run again: `rerun.when` does not hold")
            && hint.contains("`this.triage.kind` is \"new\""),
        "{hint}"
    );
}

#[test]
fn a_pipeline_that_passes_is_not_looked_into() {
    let ran = Rig::new(ONE, "passing").run();
    assert_eq!(looks(&ran, "tests"), (0, 0));
    assert_eq!(ran.step("tests").outputs.get("triage"), None);
}

#[test]
fn what_the_platform_broke_is_run_again() {
    let ran = Rig::new(ONE, "stuck").run();
    let tests = ran.step("tests");
    assert_eq!(tests.outcome, StepOutcome::Passed, "{:#?}", ran.words());
    let kinds: Vec<&Value> = tests.reruns.iter().map(|rerun| &rerun["triage"]).collect();
    assert_eq!(kinds, [&json!("infrastructure"), &json!("infrastructure")]);
    // What was found out was about the pipelines that were left behind.
    assert_eq!(tests.outputs.get("triage"), None);
}

/// The same tests on several branches, one after the other.
fn branches(rerun: &str) -> String {
    let mut playbook = "playbook: 1\nname: branches\nsteps:\n".to_owned();
    for (step, needs) in [("one", ""), ("two", "one"), ("three", "two")] {
        let needs = match needs {
            "" => String::new(),
            needs => format!("    needs: {{ {needs}: any }}\n"),
        };
        let step = format!(
            "  {step}:\n    allow_failure: true\n{needs}    run_workflow: {{ project: demo, reference: refs/heads/{step} }}\n    rerun: {rerun}\n"
        );
        playbook.push_str(&step);
    }
    playbook
}

#[test]
fn a_failure_of_two_other_branches_comes_and_goes() {
    let playbook = branches("{ max: 1, when: \"this.triage.kind == 'known_flake'\" }");
    let ran = Rig::new(&playbook, "failing").run();
    let told = |step: &str| {
        let found = triage(&ran, step);
        (
            found["kind"].as_str().unwrap_or_default().to_owned(),
            found["seen"].as_u64().unwrap_or_default(),
        )
    };
    assert_eq!(told("one"), ("new".to_owned(), 0));
    assert_eq!(told("two"), ("new".to_owned(), 1));
    // It is run again, fails again, and then it was seen once more: on its own branch.
    assert_eq!(told("three"), ("known_flake".to_owned(), 3));
    assert_eq!(triage(&ran, "three")["branches"], json!(3));
    let reruns: Vec<usize> = ["one", "two", "three"]
        .map(|step| ran.step(step).reruns.len())
        .into();
    assert_eq!(reruns, [0, 0, 1]);
    let hint = ran.step("three").error.clone().and_then(|e| e.hint);
    assert_eq!(
        hint.as_deref(),
        Some("it was run again once, as `rerun.max` allows")
    );
}

#[test]
fn a_failure_that_went_without_a_change_comes_and_goes() {
    // The first step runs again whatever it is, and passes: that teaches the others.
    let playbook = branches("{ max: 1, when: \"this.triage.kind == 'known_flake'\" }").replacen(
        "this.triage.kind == 'known_flake'",
        "this.triage.kind == 'new'",
        1,
    );
    let ran = Rig::new(&playbook, "flaky").run();
    let outcomes: Vec<StepOutcome> = ["one", "two", "three"]
        .map(|step| ran.step(step).outcome)
        .into();
    assert_eq!(outcomes, [StepOutcome::Passed; 3], "{:#?}", ran.words());
    let kinds: Vec<&Value> = ["one", "two", "three"]
        .map(|step| &ran.step(step).reruns[0]["triage"])
        .into();
    assert_eq!(kinds, ["new", "known_flake", "known_flake"]);
}

#[test]
fn a_log_that_cannot_be_read_tells_nothing_and_harms_nothing() {
    let scenario = include_str!("../../src/simulator/scenarios/failing.yml");
    let faults =
        "faults:\n  - { on: logs, count: 50, do: { answer: { status: 500, body: no } } }\n";
    let ran = Rig::from_yaml(ONE, &format!("{scenario}{faults}")).run();
    let found = triage(&ran, "tests");
    assert_eq!(found["kind"], json!("unknown"), "{found:#}");
    assert_eq!(found["signature"], json!(""));
    assert!(found["jobs"][0]["missing"].is_string(), "{found:#}");
    let error = ran.step("tests").error.clone().expect("an error");
    assert_eq!(error.kind, FailureKind::PipelineFailed);
    assert_eq!(looks(&ran, "tests").1, 1, "it is not tried again");
}

#[test]
fn the_kinds_are_words_of_the_documents() {
    let words = Kind::ALL.map(Kind::as_str);
    assert_eq!(words, ["infrastructure", "known_flake", "new", "unknown"]);
    let page = include_str!("../../docs/triage.md");
    for word in words {
        assert!(page.contains(&format!("| `{word}` |")), "{word}");
    }
    for words in runner::triage::INFRASTRUCTURE_WORDS {
        assert!(page.contains(&format!("`{words}`")), "{words}");
    }
    for field in runner::catalog::TRIAGE_FIELDS {
        assert!(
            page.contains(&format!("| `{}` |", field.name)),
            "{}",
            field.name
        );
    }
}

#[test]
fn a_condition_cannot_speak_of_what_is_not_there() {
    for (playbook, message) in [
        (
            ONE.replace("this.triage.kind", "this.triage.knd"),
            "`triage` has no `knd`",
        ),
        (
            ONE.replace("refs/heads/main }", "refs/heads/main, wait: false }"),
            "with `wait: false` the step never learns",
        ),
    ] {
        let source = runner::diagnostic::Source::new("test.yml", playbook);
        let (plan, found) = runner::plan::check(&source, &runner::plan::Limits::default());
        assert!(plan.is_none());
        let words: Vec<String> = found.sorted().iter().map(|d| d.message.clone()).collect();
        assert!(
            words.iter().any(|words| words.starts_with(message)),
            "{words:?}"
        );
    }
}
