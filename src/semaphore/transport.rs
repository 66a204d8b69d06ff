//! What a request and an answer are, and the one trait that carries them.
//!
//! Duty: the seam between the client and whatever answers it: a server over HTTP, or the simulator in
//! the same process. Invariant: a body is only ever read through a limit. It must not know any endpoint
//! of the API, and no error here holds an address or a token.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method};
use serde_json::Value;

use crate::secret::Secret;

/// Carries one request and brings its answer.
pub trait Transport: Send + Sync {
    /// Sends a request once. Never repeats it, never follows a redirect.
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>>;
}

/// Whether a request may be repeated without a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// It changes nothing.
    Read,
    /// It may start or stop something: it travels on a connection of its own.
    Write,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// A path of the configured server, with the token.
    Own {
        /// Starts with `/`; its segments are percent-encoded.
        path: String,
        /// Names and values, not encoded.
        query: Vec<(String, String)>,
    },
    /// An address that the server handed out for a log: no token goes there, and since it holds a key
    /// of its own, nobody is shown it.
    Signed(Secret),
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub target: Target,
    /// Headers beside the token, the user agent and the content type, which the transport adds.
    pub headers: HeaderMap,
    /// The JSON body, if any.
    pub body: Option<Value>,
    /// Whether it changes something.
    pub kind: Kind,
    /// The time for everything, from the connection to the last byte of the answer.
    pub total_timeout: Duration,
    /// How much of an answer is taken.
    pub limits: AnswerLimits,
}

impl Request {
    /// A read of a path of the server.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, Kind::Read, path.into())
    }

    /// A write with the method POST.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, Kind::Write, path.into())
    }

    /// A write with the method PATCH.
    pub fn patch(path: impl Into<String>) -> Self {
        Self::new(Method::PATCH, Kind::Write, path.into())
    }

    /// A read of an address that the server handed out.
    pub fn signed(address: Secret) -> Self {
        let mut request = Self::get("/");
        request.target = Target::Signed(address);
        request
    }

    fn new(method: Method, kind: Kind, path: String) -> Self {
        Self {
            method,
            target: Target::Own {
                path,
                query: Vec::new(),
            },
            headers: HeaderMap::new(),
            body: None,
            kind,
            total_timeout: Timeouts::default().total,
            limits: AnswerLimits::default(),
        }
    }

    /// The same with one more name and value in the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        if let Target::Own { query, .. } = &mut self.target {
            query.push((name.to_owned(), value.into()));
        }
        self
    }

    /// The same with a value in the query when there is one.
    #[must_use]
    pub fn query_if(self, name: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection stands.
    pub connect: Duration,
    /// Between two pieces of an answer.
    pub idle: Duration,
    /// For everything.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            total: Duration::from_secs(60),
        }
    }
}

/// How much of an answer is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerLimits {
    /// All headers together.
    pub header_bytes_max: usize,
    /// The body, after unpacking.
    pub body_bytes_max: u64,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self {
            header_bytes_max: 64 << 10,
            body_bytes_max: 8 << 20,
        }
    }
}

/// A body as it arrives.
pub type Chunks = BoxStream<'static, Result<Bytes, TransportError>>;

/// An answer whose body was not read yet.
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, unpacked.
    pub body: Chunks,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Response({})", self.status)
    }
}

impl Response {
    /// An answer whose body is already there.
    pub fn whole(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self {
            status,
            headers,
            body: futures_util::stream::once(async move { Ok(body) }).boxed(),
        }
    }

    /// A header as text; none when it is absent or not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The whole body, if it is no larger than the limit.
    pub async fn bytes(&mut self, bytes_max: u64) -> Result<Bytes, TransportError> {
        let mut all = BytesMut::new();
        while let Some(chunk) = self.body.next().await {
            let chunk = chunk?;
            if all.len() as u64 + chunk.len() as u64 > bytes_max {
                return Err(TransportError::too_large(bytes_max));
            }
            all.extend_from_slice(&chunk);
        }
        Ok(all.freeze())
    }
}

/// Whether the server may have seen the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// Not one byte of it left.
    NotSent,
    /// It may have arrived.
    Maybe,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The name of the host has no address.
    Dns,
    /// No connection.
    Connect,
    /// The other side could not show who it is.
    Tls,
    /// Too slow.
    Timeout,
    /// The connection broke.
    Reset,
    /// The answer is larger than what is taken.
    BodyTooLarge,
    /// Anything else.
    Other,
}

/// Why there is no answer, or not all of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// Whether the server may have seen the request.
    pub sent: Sent,
    /// The kind of trouble.
    pub kind: Trouble,
    /// In words, without an address and without the token.
    pub message: String,
}

impl TransportError {
    /// An error after which the server may have seen the request.
    pub fn maybe_sent(kind: Trouble, message: impl Into<String>) -> Self {
        Self {
            sent: Sent::Maybe,
            kind,
            message: message.into(),
        }
    }

    /// An error before anything left.
    pub fn not_sent(kind: Trouble, message: impl Into<String>) -> Self {
        Self {
            sent: Sent::NotSent,
            kind,
            message: message.into(),
        }
    }

    /// An answer over its limit.
    pub fn too_large(bytes_max: u64) -> Self {
        Self::maybe_sent(
            Trouble::BodyTooLarge,
            format!("the answer is larger than {}", crate::size::show(bytes_max)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        let mut fits = Response::whole(200, HeaderMap::new(), "12345");
        assert_eq!(fits.bytes(5).await.unwrap(), "12345");
        let mut large = Response::whole(200, HeaderMap::new(), "123456");
        let error = large.bytes(5).await.unwrap_err();
        assert_eq!(error.kind, Trouble::BodyTooLarge);
        assert_eq!(error.message, "the answer is larger than 5B");
    }
}
