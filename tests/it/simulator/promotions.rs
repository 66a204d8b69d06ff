//! Promotions: the race after the end, tokens, refusals, the ones that start by themselves.

use serde_json::json;

use super::support::{PROJECT, World, ended, word};

const NOT_PASSED: &str =
    "\"Triggering target when pipeline is not passed requires override confirmation.\"";

fn world(promotions: &str, told_after: &str) -> World {
    World::yaml(&format!(
        "projects:\n  - name: demo\n    id: {PROJECT}\n    pipelines:\n      .semaphore/semaphore.yml: {{ init: 1s, queue: 1s, run: 10s, promotions: [ {promotions} ] }}\n      p.yml: {{ init: 1s, queue: 1s, run: 10s }}\nserver: {{ promotions_told_after: {told_after} }}\n"
    ))
}

fn promote(world: &mut World, pipeline: &str, more: &serde_json::Value) -> (u16, String) {
    let mut body = json!({"pipeline_id": pipeline, "name": "P"});
    let more = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().unwrap().extend(more);
    let reply = world.post("/promotions", &body);
    (reply.status, reply.text())
}

#[test]
fn a_pipeline_that_has_just_passed_is_not_known_to_have_passed() {
    let mut world = world("{ name: P, pipeline_file: p.yml }", "4s");
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(13.5);
    assert_eq!(world.ending(&pipeline), ended("done", "passed", "test"));
    let refused = promote(&mut world, &pipeline, &json!({}));
    assert_eq!(refused, (400, NOT_PASSED.to_owned()));
    world.pass(5.0);
    assert_eq!(promote(&mut world, &pipeline, &json!({})).0, 200);
}

#[test]
fn without_a_word_of_the_scenario_the_race_is_at_most_five_seconds() {
    let mut world = World::built_in("passing");
    let (_, pipeline) = world.run("refs/heads/main");
    while world.ending(&pipeline).0 != "done" {
        world.pass(1.0);
    }
    let mut waited = 0.0;
    let more = json!({"name": "Staging"});
    while promote(&mut world, &pipeline, &more).0 == 400 {
        world.pass(0.1);
        waited += 0.1;
        assert!(waited <= 5.1, "still refused after {waited} s");
    }
}

#[test]
fn a_pipeline_that_did_not_pass_needs_the_override() {
    let mut world = World::built_in("failing");
    let (_, pipeline) = world.run("refs/heads/main");
    let staging = |more: bool| json!({"name": "Staging", "override": more});
    assert_eq!(
        promote(&mut world, &pipeline, &staging(true)).0,
        500,
        "no switch yet"
    );
    world.pass(30.0);
    assert_eq!(
        promote(&mut world, &pipeline, &staging(false)).0,
        400,
        "running"
    );
    world.pass(600.0);
    assert_eq!(
        promote(&mut world, &pipeline, &staging(false)).0,
        400,
        "failed"
    );
    assert_eq!(promote(&mut world, &pipeline, &staging(true)).0, 200);
}

#[test]
fn a_request_token_counts_once_and_in_the_whole_installation() {
    let mut world = world(
        "{ name: P, pipeline_file: p.yml }, { name: Q, pipeline_file: p.yml }",
        "0s",
    );
    let (workflow, pipeline) = world.run("refs/heads/main");
    world.pass(60.0);
    let token = json!({"request_token": "one"});
    assert_eq!(promote(&mut world, &pipeline, &token).0, 200);
    assert_eq!(promote(&mut world, &pipeline, &token).0, 200);
    let other = json!({"name": "Q", "request_token": "one"});
    assert_eq!(promote(&mut world, &pipeline, &other).0, 200);
    let events = world.read(&format!("/promotions?pipeline_id={pipeline}"));
    assert_eq!(events.as_array().map(Vec::len), Some(1));
    let target = format!("/plumber-workflows/{workflow}/reschedule");
    let token = json!({"request_token": "two"});
    let first = world.post(&target, &token).json();
    assert_eq!(world.post(&target, &token).json(), first);
    let (other, _) = world.run("refs/heads/other");
    let target = format!("/plumber-workflows/{other}/reschedule");
    assert_eq!(
        world.post(&target, &token).json(),
        first,
        "of another workflow"
    );
}

#[test]
fn without_a_token_every_trigger_counts() {
    let mut world = world("{ name: P, pipeline_file: p.yml }", "0s");
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(60.0);
    promote(&mut world, &pipeline, &json!({}));
    promote(&mut world, &pipeline, &json!({}));
    world.pass(1.0);
    let events = world.read(&format!("/promotions?pipeline_id={pipeline}&name=P"));
    assert_eq!(events.as_array().map(Vec::len), Some(2));
}

#[test]
fn promotions_start_by_themselves_after_the_results_they_wait_for() {
    let mut world = world(
        "{ name: P, pipeline_file: p.yml, auto: [passed] }, { name: F, pipeline_file: p.yml, auto: [failed] }",
        "2s",
    );
    let (workflow, pipeline) = world.run("refs/heads/main");
    world.pass(60.0);
    let events = world.read(&format!("/promotions?pipeline_id={pipeline}"));
    assert_eq!(events.as_array().map(Vec::len), Some(1));
    assert_eq!(events[0]["name"], "P");
    assert_eq!(events[0]["triggered_by"], "Pipeline Done request");
    let all = world.read(&format!("/pipelines?wf_id={workflow}"));
    assert_eq!(all[0]["triggerer"]["ppl_triggered_by"], "AUTO_PROMOTION");
}

#[test]
fn deployment_targets_refuse_at_once_or_in_silence() {
    let mut world = world(
        "{ name: P, pipeline_file: p.yml, deployment_target: deployment target is cordoned }, { name: Q, pipeline_file: p.yml, event: vanishes }, { name: R, pipeline_file: p.yml, event: fails }, { name: S, pipeline_file: nosuch.yml }",
        "0s",
    );
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(60.0);
    let (status, text) = promote(&mut world, &pipeline, &json!({}));
    assert_eq!(status, 400);
    assert!(
        text.starts_with("\"Triggering promotion with deployment target failed: deployment target is cordoned (error ID: "),
        "{text}"
    );
    for name in ["Q", "R", "S"] {
        let (status, _) = promote(&mut world, &pipeline, &json!({"name": name}));
        assert_eq!(status, 200, "{name}");
    }
    world.pass(100.0);
    let events = world.read(&format!("/promotions?pipeline_id={pipeline}"));
    assert_eq!(
        events.as_array().map(Vec::len),
        Some(2),
        "`Q` never shows up"
    );
    let [bad_file, failed] = [&events[0], &events[1]];
    assert_eq!(failed["status"], "failed");
    assert_eq!(failed["scheduled_pipeline_id"], "");
    let child = word(&bad_file["scheduled_pipeline_id"]);
    assert_eq!(world.ending(&child), ended("done", "failed", "malformed"));
}
