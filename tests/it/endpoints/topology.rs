//! The order of a pipeline's blocks: as an output, and in what a wait shows to those who look on.

use runner::event::Seen;
use runner::outcome::StepOutcome;
use serde_json::json;

use super::*;

const WAIT: &str = "it: { run_workflow: { project: demo, reference: main } }";

/// What the wait said comes next, each once, and how many requests it took.
fn told(more: &str, topology: bool) -> (Vec<Vec<String>>, u64) {
    let mut rig = Rig::from_yaml(&playbook(WAIT), &world(more));
    rig.effects.topology = topology;
    let ran = rig.run();
    ended(&ran, StepOutcome::Passed);
    let mut told: Vec<Vec<String>> = Vec::new();
    for observation in &ran.observations {
        if let Seen::Pipeline { next_blocks, .. } = &observation.seen
            && !next_blocks.is_empty()
        {
            told.push(next_blocks.clone());
        }
    }
    told.dedup();
    (told, ran.requests)
}

#[test]
fn a_wait_says_which_block_comes_next_when_somebody_looks() {
    let (told_nothing, requests) = told("", false);
    assert!(told_nothing.is_empty());
    let (next, asked) = told("", true);
    assert_eq!(next, [["Test"]]);
    assert_eq!(asked, requests + 1, "it is asked for once");
}

#[test]
fn a_wait_goes_on_without_the_order_of_the_blocks() {
    for deed in ["{ answer: { status: 500 } }", "hang", "reset_before_acting"] {
        let faults = format!("faults:\n  - {{ on: describe_topology, count: 9, do: {deed} }}\n");
        assert!(told(&faults, true).0.is_empty(), "{deed}");
    }
}

#[test]
fn a_described_pipeline_says_what_its_blocks_wait_for() {
    let steps = |detail: &str| {
        format!(
            "build: {{ run_workflow: {{ project: demo, reference: main }} }}\n\
             it: {{ describe_pipeline: {{ pipeline: \"{{{{ steps.build.pipeline_id }}}}\", {detail} }} }}"
        )
    };
    let ran = run(&steps("detailed: true, topology: true"), "");
    let needs: Vec<_> = output(&ran, "blocks")
        .as_array()
        .expect("a list")
        .iter()
        .map(|block| (block["name"].clone(), block["needs"].clone()))
        .collect();
    assert_eq!(
        needs,
        [
            (json!("Compile"), json!([])),
            (json!("Test"), json!(["Compile"]))
        ]
    );
    let plain = run(&steps("detailed: true"), "");
    assert!(output(&plain, "blocks")[0].get("needs").is_none());
}
