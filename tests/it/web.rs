//! `http`: requests to other servers, in virtual time against those of a scenario, and over a real socket.

mod certificates;
mod sockets;

use std::time::Duration;

use runner::event::{Event, FailureKind};
use runner::outcome::{RunOutcome, StepOutcome};
use serde_json::json;

use crate::rig::{CANARY_SECRET, Ran, Rig};

/// A step over some servers of a scenario.
fn run(step: &str, servers: &str) -> Ran {
    rig(step, servers).run()
}

fn rig(step: &str, servers: &str) -> Rig {
    let playbook = format!("playbook: 1\nsteps:\n  ask:\n    {step}\n");
    over(&playbook, servers)
}

fn over(playbook: &str, servers: &str) -> Rig {
    Rig::from_yaml(playbook, &format!("projects: []\nhttp:\n{servers}"))
}

fn retries(ran: &Ran) -> usize {
    let retried = |event: &Event| matches!(event, Event::CallRetried { .. });
    ran.events.iter().filter(|r| retried(&r.event)).count()
}

const GET: &str = "http: { method: GET, url: 'https://app.example.com/health?key=hidden' }";
const POST: &str = "http: { method: POST, url: 'https://hooks.example.com/a', json: { n: 1 } }";

#[test]
fn an_answer_becomes_outputs() {
    let ran = over(
        "playbook: 1\nsteps:\n  ask:\n    http: { method: GET, url: 'https://app.example.com/health?key=hidden' }\n    extract: { version: $.build.version }\n    assert: this.body.ready and this.status == 200\n  next:\n    set: { version: '{{ steps.ask.version }}', kind: '{{ steps.ask.headers[\"content-type\"] }}', from: '{{ steps.ask.headers.server }}' }\n",
        "  - { url: 'https://app.example.com/health', json: { ready: true, build: { version: '1.2' } }, headers: { Server: web } }",
    )
    .run();
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.step("ask").outputs["status"], json!(200));
    assert_eq!(ran.step("ask").outputs["body"]["ready"], json!(true));
    assert_eq!(ran.step("next").outputs["version"], json!("1.2"));
    assert_eq!(ran.step("next").outputs["kind"], json!("application/json"));
    assert_eq!(ran.step("next").outputs["from"], json!("web"));
    let sent = &ran.heard[0].request;
    assert_eq!(
        (sent.method.as_str(), sent.query.as_str()),
        ("GET", "key=hidden")
    );
    let about = ran
        .events
        .iter()
        .find_map(|recorded| match &recorded.event {
            Event::CallStarted { about, .. } => Some(about.clone()),
            _ => None,
        });
    assert_eq!(about.as_deref(), Some("GET https://app.example.com/health"));
}

#[test]
fn text_is_text_and_json_is_its_value() {
    for (server, expected) in [
        (
            "body: plain, headers: { Content-Type: text/plain }",
            json!("plain"),
        ),
        ("body: '[1, 2]'", json!([1, 2])),
        (
            "body: '[1, 2]', headers: { Content-Type: text/plain }",
            json!("[1, 2]"),
        ),
        (
            "body: '{ broken', headers: { Content-Type: application/json }",
            json!("{ broken"),
        ),
        (
            "body: '{\"a\": 1}', headers: { Content-Type: application/problem+json }",
            json!({"a": 1}),
        ),
        ("status: 204", json!("")),
    ] {
        let ran = run(GET, &format!("  - {{ url: '*', {server} }}"));
        assert_eq!(ran.step("ask").outputs["body"], expected, "{server}");
    }
}

#[test]
fn bodies_are_sent_with_their_type() {
    for (given, kind, body) in [
        (
            "json: { text: 'a \"b\"', n: [1, true] }",
            "application/json",
            r#"{"text":"a \"b\"","n":[1,true]}"#,
        ),
        (
            "form: { a: 'x y', 'b&c': 'd=e' }",
            "application/x-www-form-urlencoded",
            "a=x+y&b%26c=d%3De",
        ),
        ("body: just text", "text/plain; charset=utf-8", "just text"),
        (
            "body: <a/>, headers: { Content-Type: text/xml }",
            "text/xml",
            "<a/>",
        ),
    ] {
        let step = format!("http: {{ method: PUT, url: 'https://a.example/x', {given} }}");
        let ran = run(&step, "  - { url: '*' }");
        assert_eq!(
            ran.outcome(),
            Some(RunOutcome::Passed),
            "{:#?}",
            ran.words()
        );
        let sent = &ran.heard[0].request;
        assert_eq!(sent.get("content-type"), Some(kind));
        assert_eq!(String::from_utf8_lossy(&sent.body), body);
        assert_eq!(sent.get("authorization"), None);
    }
}

#[test]
fn what_is_not_expected_fails_with_its_status_and_still_has_outputs() {
    let ran = run(GET, "  - { url: '*', status: 404, body: 'no such thing' }");
    let step = ran.step("ask");
    assert_eq!(step.outcome, StepOutcome::Failed);
    let error = step.error.clone().unwrap();
    assert_eq!(error.kind, FailureKind::Refused);
    assert_eq!(error.status, Some(404));
    assert_eq!(
        error.message,
        "`GET https://app.example.com/health` was answered 404 Not Found: no such thing"
    );
    assert_eq!(step.outputs["body"], json!("no such thing"));
    assert_eq!(retries(&ran), 0);

    let expected = "http: { method: GET, url: 'https://a.example/x', expect: [404, 503] }";
    for status in [404, 503] {
        let ran = run(expected, &format!("  - {{ url: '*', status: {status} }}"));
        assert_eq!(ran.outcome(), Some(RunOutcome::Passed), "{status}");
    }
    let ran = run(expected, "  - { url: '*', status: 200 }");
    assert_eq!(ran.step("ask").error.clone().unwrap().status, Some(200));
}

/// What is sent again, by method and by what went wrong: how many requests, the kind in the end.
#[test]
fn the_table_of_what_is_sent_again() {
    use FailureKind as K;
    let once = "http: { method: POST, url: 'https://a.example/x' }";
    let patch = "http: { method: PATCH, url: 'https://a.example/x' }";
    let again = "http: { method: POST, url: 'https://a.example/x', idempotent: true }";
    let put = "http: { method: PUT, url: 'https://a.example/x' }";
    let get = "http: { method: GET, url: 'https://a.example/x' }";
    let table = [
        (get, "status: 503", 5, K::Server),
        (get, "status: 429", 5, K::RateLimited),
        (get, "do: reset", 5, K::Network),
        (get, "do: hang", 5, K::Timeout),
        (get, "body: whole, do: { cut_body: 2 }", 5, K::Network),
        (get, "status: 400", 1, K::Refused),
        (get, "status: 302", 1, K::Refused),
        (put, "status: 503", 5, K::Server),
        (put, "do: reset", 5, K::Network),
        (once, "status: 503", 1, K::Server),
        (once, "status: 429", 5, K::RateLimited),
        (once, "do: reset", 1, K::FateUnknown),
        (once, "do: hang", 1, K::FateUnknown),
        (once, "body: whole, do: { cut_body: 2 }", 1, K::FateUnknown),
        (once, "status: 400", 1, K::Refused),
        (patch, "do: reset", 1, K::FateUnknown),
        (again, "status: 503", 5, K::Server),
        (again, "do: reset", 5, K::Network),
        (again, "do: hang", 5, K::Timeout),
    ];
    for (step, server, requests, kind) in table {
        let ran = run(step, &format!("  - {{ url: '*', {server} }}"));
        let error = ran.step("ask").error.clone().unwrap();
        assert_eq!(error.kind, kind, "{step} {server}: {}", error.message);
        assert_eq!(ran.heard.len(), requests, "{step} {server}");
        assert_eq!(
            ran.step("ask").outcome,
            StepOutcome::Failed,
            "{step} {server}"
        );
        assert_eq!(ran.outcome(), Some(RunOutcome::Failed), "{step} {server}");
        let ended = ran
            .events
            .iter()
            .find_map(|recorded| match &recorded.event {
                Event::RunEnded(ended) => ended.failure,
                _ => None,
            });
        assert_eq!(ended, Some(K::StepFailed), "it says nothing of Semaphore");
    }
}

#[test]
fn it_goes_on_as_soon_as_the_server_does() {
    let servers = "  - { url: '*', count: 2, status: 503, headers: { Retry-After: '7' } }\n  - { url: '*', json: { ok: true } }";
    for step in [
        GET,
        "http: { method: PUT, url: 'https://a.example/x', json: 1 }",
    ] {
        let ran = run(step, servers);
        assert_eq!(
            ran.outcome(),
            Some(RunOutcome::Passed),
            "{:#?}",
            ran.words()
        );
        assert_eq!(ran.heard.len(), 3);
        assert_eq!(ran.virtual_time, Duration::from_secs(14));
    }
}

#[test]
fn a_server_that_is_away_is_waited_for_and_then_the_step_fails() {
    let refused = "  - { url: '*', do: refuse }";
    let ran = run(POST, refused);
    let error = ran.step("ask").error.clone().unwrap();
    assert_eq!(error.kind, FailureKind::Network);
    assert_eq!(ran.step("ask").outcome, StepOutcome::Failed);
    // Nothing of it was ever answered, so that a typo in the host does not hang.
    assert_eq!(ran.virtual_time, Duration::from_secs(30));
    assert!(ran.heard.iter().all(|heard| heard.status.is_none()));
    let back = "  - { url: '*', count: 3, do: refuse }\n  - { url: '*' }";
    let ran = run(POST, back);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.heard.iter().filter(|h| h.status.is_some()).count(), 1);
}

#[test]
fn the_words_of_retry_hold() {
    let step =
        "http: { method: GET, url: 'https://a.example/x' }\n    retry: { attempts: 2, on: [429] }";
    assert_eq!(run(step, "  - { url: '*', status: 503 }").heard.len(), 1);
    assert_eq!(run(step, "  - { url: '*', status: 429 }").heard.len(), 2);
}

#[test]
fn a_step_has_its_time_and_no_more() {
    let step = "http: { method: GET, url: 'https://a.example/x' }\n    timeout: 10s";
    let ran = run(step, "  - { url: '*', do: hang }");
    assert_eq!(
        ran.step("ask").error.clone().unwrap().kind,
        FailureKind::Deadline
    );
    assert_eq!(ran.virtual_time, Duration::from_secs(10));
}

#[test]
fn a_server_that_the_scenario_does_not_play_is_named() {
    let ran = run(GET, "  - { url: 'https://other.example/*' }");
    let error = ran.step("ask").error.clone().unwrap();
    assert_eq!(
        error.message,
        "`GET https://app.example.com/health`: no server of the scenario answers this: add it under `http:` of the scenario"
    );
    assert_eq!(ran.virtual_time, Duration::ZERO);
}

/// What templates make is checked before anything is sent.
#[test]
fn values_that_would_split_a_request_are_refused() {
    let playbook = "playbook: 1\ninputs: { x: { type: string } }\nsteps:\n  ask:\n    http:\n      method: POST\n      url: '{{ inputs.x if inputs.x.startswith(\"ht\") else \"https://a.example/\" }}'\n      headers: { X-Note: '{{ inputs.x }}' }\n      body: '{{ inputs.x }}'\n";
    for (value, words) in [
        (
            "a\r\nX-Evil: 1",
            "the value of the header `X-Note` holds a line break",
        ),
        ("http://plain.example/", "`url` is plain http"),
        (
            "https://me:pw@a.example/",
            "`url` holds a user name or password",
        ),
        (
            "https://a.example\\@b.example/",
            "`url` holds a character that no address has",
        ),
        ("https://a b/", "`url` holds a space"),
    ] {
        let ran = over(playbook, "  - { url: '*' }").input("x", value).run();
        let error = ran.step("ask").error.clone().unwrap();
        assert_eq!(error.kind, FailureKind::Parameter, "{value}: {error:?}");
        assert!(
            error.message.starts_with(words),
            "{value}: {}",
            error.message
        );
        assert!(ran.heard.is_empty(), "{value}");
    }
}

#[test]
fn secrets_go_where_they_are_meant_to_and_are_shown_nowhere() {
    let playbook = "playbook: 1\ninputs: { hook: { type: string, secret: true } }\nsteps:\n  tell:\n    http:\n      method: POST\n      url: 'https://a.example/{{ inputs.hook }}/x?k={{ inputs.hook }}'\n      headers: { Authorization: 'Bearer {{ inputs.hook }}' }\n      json: { text: '{{ inputs.hook }}' }\n";
    for server in ["status: 200", "status: 404", "do: reset"] {
        let echo = format!("  - {{ url: '*', body: 'you said {CANARY_SECRET}', {server} }}");
        let ran = over(playbook, &echo).secret("hook").run();
        let sent = &ran.heard[0].request;
        assert!(sent.path.contains(CANARY_SECRET) && sent.query.contains(CANARY_SECRET));
        assert!(String::from_utf8_lossy(&sent.body).contains(CANARY_SECRET));
        // The rig itself looks for it in everything that the run left behind.
    }
}

#[test]
fn the_token_of_semaphore_goes_to_semaphore_alone() {
    let playbook = "playbook: 1\ninputs: { token: { type: string } }\nsteps:\n  ask:\n    http: { method: GET, url: 'https://HOST/x', headers: { Authorization: 'Token {{ inputs.token }}' } }\n";
    for (host, goes) in [("a.example", false), ("acme.semaphore.test", true)] {
        let playbook = playbook.replace("HOST", host);
        let ran = over(&playbook, "  - { url: '*' }")
            .input("token", "admin-token")
            .run();
        assert_eq!(ran.heard.len(), usize::from(goes), "{:#?}", ran.words());
    }
}

#[test]
fn a_check_is_asked_until_it_holds() {
    let step = "http: { method: GET, url: 'https://a.example/x' }\n    until: this.body.ready\n    poll: 5s";
    let servers = "  - { url: '*', count: 2, json: { ready: false } }\n  - { url: '*', json: { ready: true } }";
    let ran = run(step, servers);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.heard.len(), 3);
    assert_eq!(ran.virtual_time, Duration::from_secs(10));
}
