//! Other servers than Semaphore: what answers a playbook's own requests.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::model::Span;

/// A rule: which requests it answers, and how. The first rule that still answers takes a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebTarget {
    /// The address without its query; `*` stands for anything.
    pub url: String,
    /// The method; any when not given.
    #[serde(default)]
    pub method: Option<String>,
    /// The first matching request that it answers, from 1.
    #[serde(default = "first")]
    pub nth: u64,
    /// How many it answers; all when not given.
    #[serde(default)]
    pub count: Option<u64>,
    /// The status of the answer.
    #[serde(default = "ok")]
    pub status: u16,
    /// Its headers.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Its body as text.
    #[serde(default)]
    pub body: Option<String>,
    /// Its body as JSON.
    #[serde(default)]
    pub json: Option<Value>,
    /// What goes wrong instead.
    #[serde(default, rename = "do")]
    pub mishap: Option<WebMishap>,
}

const fn first() -> u64 {
    1
}

const fn ok() -> u16 {
    200
}

/// What goes wrong with a request to another server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebMishap {
    /// There is no connection: nothing was sent.
    Refuse,
    /// The request arrives, and the connection breaks before the answer.
    Reset,
    /// The request arrives, and there is never an answer.
    Hang,
    /// The answer comes late.
    Delay(Span),
    /// Only so many bytes of the body arrive.
    CutBody(usize),
}
