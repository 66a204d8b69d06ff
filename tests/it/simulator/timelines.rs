//! What happens by itself as time goes on.

use serde_json::{Value, json};

use super::support::{PROJECT, World, api, ended, word};

/// A small world: what its one pipeline file holds, and more of the scenario.
fn small(file: &str, rest: &str) -> World {
    World::yaml(&format!(
        "projects:\n  - name: demo\n    id: {PROJECT}\n    pipelines:\n      .semaphore/semaphore.yml: {file}\n{rest}"
    ))
}

const TWO_BLOCKS: &str = "{ init: 1s, queue: 1s, blocks: [ { name: A, jobs: [ { name: a, wait: 1s, run: 10s } ] }, { name: B, needs: [A], jobs: [ { name: b, wait: 1s, run: 10s }, { name: c, wait: 1s, run: 60s } ] } ] }";

#[test]
fn a_workflow_runs_passes_and_is_promoted() {
    let mut world = World::built_in("passing");
    let (workflow, pipeline) = world.run("refs/heads/main");
    world.pass(600.0);
    assert_eq!(world.ending(&pipeline), ended("done", "passed", "test"));
    let reply = world.post(
        "/promotions",
        &json!({"pipeline_id": pipeline, "name": "Production", "COMMIT": "abc"}),
    );
    assert_eq!(reply.text(), "\"Promotion successfully triggered.\"");
    let events = world.read(&format!("/promotions?pipeline_id={pipeline}"));
    assert_eq!(events[0]["status"], "processing");
    assert_eq!(events[0]["scheduled_pipeline_id"], "");
    world.pass(1.0);
    let events = world.read(&format!("/promotions?pipeline_id={pipeline}"));
    assert_eq!(events[0]["status"], "passed");
    let child = word(&events[0]["scheduled_pipeline_id"]);
    world.pass(120.0);
    let described = world.pipeline(&child)["pipeline"].clone();
    assert_eq!(described["result"], "passed");
    assert_eq!(described["name"], "Deploy to production");
    assert_eq!(described["promotion_of"], json!(pipeline));
    assert_eq!(described["wf_id"], json!(workflow));
    assert_eq!(
        described["env_vars"],
        json!([{"name": "COMMIT", "value": "abc"}])
    );
    let all = world.read(&format!("/pipelines?wf_id={workflow}"));
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    assert_eq!(all[0]["ppl_id"], json!(child), "the newest comes first");
    let project = world.read("/projects/demo");
    assert_eq!(project["metadata"]["id"], PROJECT);
    let jobs: &Value = &world.pipeline(&pipeline)["blocks"][1]["jobs"];
    let log = world.read(&format!("/logs/{}", word(&jobs[0]["job_id"])));
    assert_eq!(log["events"][0]["event"], "job_started");
}

#[test]
fn a_pipeline_goes_through_its_states_and_skips_those_nobody_looks_at() {
    let mut world = small(TWO_BLOCKS, "");
    let (_, pipeline) = world.run("refs/heads/main");
    let mut seen = Vec::new();
    world.pass(0.3);
    for _ in 0..200 {
        let state = word(&world.pipeline(&pipeline)["pipeline"]["state"]);
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        world.pass(0.5);
    }
    let states = ["initializing", "pending", "queuing", "running", "done"];
    // Pending lasts a tenth of a second: between two polls it is skipped.
    let expected: Vec<&str> = states.into_iter().filter(|s| *s != "pending").collect();
    assert_eq!(seen, expected);
    let stamps = world.pipeline(&pipeline)["pipeline"].clone();
    let times: Vec<String> = [
        "created_at",
        "pending_at",
        "queuing_at",
        "running_at",
        "done_at",
    ]
    .iter()
    .map(|key| word(&stamps[*key]))
    .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn results_are_absent_until_the_end_and_running_jobs_look_passed() {
    let mut world = small(TWO_BLOCKS, "");
    let (_, pipeline) = world.run("refs/heads/main");
    assert_eq!(world.pipeline(&pipeline)["blocks"], json!([]));
    world.pass(17.0);
    let described = world.pipeline(&pipeline);
    assert_eq!(described["pipeline"]["state"], "running");
    assert!(described["pipeline"].get("result").is_none());
    assert!(described["pipeline"].get("result_reason").is_none());
    let [first, second] = [&described["blocks"][0], &described["blocks"][1]];
    assert_eq!(
        (&first["state"], &first["result"]),
        (&json!("done"), &json!("passed"))
    );
    assert_eq!(second["state"], "running");
    assert!(second.get("result").is_none());
    assert_eq!(second["jobs"][0]["status"], "RUNNING");
    assert_eq!(second["jobs"][0]["result"], "PASSED");
    let listed = world.read(&format!("/pipelines?project_id={PROJECT}"));
    assert_eq!(listed[0]["state"], "RUNNING");
    assert!(listed[0].get("result").is_none());
}

#[test]
fn any_jump_of_time_gives_the_same_world() {
    let mut small_steps = World::built_in("failing");
    let mut one_jump = World::built_in("failing");
    let (_, pipeline) = small_steps.run("refs/heads/main");
    one_jump.run("refs/heads/main");
    for _ in 0..700 {
        small_steps.pass(1.0);
        small_steps.pipeline(&pipeline);
    }
    one_jump.pass(700.0);
    assert_eq!(
        small_steps.pipeline(&pipeline),
        one_jump.pipeline(&pipeline)
    );
}

#[test]
fn time_never_goes_back() {
    let mut world = World::built_in("passing");
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(600.0);
    let before = world.pipeline(&pipeline);
    world.now = super::support::start();
    assert_eq!(world.pipeline(&pipeline), before);
}

#[test]
fn the_next_change_leads_to_the_end_step_by_step() {
    let mut world = World::built_in("passing");
    let (_, pipeline) = world.run("refs/heads/main");
    let mut steps = 0;
    while let Some(next) = world.simulator.next_change(world.now) {
        assert!(next > world.now);
        world.now = next;
        steps += 1;
        assert!(steps < 100);
    }
    assert_eq!(world.ending(&pipeline), ended("done", "passed", "test"));
    assert!(steps >= 8, "{steps} steps");
}

#[test]
fn a_failed_job_fails_its_block_and_cancels_what_needs_it() {
    let mut world = small(
        "{ init: 1s, queue: 1s, blocks: [ { name: A, jobs: [ { name: a, result: failed } ] }, { name: B, needs: [A] }, { name: C, jobs: [ { name: c, run: 5m } ] }, { name: D, needs: [C], skipped: true } ] }",
        "",
    );
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(60.0);
    let described = world.pipeline(&pipeline);
    assert_eq!(described["pipeline"]["state"], "running", "`C` goes on");
    world.pass(600.0);
    let described = world.pipeline(&pipeline);
    let blocks: Vec<(String, String)> = described["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|b| (word(&b["result"]), word(&b["result_reason"])))
        .collect();
    let expected = [
        ("failed", "test"),
        ("canceled", "fast_failing"),
        ("passed", "test"),
        ("passed", "skipped"),
    ];
    assert_eq!(blocks, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(world.ending(&pipeline), ended("done", "failed", "test"));
}

#[test]
fn runs_on_one_branch_wait_for_each_other_and_others_do_not() {
    let mut world = small("{ init: 1s, queue: 1s, run: 60s }", "");
    let (_, first) = world.run("refs/heads/main");
    let (_, second) = world.run("refs/heads/main");
    let (_, other) = world.run("refs/heads/other");
    world.pass(30.0);
    let states = |world: &mut World| [&first, &second, &other].map(|id| world.ending(id).0);
    assert_eq!(states(&mut world), ["running", "queuing", "running"]);
    world.pass(40.0);
    assert_eq!(states(&mut world), ["done", "running", "done"]);
    let mut parallel = small("{ init: 1s, queue: 1s, run: 60s, parallel: true }", "");
    parallel.run("refs/heads/main");
    let (_, second) = parallel.run("refs/heads/main");
    parallel.pass(30.0);
    assert_eq!(parallel.ending(&second).0, "running");
}

#[test]
fn a_full_queue_refuses_in_two_shapes() {
    let mut world = small("{ init: 1s, run: 1h }", "server: { queue_limit: 2 }\n");
    let (workflow, _) = world.run("refs/heads/main");
    world.run("refs/heads/main");
    let body = json!({"project_id": PROJECT, "reference": "refs/heads/main"});
    let reply = world.post("/plumber-workflows", &body);
    assert_eq!(reply.status, 400);
    assert_eq!(reply.text(), "\"Limit of queuing pipelines reached\"");
    let reply = world.post(
        &format!("/plumber-workflows/{workflow}/reschedule"),
        &json!({"request_token": "t"}),
    );
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json(),
        Some(
            json!({"code": "RESOURCE_EXHAUSTED", "message": "Limit of queuing pipelines reached"})
        )
    );
    assert_eq!(world.simulator.acts().len(), 2, "nothing was started");
}

#[test]
fn unknown_references_and_files_are_found_out_late() {
    let mut world = small(
        "{ init: 1s, run: 1s }",
        "    references: { refs/heads/gone: { missing: true } }\n",
    );
    let (_, gone) = world.run("refs/heads/gone");
    world.pass(60.0);
    assert_eq!(world.ending(&gone), ended("initializing", "", ""));
    world.pass(90.0);
    assert_eq!(world.ending(&gone), ended("done", "failed", "stuck"));
    let reply = world.post(
        "/plumber-workflows",
        &json!({"project_id": PROJECT, "reference": "main", "pipeline_file": "nosuch.yml"}),
    );
    let pipeline = word(&reply.json().unwrap()["pipeline_id"]);
    world.pass(10.0);
    assert_eq!(
        world.ending(&pipeline),
        ended("done", "failed", "malformed")
    );
    let described = world.pipeline(&pipeline)["pipeline"].clone();
    assert_eq!(described["name"], "Pipeline");
    assert_eq!(described["running_at"], "1970-01-01 00:00:00.000000Z");
    assert!(word(&described["error_description"]).contains("'nosuch.yml' is not available"));
}

#[test]
fn every_run_may_differ() {
    let mut world = World::built_in("flaky");
    let (workflow, first) = world.run("refs/heads/main");
    world.pass(600.0);
    assert_eq!(world.ending(&first), ended("done", "failed", "test"));
    let reply = world.post(
        &format!("/plumber-workflows/{workflow}/reschedule"),
        &json!({"request_token": "t"}),
    );
    let rerun = reply.json().unwrap();
    world.pass(600.0);
    let second = word(&rerun["ppl_id"]);
    assert_eq!(world.ending(&second), ended("done", "passed", "test"));
    let described = world.read(&format!("/plumber-workflows/{}", word(&rerun["wf_id"])));
    assert_eq!(described["workflow"]["rerun_of"], json!(workflow));
    let mut stuck = World::built_in("stuck");
    let (_, pipeline) = stuck.run("refs/heads/main");
    stuck.pass(900.0);
    assert_eq!(stuck.ending(&pipeline), ended("done", "failed", "stuck"));
}

#[test]
fn people_act_at_their_times() {
    let mut world = small(
        "{ init: 1s, run: 20s, promotions: [ { name: P, pipeline_file: p.yml } ] }",
        "people:\n  - { at: 10s, do: { start: { project: demo, reference: refs/heads/x } } }\n  - { at: 20s, on: pipeline_done, do: { promote: { project: demo, name: P } } }\n  - { at: 5s, do: { push: { project: demo, commit: cafe } } }\n",
    );
    world.pass(6.0);
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(100.0);
    assert_eq!(world.pipeline(&pipeline)["pipeline"]["commit_sha"], "cafe");
    let all = world.read(&format!("/plumber-workflows?project_id={PROJECT}"));
    assert_eq!(all.as_array().map(Vec::len), Some(2));
    assert_eq!(all[0]["triggered_by"], 0);
    let acts: Vec<&str> = world
        .simulator
        .acts()
        .iter()
        .map(|act| act.origin.user())
        .collect();
    let colleague = "dddddddd-0000-4000-8000-00000000000d";
    assert_eq!(acts.iter().filter(|user| **user == colleague).count(), 2);
    assert_eq!(world.send(api("GET", "/projects/nosuch")).status, 404);
}
