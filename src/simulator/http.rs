//! A request as it arrived and a reply as it is to leave: plain data without a socket.

use std::time::Duration;

/// A request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, `PATCH`, …
    pub method: String,
    /// The path as it was sent, percent-encoded, without the query.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// The headers in their order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without headers and body; the target is a path with or without a query.
    pub fn new(method: &str, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// The same with a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with the header `Authorization: Token …`.
    #[must_use]
    pub fn token(self, token: &str) -> Self {
        let value = format!("Token {token}");
        self.header("Authorization", &value)
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("Content-Type", "application/json")
    }

    /// The first header of a name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }
}

/// What happens to a reply on its way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Fault {
    /// It arrives.
    #[default]
    None,
    /// There is no connection: the request never leaves.
    Refused,
    /// The connection stays open and silent.
    NeverAnswer,
    /// The connection breaks; the server did not act.
    ResetBeforeActing,
    /// The connection breaks; the server has acted.
    ResetAfterActing,
    /// Only so many bytes of the body arrive, then the connection breaks.
    CutBody(usize),
    /// It arrives so much later.
    Delay(Duration),
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers that the server sets itself; the transport adds the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// What happens to it on its way.
    pub fault: Fault,
}

impl Reply {
    /// The first header of a name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Dates the answer. The stamps in answers are of the simulated clock, and so is the date, with which
    /// clients compare them; over HTTP the library would otherwise send that of this machine.
    pub(super) fn date(&mut self, now: jiff::Timestamp) {
        if self.get("date").is_none() {
            let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            self.headers.push(("date".to_owned(), date));
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
