//! What a scenario file says about pipelines: blocks, jobs, promotions, and how runs differ.

use indexmap::IndexMap;
use serde::Deserialize;

use super::model::Span;

/// How something ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It went well.
    Passed,
    /// It did not.
    Failed,
    /// It was stopped while it ran.
    Stopped,
    /// It never ran.
    Canceled,
}

/// Why something ended badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A job failed; also what the server says when there is no reason.
    Test,
    /// The file is wrong.
    Malformed,
    /// The platform gave up.
    Stuck,
    /// A person did it.
    User,
    /// The platform's own mistake.
    Internal,
    /// A newer pipeline took over.
    Strategy,
    /// Another part failed first.
    FastFailing,
    /// It was deleted.
    Deleted,
    /// It took too long.
    Timeout,
    /// It was left out on purpose (blocks only).
    Skipped,
}

/// What a pipeline does.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pipeline {
    /// Its name.
    pub name: Option<String>,
    /// How long it is initializing (3 s when not given).
    pub init: Option<Span>,
    /// How long it waits in its queue, at the least.
    pub queue: Option<Span>,
    /// How long it runs: of the one job when there are no blocks, else after which it is ended.
    pub run: Option<Span>,
    /// How it ends, whatever its jobs do.
    pub result: Option<Verdict>,
    /// Why it ends so.
    pub reason: Option<Reason>,
    /// The error description of a malformed one.
    pub error: Option<String>,
    /// Whether its queue lets pipelines run side by side.
    pub parallel: bool,
    /// Whether jobs run after its end.
    pub after_pipeline: bool,
    /// Its blocks.
    pub blocks: Vec<Block>,
    /// Its promotions.
    pub promotions: Vec<Promotion>,
    /// What is different in its first run, its second, and so on; the last holds for all later ones.
    /// Runs are counted per reference.
    pub runs: Vec<Change>,
    /// Runs of some references (`refs/heads/fail-*`), instead of `runs`.
    pub references: IndexMap<String, Vec<Change>>,
}

/// A block of jobs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Its name.
    pub name: String,
    /// The names of the blocks that must have passed before.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Whether a condition leaves it out.
    #[serde(default)]
    pub skipped: bool,
    /// Its jobs.
    #[serde(default)]
    pub jobs: Vec<Job>,
}

/// A job.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// How long it waits for an agent.
    #[serde(default = "default_wait")]
    pub wait: Span,
    /// How long it runs.
    #[serde(default = "default_run")]
    pub run: Span,
    /// How it ends.
    #[serde(default = "default_verdict")]
    pub result: Verdict,
    /// The exit code of its last command; when not given 1 for a failed job, else 0.
    #[serde(default)]
    pub exit_code: Option<i64>,
    /// Its commands and what they print.
    #[serde(default)]
    pub log: Vec<Command>,
    /// Whether two events of its log run into each other, so that the answer is no JSON.
    #[serde(default)]
    pub log_corrupt: bool,
    /// Whether it runs on an agent of our own, whose logs are elsewhere.
    #[serde(default)]
    pub self_hosted: bool,
    /// Why it never started: it waits as long as it would have run, and ends as failed.
    #[serde(default)]
    pub never_started: Option<String>,
}

const fn default_wait() -> Span {
    Span::seconds(1)
}

const fn default_run() -> Span {
    Span::seconds(30)
}

const fn default_verdict() -> Verdict {
    Verdict::Passed
}

/// A command of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The command line.
    pub command: String,
    /// What it prints.
    #[serde(default)]
    pub output: String,
    /// Its exit code.
    #[serde(default)]
    pub exit_code: Option<i64>,
}

/// What is different in one run of a pipeline.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Change {
    /// As in the pipeline.
    pub init: Option<Span>,
    /// As in the pipeline.
    pub queue: Option<Span>,
    /// As in the pipeline.
    pub run: Option<Span>,
    /// As in the pipeline.
    pub result: Option<Verdict>,
    /// As in the pipeline.
    pub reason: Option<Reason>,
    /// As in the pipeline.
    pub error: Option<String>,
    /// What is different in its jobs, by name.
    pub jobs: IndexMap<String, JobChange>,
}

/// What is different in one job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct JobChange {
    /// As in the job.
    pub wait: Option<Span>,
    /// As in the job.
    pub run: Option<Span>,
    /// As in the job.
    pub result: Option<Verdict>,
    /// As in the job.
    pub exit_code: Option<i64>,
    /// As in the job.
    pub log: Option<Vec<Command>>,
    /// As in the job.
    pub never_started: Option<String>,
}

/// A promotion of a pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Its name.
    pub name: String,
    /// The file of the pipeline that it starts.
    pub pipeline_file: String,
    /// The parameters it takes.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// After which results it starts by itself.
    #[serde(default)]
    pub auto: Vec<Verdict>,
    /// Why its deployment target refuses (`deployment target is cordoned`).
    #[serde(default)]
    pub deployment_target: Option<String>,
    /// How long the start of its pipeline takes.
    #[serde(default = "default_schedule")]
    pub schedule: Span,
    /// What becomes of its event.
    #[serde(default)]
    pub event: EventFate,
}

const fn default_schedule() -> Span {
    Span::millis(300)
}

/// What becomes of the event of a promotion.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventFate {
    /// Its pipeline is made.
    #[default]
    Passes,
    /// Its pipeline cannot be made.
    Fails,
    /// It never shows up: the deployment target refuses after the answer was given.
    Vanishes,
}

/// A parameter of a promotion or a task.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// The values that are allowed; all, when empty.
    #[serde(default)]
    pub options: Vec<String>,
    /// What holds when it is not given.
    #[serde(default)]
    pub default: Option<String>,
}
