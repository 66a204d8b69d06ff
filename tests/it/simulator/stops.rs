//! Stops, reruns of parts, jobs and their logs.

use serde_json::{Value, json};

use super::support::{PROJECT, World, api, ended, word};

fn stop(world: &mut World, pipeline: &str) {
    let body = json!({"terminate_request": true});
    let reply = world.send(api("PATCH", &format!("/pipelines/{pipeline}")).json(&body));
    assert_eq!(reply.text(), "\"Pipeline termination started.\"");
}

#[test]
fn what_did_not_run_is_canceled_and_what_ran_is_stopped() {
    let mut world = World::built_in("passing");
    let (_, running) = world.run("refs/heads/main");
    let (_, waiting) = world.run("refs/heads/main");
    world.pass(30.0);
    stop(&mut world, &running);
    stop(&mut world, &waiting);
    assert_eq!(
        world.ending(&running).0,
        "running",
        "the answer comes first"
    );
    world.pass(0.6);
    assert_eq!(world.ending(&running).0, "stopping");
    world.pass(5.0);
    assert_eq!(world.ending(&running), ended("done", "stopped", "user"));
    assert_eq!(world.ending(&waiting), ended("done", "canceled", "user"));
    let described = world.pipeline(&running);
    assert_eq!(described["pipeline"]["terminate_request"], "stop");
    assert_eq!(described["pipeline"]["terminated_by"], "");
    assert_eq!(described["blocks"][0]["result"], "stopped");
    assert_eq!(described["blocks"][0]["jobs"][0]["result"], "STOPPED");
    assert_eq!(described["blocks"][1]["result"], "canceled");
    stop(&mut world, &running);
    let acts = world.simulator.acts().len();
    assert_eq!(acts, 5, "two runs, three stops");
}

#[test]
fn a_stopped_workflow_stops_its_promoted_pipelines_too() {
    let mut world = World::built_in("passing");
    let (workflow, pipeline) = world.run("refs/heads/main");
    world.pass(600.0);
    let body = json!({"pipeline_id": pipeline, "name": "Staging"});
    assert_eq!(world.post("/promotions", &body).status, 200);
    world.pass(20.0);
    let target = format!("/plumber-workflows/{workflow}/terminate");
    let reply = world.post(&target, &json!({}));
    assert_eq!(reply.text(), "\"Termination started for 1 pipelines.\"");
    world.pass(10.0);
    let all = world.read(&format!("/pipelines?wf_id={workflow}"));
    assert_eq!(all[0]["result"], "STOPPED");
    assert_eq!(
        all[0]["terminated_by"],
        "aaaaaaaa-0000-4000-8000-00000000000a"
    );
    assert_eq!(all[1]["result"], "PASSED");
    let reply = world.post(&target, &json!({}));
    assert_eq!(reply.text(), "\"Termination started for 0 pipelines.\"");
}

#[test]
fn a_stopped_job_stops_its_pipeline_without_a_reason() {
    let mut world = World::built_in("passing");
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(30.0);
    let job = word(&world.pipeline(&pipeline)["blocks"][0]["jobs"][0]["job_id"]);
    let reply = world.post(&format!("/jobs/{job}/stop"), &json!({}));
    assert_eq!((reply.status, reply.text().as_str()), (200, "{}"));
    world.pass(600.0);
    assert_eq!(world.ending(&pipeline), ended("done", "stopped", "test"));
    let described = world.read(&format!("/jobs/{job}"));
    assert_eq!(
        described["status"],
        json!({"result": "STOPPED", "state": "FINISHED", "agent": {"ip": "", "ports": [], "name": ""}})
    );
}

#[test]
fn a_rebuild_runs_only_what_did_not_pass() {
    let mut world = World::built_in("flaky");
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(600.0);
    let reply = world.post(
        &format!("/pipelines/{pipeline}/partial_rebuild"),
        &json!({"request_token": "r"}),
    );
    let new = word(&reply.json().unwrap()["pipeline_id"]);
    world.pass(10.0);
    let described = world.pipeline(&new);
    let [build, test] = [&described["blocks"][0], &described["blocks"][1]];
    assert_eq!(build["jobs"][0]["status"], "FINISHED", "taken over");
    assert_eq!(test["state"], "running");
    assert_eq!(described["pipeline"]["partial_rerun_of"], json!(pipeline));
    let log =
        |world: &mut World, job: &Value| world.read(&format!("/logs/{}", word(&job["job_id"])));
    let old_job = world.pipeline(&pipeline)["blocks"][0]["jobs"][0].clone();
    let new_job = build["jobs"][0].clone();
    assert_ne!(old_job["job_id"], new_job["job_id"]);
    assert_eq!(log(&mut world, &new_job), log(&mut world, &old_job));
    world.pass(600.0);
    assert_eq!(world.ending(&new), ended("done", "passed", "test"));
    assert_eq!(world.ending(&pipeline), ended("done", "failed", "test"));
    assert_eq!(
        world.pipeline(&pipeline)["pipeline"]["partially_rerun_by"],
        json!(new)
    );
    let again = world.post(
        &format!("/pipelines/{pipeline}/partial_rebuild"),
        &json!({"request_token": "r"}),
    );
    assert_eq!(word(&again.json().unwrap()["pipeline_id"]), new);
}

#[test]
fn logs_grow_with_their_job_and_tell_the_failed_command() {
    let mut world = World::built_in("failing");
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(110.0);
    let unit = world.pipeline(&pipeline)["blocks"][1]["jobs"][0].clone();
    assert_eq!(unit["name"], "unit");
    let target = format!("/logs/{}", word(&unit["job_id"]));
    let early = world.read(&target)["events"].as_array().unwrap().len();
    world.pass(600.0);
    let log = world.read(&target);
    let events = log["events"].as_array().unwrap();
    assert!(early < events.len());
    assert_eq!(events.last().unwrap()["result"], "failed");
    let failed = &events[events.len() - 2];
    assert_eq!(
        (&failed["directive"], &failed["exit_code"]),
        (&json!("make test"), &json!(2))
    );
}

#[test]
fn jobs_that_never_started_say_why_in_one_place() {
    let mut world = World::yaml(&format!(
        "projects:\n  - name: demo\n    id: {PROJECT}\n    pipelines:\n      .semaphore/semaphore.yml:\n        init: 1s\n        blocks:\n          - name: A\n            jobs:\n              - {{ name: a, run: 5s, never_started: No suitable agent type found }}\n              - {{ name: b, run: 5s, self_hosted: true }}\n              - {{ name: c, run: 5s, log_corrupt: true }}\n"
    ));
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(3.0);
    let jobs = world.pipeline(&pipeline)["blocks"][0]["jobs"].clone();
    let [a, b, c] = [0, 1, 2].map(|n| word(&jobs[n]["job_id"]));
    assert_eq!(jobs[0]["status"], "ENQUEUED");
    assert_eq!(
        world.read(&format!("/jobs/{a}"))["status"]["agent"],
        Value::Null
    );
    world.pass(30.0);
    let reply = world.get(&format!("/logs/{a}"));
    assert_eq!(
        (reply.status, reply.text().as_str()),
        (404, "\"No suitable agent type found\"")
    );
    let why = world.read(&format!("/troubleshoot/job/{a}"));
    assert_eq!(why["job"]["failure_reason"], "No suitable agent type found");
    let reply = world.get(&format!("/logs/{b}"));
    assert_eq!(reply.status, 302);
    let place = reply.get("location").unwrap();
    let target = place.strip_prefix("https://localhost").unwrap().to_owned();
    let log = world.send(runner::simulator::Request::new("GET", &target));
    let log = log.json().unwrap();
    assert_eq!(log["next"], Value::Null, "nothing more will come");
    assert_eq!(log["events"][0]["event"], "job_started");
    let reply = world.get(&format!("/logs/{c}"));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json(), None, "the body is no JSON: {}", reply.text());
}
