//! What a scenario file says: an organization, its projects, what their pipelines do, who else is at
//! work, and what goes wrong on the wire.
//!
//! These types mirror the file; nothing here changes while a simulation runs. They know nothing of
//! requests or of time stamps: all times are durations.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use super::fault::FaultRule;
use super::people::Visit;

/// A duration with its unit, as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        crate::duration::parse(&text)
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl Span {
    /// So many seconds.
    pub const fn seconds(n: u64) -> Self {
        Self(Duration::from_secs(n))
    }

    /// So many milliseconds.
    pub const fn millis(n: u64) -> Self {
        Self(Duration::from_millis(n))
    }
}

/// A whole scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it is for, in a sentence.
    #[serde(default)]
    pub description: String,
    /// The organization that the host stands for.
    #[serde(default)]
    pub organization: Organization,
    /// Who may do what; without any there is one token of each role (`admin-token`, `reader-token`,
    /// `nobody-token`).
    #[serde(default = "default_tokens")]
    pub tokens: Vec<Token>,
    /// The projects. A name that is not here is not found.
    pub projects: Vec<Project>,
    /// How the server itself behaves.
    #[serde(default)]
    pub server: Server,
    /// What other people do, and when.
    #[serde(default)]
    pub people: Vec<Visit>,
    /// What goes wrong on the wire.
    #[serde(default)]
    pub faults: Vec<FaultRule>,
}

/// An organization.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Organization {
    /// Its name.
    pub name: String,
    /// Its id.
    pub id: String,
    /// Its host; requests to loopback names are taken as well.
    pub host: String,
}

impl Default for Organization {
    fn default() -> Self {
        Self {
            name: "acme".to_owned(),
            id: "0a0a0a0a-0000-4000-8000-000000000001".to_owned(),
            host: "acme.semaphore.test".to_owned(),
        }
    }
}

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Look, but not act.
    Reader,
    /// Nothing: a valid token without any permission.
    Nobody,
}

/// An API token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// The secret text.
    pub token: String,
    /// What it may do.
    pub role: Role,
    /// The id of the user it belongs to.
    pub user: String,
}

fn default_tokens() -> Vec<Token> {
    let token = |token: &str, role, user: &str| Token {
        token: token.to_owned(),
        role,
        user: user.to_owned(),
    };
    vec![
        token(
            "admin-token",
            Role::Admin,
            "aaaaaaaa-0000-4000-8000-00000000000a",
        ),
        token(
            "reader-token",
            Role::Reader,
            "bbbbbbbb-0000-4000-8000-00000000000b",
        ),
        token(
            "nobody-token",
            Role::Nobody,
            "cccccccc-0000-4000-8000-00000000000c",
        ),
    ]
}

/// How the server itself behaves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Server {
    /// How many pipelines that are not done one queue holds.
    pub queue_limit: usize,
    /// How many pipelines one workflow holds.
    pub workflow_pipelines_max: usize,
    /// How long after its end the promotions learn a pipeline's result; up to 5 s when not given.
    pub promotions_told_after: Option<Span>,
    /// How long a stop takes to be noticed.
    pub stop_noticed_after: Span,
    /// For how long a missing reference is looked for before the pipeline counts as stuck.
    pub reference_given_up_after: Span,
    /// How far lists lag behind.
    pub list_lag: Span,
    /// Whether redirects to logs point to where the request went, port included. The real server
    /// says `https` and loses the port.
    pub redirects_keep_origin: bool,
    /// Whether the web pages (`/jobs/…/plain_logs.json`) know API tokens.
    pub api_token_in_ui: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            queue_limit: 30,
            workflow_pipelines_max: 1_000,
            promotions_told_after: None,
            stop_noticed_after: Span::millis(500),
            reference_given_up_after: Span::seconds(120),
            list_lag: Span::default(),
            redirects_keep_origin: false,
            api_token_in_ui: false,
        }
    }
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its id; made from the name when not given.
    #[serde(default)]
    pub id: Option<String>,
    /// Whether it belongs to another organization, so that nobody here sees it.
    #[serde(default)]
    pub foreign: bool,
    /// What its pipelines do, by the path of their file. A file that is not here makes a pipeline
    /// that ends as malformed.
    #[serde(default)]
    pub pipelines: IndexMap<String, Pipeline>,
    /// What is special about some references (`refs/heads/main`); others simply exist.
    #[serde(default)]
    pub references: IndexMap<String, Reference>,
    /// Its tasks.
    #[serde(default)]
    pub tasks: Vec<Task>,
}

/// A reference of a project.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reference {
    /// The commit at its tip; made from the name when not given.
    pub commit: Option<String>,
    /// The message of that commit.
    pub message: Option<String>,
    /// Whether it does not exist.
    pub missing: bool,
}

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

/// A task: a workflow that a person or a schedule starts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// Its name.
    pub name: String,
    /// Its id; made from the name when not given.
    #[serde(default)]
    pub id: Option<String>,
    /// The reference it runs on.
    #[serde(default = "default_reference")]
    pub reference: String,
    /// The file of the pipeline that it starts.
    #[serde(default = "default_file")]
    pub pipeline_file: String,
    /// The parameters it takes.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Its schedule in cron's words; without one it is started by hand alone.
    #[serde(default)]
    pub at: Option<String>,
    /// Whether its schedule is paused.
    #[serde(default)]
    pub paused: bool,
}

pub(crate) fn default_reference() -> String {
    "refs/heads/main".to_owned()
}

/// The file of a pipeline when a request does not name one.
pub(crate) fn default_file() -> String {
    ".semaphore/semaphore.yml".to_owned()
}
