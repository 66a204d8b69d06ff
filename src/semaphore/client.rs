//! The client: one request, one answer, one judgement.
//!
//! Duty: to send what the endpoint files ask for, to bound and read what comes back, and to make every
//! failure an [`Error`] with its fate. Invariants: it never repeats a request, and nothing is counted
//! twice. It must not know a particular endpoint, nor what a run is.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::config::Origin;
use super::dialect::{REFUSAL_BYTES_MAX, Refusal};
use super::error::{Class, Error, Fate, http_date, retry_after};
use super::fate::{Body, Seen, of_write};
use super::json::json_of;
use super::meaning::meaning;
use super::operation::Operation;
use super::transport::{
    AnswerLimits, Kind, Request, Response, Sent, Timeouts, Transport, TransportError,
};
use super::wire::{Odd, scrub};
use crate::ids::Id;
use crate::secret::Redactor;

/// How much and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For one request.
    pub total_timeout: Duration,
    /// For one request that streams a log.
    pub log_total_timeout: Duration,
    /// Of a JSON answer, after unpacking.
    pub json_bytes_max: u64,
    /// Of the headers of an answer.
    pub header_bytes_max: usize,
    /// Of a list, or of a log that comes in parts.
    pub pages_max: u32,
    /// Of all parts of a log together, after unpacking.
    pub log_bytes_max: u64,
    /// Of one event of a log.
    pub log_event_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            total_timeout: Timeouts::default().total,
            log_total_timeout: Duration::from_secs(10 * 60),
            json_bytes_max: 8 << 20,
            header_bytes_max: 64 << 10,
            pages_max: 500,
            log_bytes_max: 256 << 20,
            log_event_bytes_max: 4 << 20,
        }
    }
}

/// An answer that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer<T> {
    /// What it says.
    pub value: T,
    /// Its JSON, without the values of environment variables.
    pub response: Value,
    /// The server's clock.
    pub server_date: Option<Timestamp>,
}

impl<T> Answer<T> {
    /// The same answer, saying something else.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Answer<U> {
        Answer {
            value: change(self.value),
            response: self.response,
            server_date: self.server_date,
        }
    }
}

/// What was asked so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Requests, sent or tried to be sent.
    pub requests: u64,
    /// The same by the name of the endpoint.
    pub by_endpoint: BTreeMap<&'static str, u64>,
    /// Bytes of bodies that were read, after unpacking.
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    by_endpoint: Mutex<BTreeMap<&'static str, u64>>,
    bytes: AtomicU64,
}

impl Counters {
    fn request(&self, operation: Operation) {
        let mut map = self
            .by_endpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *map.entry(operation.name()).or_default() += 1;
    }

    pub(super) fn bytes(&self, read: usize) {
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// The client of one organization. Cheap to clone; clones share their counters.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    origin: Origin,
    limits: Limits,
    redactor: Redactor,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({})", self.origin.url())
    }
}

/// A whole answer.
pub(super) struct Whole {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Whole {
    pub(super) fn date(&self) -> Option<Timestamp> {
        date_of(&self.headers)
    }
}

pub(super) fn date_of(headers: &HeaderMap) -> Option<Timestamp> {
    headers
        .get(http::header::DATE)?
        .to_str()
        .ok()
        .and_then(http_date)
}

impl Client {
    /// A client over a transport; the origin is for messages and links, the redactor masks what the
    /// server may say back to us.
    pub fn new(transport: Arc<dyn Transport>, origin: Origin, redactor: Redactor) -> Self {
        Self {
            transport,
            origin,
            limits: Limits::default(),
            redactor,
            counters: Arc::default(),
        }
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The host, for messages.
    pub fn host(&self) -> String {
        self.origin.host()
    }

    /// What was asked so far.
    pub fn usage(&self) -> Usage {
        let by_endpoint = self
            .counters
            .by_endpoint
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Usage {
            requests: by_endpoint.values().sum(),
            by_endpoint,
            bytes: self.counters.bytes.load(Ordering::Relaxed),
        }
    }

    /// The page of a workflow, or of one of its pipelines.
    pub fn workflow_url(&self, workflow: &Id, pipeline: Option<&Id>) -> String {
        let base = self.origin.url();
        match pipeline {
            Some(pipeline) => format!("{base}/workflows/{workflow}?pipeline_id={pipeline}"),
            None => format!("{base}/workflows/{workflow}"),
        }
    }

    /// The page of a job.
    pub fn job_url(&self, job: &Id) -> String {
        format!("{}/jobs/{job}", self.origin.url())
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Sends a request and gives the answer with its body unread.
    pub(super) async fn open(
        &self,
        operation: Operation,
        mut request: Request,
    ) -> Result<Response, Error> {
        // The word decides, so that no write can travel as a read.
        request.kind = operation.kind();
        self.counters.request(operation);
        self.transport
            .send(request)
            .await
            .map_err(|error| Error::of_transport(operation, error, &self.host()))
    }

    /// Sends a request and reads the whole answer; anything but a 2xx is an error.
    pub(super) async fn whole(
        &self,
        operation: Operation,
        mut request: Request,
    ) -> Result<Whole, Error> {
        request.total_timeout = self.limits.total_timeout;
        request.limits = AnswerLimits {
            header_bytes_max: self.limits.header_bytes_max,
            body_bytes_max: self.limits.json_bytes_max,
        };
        let mut response = self.open(operation, request).await?;
        if !(200..=299).contains(&response.status) {
            return Err(self.refused(operation, response).await);
        }
        let body = response.bytes(self.limits.json_bytes_max).await;
        let body = body.map_err(|error| self.broken(operation, &response, error))?;
        self.counters.bytes(body.len());
        Ok(Whole {
            status: response.status,
            headers: response.headers,
            body,
        })
    }

    /// Sends a request whose answer is JSON of a certain shape.
    pub(super) async fn ask<T>(
        &self,
        operation: Operation,
        request: Request,
        parse: impl FnOnce(&Value) -> Result<T, Odd>,
    ) -> Result<Answer<T>, Error> {
        let whole = self.whole(operation, request).await?;
        let json = json_of(&whole.body).map_err(|odd| self.odd(operation, &whole, &odd))?;
        let value = parse(&json).map_err(|odd| self.odd(operation, &whole, &odd))?;
        Ok(Answer {
            value,
            response: scrub::without_values(json),
            server_date: whole.date(),
        })
    }

    /// An answer that is a success by its status and something else by its body.
    pub(super) fn odd(&self, operation: Operation, whole: &Whole, odd: &Odd) -> Error {
        let host = self.host();
        let body = if whole.body.is_empty() {
            Body::Empty
        } else {
            Body::Odd
        };
        Error {
            operation,
            status: Some(whole.status),
            class: Class::InvalidAnswer,
            fate: fate_of(operation, Seen::Answer(whole.status, body)),
            server_words: String::new(),
            message: format!("the answer of `{host}` to {operation} cannot be understood: {odd}"),
            hint: Some(format!(
                "is `{host}` the host of an organization on Semaphore, and nothing in between?"
            )),
            retry_after: None,
            server_date: whole.date(),
        }
    }

    /// A success that broke off.
    pub(super) fn broken(
        &self,
        operation: Operation,
        response: &Response,
        error: TransportError,
    ) -> Error {
        let message = format!(
            "the answer of `{}` broke off: {}",
            self.host(),
            error.message
        );
        let error = TransportError {
            // The head of an answer was there, so the request was sent.
            sent: Sent::Maybe,
            ..error
        };
        Error {
            status: Some(response.status),
            fate: fate_of(operation, Seen::Answer(response.status, Body::Cut)),
            message,
            server_date: date_of(&response.headers),
            ..Error::of_transport(operation, error, &self.host())
        }
    }

    /// An answer that is no success.
    pub(super) async fn refused(&self, operation: Operation, mut response: Response) -> Error {
        let (body, cut) = beginning(&mut response).await;
        self.counters.bytes(body.len());
        let refusal = Refusal::read(&body, &self.redactor);
        let seen = match (cut, refusal.words.is_empty() && body.is_empty()) {
            (true, _) => Body::Cut,
            (false, true) => Body::Empty,
            (false, false) => Body::Odd,
        };
        let meaning = meaning(operation, response.status, &refusal, &self.host());
        let server_date = date_of(&response.headers);
        Error {
            operation,
            status: Some(response.status),
            class: meaning.class,
            fate: fate_of(operation, Seen::Answer(response.status, seen)),
            server_words: refusal.words,
            message: meaning.message,
            hint: meaning.hint,
            retry_after: response
                .header("retry-after")
                .and_then(|value| retry_after(value, server_date)),
            server_date,
        }
    }
}

fn fate_of(operation: Operation, seen: Seen) -> Fate {
    match operation.kind() {
        Kind::Read => Fate::NotDone,
        Kind::Write => of_write(seen).unwrap_or(Fate::Unknown),
    }
}

/// The beginning of a refusal, and whether it broke off: what a server says beyond it is not read.
async fn beginning(response: &mut Response) -> (Bytes, bool) {
    let mut read = BytesMut::new();
    while (read.len() as u64) < REFUSAL_BYTES_MAX {
        match response.body.next().await {
            Some(Ok(chunk)) => read.extend_from_slice(&chunk),
            Some(Err(_)) => return (read.freeze(), true),
            None => break,
        }
    }
    read.truncate(usize::try_from(REFUSAL_BYTES_MAX).unwrap_or(usize::MAX));
    (read.freeze(), false)
}
