//! What goes wrong on the wire, and what the server did all the same.

use std::time::Duration;

use runner::simulator::{Done, Fault};
use serde_json::json;

use super::support::{PROJECT, World};

fn world(faults: &str) -> World {
    World::yaml(&format!(
        "projects:\n  - name: demo\n    id: {PROJECT}\n    pipelines:\n      .semaphore/semaphore.yml: {{ init: 1s, run: 10s }}\nfaults:\n{faults}"
    ))
}

fn run(world: &mut World) -> (u16, Fault) {
    let body = json!({"project_id": PROJECT, "reference": "refs/heads/main"});
    let reply = world.post("/plumber-workflows", &body);
    (reply.status, reply.fault)
}

/// Runs that were started, and whether their answers were lost.
fn runs(world: &World) -> Vec<bool> {
    world
        .simulator
        .acts()
        .iter()
        .filter(|act| matches!(act.deed, Done::RunWorkflow { .. }))
        .map(|act| act.answer_lost)
        .collect()
}

#[test]
fn a_fault_is_before_or_after_the_act() {
    for (mishap, fault, acts) in [
        ("reset_before_acting", Fault::ResetBeforeActing, vec![]),
        ("reset_after_acting", Fault::ResetAfterActing, vec![true]),
        ("hang", Fault::NeverAnswer, vec![true]),
        ("{ cut_body: 10 }", Fault::CutBody(10), vec![true]),
        (
            "{ delay: 3s }",
            Fault::Delay(Duration::from_secs(3)),
            vec![false],
        ),
        ("{ answer: { status: 502 } }", Fault::None, vec![]),
        (
            "{ answer: { status: 502, acts: true } }",
            Fault::None,
            vec![true],
        ),
        ("{ rate_limit: 30s }", Fault::None, vec![]),
    ] {
        let mut world = world(&format!("  - {{ on: run_workflow, do: {mishap} }}\n"));
        assert_eq!(run(&mut world).1, fault, "{mishap}");
        assert_eq!(runs(&world), acts, "{mishap}");
        assert_eq!(run(&mut world), (200, Fault::None), "{mishap}: only once");
    }
}

#[test]
fn a_slow_backend_says_500_and_acts_all_the_same() {
    let five_seconds = Fault::Delay(Duration::from_secs(5));
    let mut world = world(
        "  - { on: run_workflow, do: { slow_backend: 0s } }\n  - { on: run_workflow, nth: 2, do: { slow_backend: 8s } }\n",
    );
    assert_eq!(run(&mut world), (500, five_seconds));
    assert_eq!(runs(&world), [true], "at once");
    assert_eq!(run(&mut world), (500, five_seconds));
    world.pass(6.0);
    world.get("/projects/demo");
    assert_eq!(runs(&world), [true], "not even after the answer");
    world.pass(3.0);
    world.get("/projects/demo");
    assert_eq!(runs(&world), [true, true]);
}

#[test]
fn rules_match_by_name_pattern_number_and_time() {
    let mut world = world(
        "  - { on: GET /api/v1alpha/projects/*, nth: 2, count: 2, do: { answer: { status: 503 } } }\n  - { on: writes, from: 1m, until: 2m, do: { rate_limit: 20s } }\n",
    );
    let statuses: Vec<u16> = (0..5).map(|_| world.get("/projects/demo").status).collect();
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
    assert_eq!(run(&mut world).0, 200);
    world.pass(90.0);
    assert_eq!(run(&mut world).0, 429);
    assert_eq!(run(&mut world).0, 429, "all in that time");
    world.pass(60.0);
    assert_eq!(run(&mut world).0, 200);
}

#[test]
fn chance_is_a_function_of_the_seed() {
    let statuses = || -> Vec<u16> {
        let mut world = world("  - { on: reads, percent: 30, do: { answer: { status: 500 } } }\n");
        (0..200)
            .map(|_| world.get("/projects/demo").status)
            .collect()
    };
    let first = statuses();
    assert_eq!(first, statuses());
    let bad = first.iter().filter(|s| **s == 500).count();
    assert!((30..=90).contains(&bad), "{bad} of 200");
}

#[test]
fn stale_lists_do_not_know_what_is_new() {
    let mut world = World::yaml(&format!(
        "server: {{ list_lag: 5s }}\nprojects:\n  - name: demo\n    id: {PROJECT}\n    pipelines:\n      .semaphore/semaphore.yml: {{ init: 1s, run: 10s }}\n"
    ));
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(3.0);
    let list = format!("/pipelines?project_id={PROJECT}");
    assert_eq!(world.read(&list), json!([]));
    assert_eq!(world.pipeline(&pipeline)["pipeline"]["state"], "running");
    world.pass(2.5);
    assert_eq!(world.read(&list)[0]["state"], "INITIALIZING");
}
