//! What happens by itself as time goes on.

use serde_json::{Value, json};

use super::support::{PROJECT, World, ended, word};

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
