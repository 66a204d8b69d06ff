//! A tap on the wire: counts and notes requests, plays an outage, kills the session at a request, and
//! holds each write against the rule that its intent is durable before it leaves.

use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use http::HeaderValue;
use jiff::Timestamp;
use runner::clock::Clock;
use runner::drivers::InProcessTransport;
use runner::secret::Redactor;
use runner::semaphore::{Kind, Request, Response, Transport, TransportError, Trouble};
use serde_json::Value;

use super::ledger::{Ledger, Side};

/// A request that was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    pub(crate) what: String,
    pub(crate) writes: bool,
    /// The request token or the mark of a write.
    pub(crate) token: String,
    /// Whether an open intent with that token was durable.
    pub(crate) covered: bool,
    /// Whether the token of the API was found where it must not be.
    pub(crate) leaks: bool,
}

#[derive(Default)]
pub(crate) struct Wire {
    state: Mutex<State>,
    kill: tokio::sync::Notify,
}

#[derive(Default)]
struct State {
    log: Vec<Sent>,
    requests: u64,
    crash: Option<(u64, Side)>,
    outages: Vec<(Timestamp, Timestamp)>,
}

impl Wire {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("not poisoned")
    }

    pub(crate) fn begin(&self, crash: Option<(u64, Side)>) {
        let mut state = self.state();
        state.requests = 0;
        state.crash = crash;
    }

    /// Nothing can be sent in this time.
    pub(crate) fn away(&self, from: Timestamp, until: Timestamp) {
        self.state().outages.push((from, until));
    }

    pub(crate) fn log(&self) -> Vec<Sent> {
        self.state().log.clone()
    }

    pub(crate) async fn killed(&self) {
        self.kill.notified().await;
    }
}

/// The tap of one session.
pub(crate) struct Tap {
    inner: InProcessTransport,
    wire: Arc<Wire>,
    ledger: Arc<Ledger>,
    clock: Clock,
    redactor: Redactor,
}

impl Tap {
    pub(crate) fn new(
        inner: InProcessTransport,
        wire: Arc<Wire>,
        ledger: Arc<Ledger>,
        clock: Clock,
        redactor: Redactor,
    ) -> Self {
        Self {
            inner,
            wire,
            ledger,
            clock,
            redactor,
        }
    }

    fn note(&self, request: &Request) -> (u64, Option<(u64, Side)>, bool) {
        let writes = request.kind == Kind::Write;
        let token = request.body.as_ref().map(token_of).unwrap_or_default();
        let covered = !writes || {
            let open = self.ledger.inner().open_intents("r1").unwrap_or_default();
            open.iter().any(|intent| intent.token == token)
        };
        let now = self.clock.now();
        let mut state = self.wire.state();
        state.requests += 1;
        let away = state
            .outages
            .iter()
            .any(|(from, until)| *from <= now && now < *until);
        if !away {
            state.log.push(Sent {
                at: now,
                what: format!("{} {:?}", request.method, request.target),
                writes,
                token,
                covered,
                leaks: self.redactor.finds_in(&format!("{request:?}")),
            });
        }
        (state.requests, state.crash, away)
    }

    async fn die(&self) {
        self.ledger.die();
        self.wire.kill.notify_one();
        std::future::pending::<()>().await;
    }
}

/// The token of a write: the mark of a workflow, or the request token.
fn token_of(body: &Value) -> String {
    let mark = body.pointer("/parameters/RUNNER_KEY");
    let token = mark
        .or_else(|| body.get("RUNNER_KEY"))
        .or_else(|| body.get("request_token"));
    token.and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Transport for Tap {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let (number, crash, away) = self.note(&request);
            if crash == Some((number, Side::Before)) {
                self.die().await;
            }
            if away {
                return Err(TransportError::not_sent(
                    Trouble::Connect,
                    "connection refused",
                ));
            }
            let mut reply = self.inner.send(request).await;
            if let Ok(reply) = &mut reply {
                let date = self.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT");
                let date = HeaderValue::try_from(date.to_string()).expect("a date");
                reply.headers.entry("date").or_insert(date);
            }
            if crash == Some((number, Side::After)) {
                self.die().await;
            }
            reply
        })
    }
}
