//! Answers from nowhere: no JSON, of whatever shape, panics a parser, and none of it becomes a success
//! that it is not.

use bytes::Bytes;
use indexmap::IndexMap;
use proptest::prelude::*;
use runner::ids::Id;
use runner::semaphore::wire::{
    Job, JobTrouble, Pipeline, PipelineDetails, Project, PromotionEvent, Started, Task,
    TaskTrigger, TopologyBlock, Workflow, scrub, time,
};
use runner::semaphore::{
    Class, Fate, PipelinesOf, RunWorkflow, TransportError, TriggerPromotion, Trouble,
};
use serde_json::{Map, Value, json};

use super::scripted::{Scene, Scripted};

const ID: &str = "b94079b8-c2d0-46af-9ada-52daea2a7133";
/// Keys and words that the parsers look for, so that arbitrary answers get far into them.
const WORDS: [&str; 36] = [
    "pipeline",
    "blocks",
    "workflow",
    "schedule",
    "triggers",
    "job",
    "jobs",
    "metadata",
    "spec",
    "status",
    "agent",
    "machine",
    "state",
    "result",
    "result_reason",
    "ppl_id",
    "pipeline_id",
    "wf_id",
    "workflow_id",
    "id",
    "name",
    "env_vars",
    "value",
    "queue",
    "triggerer",
    "wf_triggered_by",
    "created_at",
    "seconds",
    "nanos",
    "done",
    "passed",
    "FINISHED",
    ID,
    "1970-01-01 00:00:00.000000Z",
    "tasks",
    "parameters",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 96, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((word(), inner), 0..10)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A right pipeline with one field set to something else.
fn nearly_a_pipeline() -> impl Strategy<Value = Value> {
    (word(), any_json()).prop_map(|(key, value)| {
        let mut pipeline = json!({"ppl_id": ID, "state": "done", "result": "failed"});
        pipeline[key] = value;
        json!({"pipeline": pipeline, "blocks": [{"state": "done", "jobs": []}]})
    })
}

fn parse_as_everything(value: &Value) {
    let _ = Pipeline::parse(value).map(|x| x.to_value());
    let _ = PipelineDetails::parse(value).map(|x| x.to_value());
    let _ = Workflow::parse(value).map(|x| x.to_value());
    let _ = Workflow::parse_described(value).map(|x| x.to_value());
    let _ = Started::parse(value).map(|x| x.to_value());
    let _ = PromotionEvent::parse(value).map(|x| x.to_value());
    let _ = Job::parse(value).map(|x| x.to_value());
    let _ = JobTrouble::parse(value).map(|x| x.to_value());
    let _ = Project::parse(value).map(|x| x.to_value());
    let _ = Task::parse(value).map(|x| x.to_value());
    let _ = TaskTrigger::parse_described(value);
    let _ = TopologyBlock::parse_list(value);
    let _ = time::parse(value);
    let _ = scrub::without_values(value.clone());
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_json_panics_a_parser(value in any_json()) {
        parse_as_everything(&value);
    }

    #[test]
    fn a_pipeline_with_a_wrong_field_is_an_error_that_names_it_or_the_same_pipeline(
        value in nearly_a_pipeline()
    ) {
        parse_as_everything(&value);
        if let Err(odd) = PipelineDetails::parse(&value) {
            prop_assert!(odd.0.contains("the "), "{}", odd);
        }
    }

    #[test]
    fn no_bytes_panic_the_reader_of_a_log(pieces in prop::collection::vec(any::<Vec<u8>>(), 0..8)) {
        let pieces = pieces.into_iter().map(|p| Ok(Bytes::from(p))).collect();
        let (client, _) = Scripted::client(vec![Scene::pieces(200, &[], pieces)]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut stream = client.log(&Id::parse(ID).unwrap()).await.unwrap();
            while stream.next().await.unwrap().is_some() {}
        });
    }

    #[test]
    fn no_refusal_panics_and_its_words_are_clean(status in 300_u16..600, body in any::<Vec<u8>>()) {
        let scene = Scene::pieces(status, &[], vec![Ok(Bytes::from(body))]);
        let (client, _) = Scripted::client(vec![scene]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(client.describe_job(&Id::parse(ID).unwrap())).unwrap_err();
        prop_assert!(!error.message.chars().any(char::is_control), "{:?}", error.message);
        prop_assert!(error.server_words.chars().count() <= 400);
        prop_assert_eq!(error.fate, Fate::NotDone);
    }
}

fn run() -> RunWorkflow {
    RunWorkflow {
        project_id: Id::parse(ID).unwrap(),
        reference: "refs/heads/main".to_owned(),
        commit_sha: None,
        pipeline_file: None,
        parameters: IndexMap::new(),
        mark: None,
    }
}

#[tokio::test]
async fn a_success_that_is_none_leaves_the_write_unknown() {
    let started = json!({"workflow_id": ID, "pipeline_id": ID}).to_string();
    let cut = TransportError::maybe_sent(Trouble::Reset, "closed before the end");
    let cases = [
        (Scene::answer(200, &[], ""), Class::InvalidAnswer),
        (Scene::answer(200, &[], "null"), Class::InvalidAnswer),
        (
            Scene::answer(200, &[], "<html>Sign in</html>"),
            Class::InvalidAnswer,
        ),
        (
            Scene::answer(200, &[], r#"{"workflow_id":"x","pipeline_id":"y"}"#),
            Class::InvalidAnswer,
        ),
        (
            Scene::answer(200, &[], &started[..40]),
            Class::InvalidAnswer,
        ),
        (
            Scene::answer(200, &[], &format!("{started} {started}")),
            Class::InvalidAnswer,
        ),
        (
            Scene::answer(302, &[("location", "https://evil.test")], ""),
            Class::Redirected,
        ),
        (Scene::answer(500, &[], "\"Internal error\""), Class::Server),
        (
            Scene::answer(504, &[], "upstream request timeout"),
            Class::Server,
        ),
        (Scene::answer(403, &[], ""), Class::AuthOutage),
        (Scene::answer(409, &[], "conflict"), Class::Refused),
        (
            Scene::pieces(
                200,
                &[],
                vec![Ok(Bytes::from_static(b"{")), Err(cut.clone())],
            ),
            Class::Network,
        ),
        (
            Scene::pieces(
                404,
                &[],
                vec![Ok(Bytes::from_static(b"Not")), Err(cut.clone())],
            ),
            Class::NotFound,
        ),
        (Scene::Silence(cut), Class::Network),
        (
            Scene::Silence(TransportError::maybe_sent(Trouble::Timeout, "slow")),
            Class::Timeout,
        ),
    ];
    for (n, (scene, class)) in cases.into_iter().enumerate() {
        let (client, script) = Scripted::client(vec![scene]);
        let error = client.run_workflow(&run()).await.unwrap_err();
        assert_eq!(
            (error.class, error.fate),
            (class, Fate::Unknown),
            "{n}: {error}"
        );
        assert_eq!(script.asked().len(), 1, "the client never repeats");
    }
}

#[tokio::test]
async fn what_never_left_is_not_sent() {
    for trouble in [
        Trouble::Dns,
        Trouble::Connect,
        Trouble::Tls,
        Trouble::Timeout,
    ] {
        let scene = Scene::Silence(TransportError::not_sent(trouble, "no"));
        let (client, _) = Scripted::client(vec![scene]);
        let error = client.run_workflow(&run()).await.unwrap_err();
        assert_eq!(error.fate, Fate::NotSent, "{trouble:?}");
        assert!(error.message.contains("acme.semaphore.test"), "{error}");
    }
}

#[tokio::test]
async fn what_is_our_own_mistake_is_refused_before_it_is_sent() {
    let (client, script) = Scripted::client(Vec::new());
    let id = Id::parse(ID).unwrap();
    let mut marked = run();
    marked
        .parameters
        .insert("RUNNER_KEY".to_owned(), "x".to_owned());
    marked.mark = Some("m".to_owned());
    let mut errors = vec![client.run_workflow(&marked).await.unwrap_err()];
    errors.push(client.rerun_workflow(&id, " ").await.unwrap_err());
    errors.push(client.rebuild_pipeline(&id, "").await.unwrap_err());
    for name in ["override", "request_token", "name"] {
        let trigger = TriggerPromotion {
            pipeline_id: id.clone(),
            name: "Production".to_owned(),
            parameters: IndexMap::from([(name.to_owned(), "x".to_owned())]),
            r#override: false,
            request_token: "t".to_owned(),
        };
        errors.push(client.trigger_promotion(&trigger).await.unwrap_err());
    }
    for error in errors {
        assert_eq!(
            (error.class, error.fate),
            (Class::Refused, Fate::NotSent),
            "{error}"
        );
        assert!(error.hint.is_some(), "{error}");
    }
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn an_answer_about_another_pipeline_is_no_answer() {
    let other = json!({"pipeline": {"ppl_id": "00000000-0000-4000-8000-000000000009", "state": "done", "result": "passed"}});
    let (client, _) = Scripted::client(vec![Scene::answer(200, &[], &other.to_string())]);
    let id = Id::parse(ID).unwrap();
    let error = client.describe_pipeline(&id, true).await.unwrap_err();
    assert_eq!(error.class, Class::InvalidAnswer);
    let filter = runner::semaphore::PipelineFilter::of(PipelinesOf::Workflow(id), 5);
    let (client, _) = Scripted::client(vec![Scene::answer(
        200,
        &[],
        r#"[{"ppl_id":"../../x","state":"DONE"}]"#,
    )]);
    let error = client.list_pipelines(&filter).await.unwrap_err();
    assert!(
        error.message.contains("`../../x`, which is not an id"),
        "{error}"
    );
}

#[tokio::test]
async fn the_mark_travels_as_a_parameter_and_a_stop_needs_no_words() {
    let started = json!({"workflow_id": ID, "pipeline_id": ID, "hook_id": ID}).to_string();
    let (client, script) = Scripted::client(vec![
        Scene::answer(200, &[], &started),
        Scene::answer(200, &[], ""),
        Scene::answer(200, &[], "{}{\"error\":\"audit\"}"),
    ]);
    let id = Id::parse(ID).unwrap();
    let marked = RunWorkflow {
        mark: Some("key-1".to_owned()),
        ..run()
    };
    client.run_workflow(&marked).await.unwrap();
    let body = script.asked()[0].body.clone().unwrap();
    assert_eq!(body["parameters"], json!({"RUNNER_KEY": "key-1"}));
    client.stop_workflow(&id).await.unwrap();
    client.stop_job(&id).await.unwrap();
}

#[tokio::test]
async fn when_to_ask_again_is_kept_within_five_minutes() {
    let headers = [
        ("retry-after", "3600"),
        ("date", "Tue, 24 Nov 2026 01:05:13 GMT"),
    ];
    let (client, _) = Scripted::client(vec![Scene::answer(429, &headers, "slow down")]);
    let error = client.run_workflow(&run()).await.unwrap_err();
    assert_eq!(
        (error.class, error.fate),
        (Class::RateLimited, Fate::NotDone)
    );
    assert_eq!(error.retry_after, Some(std::time::Duration::from_secs(300)));
    assert!(error.server_date.is_some());
}
