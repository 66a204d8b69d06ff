//! The way to other addresses than Semaphore's.
//!
//! Duty: the seam between the action `http` and whatever carries its requests: the network, or a
//! simulator in the same process. Invariants: nothing is repeated, no redirect is followed, and there is
//! no token here that could be sent along. It must not know what a request is for.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method};
use std::time::Duration;

use crate::address::Address;
use crate::semaphore::{AnswerLimits, Response, TransportError};

/// Carries one request to any address and brings its answer.
pub trait Web: Send + Sync {
    /// Sends a request once. Never repeats it, never follows a redirect.
    fn send(&self, request: WebRequest) -> BoxFuture<'_, Result<Response, TransportError>>;
}

/// One request.
#[derive(Debug, Clone)]
pub struct WebRequest {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub address: Address,
    /// Its headers.
    pub headers: HeaderMap,
    /// What is sent along.
    pub body: Option<Bytes>,
    /// The time for everything, from the connection to the last byte of the answer.
    pub total_timeout: Duration,
    /// How much of an answer is taken.
    pub limits: AnswerLimits,
}
