//! The way over the network, against a listener on this machine.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use runner::address::Address;
use runner::effects::{ReqwestWeb, Web as _, WebRequest};
use runner::semaphore::{
    AnswerLimits, HttpOptions, Response, Sent, Timeouts, TransportError, Trouble,
};

/// A server that answers every connection with the same bytes, and keeps what it heard.
struct Listener {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn new(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let text = request_of(&mut stream);
                kept.lock().expect("not poisoned").push(text);
                let _ = stream.write_all(answer);
            }
        });
        Self { addr, heard }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("not poisoned").clone()
    }
}

fn request_of(stream: &mut std::net::TcpStream) -> String {
    let mut read = Vec::new();
    let mut some = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut some) {
            Ok(n) if n > 0 => read.extend_from_slice(&some[..n]),
            _ => return text,
        }
    }
}

fn send(
    addr: SocketAddr,
    method: Method,
    body: Option<&'static str>,
) -> Result<(Response, String), TransportError> {
    let request = WebRequest {
        method,
        address: Address::parse(&format!("http://{addr}/a/../b?q=%20x")).expect("an address"),
        headers: HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            http::HeaderValue::from_static("Bearer own"),
        )]),
        body: body.map(Bytes::from),
        total_timeout: Duration::from_secs(5),
        limits: AnswerLimits {
            body_bytes_max: 1_000,
            ..AnswerLimits::default()
        },
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let web = ReqwestWeb::new(HttpOptions {
            timeouts: Timeouts::default(),
            ca_file: None,
        });
        let mut response = web.send(request).await?;
        let body = response.bytes(1_000).await?;
        Ok((response, String::from_utf8_lossy(&body).into_owned()))
    })
}

#[test]
fn a_request_goes_over_the_wire_as_it_was_meant() {
    let listener = Listener::new(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-A: 1\r\n\r\nok");
    let (response, body) = send(listener.addr, Method::POST, Some("hello")).expect("an answer");
    assert_eq!((response.status, body.as_str()), (201, "ok"));
    assert_eq!(response.header("x-a"), Some("1"));
    let heard = listener.heard();
    assert_eq!(heard.len(), 1);
    let heard = heard[0].to_ascii_lowercase();
    assert!(heard.starts_with("post /b?q=%20x http/1.1\r\n"), "{heard}");
    assert!(
        heard.contains("\r\nauthorization: bearer own\r\n"),
        "{heard}"
    );
    assert!(heard.contains("\r\nuser-agent: runner/"), "{heard}");
    assert!(heard.ends_with("\r\n\r\nhello"), "{heard}");
}

#[test]
fn redirects_are_answers_and_nothing_is_repeated() {
    let target = Listener::new(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let location = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://{}/\r\nContent-Length: 0\r\n\r\n",
        target.addr
    );
    let listener = Listener::new(location.leak().as_bytes());
    let (response, _) = send(listener.addr, Method::POST, Some("x")).expect("an answer");
    assert_eq!(response.status, 307);
    assert_eq!((listener.heard().len(), target.heard().len()), (1, 0));

    let silent = Listener::new(b"");
    let error = send(silent.addr, Method::POST, Some("x")).expect_err("no answer");
    assert_eq!(error.sent, Sent::Maybe);
    assert_eq!(silent.heard().len(), 1, "it was sent once");
}

#[test]
fn an_answer_has_its_limit_and_a_closed_port_was_never_reached() {
    let large = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n{}",
        "x".repeat(2_000)
    );
    let listener = Listener::new(large.leak().as_bytes());
    let error = send(listener.addr, Method::GET, None).expect_err("too large");
    assert_eq!(error.kind, Trouble::BodyTooLarge);

    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address")
    };
    let error = send(closed, Method::POST, Some("x")).expect_err("nobody listens");
    assert_eq!((error.sent, error.kind), (Sent::NotSent, Trouble::Connect));
    assert!(!error.message.contains("/b"), "{}", error.message);
}
