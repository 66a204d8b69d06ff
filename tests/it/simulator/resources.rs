//! Projects, tasks, lists of jobs, roles, and the odd corners of the web UI.

use runner::simulator::{Done, Request};
use serde_json::{Value, json};

use super::support::{PROJECT, World, api, word};

const TASK: &str = "22222222-2222-4222-8222-222222222222";

fn world() -> World {
    World::yaml(&format!(
        "server: {{ api_token_in_ui: true, redirects_keep_origin: true }}
projects:
  - name: demo
    id: {PROJECT}
    pipelines:
      .semaphore/semaphore.yml:
        init: 1s
        blocks:
          - name: A
            jobs:
              - {{ name: a, run: 10s, log: [{{ command: make, output: \"one\\n\" }}] }}
              - {{ name: own, run: 10s, self_hosted: true }}
    references: {{ refs/tags/gone: {{ missing: true }} }}
    tasks:
      - name: nightly
        id: {TASK}
        at: \"0 3 * * *\"
        parameters: [{{ name: LEVEL, required: true }}, {{ name: MODE, default: fast }}]
  - name: theirs
    foreign: true
"
    ))
}

#[test]
fn projects_are_found_by_name_and_foreign_ones_are_not_there() {
    let mut world = world();
    assert_eq!(world.read("/projects/demo")["metadata"]["id"], PROJECT);
    for name in [PROJECT, "theirs", "nosuch"] {
        let reply = world.get(&format!("/projects/{name}"));
        assert_eq!(reply.status, 404);
        assert_eq!(reply.json(), Some(json!({"message": "Not found"})));
    }
    let reply = world.get("/projects");
    assert_eq!(reply.get("x-has-more"), Some("false"));
    let names: Vec<Value> = reply.json().unwrap().as_array().unwrap().clone();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0]["spec"]["tasks"][0]["id"], TASK);
}

#[test]
fn roles_decide_what_is_there() {
    let mut world = world();
    let (workflow, pipeline) = world.run("refs/heads/main");
    let mut status = |token: &str, method: &str, target: &str| {
        let target = format!("/api/v1alpha{target}");
        let body = json!({"terminate_request": true, "request_token": "t"});
        let request = Request::new(method, &target).token(token).json(&body);
        world.send(request).status
    };
    let describe = format!("/pipelines/{pipeline}");
    assert_eq!(status("reader-token", "GET", &describe), 200);
    assert_eq!(status("reader-token", "PATCH", &describe), 404);
    assert_eq!(status("nobody-token", "GET", &describe), 404);
    assert_eq!(status("nobody-token", "GET", "/projects/demo"), 401);
    let rerun = format!("/plumber-workflows/{workflow}/reschedule");
    assert_eq!(status("reader-token", "POST", &rerun), 404);
    assert_eq!(status("admin-token", "POST", &rerun), 200);
    assert_eq!(status("none", "GET", &describe), 401);
}

#[test]
fn tasks_look_at_their_reference_and_parameters_first() {
    let mut world = world();
    let list = world.read(&format!("/tasks?project_id={PROJECT}"));
    assert_eq!(list[0]["name"], "nightly");
    let target = format!("/tasks/{TASK}/run_now");
    for (body, words) in [
        (json!({}), "Parameter 'LEVEL' is required."),
        (
            json!({"reference": "refs/heads/main"}),
            "Reference must contain 'type' and 'name' fields",
        ),
        (
            json!({"reference": {"type": "TAG", "name": "gone"}}),
            "Tag 'gone' does not exist in the repository",
        ),
    ] {
        let reply = world.post(&target, &body);
        assert_eq!((reply.status, reply.json()), (400, Some(json!(words))));
    }
    let reply = world.post("/tasks/xyz/run_now", &json!({}));
    assert_eq!(reply.text(), "\"schedule identifier should be a UUID\"");
    let reply = world.post(&target, &json!({"parameters": {"LEVEL": "1"}}));
    let body = reply.json().unwrap();
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(1));
    let workflow = word(&body["workflow_id"]);
    let described = world.read(&format!("/plumber-workflows/{workflow}"));
    assert_eq!(described["workflow"]["triggered_by"], "MANUAL_RUN");
    let pipeline = word(&described["workflow"]["initial_ppl_id"]);
    assert_eq!(
        world.pipeline(&pipeline)["pipeline"]["env_vars"],
        json!([{"value": "1", "name": "LEVEL"}, {"value": "fast", "name": "MODE"}])
    );
    let task = world.read(&format!("/tasks/{TASK}"));
    assert_eq!(
        task["triggers"][0]["scheduled_workflow_id"],
        json!(workflow)
    );
    assert!(matches!(
        &world.simulator.acts()[0].deed,
        Done::RunTask { task_id, .. } if task_id == TASK
    ));
}

#[test]
fn a_list_of_jobs_without_states_is_empty() {
    let mut world = world();
    world.run("refs/heads/main");
    world.pass(5.0);
    assert_eq!(world.read("/jobs")["jobs"], json!([]));
    let running = world.read("/jobs?states=RUNNING&states=QUEUED&page_size=1");
    assert_eq!(running["jobs"].as_array().map(Vec::len), Some(1));
    let next = word(&running["next_page_token"]);
    let rest = world.read(&format!(
        "/jobs?states=RUNNING&page_size=1&page_token={next}"
    ));
    assert_eq!(rest["next_page_token"], "");
    assert_ne!(
        rest["jobs"][0]["metadata"]["id"],
        running["jobs"][0]["metadata"]["id"]
    );
    assert_eq!(world.get("/jobs?states=RUNNING&page_size=31").status, 400);
    assert_eq!(world.get("/jobs/xyz").status, 400);
    assert_eq!(world.send(api("PUT", "/jobs/xyz")).status, 501);
}

#[test]
fn the_web_ui_has_logs_as_text_and_no_json() {
    let mut world = world();
    let (_, pipeline) = world.run("refs/heads/main");
    world.pass(60.0);
    let jobs = world.pipeline(&pipeline)["blocks"][0]["jobs"].clone();
    let page = |job: &Value| {
        let target = format!("/jobs/{}/plain_logs.json", word(&job["job_id"]));
        Request::new("GET", &target).token("admin-token")
    };
    let reply = world.send(page(&jobs[0]));
    assert_eq!((reply.status, reply.text().as_str()), (200, "make\none\n"));
    let reply = world.send(page(&jobs[0]).header("Accept", "application/json"));
    assert_eq!(reply.status, 406);
    let reply = world.send(page(&jobs[1]));
    assert_eq!(reply.status, 307);
    let place = reply.get("location").unwrap().to_owned();
    let target = place.strip_prefix("http://localhost").unwrap();
    let raw = world.send(Request::new("GET", target));
    assert!(raw.text().starts_with("checkout\n"), "{}", raw.text());
    let forged = target.replace("jwt=", "jwt=x");
    assert_eq!(world.send(Request::new("GET", &forged)).status, 401);
    let artifact = format!("/logs/{}?artifact_job_logs=1", word(&jobs[0]["job_id"]));
    let place = world.get(&artifact).get("location").unwrap().to_owned();
    let target = place.strip_prefix("http://localhost").unwrap();
    assert_eq!(
        world.send(Request::new("GET", target)).text(),
        "make\none\n"
    );
    let leaking = Request::new("GET", target).token("admin-token");
    assert_eq!(
        world.send(leaking).status,
        400,
        "the token is not for the store"
    );
}
