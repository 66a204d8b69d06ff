//! The set of actions is whole: what stands in the catalog is done by the engine, known to the schema
//! and the documents, shown by an example that is right, and run against the simulator.

use std::collections::BTreeSet;
use std::path::Path;

use runner::catalog::{Action, ERROR_KINDS, Reach, Words, all};
use runner::diagnostic::Source;
use runner::event::FailureKind;
use runner::plan::{Limits, check};
use runner::semaphore::wire::words::Word as _;
use runner::semaphore::wire::{JobState, Reason, State, Verdict, WorkflowTrigger};

use crate::endpoints::{FAILING, PASSING};

fn text(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Those that speak to Semaphore: each is run against the simulator, as it should go and as it should not.
fn on_semaphore() -> impl Iterator<Item = &'static Action> {
    all()
        .iter()
        .copied()
        .filter(|action| matches!(action.reach, Reach::Reads | Reach::Writes))
}

#[test]
fn every_action_has_its_places() {
    let registry = text("src/catalog/registry.rs");
    let start = text("src/engine/actions/act.rs");
    let page = text("docs/actions.md");
    let schema: serde_json::Value =
        serde_json::from_str(&text("schemas/playbook.schema.json")).expect("a schema");
    let keys = &schema["definitions"]["step"]["properties"];
    for action in all() {
        let name = action.name;
        // A playbook that is used is run by the machine itself, and `use` is a word of Rust.
        let by_the_machine = name == "use";
        let folders = ["src/catalog", "src/engine/actions"];
        for folder in folders.iter().take(if by_the_machine { 1 } else { 2 }) {
            let head = text(&format!("{folder}/{name}.rs"));
            assert!(
                head.starts_with(&format!("//! `{name}`: ")),
                "{folder}/{name}.rs does not say what it is"
            );
        }
        let module = if by_the_machine { "r#use" } else { name };
        assert!(registry.contains(&format!("&{module}::ACTION")), "{name}");
        assert!(
            by_the_machine || start.contains(&format!("\"{name}\" =>")),
            "{name}"
        );
        assert!(page.contains(&format!("\n## {name}\n")), "{name}");
        assert!(keys.get(name).is_some(), "{name} is not in the schema");
    }
}

/// No file is left over from an action that is no more.
#[test]
fn every_file_of_the_catalog_is_in_the_list() {
    let known: BTreeSet<&str> = all()
        .iter()
        .map(|action| action.name)
        .chain(["markdown", "mod", "registry", "shared", "types"])
        .collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/catalog");
    for entry in std::fs::read_dir(folder).expect("the catalog").flatten() {
        let path = entry.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str());
        assert!(stem.is_some_and(|stem| known.contains(stem)), "{path:?}");
    }
}

#[test]
fn every_example_is_a_plan_with_its_action() {
    for action in all() {
        let source = Source::new("example.yml", action.example);
        let (plan, diagnostics) = check(&source, &Limits::default());
        let said: Vec<String> = diagnostics
            .sorted()
            .iter()
            .map(|diagnostic| diagnostic.message.clone())
            .collect();
        let plan = plan.unwrap_or_else(|| panic!("{}: {said:?}", action.name));
        let steps = plan.steps.iter();
        assert!(
            steps
                .into_iter()
                .any(|step| step.action.name == action.name),
            "{}",
            action.name
        );
    }
}

#[test]
fn every_action_on_semaphore_is_run_both_ways() {
    for action in on_semaphore() {
        let name = action.name;
        assert!(PASSING.iter().any(|(of, ..)| *of == name), "{name} passes");
        assert!(FAILING.iter().any(|(of, ..)| *of == name), "{name} fails");
    }
    let known: BTreeSet<&str> = on_semaphore().map(|action| action.name).collect();
    let run = PASSING.iter().map(|(of, ..)| *of);
    for name in run.chain(FAILING.iter().map(|(of, ..)| *of)) {
        assert!(known.contains(name), "{name}");
    }
}

/// Every endpoint of the API document has its action.
#[test]
fn no_endpoint_is_without_its_action() {
    for (endpoint, action) in [
        ("Run Workflow", "run_workflow"),
        ("Describe Workflow", "describe_workflow"),
        ("List Workflows", "list_workflows"),
        ("Rerun Workflow", "rerun_workflow"),
        ("Stop Workflow", "stop_workflow"),
        ("Describe Pipeline", "describe_pipeline"),
        ("List Pipelines", "list_pipelines"),
        ("Stop Pipeline", "stop_pipeline"),
        ("List Promotions", "list_promotions"),
        ("Trigger Promotion", "promote"),
        ("Describe Job", "describe_job"),
        ("Stop Job", "stop_job"),
        ("Get Log", "fetch_logs"),
    ] {
        assert!(runner::catalog::find(action).is_some(), "{endpoint}");
    }
}

/// The words that playbooks may compare with are those that the runner and its client say.
#[test]
fn the_words_of_the_catalog_are_those_of_the_code() {
    let known = |kind: &str| serde_json::from_value::<FailureKind>(kind.into());
    for kind in ERROR_KINDS {
        assert_eq!(known(kind).expect("it is one").as_str(), *kind);
    }
    // The words that serde expects are all that there are.
    let expected = known("?").expect_err("it is none").to_string();
    assert_eq!(
        expected.matches('`').count() / 2 - 1,
        ERROR_KINDS.len(),
        "{expected}"
    );

    for action in all() {
        for field in action.outputs {
            let Words::Known(words) = field.words else {
                continue;
            };
            let is_known = |word: &str| match field.name {
                "result" => !matches!(Verdict::from_text(word), Verdict::Other(_)),
                "reason" => !matches!(Reason::from_text(word), Reason::Other(_)),
                "triggered_by" => {
                    !matches!(WorkflowTrigger::from_text(word), WorkflowTrigger::Other(_))
                }
                "state" if action.name == "describe_job" || action.name == "stop_job" => {
                    !matches!(JobState::from_text(word), JobState::Other(_))
                }
                "state" => !matches!(State::from_text(word), State::Other(_)),
                other => panic!("{}.{other} has words of nobody", action.name),
            };
            for word in words {
                assert!(is_known(word), "{}.{}: {word}", action.name, field.name);
            }
        }
    }
}
