//! The client against answers that a real server gave: each recorded call of
//! `tests/fixtures/recorded/` is asked through the client's own function, and its answer must come out
//! as the normalised value, or as the class and fate of an error, that stand beside it.
#![expect(
    clippy::unwrap_used,
    reason = "what a helper of a test cannot do fails the test"
)]

mod hostile;
mod http;
mod lists;
mod logs;
mod scripted;

use indexmap::IndexMap;
use runner::ids::Id;
use runner::semaphore::{
    Client, Error, PipelineFilter, PipelinesOf, RunWorkflow, Target, TriggerPromotion,
    WorkflowFilter,
};
use serde_json::{Value, json};

use self::scripted::{Scene, Scripted};

const SOME_ID: &str = "0f9e8d7c-6b5a-4c3d-8e1f-000000000001";

fn cases() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/recorded");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut cases = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let list: Vec<Value> = serde_json::from_str(&text).unwrap();
        for case in list {
            let stem = file.file_stem().unwrap().to_string_lossy();
            cases.push((format!("{stem}: {}", case["name"]), case));
        }
    }
    cases
}

/// The first id of a recorded path, or any.
fn id_of(path: &str) -> Id {
    path.split('/')
        .find_map(|segment| Id::parse(segment).ok())
        .unwrap_or_else(|| Id::parse(SOME_ID).unwrap())
}

fn id_in(value: &Value) -> Id {
    let id = value.as_str().and_then(|text| Id::parse(text).ok());
    id.unwrap_or_else(|| Id::parse(SOME_ID).unwrap())
}

fn text_in(value: &Value) -> String {
    value.as_str().unwrap_or("refs/heads/main").to_owned()
}

/// The texts of an object, but for some names: the client's own types rule the rest out.
fn texts(value: &Value, but: &[&str]) -> IndexMap<String, String> {
    let object = value.as_object().cloned().unwrap_or_default();
    object
        .into_iter()
        .filter(|(name, _)| !but.contains(&name.as_str()))
        .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
        .collect()
}

/// Asks what was recorded, in the client's own way.
async fn ask(client: &Client, case: &Value) -> Result<Value, Error> {
    let request = &case["request"];
    let (query, body) = (&request["query"], &request["body"]);
    let id = id_of(request["path"].as_str().unwrap());
    let token = body["request_token"].as_str().unwrap_or("tok-1");
    let list = |items: Vec<Value>| Value::Array(items);
    match case["operation"].as_str().unwrap() {
        "run_workflow" => {
            let run = RunWorkflow {
                project_id: id_in(&body["project_id"]),
                reference: text_in(&body["reference"]),
                commit_sha: None,
                pipeline_file: None,
                parameters: texts(&body["parameters"], &[]),
                mark: None,
            };
            client.run_workflow(&run).await.map(|a| a.value.to_value())
        }
        "describe_workflow" => {
            let answer = client.describe_workflow(&id).await;
            answer.map(|a| a.value.to_value())
        }
        "list_workflows" => {
            let filter = WorkflowFilter::of_project(id_in(&query["project_id"]), 2);
            let listing = client.list_workflows(&filter).await?;
            Ok(list(listing.items.iter().map(|w| w.to_value()).collect()))
        }
        "rerun_workflow" => {
            let answer = client.rerun_workflow(&id, token).await;
            answer.map(|a| a.value.to_value())
        }
        "stop_workflow" => client.stop_workflow(&id).await.map(|_| Value::Null),
        "describe_pipeline" => {
            let detailed = query["detailed"] == "true";
            let answer = client.describe_pipeline(&id, detailed).await;
            answer.map(|a| a.value.to_value())
        }
        "list_pipelines" => {
            let of = match query.get("wf_id") {
                Some(workflow) => PipelinesOf::Workflow(id_in(workflow)),
                None => PipelinesOf::Project(id_in(&query["project_id"])),
            };
            let listing = client.list_pipelines(&PipelineFilter::of(of, 30)).await?;
            Ok(list(listing.items.iter().map(|p| p.to_value()).collect()))
        }
        "stop_pipeline" => client.stop_pipeline(&id).await.map(|_| Value::Null),
        "rebuild_pipeline" => {
            let answer = client.rebuild_pipeline(&id, token).await;
            answer.map(|a| json!(a.value))
        }
        other => ask_more(client, other, &id, case).await,
    }
}

async fn ask_more(client: &Client, operation: &str, id: &Id, case: &Value) -> Result<Value, Error> {
    let (query, body) = (&case["request"]["query"], &case["request"]["body"]);
    match operation {
        "describe_topology" => {
            let answer = client.describe_topology(id).await;
            answer.map(|a| a.value.iter().map(|b| b.to_value()).collect())
        }
        "list_promotions" => {
            let pipeline = id_in(&query["pipeline_id"]);
            let name = query["name"].as_str();
            let listing = client.list_promotions(&pipeline, name, 10).await?;
            Ok(listing.items.iter().map(|e| e.to_value()).collect())
        }
        "trigger_promotion" => {
            let known = ["pipeline_id", "name", "override", "request_token"];
            let trigger = TriggerPromotion {
                pipeline_id: id_in(&body["pipeline_id"]),
                name: text_in(&body["name"]),
                parameters: texts(body, &known),
                r#override: body["override"] == true,
                request_token: body["request_token"].as_str().unwrap_or("p-1").to_owned(),
            };
            client
                .trigger_promotion(&trigger)
                .await
                .map(|_| Value::Null)
        }
        "describe_job" => client.describe_job(id).await.map(|a| a.value.to_value()),
        "troubleshoot_job" => {
            let answer = client.troubleshoot_job(id).await;
            answer.map(|a| a.value.to_value())
        }
        "fetch_log" => logs::in_short(client, id).await.map(|log| json!(log)),
        other => panic!("the fixture asks for {other}, which nobody can"),
    }
}

fn scene_of(answer: &Value) -> Scene {
    let headers: Vec<(&str, &str)> = answer["headers"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
        .collect();
    let status = u16::try_from(answer["status"].as_u64().unwrap()).unwrap();
    Scene::answer(status, &headers, answer["body"].as_str().unwrap())
}

fn words(error: &Error) -> Value {
    let class = format!("{:?}", error.class);
    let mut snake = String::new();
    for c in class.chars() {
        if c.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    let fate = match error.fate {
        runner::semaphore::Fate::NotSent => "not_sent",
        runner::semaphore::Fate::NotDone => "not_done",
        runner::semaphore::Fate::Unknown => "unknown",
    };
    json!({"class": snake, "fate": fate})
}

#[tokio::test]
async fn every_recorded_answer_is_understood() {
    let mut asked = 0;
    for (name, case) in cases() {
        let expect = &case["expect"];
        // What a redirect leads to, and the other address of a log, are answered with nothing there.
        let scenes = vec![
            scene_of(&case["answer"]),
            Scene::answer(404, &[], "Logs for x not found"),
            Scene::answer(404, &[], "Not Found"),
        ];
        let (client, script) = Scripted::client(scenes);
        let got = ask(&client, &case).await;
        asked += 1;
        if let Some(target) = expect.get("follows") {
            let addresses = script.addresses();
            assert_eq!(
                addresses.get(1).map(String::as_str),
                target.as_str(),
                "{name}"
            );
            continue;
        }
        match &got {
            Ok(value) => {
                let expected = expect.get("value").or(expect.get("log"));
                assert_eq!(Some(value), expected, "{name}");
            }
            Err(error) => {
                assert_eq!(&words(error), expect, "{name}: {error}");
                assert_eq!(
                    error.status.map(u64::from),
                    case["answer"]["status"].as_u64()
                );
            }
        }
    }
    assert!(asked > 100, "only {asked} cases were found");
}

/// Calls whose request, as recorded, is just what the client sends.
const SAME_REQUEST: [&str; 14] = [
    "run-workflow: \"ok\"",
    "run-workflow: \"reference without refs/heads\"",
    "workflows: \"describe\"",
    "pipelines: \"running, detailed (a running job says result PASSED: enum default)\"",
    "pipelines: \"topology\"",
    "stop: \"PATCH, terminate_request true\"",
    "stop: \"terminate workflow\"",
    "rerun: \"token in a JSON body\"",
    "rerun: \"partial rebuild of the failed pipeline\"",
    "promotions: \"with parameters\"",
    "logs: \"of a failed job\"",
    "other: \"troubleshoot job\"",
    "other: \"job describe (hand-made imitation of the Go gateway)\"",
    "run-workflow: \"right after: pipeline is initializing (no result keys; name, commit still placeholders)\"",
];

#[tokio::test]
async fn requests_are_those_that_the_server_took() {
    let mut compared = 0;
    for (name, case) in cases() {
        if !SAME_REQUEST.contains(&name.as_str()) {
            continue;
        }
        compared += 1;
        let (client, script) = Scripted::client(vec![scene_of(&case["answer"])]);
        ask(&client, &case).await.unwrap();
        let asked = script.asked();
        let Target::Own { path, query } = &asked[0].target else {
            panic!("{name}: not our own server");
        };
        let query: IndexMap<&str, &str> = query
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        let recorded = &case["request"];
        assert_eq!(asked[0].method.as_str(), recorded["method"], "{name}");
        assert_eq!(path.as_str(), recorded["path"], "{name}");
        assert_eq!(json!(query), recorded["query"], "{name}");
        assert_eq!(asked[0].body.as_ref(), recorded.get("body"), "{name}");
    }
    assert_eq!(compared, SAME_REQUEST.len());
}

#[tokio::test]
async fn the_answer_is_kept_without_the_values_of_parameters() {
    for (name, case) in cases() {
        if !name.contains("initializing (no result keys") {
            continue;
        }
        let (client, _) = Scripted::client(vec![scene_of(&case["answer"])]);
        let id = id_of(case["request"]["path"].as_str().unwrap());
        let answer = client.describe_pipeline(&id, false).await.unwrap();
        let kept = answer.response.pointer("/pipeline/env_vars");
        assert_eq!(kept, Some(&json!([{"name": "RELEASE"}])));
        assert_eq!(answer.response["pipeline"]["state"], "initializing");
        let found = answer.value.pipeline.env_vars.value("RELEASE");
        assert_eq!(found, Some("1.2.3"), "a look for a mark sees the value");
        return;
    }
    panic!("the case is gone");
}

#[tokio::test]
async fn requests_are_counted_by_endpoint() {
    let (client, _) = Scripted::client(vec![
        Scene::answer(404, &[], "Not Found"),
        Scene::answer(200, &[("date", "Tue, 24 Nov 2026 01:05:13 GMT")], "[]"),
    ]);
    let id = Id::parse(SOME_ID).unwrap();
    client.describe_job(&id).await.unwrap_err();
    let listing = client.list_promotions(&id, None, 5).await.unwrap();
    assert_eq!(
        listing.server_date.unwrap().to_string(),
        "2026-11-24T01:05:13Z"
    );
    let usage = client.usage();
    assert_eq!((usage.requests, usage.bytes), (2, 11));
    assert_eq!(usage.by_endpoint.get("describe_job"), Some(&1));
    assert_eq!(usage.by_endpoint.get("list_promotions"), Some(&1));
}
