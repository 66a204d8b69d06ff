//! The report, version 1: frozen.
//!
//! These types are a promise to whoever reads a report. Fields may be added; a field that changes its
//! name, its meaning or its type is version 2, in a file of its own. Nothing inside the program is
//! stored in these types, and no other module's types appear in them, so that those may change freely.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What a run did, for programs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Report of a run of runner, version 1")]
pub struct Report {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub report: u8,
    /// The run itself.
    pub run: Run,
    /// The steps by their id, in the order of the plan; those of a used playbook as `step/inner`.
    pub steps: IndexMap<String, Step>,
    /// The outputs of the playbook; empty until the run ended.
    pub outputs: Map<String, Value>,
    /// The ids of the steps that the length of the run comes from, first step first.
    pub critical_path: Vec<String>,
    /// What people should know.
    pub warnings: Vec<Warning>,
    /// The limits that bit.
    pub limits_hit: Vec<LimitHit>,
    /// How much the run asked of Semaphore.
    pub api: Api,
}

/// The run itself.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// The name of the playbook.
    pub name: String,
    /// The playbook.
    pub playbook: Playbook,
    /// How it ended, or where it stands.
    pub outcome: RunOutcome,
    /// Why, in words; null when it passed.
    pub why: Option<String>,
    /// The code that the runner ended with.
    pub exit_code: u8,
    /// When it was made (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub started_at: Option<String>,
    /// When it ended (RFC 3339, UTC); null when it has not.
    #[schemars(extend("format" = "date-time"))]
    pub finished_at: Option<String>,
    /// For how many milliseconds it was worked on: time in which it was parked does not count.
    pub duration_ms: u64,
    /// The inputs; secret ones as `***`.
    pub inputs: IndexMap<String, Value>,
}

/// A playbook.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Playbook {
    /// Its path as it was given.
    pub path: String,
    /// The digest of the plan that was made of it.
    pub digest: String,
}

/// How a run ended, or where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// Every step that had to pass did.
    Passed,
    /// A step failed that was not allowed to.
    Failed,
    /// It was canceled.
    Canceled,
    /// The fate of a write could not be found out: a person must look.
    Unknown,
    /// The deadline of the whole run passed.
    Deadline,
    /// The runner stopped working on it; it can be resumed.
    Parked,
    /// It has not ended.
    Running,
}

/// How a step ended, or where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// It did what it should.
    Passed,
    /// It did not.
    Failed,
    /// Its own condition was false.
    Skipped,
    /// A need was not met.
    Blocked,
    /// The runner gave it up.
    Canceled,
    /// The fate of a write could not be found out: a person must look.
    Unknown,
    /// Its time has not come.
    Pending,
    /// It has begun and not ended.
    Running,
}

/// A step.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// The name of its action.
    pub action: String,
    /// How it ended, or where it stands.
    pub outcome: StepOutcome,
    /// Why, in words; null when it passed.
    pub why: Option<String>,
    /// The error; null when it did not fail.
    pub error: Option<Error>,
    /// The tries of its calls, in their order.
    pub attempts: Vec<Attempt>,
    /// When it began (RFC 3339, UTC); null when it never did.
    #[schemars(extend("format" = "date-time"))]
    pub started_at: Option<String>,
    /// When it ended (RFC 3339, UTC); null when it has not.
    #[schemars(extend("format" = "date-time"))]
    pub finished_at: Option<String>,
    /// For how many milliseconds it was tried.
    pub duration_ms: u64,
    /// What it needs: the ids of steps and the outcomes that will do.
    pub needs: IndexMap<String, String>,
    /// The outputs of its action, and what it extracted.
    pub outputs: Map<String, Value>,
    /// Where to look.
    pub links: Vec<Link>,
    /// What it wrote to disk.
    pub files: Vec<File>,
    /// The items of a step that runs once per item; absent for other steps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<Vec<Item>>,
    /// The pipelines that were done again because they ended badly.
    pub reruns: Vec<Rerun>,
    /// Why its pipeline ended red, as far as logs and history tell; absent when it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<Triage>,
    /// What an unknown write may have made; absent unless the outcome is `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<Candidate>>,
    /// The step that took this one back; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
}

/// One item of a step that runs once per item.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Item {
    /// The key of the item.
    pub key: String,
    /// The step that it made.
    #[serde(flatten)]
    pub step: Step,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Error {
    /// The class, as `error.kind` in playbooks.
    pub kind: String,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The HTTP status, when there was an answer.
    pub status: Option<u16>,
}

/// One try of one call.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Attempt {
    /// The word of the call.
    pub call: String,
    /// When it began (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub started_at: String,
    /// How many milliseconds it took; null when it has not ended.
    pub duration_ms: Option<u64>,
    /// What went wrong; null when nothing did.
    pub error: Option<Error>,
}

/// A page on Semaphore.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Link {
    /// What it leads to.
    pub to: String,
    /// The address.
    pub url: String,
}

/// A file that a step wrote.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct File {
    /// Where.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// The SHA-256 of its content.
    pub sha256: String,
    /// Whether a limit cut it.
    pub cut: bool,
}

/// A pipeline that was done again.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Rerun {
    /// The pipeline that ended badly.
    pub pipeline_id: Option<String>,
    /// Its result.
    pub result: Option<String>,
    /// Its reason.
    pub reason: Option<String>,
    /// The kind of its triage; absent when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub triage: Option<String>,
}

/// Why a pipeline ended red.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Triage {
    /// What it is worth.
    pub kind: TriageKind,
    /// Why it is of that kind, in words.
    pub why: String,
    /// What stays the same when the same failure happens again; empty when there is none.
    pub signature: String,
    /// How many other pipelines of the project ended with it before.
    pub seen: u64,
    /// On how many branches those were.
    pub branches: u64,
    /// How many of those passed afterwards, with the same commit.
    pub passed_later: u64,
    /// The failed jobs that were looked at.
    pub jobs: Vec<TriagedJob>,
}

/// What a red pipeline is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TriageKind {
    /// The platform or the network failed, not what was built.
    Infrastructure,
    /// Its failures come and go.
    KnownFlake,
    /// At least one of its failures is not known to come and go.
    New,
    /// There is nothing to go by.
    Unknown,
}

/// A failed job that was looked at.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct TriagedJob {
    /// Its id; empty when the pipeline had no jobs.
    pub job_id: String,
    /// Its name.
    pub job: String,
    /// The name of its block.
    pub block: String,
    /// The command that failed, or the last one when none did.
    pub command: String,
    /// What it ended with; null when it did not end, or when none failed.
    pub exit_code: Option<i64>,
    /// The signature of its failure; empty when there is nothing to go by.
    pub signature: String,
    /// How many other pipelines of the project had the same failure before.
    pub seen: u64,
    /// Why it is the platform that failed; null when it is not.
    pub infrastructure: Option<String>,
    /// The last lines that the command printed.
    pub last_lines: Vec<String>,
    /// Why there is no log; null when there is one.
    pub missing: Option<String>,
}

/// Something that an unknown write may have made.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// What it is.
    pub about: String,
}

/// Something that people should know.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Warning {
    /// The step, when it is about one.
    pub step: Option<String>,
    /// What.
    pub message: String,
}

/// A limit that bit.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LimitHit {
    /// The step, when it is about one.
    pub step: Option<String>,
    /// The name of the limit.
    pub limit: String,
    /// What was cut or refused.
    pub message: String,
}

/// How much the run asked of Semaphore, in all its sessions. Of a session that was killed only `requests` and `retries` are
/// known.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Api {
    /// Requests in all.
    pub requests: u64,
    /// Requests by endpoint.
    pub by_endpoint: IndexMap<String, u64>,
    /// Requests that repeated one that went wrong.
    pub retries: u64,
    /// Requests that were not needed since one answer served several.
    pub saved: u64,
    /// The length of all answers.
    pub bytes: u64,
}
