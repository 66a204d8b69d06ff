//! A server on loopback that keeps what it hears.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// `POST /path`.
    pub(crate) what: String,
    /// The headers, in lower case.
    #[cfg_attr(
        not(feature = "otel"),
        expect(dead_code, reason = "traces have headers")
    )]
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A server that answers every request with the same status.
pub(crate) struct Receiver {
    addr: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Receiver {
    pub(crate) fn new(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let kept = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(request) = request(&mut stream) else {
                    continue;
                };
                kept.lock().expect("not poisoned").push(request);
                let answer = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\nLocation: http://{addr}/elsewhere\r\n\r\n"
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { addr, heard }
    }

    /// Its address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// What it heard, in order.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("not poisoned").clone()
    }

    /// The methods and paths alone, sorted: the first ping goes beside the work.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut all: Vec<String> = self.heard().into_iter().map(|heard| heard.what).collect();
        all.sort();
        all
    }
}

fn request(stream: &mut TcpStream) -> Option<Heard> {
    let mut read = Vec::new();
    let mut some = [0; 4096];
    loop {
        if let Some(at) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&read[..at]).to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0_usize);
            if read.len() >= at + 4 + length {
                let first = String::from_utf8_lossy(&read[..at]).into_owned();
                let what = first
                    .lines()
                    .next()?
                    .trim_end_matches(" HTTP/1.1")
                    .to_owned();
                let body = read[at + 4..].to_vec();
                return Some(Heard { what, head, body });
            }
        }
        match stream.read(&mut some) {
            Ok(n) if n > 0 => read.extend_from_slice(&some[..n]),
            _ => return None,
        }
    }
}
