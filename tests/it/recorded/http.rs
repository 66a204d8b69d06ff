//! The transport over HTTP against a bare socket on this machine: what is really sent, and what is made
//! of servers that break off, stall, drip, flood or lie.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use indexmap::IndexMap;
use runner::ids::Id;
use runner::secret::{Redactor, Secret};
use runner::semaphore::{
    Class, Client, Endpoint, Error, Fate, HttpOptions, HttpTransport, Limits, Request, RunWorkflow,
    Sent, Timeouts, Transport as _, Trouble,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

const TOKEN: &str = "tok-0123456789-abcdef";
const ID: &str = "b94079b8-c2d0-46af-9ada-52daea2a7133";
/// A text of 256 KiB of spaces, packed by gzip.
const BOMB: &str = "\
    H4sIAAAAAAACA+3BMQ0AAAACoCrO/iH9zQA0AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA \
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAACnAzG4zX8C \
    AAQA";

/// What the server does with a request.
#[derive(Clone)]
enum Act {
    /// Answers with these bytes and keeps the connection.
    Say(Vec<u8>),
    /// Answers with these bytes and closes.
    SayAndClose(Vec<u8>),
    /// Answers with these bytes and then nothing, for ever.
    SayAndStall(Vec<u8>),
    /// Answers with these bytes and then one byte at a time.
    Drip(Vec<u8>),
}

fn ok(body: &str) -> Vec<u8> {
    answer("200 OK", "", body)
}

fn answer(status: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").into_bytes()
}

struct Server {
    address: SocketAddr,
    /// For each connection, the requests that came over it, as text.
    seen: JoinHandle<Vec<Vec<String>>>,
}

/// A server that does one act for each request, and ends after the last.
async fn serve(acts: Vec<Act>) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let mut acts = acts.into_iter();
        let mut left = acts.len();
        let mut connections = Vec::new();
        while left > 0 {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut requests = Vec::new();
            while left > 0 {
                let Some(request) = read_request(&mut socket).await else {
                    break;
                };
                requests.push(request);
                left -= 1;
                if !act(&mut socket, acts.next().unwrap()).await {
                    break;
                }
            }
            connections.push(requests);
        }
        connections
    });
    Server { address, seen }
}

/// Does an act; gives whether the connection goes on.
async fn act(socket: &mut TcpStream, act: Act) -> bool {
    // The client may have gone already: that is what some of these tests are about.
    match act {
        Act::Say(bytes) => socket.write_all(&bytes).await.is_ok(),
        Act::SayAndClose(bytes) => {
            let _ = socket.write_all(&bytes).await;
            let _ = socket.shutdown().await;
            false
        }
        Act::SayAndStall(bytes) => {
            let _ = socket.write_all(&bytes).await;
            // Waits until the client gives up.
            let _ = socket.read(&mut [0_u8; 64]).await;
            false
        }
        Act::Drip(bytes) => {
            let _ = socket.write_all(&bytes).await;
            let mut tick = tokio::time::interval(Duration::from_millis(5));
            loop {
                tick.tick().await;
                if socket.write_all(b" ").await.is_err() {
                    return false;
                }
            }
        }
    }
}

/// A request with its body, as text; none when the connection ended first.
async fn read_request(socket: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    let mut buffer = [0_u8; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")
                        .map(str::to_owned)
                })
                .map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => read.extend_from_slice(&buffer[..n]),
        }
    }
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint::new(&format!("http://{address}"), Secret::new(TOKEN)).unwrap()
}

fn client_with(address: SocketAddr, timeouts: Timeouts) -> Client {
    let options = HttpOptions {
        timeouts,
        ca_file: None,
    };
    HttpTransport::client(endpoint(address), options, Redactor::new())
}

fn client(address: SocketAddr) -> Client {
    client_with(address, Timeouts::default())
}

fn id() -> Id {
    Id::parse(ID).unwrap()
}

fn run() -> RunWorkflow {
    RunWorkflow {
        project_id: id(),
        reference: "refs/heads/main".to_owned(),
        commit_sha: None,
        pipeline_file: None,
        parameters: IndexMap::new(),
        mark: None,
    }
}

/// No error shows the token or an address of the API.
fn assert_discreet(error: &Error) {
    let shown = format!("{error} {error:?}");
    for secret in [TOKEN, "/api/v1alpha", "http://", "Authorization"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[tokio::test]
async fn a_request_carries_the_token_and_our_name_and_no_more() {
    let started = format!("{{\"workflow_id\":\"{ID}\",\"pipeline_id\":\"{ID}\"}}");
    let server = serve(vec![Act::Say(ok(&started))]).await;
    client(server.address).run_workflow(&run()).await.unwrap();
    let seen = server.seen.await.unwrap();
    let request = &seen[0][0];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    assert!(
        head.starts_with("post /api/v1alpha/plumber-workflows http/1.1\r\n"),
        "{head}"
    );
    assert!(
        head.contains(&format!("authorization: token {TOKEN}")),
        "{head}"
    );
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        head.contains(&format!(
            "user-agent: runner/{version} (semaphoreci v2.0 client)"
        )),
        "{head}"
    );
    assert!(head.contains("content-type: application/json"), "{head}");
    for unwanted in ["x-semaphore", "referer", "cookie"] {
        assert!(!head.contains(unwanted), "{head}");
    }
    assert_eq!(
        body,
        format!("{{\"project_id\":\"{ID}\",\"reference\":\"refs/heads/main\"}}")
    );
}

#[tokio::test]
async fn reads_share_a_connection_and_each_write_has_its_own() {
    let started = ok(&format!(
        "{{\"workflow_id\":\"{ID}\",\"pipeline_id\":\"{ID}\"}}"
    ));
    let list = || Act::Say(ok("[]"));
    let server = serve(vec![list(), list()]).await;
    let reads = client(server.address);
    reads.describe_topology(&id()).await.unwrap();
    reads.describe_topology(&id()).await.unwrap();
    let connections: Vec<usize> = server.seen.await.unwrap().iter().map(Vec::len).collect();
    assert_eq!(connections, [2]);

    let server = serve(vec![Act::Say(started.clone()), Act::Say(started)]).await;
    let writes = client(server.address);
    writes.run_workflow(&run()).await.unwrap();
    writes.run_workflow(&run()).await.unwrap();
    let connections: Vec<usize> = server.seen.await.unwrap().iter().map(Vec::len).collect();
    assert_eq!(connections, [1, 1]);
}

#[tokio::test]
async fn what_breaks_off_or_is_no_http_leaves_a_write_unknown() {
    let long = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"workflow_id\"".to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"wor\r\n".to_vec();
    for bytes in [
        long,
        chunked,
        b"HTTP/1.1 200 OK\r\ncont".to_vec(),
        b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
        Vec::new(),
    ] {
        let server = serve(vec![Act::SayAndClose(bytes.clone())]).await;
        let error = client(server.address)
            .run_workflow(&run())
            .await
            .unwrap_err();
        let bytes = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(
            (error.class, error.fate),
            (Class::Network, Fate::Unknown),
            "{bytes}: {error}"
        );
        assert_discreet(&error);
    }
}

#[tokio::test]
async fn a_connection_that_is_refused_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = client(address).run_workflow(&run()).await.unwrap_err();
    assert_eq!(
        (error.class, error.fate),
        (Class::Network, Fate::NotSent),
        "{error}"
    );
    assert!(error.message.contains("refused"), "{error}");
    assert_discreet(&error);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_not_shown() {
    let other = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!(
        "location: http://{}/stolen?x=1\r\n",
        other.local_addr().unwrap()
    );
    for (status, is_write) in [
        ("301 Moved", false),
        ("302 Found", true),
        ("307 Temporary", true),
    ] {
        let server = serve(vec![Act::SayAndClose(answer(status, &target, ""))]).await;
        let client = client(server.address);
        let error = if is_write {
            client.run_workflow(&run()).await.map(|_| ()).unwrap_err()
        } else {
            client.describe_job(&id()).await.map(|_| ()).unwrap_err()
        };
        assert_eq!(error.class, Class::Redirected);
        assert_eq!(error.fate == Fate::Unknown, is_write, "{status}");
        assert!(!format!("{error:?}").contains("stolen"), "{error:?}");
    }
    // Nobody came to the other server: its queue of connections is empty.
    let came = tokio::select! {
        biased;
        _ = other.accept() => true,
        () = std::future::ready(()) => false,
    };
    assert!(!came);
}

#[tokio::test]
async fn silence_and_drip_end_in_time() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-length: 9999999\r\n\r\n".to_vec();
    let idle = Timeouts {
        idle: Duration::from_millis(50),
        ..Timeouts::default()
    };
    let total = Timeouts {
        total: Duration::from_millis(60),
        ..Timeouts::default()
    };
    for (act, timeouts) in [
        (Act::SayAndStall(Vec::new()), idle),
        (Act::SayAndStall(head.clone()), idle),
        (Act::Drip(head), total),
    ] {
        let server = serve(vec![act]).await;
        let error = client_with(server.address, timeouts)
            .run_workflow(&run())
            .await
            .unwrap_err();
        assert_eq!(
            (error.class, error.fate),
            (Class::Timeout, Fate::Unknown),
            "{error}"
        );
        assert_discreet(&error);
    }
}

#[tokio::test]
async fn a_flood_is_cut_packed_or_not() {
    let bomb: String = BOMB.chars().filter(|c| !c.is_whitespace()).collect();
    let bomb = base64::engine::general_purpose::STANDARD
        .decode(bomb)
        .unwrap();
    assert!(bomb.len() < 1000);
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n",
        bomb.len()
    );
    let packed = [head.into_bytes(), bomb].concat();
    let endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n".to_vec();
    let plain = [endless, vec![b' '; 200_000]].concat();
    for (bytes, bytes_max, fits) in [
        (packed.clone(), 300_000, true),
        (packed, 100_000, false),
        (plain, 100_000, false),
    ] {
        let server = serve(vec![Act::SayAndClose(bytes)]).await;
        let client = client(server.address).with_limits(Limits {
            json_bytes_max: bytes_max,
            ..Limits::default()
        });
        let error = client.describe_topology(&id()).await.unwrap_err();
        assert_eq!(error.class, Class::InvalidAnswer);
        let expected = if fits {
            "is a text, not a list"
        } else {
            "larger than 97.6KiB"
        };
        assert!(error.message.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn headers_without_end_are_cut() {
    let headers = format!("x-flood: {}\r\n", "y".repeat(70_000));
    let server = serve(vec![Act::SayAndClose(answer("200 OK", &headers, "[]"))]).await;
    let error = client(server.address)
        .describe_topology(&id())
        .await
        .unwrap_err();
    assert!(error.message.contains("headers"), "{error}");
}

#[tokio::test]
async fn over_https_a_server_without_tls_sees_no_byte_of_http() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let first = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut buffer = [0_u8; 4096];
        let n = socket.read(&mut buffer).await.unwrap();
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n[]").await;
        buffer[..n].to_vec()
    });
    let secure = Endpoint::new(&format!("https://{address}"), Secret::new(TOKEN)).unwrap();
    let client = HttpTransport::client(secure, HttpOptions::default(), Redactor::new());
    let error = client.run_workflow(&run()).await.unwrap_err();
    assert_eq!(
        (error.class, error.fate),
        (Class::Network, Fate::NotSent),
        "{error}"
    );
    let seen = first.await.unwrap();
    assert_eq!(seen.first(), Some(&0x16), "a TLS handshake");
    assert!(!String::from_utf8_lossy(&seen).contains("tok-"));
}

#[tokio::test]
async fn the_token_stays_with_its_origin_when_a_log_is_elsewhere() {
    let elsewhere = serve(vec![Act::Say(ok(
        "{\"events\":[{\"event\":\"job_finished\"}],\"next\":null}",
    ))])
    .await;
    let location = format!(
        "location: http://{}/signed?jwt=a.b.c\r\n",
        elsewhere.address
    );
    let server = serve(vec![Act::Say(answer("302 Found", &location, ""))]).await;
    let client = client(server.address);
    let mut stream = client.log(&id()).await.unwrap();
    assert!(stream.next().await.unwrap().is_some());
    assert!(stream.next().await.unwrap().is_none());
    assert!(stream.is_complete());
    let here = server.seen.await.unwrap()[0][0].to_ascii_lowercase();
    assert!(
        here.contains(&format!("authorization: token {TOKEN}")),
        "{here}"
    );
    let there = elsewhere.seen.await.unwrap()[0][0].to_ascii_lowercase();
    assert!(
        there.starts_with("get /signed?jwt=a.b.c http/1.1"),
        "{there}"
    );
    assert!(
        !there.contains("authorization") && !there.contains("tok-"),
        "{there}"
    );
}

#[tokio::test]
async fn what_the_server_says_back_of_the_token_is_masked() {
    let body = format!("the header was Token {TOKEN}");
    let server = serve(vec![Act::SayAndClose(answer("400 Bad Request", "", &body))]).await;
    let error = client(server.address)
        .run_workflow(&run())
        .await
        .unwrap_err();
    assert_eq!(error.server_words, "the header was Token ***");
    assert_discreet(&error);
}

#[tokio::test]
async fn what_is_not_the_path_that_was_meant_is_not_sent() {
    let address: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let transport = HttpTransport::new(endpoint(address), HttpOptions::default());
    for path in ["/api/../x", "/a/%2e%2e/b", "x", "//evil.test\\x", "/a b"] {
        let error = transport.send(Request::get(path)).await.unwrap_err();
        assert_eq!(
            (error.sent, error.kind),
            (Sent::NotSent, Trouble::Other),
            "{path}"
        );
    }
    for address in [
        "http://storage.test/x",
        "ftp://127.0.0.1/x",
        "https://u:p@storage.test/x",
        "x",
    ] {
        let error = transport
            .send(Request::signed(Secret::new(address)))
            .await
            .unwrap_err();
        assert_eq!(
            (error.sent, error.kind),
            (Sent::NotSent, Trouble::Other),
            "{address}"
        );
    }
}

#[tokio::test]
async fn a_file_of_authorities_that_is_not_there_is_named_at_the_first_request() {
    let options = HttpOptions {
        ca_file: Some(PathBuf::from("/nonexistent/authorities.pem")),
        ..HttpOptions::default()
    };
    let address: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let client = HttpTransport::client(endpoint(address), options, Redactor::new());
    let error = client.describe_job(&id()).await.unwrap_err();
    assert_eq!(error.fate, Fate::NotSent);
    assert!(error.message.contains("authorities.pem"), "{error}");
}
