//! The simulator on a loopback socket, and behind a call in virtual time.

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use runner::clock::Clock;
use runner::diagnostic::Source;
use runner::simulator::{InProcess, Lost, Running, Scenario, Server, ServerError, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::support::{PROJECT, api, start};

fn scenario(faults: &str) -> Scenario {
    let text = format!(
        "projects:\n  - name: demo\n    id: {PROJECT}\n    pipelines:\n      .semaphore/semaphore.yml: {{ init: 1s, run: 10s }}\nfaults: [ {faults} ]\n"
    );
    Scenario::parse(&Source::new("test.yml", text)).unwrap()
}

async fn serve(faults: &str) -> Running {
    let addr: SocketAddr = "127.0.0.1:0".parse().unwrap();
    Server::start(scenario(faults), Clock::scaled(1_000), addr)
        .await
        .unwrap()
}

/// Sends a request on a connection of its own, and reads until the server closes it.
async fn raw(addr: SocketAddr, method: &str, target: &str, body: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(addr).await.unwrap();
    let request = format!(
        "{method} {target} HTTP/1.1\r\nhost: {addr}\r\nauthorization: Token admin-token\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A broken connection ends the answer, in whatever way the system says it.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

const RUN: &str = r#"{"project_id": "11111111-1111-4111-8111-111111111111", "reference": "main"}"#;

#[tokio::test]
async fn the_server_answers_like_the_function() {
    let server = serve("").await;
    let answer = raw(server.addr(), "POST", "/api/v1alpha/plumber-workflows", RUN).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(!answer.contains("content-type"), "{answer}");
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let target = format!("/api/v1alpha/pipelines?project_id={PROJECT}");
    let list = raw(server.addr(), "GET", &target, "").await;
    assert!(list.contains(body["pipeline_id"].as_str().unwrap()));
    let link = format!(
        "link: <http://{}{}&page=1",
        server.addr(),
        "/api/v1alpha/pipelines?"
    );
    assert!(list.contains(&link.replace("?&", "?")), "{list}");
    let head = raw(server.addr(), "HEAD", &target, "").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    assert_eq!(server.world().lock().unwrap().acts().len(), 1);
    server.shutdown().await;
}

#[tokio::test]
async fn faults_are_carried_out_on_the_socket() {
    let server = serve(
        "{ on: run_workflow, do: reset_after_acting }, { on: list_pipelines, do: { cut_body: 1 } }, { on: describe_project, do: { delay: 5s } }, { on: list_tasks, do: hang }",
    )
    .await;
    let addr = server.addr();
    let answer = raw(addr, "POST", "/api/v1alpha/plumber-workflows", RUN).await;
    assert_eq!(answer, "", "reset before the first byte");
    assert_eq!(server.world().lock().unwrap().acts().len(), 1, "it acted");
    let target = format!("/api/v1alpha/pipelines?project_id={PROJECT}");
    let answer = raw(addr, "GET", &target, "").await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("content-length: "), "{head}");
    assert_eq!(body, "[", "the body was cut");
    let answer = raw(addr, "GET", "/api/v1alpha/projects/demo", "").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "late, but whole");
    let target = format!("/api/v1alpha/tasks?project_id={PROJECT}");
    let hanging = tokio::spawn(async move { raw(addr, "GET", &target, "").await });
    while server.world().lock().unwrap().requests() < 4 {
        tokio::task::yield_now().await;
    }
    server.shutdown().await;
    assert_eq!(hanging.await.unwrap(), "", "no answer ever");
}

#[tokio::test]
async fn only_loopback_addresses_are_served() {
    let addr: SocketAddr = "0.0.0.0:0".parse().unwrap();
    let refused = Server::start(scenario(""), Clock::real(), addr).await;
    assert!(matches!(refused, Err(ServerError::NotLoopback(_))));
}

#[tokio::test(start_paused = true)]
async fn delays_pass_in_virtual_time() {
    let start: Timestamp = start();
    let faults = "{ on: describe_project, do: { delay: 1h } }, { on: list_projects, do: reset_before_acting }, { on: list_tasks, do: { cut_body: 3 } }, { on: list_workflows, do: hang }";
    let clock = Clock::paused(start);
    let link = InProcess::new(Simulator::new(scenario(faults), 1, start), clock);
    let reply = link.exchange(api("GET", "/projects/demo")).await.unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(clock.elapsed(), Duration::from_secs(3_600));
    let lost = link.exchange(api("GET", "/projects")).await;
    assert_eq!(lost, Err(Lost::Reset));
    let target = format!("/tasks?project_id={PROJECT}");
    let lost = link.exchange(api("GET", &target)).await;
    assert!(matches!(lost, Err(Lost::Cut(reply)) if reply.body.len() <= 3));
    let target = format!("/plumber-workflows?project_id={PROJECT}");
    let silence = link.exchange(api("GET", &target));
    let waited = tokio::time::timeout(Duration::from_secs(86_400), silence).await;
    assert!(waited.is_err(), "silence");
    let body = json!({"project_id": PROJECT, "reference": "main"});
    let run = api("POST", "/plumber-workflows").json(&body);
    assert_eq!(link.exchange(run).await.unwrap().status, 200);
}
