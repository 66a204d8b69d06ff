//! Answers that no Semaphore gives: cut, huge, deep, of the wrong type, or none at all. The run ends, says
//! what it got from where, and never takes any of them for a passed pipeline.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::program::{Finished, Program};

const LOOK: &str = "playbook: 1
steps:
  look:
    describe_pipeline: { pipeline: 6cf4569c-f76c-4dea-b293-3e4282ba1153 }
    retry: { attempts: 1 }
    assert: [\"this.result == 'passed'\"]
";

/// A listener that answers every connection in the same way, and counts them.
struct Raw {
    url: String,
    connections: Arc<AtomicUsize>,
}

impl Raw {
    fn start(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                count.fetch_add(1, Ordering::SeqCst);
                read_head(&mut stream);
                answer(&mut stream);
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
        Self { url, connections }
    }

    /// Answers with these bytes.
    fn bytes(answer: Vec<u8>) -> Self {
        Self::start(move |stream| {
            let _ = stream.write_all(&answer);
        })
    }
}

fn read_head(stream: &mut TcpStream) {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|n| n == 1) {
        seen.push(byte[0]);
    }
}

fn http(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn json(body: &str) -> Vec<u8> {
    http(
        "200 OK",
        "content-type: application/json\r\n",
        body.as_bytes(),
    )
}

fn look(raw: &Raw) -> (Program, Finished) {
    let program = Program::new()
        .with("SEMAPHORE_ORGANIZATION_URL", &raw.url)
        .with("SEMAPHORE_API_TOKEN", "some-token-1234");
    program.file("look.yml", LOOK);
    let done = program.run(&[
        "apply",
        "look.yml",
        "--report",
        "json=report.json",
        "--set",
        "http.total_timeout=2s",
        "--set",
        "http.idle_timeout=1s",
    ]);
    (program, done)
}

/// The body of an answer of the real kind, about a pipeline that did what nobody knows.
const GREAT: &str = "{\"pipeline\": {\"ppl_id\": \"6cf4569c-f76c-4dea-b293-3e4282ba1153\", \"state\": \"DONE\", \"result\": \"GREAT\"}, \"blocks\": []}";

/// Answers that are no HTTP, or no whole one; the run may be parked.
fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let mut cut = json("{\"pipeline\": {\"result\": \"passed\", \"state\": \"done\"}}");
    cut.truncate(cut.len() - 20);
    vec![
        ("no HTTP", b"\x16\x03\x01 hello\r\n\r\n".to_vec()),
        ("nothing at all", Vec::new()),
        ("a cut body", cut),
        (
            "a redirect",
            http(
                "302 Found",
                "location: https://elsewhere.example.com/\r\n",
                b"",
            ),
        ),
        (
            "a page of a proxy",
            http(
                "502 Bad Gateway",
                "content-type: text/html\r\n",
                b"<h1>bad</h1>",
            ),
        ),
        ("an outage", http("503 Service Unavailable", "", b"")),
        (
            "a limit",
            http("429 Too Many Requests", "retry-after: 1\r\n", b""),
        ),
        ("a status of its own", http("299 Fine", "", b"fine")),
        (
            "many headers",
            http("200 OK", &"x-y: z\r\n".repeat(20_000), b"{}"),
        ),
    ]
}

/// Whole answers that say nothing of use.
fn useless() -> Vec<(&'static str, Vec<u8>)> {
    let huge = format!("{{\"x\":\"{}\"}}", "y".repeat(9 << 20));
    vec![
        ("no JSON", json("<html>sign in</html>")),
        ("another type", json("[1, 2, 3]")),
        ("null", json("null")),
        ("an empty object", json("{}")),
        (
            "wrong types",
            json("{\"pipeline\": {\"ppl_id\": 5, \"result\": [\"PASSED\"]}}"),
        ),
        ("an unknown result", json(GREAT)),
        ("deep JSON", json(&"[".repeat(200_000))),
        ("a huge answer", json(&huge)),
        ("no UTF-8", http("200 OK", "", b"{\"a\": \"\xff\xfe\"}")),
        (
            "no such thing",
            http("404 Not Found", "", b"{\"message\": \"Not found\"}"),
        ),
        (
            "control characters",
            json("{\"message\": \"\\u001b[2J\\u0007::error::x\"}"),
        ),
    ]
}

fn refused(name: &str, answer: Vec<u8>, codes: &[i32]) {
    let raw = Raw::bytes(answer);
    let (program, done) = look(&raw);
    assert!(
        codes.contains(&done.code),
        "{name}: {}\n{}{}",
        done.code,
        done.out,
        done.err
    );
    assert!(raw.connections.load(Ordering::SeqCst) > 0, "{name}");
    let report = program.report("report.json");
    assert_ne!(report["run"]["outcome"], "passed", "{name}");
    let error = &report["steps"]["look"]["error"];
    let message = error["message"].as_str();
    assert!(message.is_some_and(|m| !m.is_empty()), "{name}: {error}");
    for text in [&done.out, &done.err] {
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{name}");
        assert!(!text.lines().any(|line| line.starts_with("::")), "{name}");
        assert!(!text.contains("panicked"), "{name}: {text}");
    }
}

#[test]
fn broken_answers_are_named_and_never_taken_for_passed() {
    for (name, answer) in broken() {
        refused(name, answer, &[1, 7]);
    }
}

#[test]
fn useless_answers_are_named_and_never_taken_for_passed() {
    for (name, answer) in useless() {
        refused(name, answer, &[1]);
    }
}

#[test]
fn silence_is_not_waited_for_for_ever() {
    let raw = Raw::start(|stream| {
        // Silence until the other side has had enough.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
    });
    let (program, done) = look(&raw);
    assert_eq!(done.code, 7, "{}{}", done.out, done.err);
    let report = program.report("report.json");
    assert_ne!(report["run"]["outcome"], "passed");
}

/// A redirect is not followed: the token goes to its own host alone.
#[test]
fn the_token_does_not_follow_a_redirect() {
    let other = Raw::bytes(json("{}"));
    let location = format!("location: {}/api/v1alpha/pipelines/x\r\n", other.url);
    let raw = Raw::bytes(http("307 Temporary Redirect", &location, b""));
    let (_, done) = look(&raw);
    assert_ne!(done.code, 0);
    assert_eq!(other.connections.load(Ordering::SeqCst), 0);
}
