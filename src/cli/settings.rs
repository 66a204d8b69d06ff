//! The settings, and the one reader of the environment.
//!
//! Duty: defaults, then `runner.toml`, then `RUNNER_SECTION_KEY`, then `--set`, into types that cannot be
//! wrong, with every mistake collected and for every value where it came from. Invariants: each setting
//! is described once, in `settings/table.rs`; the merging is pure; the environment is read once, in
//! `settings/environment.rs`, and everything else is given what it found. It knows nothing of what the
//! settings are for.

mod codes;
mod environment;
mod files;
mod resolve;
mod table;
mod telemetry;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use codes::CODES;
pub use environment::Environment;
pub use files::{TEXT_BYTES_MAX, read, read_text};
pub use resolve::{Layers, names};
pub use table::settings_markdown;
pub use telemetry::{EXPORT_TIMEOUT_MAX, Telemetry};

use crate::address::Address;

/// Everything that can be set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Where runs are kept.
    pub state: StateSettings,
    /// How the client speaks.
    pub http: HttpSettings,
    /// How long a dead network is borne.
    pub retry: RetrySettings,
    /// How lost answers to writes are settled.
    pub writes: WriteSettings,
    /// How Semaphore is watched.
    pub poll: PollSettings,
    /// Logs of jobs.
    pub logs: LogSettings,
    /// How it is found out why a pipeline ended red.
    pub triage: TriageSettings,
    /// Who is told how a command ended.
    pub heartbeat: HeartbeatSettings,
    /// What is refused or cut.
    pub limits: LimitSettings,
    origins: BTreeMap<&'static str, Given>,
}

/// Where runs are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StateSettings {
    /// The state folder; none means the user's own: [`Environment::state_folder`].
    pub dir: Option<PathBuf>,
    /// For how long ended runs are kept.
    pub keep: Duration,
}

/// How the client speaks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpSettings {
    /// The longest time for a connection.
    pub connect_timeout: Duration,
    /// The longest silence within an answer.
    pub idle_timeout: Duration,
    /// The longest time for a whole request.
    pub total_timeout: Duration,
    /// Certificates that are trusted beside those of the system.
    pub ca_file: Option<PathBuf>,
}

/// How long a dead network is borne.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RetrySettings {
    /// Once Semaphore has answered.
    pub budget: Duration,
    /// Before it has ever answered.
    pub first_contact: Duration,
}

/// How lost answers to writes are settled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WriteSettings {
    /// For how long what may have been started is looked for.
    pub settle: Duration,
    /// Whether what we start carries a mark.
    pub mark: bool,
}

/// How Semaphore is watched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PollSettings {
    /// The shortest time between two looks at the same thing.
    pub min: Duration,
    /// The longest.
    pub max: Duration,
    /// The most requests of the whole process.
    pub requests_per_second: u64,
}

/// Logs of jobs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogSettings {
    /// A longer log is cut, in bytes.
    pub max_size: u64,
}

/// How it is found out why a pipeline ended red.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TriageSettings {
    /// Of how many failed jobs the logs are read.
    pub jobs: u64,
    /// How far back the same failures count.
    pub window: Duration,
}

/// Who is told how a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeartbeatSettings {
    /// The address of a monitor; who knows it can speak for us.
    pub url: Option<Address>,
    /// Whether the beginning is told too.
    pub start: bool,
}

/// What is refused or cut.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitSettings {
    /// Of a playbook's file.
    pub playbook_bytes: u64,
    /// Of a playbook's nesting.
    pub playbook_depth: u64,
    /// Of a playbook's values, aliases filled in.
    pub playbook_nodes: u64,
    /// Of a playbook's uses of anchors.
    pub aliases: u64,
    /// Of a plan's steps.
    pub steps: u64,
    /// Of a plan's edges.
    pub edges: u64,
    /// Of the other playbooks that one uses.
    pub includes: u64,
    /// Of how deep playbooks use each other.
    pub include_depth: u64,
    /// Of a JSON answer.
    pub json_bytes: u64,
    /// Of the headers of an answer.
    pub header_bytes: u64,
    /// Of a list's pages.
    pub pages: u64,
    /// Of a report.
    pub report_bytes: u64,
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// This file.
    File(String),
    /// This environment variable.
    Env(String),
    /// The command line.
    CommandLine,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "`{path}`"),
            Self::Env(name) => write!(f, "environment variable `{name}`"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

/// A value as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Given {
    text: String,
    origin: Origin,
}

/// A line of the list of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed<'a> {
    /// Its name.
    pub name: &'static str,
    /// Its value, as it was written; empty when it has none.
    pub text: &'a str,
    /// Where the value came from.
    pub origin: &'a Origin,
}

impl Settings {
    /// What holds when nobody sets anything.
    pub fn defaults() -> Self {
        Self::resolve(&Layers::default()).0
    }

    /// All values with their origins, in the order of the table.
    pub fn listing(&self) -> Vec<Listed<'_>> {
        names()
            .filter_map(|name| {
                let given = self.origins.get(name)?;
                Some(Listed {
                    name,
                    text: &given.text,
                    origin: &given.origin,
                })
            })
            .collect()
    }

    /// The values, for the header of a run.
    pub fn snapshot(&self) -> serde_json::Value {
        self.listing()
            .into_iter()
            .map(|listed| (listed.name.to_owned(), listed.text.into()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}
