//! What became of a call to the outside: its answer, or a failure with its kind and its fate.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::run::FileWritten;

/// Which call: unique within a run, the same after a resume.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EffectKey {
    /// The step.
    pub step: String,
    /// The number of the call within the step, from 1. A retry has the number of what it repeats.
    pub call: u32,
    /// Which try of that call, from 1.
    pub attempt: u32,
}

impl std::fmt::Display for EffectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}#{}.{}", self.step, self.call, self.attempt)
    }
}

/// What became of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// When the effect began with it.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How many requests it took.
    pub requests: u32,
    /// Whether an earlier session was about to send the same write, and never learnt what came of it. Then a
    /// failure says nothing of that one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// The answer, or what went wrong.
    pub result: Result<Answer, Failure>,
}

/// What a call gave.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The normalised answer; each call says its shape.
    pub value: Value,
    /// The raw JSON of the last API answer, without the values of environment variables.
    pub response: Option<Value>,
    /// What was written to disk.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FileWritten>,
    /// Limits that bit: name and words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<(String, String)>,
}

/// What we could not find out or were not allowed to do. Never a red pipeline found by a wait: that is
/// a value, until a step says that it wanted another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The class.
    pub kind: FailureKind,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
    /// Whether what was asked may have happened.
    pub fate: Fate,
    /// When the server wants to be asked again.
    pub retry_after_ms: Option<u64>,
    /// What an unknown write may have made: ids with words, for a person to choose from.
    pub candidates: Vec<Candidate>,
    /// The JSON that the server answered, when it has to do with the failure.
    pub response: Option<Box<Value>>,
    /// Whether it is about another address than Semaphore's: then it says nothing of Semaphore, and
    /// nobody can look there for what happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
}

impl Failure {
    /// A failure that nothing was sent for.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
            status: None,
            fate: Fate::NotDone,
            retry_after_ms: None,
            candidates: Vec::new(),
            response: None,
            elsewhere: false,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with another fate.
    #[must_use]
    pub fn fate(mut self, fate: Fate) -> Self {
        self.fate = fate;
        self
    }
}

/// Something that an unknown write may have made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// What it is, for a person.
    pub about: String,
}

/// Whether what a call asked for may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The request never left, or never reached a server.
    NotSent,
    /// The server said no: nothing happened.
    NotDone,
    /// Nobody knows.
    Unknown,
}

/// The class of a failure: what `error.kind` says in playbooks and reports.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection: nothing was sent, or the line broke.
    Network,
    /// Sent, but no answer in time.
    Timeout,
    /// 429.
    RateLimited,
    /// 5xx.
    Server,
    /// 403 with an empty body: the authorisation service of Semaphore is in trouble.
    AuthOutage,
    /// The token is missing or wrong.
    Unauthorized,
    /// The token may not do this.
    Permission,
    /// 404.
    NotFound,
    /// Any other no of the server.
    Refused,
    /// The full queue: nothing was started, and it may be asked again.
    QueueFull,
    /// A promotion was refused because Semaphore does not see the pipeline as passed (yet).
    NotPassed,
    /// An answer that could not be understood.
    InvalidAnswer,
    /// The fate of a write could not be found out.
    FateUnknown,
    /// A limit of ours.
    Limit,
    /// A file could not be written or read.
    File,
    /// A deadline passed.
    Deadline,
    /// The pipeline ended red.
    PipelineFailed,
    /// The pipeline was stopped or canceled.
    PipelineStopped,
    /// The promotion could not be scheduled.
    PromotionFailed,
    /// An `assert` did not hold.
    Assert,
    /// A `check` did not hold.
    Check,
    /// A `fail` step.
    Fail,
    /// An `extract` found none or several.
    Extract,
    /// A template could not be filled in.
    Template,
    /// A parameter came out wrong.
    Parameter,
    /// A person said no.
    Rejected,
    /// The run was told to stop.
    Canceled,
    /// Another run holds the concurrency group.
    Locked,
    /// A step failed that was not allowed to (of a whole run).
    StepFailed,
    /// A broken invariant: a bug in runner.
    Bug,
}

impl FailureKind {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::RateLimited => "rate_limited",
            Self::Server => "server",
            Self::AuthOutage => "auth_outage",
            Self::Unauthorized => "unauthorized",
            Self::Permission => "permission",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::QueueFull => "queue_full",
            Self::NotPassed => "not_passed",
            Self::InvalidAnswer => "invalid_answer",
            Self::FateUnknown => "fate_unknown",
            Self::Limit => "limit",
            Self::File => "file",
            Self::Deadline => "deadline",
            Self::PipelineFailed => "pipeline_failed",
            Self::PipelineStopped => "pipeline_stopped",
            Self::PromotionFailed => "promotion_failed",
            Self::Assert => "assert",
            Self::Check => "check",
            Self::Fail => "fail",
            Self::Extract => "extract",
            Self::Template => "template",
            Self::Parameter => "parameter",
            Self::Rejected => "rejected",
            Self::Canceled => "canceled",
            Self::Locked => "locked",
            Self::StepFailed => "step_failed",
            Self::Bug => "bug",
        }
    }
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// That a write is about to be sent: on disk before the request leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The call.
    pub key: EffectKey,
    /// The request token, for calls that have one; else the mark.
    pub token: String,
    /// What was there before: the newest ids of the list in which the write would show.
    pub fence: Vec<String>,
    /// The server's time when the fence was read, when it said one.
    pub server_time: Option<Timestamp>,
}
