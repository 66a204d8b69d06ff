//! A transport that writes down what passes it: which endpoint was asked, when, and with what.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::clock::Clock;
use crate::drivers::InProcessTransport;
use crate::semaphore::{Kind, Request, Response, Target, Transport, TransportError};
use crate::simulator::{Request as Plain, endpoint_of};

/// A request that was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    /// How long after the start of the run.
    pub(super) after: Duration,
    /// The endpoint; empty when it is none.
    pub(super) endpoint: &'static str,
    /// Whether it changes something.
    pub(super) writes: bool,
    /// Query and body in one map, and the `id` of the path.
    pub(super) parameters: Map<String, Value>,
    /// What came back: a status, or that nothing did.
    pub(super) status: Option<u16>,
}

/// The log of a run's requests, over all its sessions.
pub(super) type Log = Arc<Mutex<Vec<Sent>>>;

/// Passes requests on and writes them down.
pub(super) struct Recording {
    pub(super) inner: InProcessTransport,
    pub(super) log: Log,
    pub(super) clock: Clock,
    /// What had passed of the run when this session began.
    pub(super) before: Duration,
}

impl Transport for Recording {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let sent = self.seen(&request);
            let at = {
                let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
                log.push(sent);
                log.len() - 1
            };
            let answer = self.inner.send(request).await;
            if let Ok(answer) = &answer {
                let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(sent) = log.get_mut(at) {
                    sent.status = Some(answer.status);
                }
            }
            answer
        })
    }
}

impl Recording {
    fn seen(&self, request: &Request) -> Sent {
        let mut parameters = Map::new();
        let mut path = "/";
        if let Target::Own { path: own, query } = &request.target {
            path = own;
            for (name, value) in query {
                parameters.insert(name.clone(), Value::String(value.clone()));
            }
        }
        if let Some(Value::Object(body)) = &request.body {
            parameters.extend(body.clone());
        }
        let found = endpoint_of(&Plain::new(request.method.as_str(), path));
        let (endpoint, id) = found.unwrap_or_default();
        if !id.is_empty() {
            parameters.insert("id".to_owned(), Value::String(id));
        }
        Sent {
            after: self.before + self.clock.elapsed(),
            endpoint,
            writes: request.kind == Kind::Write,
            parameters,
            status: None,
        }
    }
}
