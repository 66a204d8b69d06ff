//! What a scenario file says: an organization, its projects and tasks, how the server behaves.
//!
//! These types mirror the file; nothing here changes while a simulation runs. They know nothing of
//! requests or of time stamps: all times are durations.

use std::time::Duration;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use super::fault::FaultRule;
use super::people::Visit;
use super::pipeline::{Parameter, Pipeline};
use super::web::WebTarget;

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
    /// For how long all this has been there when the first request can come: what people did in that
    /// time is history. Their times count from its beginning.
    #[serde(default)]
    pub past: Span,
    /// What other people do, and when.
    #[serde(default)]
    pub people: Vec<Visit>,
    /// What goes wrong on the wire.
    #[serde(default)]
    pub faults: Vec<FaultRule>,
    /// What people answer to the steps that wait for an approval, by step.
    #[serde(default)]
    pub approvals: IndexMap<String, Approval>,
    /// Other servers that a playbook speaks to.
    #[serde(default)]
    pub http: Vec<WebTarget>,
}

/// A person's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Yes.
    Approve,
    /// No.
    Reject,
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
