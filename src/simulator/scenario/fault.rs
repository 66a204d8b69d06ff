//! What goes wrong on the wire, and when: rules that match requests.

use indexmap::IndexMap;
use serde::Deserialize;

use super::model::Span;

/// A rule: which requests it hits, how often, and what happens to them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// The name of an endpoint (`run_workflow`), `reads`, `writes`, `any`, or a method and a path in
    /// which `*` stands for anything (`GET /api/v1alpha/pipelines/*`).
    pub on: String,
    /// The first matching request that is hit, from 1.
    #[serde(default = "first")]
    pub nth: u64,
    /// How many are hit. When not given: one, or all when `from`, `until` or `percent` is given.
    #[serde(default)]
    pub count: Option<u64>,
    /// Not before this time since the start.
    #[serde(default)]
    pub from: Option<Span>,
    /// Not from this time since the start on.
    #[serde(default)]
    pub until: Option<Span>,
    /// How many of a hundred matching requests are hit, by chance (a function of the seed).
    #[serde(default)]
    pub percent: Option<u8>,
    /// What happens.
    #[serde(rename = "do")]
    pub mishap: Mishap,
}

const fn first() -> u64 {
    1
}

impl FaultRule {
    /// How many matching requests are hit at the most.
    pub fn count_max(&self) -> u64 {
        let open = self.from.is_some() || self.until.is_some() || self.percent.is_some();
        self.count.unwrap_or(if open { u64::MAX } else { 1 })
    }
}

/// What happens to a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mishap {
    /// Something else answers.
    Answer(Answer),
    /// The connection breaks before the server acts.
    ResetBeforeActing,
    /// The server acts, and the connection breaks before its answer.
    ResetAfterActing,
    /// The server acts and never answers.
    Hang,
    /// The server acts at once, and its answer comes late.
    Delay(Span),
    /// Only so many bytes of the body arrive.
    CutBody(usize),
    /// The answer is 500 after 5 s, and the server acts all the same: at once, or so much later.
    SlowBackend(Span),
    /// 429 with `Retry-After`.
    RateLimit(Span),
    /// Lists lag so far behind.
    StaleList(Span),
}

/// An answer that is given instead.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its body.
    #[serde(default)]
    pub body: String,
    /// Its headers.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Whether the server acts before.
    #[serde(default)]
    pub acts: bool,
}
