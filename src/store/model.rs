//! What a store keeps beside the events: headers, summaries, messages, owners. Plain data.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{StoreError, StoreErrorKind};
pub use crate::event::Resolution;
use crate::event::{FailureKind, PlanFile};
use crate::outcome::{RunOutcome, StepOutcome};

/// The longest id of a run: it becomes part of file names.
const RUN_ID_BYTES_MAX: usize = 100;

/// What a run needs so that it can be resumed after the checkout moved. Holds no secret value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunHeader {
    /// The id of the run.
    pub id: String,
    /// The name of the playbook.
    pub name: String,
    /// When the run was made.
    pub created_at: Timestamp,
    /// The path of the playbook, as it was given.
    pub playbook: String,
    /// The playbook and all it uses, the playbook itself first.
    pub sources: Vec<PlanFile>,
    /// The digest of the plan.
    pub digest: String,
    /// The inputs; of the secret ones only where their values came from.
    pub inputs: IndexMap<String, StoredInput>,
    /// The variables of the environment that used playbooks read, as they were when the run was made.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub env: IndexMap<String, StoredInput>,
    /// The settings that the run was made with.
    pub settings: Value,
    /// The folder that `save_to` is relative to.
    pub files_dir: String,
}

impl RunHeader {
    /// The key of the settings that says that the run's Semaphore is a simulated one.
    pub const SIMULATED: &'static str = "simulated";

    /// Whether the run's Semaphore is a simulated one.
    pub fn is_simulated(&self) -> bool {
        self.settings.get(Self::SIMULATED).and_then(Value::as_bool) == Some(true)
    }

    /// The name that its steps are remembered by.
    pub fn remembered_as(&self) -> String {
        super::history::remembered_as(&self.name, self.is_simulated())
    }
}

/// The value of an input, or where to read it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoredInput {
    /// The value.
    Value(Value),
    /// A secret: only where its value came from.
    Secret(SecretOrigin),
}

/// Where the value of a secret input came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretOrigin {
    /// This environment variable.
    Env(String),
    /// This file of inputs.
    File(String),
    /// The command line: it must be given again.
    CommandLine,
}

impl std::fmt::Display for SecretOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::File(path) => write!(f, "the file `{path}`"),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// A living process works on it.
    Running,
    /// It has not ended, and nobody works on it: it was parked, or its runner died.
    Parked,
    /// It ended.
    Ended,
}

impl RunState {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Ended => "ended",
        }
    }
}

impl std::fmt::Display for RunState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A line of the list of runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// The id of the run.
    pub id: String,
    /// The name of the playbook.
    pub name: String,
    /// The path of the playbook, as it was given.
    pub playbook: String,
    /// What it is doing.
    pub state: RunState,
    /// How it ended, when it has.
    pub outcome: Option<RunOutcome>,
    /// Why it is parked; none when its runner died without a word.
    pub parked: Option<String>,
    /// When it was made.
    pub started_at: Timestamp,
    /// When it ended, when it has.
    pub ended_at: Option<Timestamp>,
    /// Who works on it, when somebody does.
    pub owner: Option<OwnerInfo>,
}

/// How much the sessions of a run asked of Semaphore.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Requests in all.
    pub requests: u64,
    /// Requests by endpoint.
    pub by_endpoint: BTreeMap<String, u64>,
    /// Requests that were not needed since one answer served several.
    pub saved: u64,
    /// The length of all answers.
    pub bytes: u64,
}

impl Usage {
    /// Adds what another session asked.
    pub fn add(&mut self, more: &Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.saved = self.saved.saturating_add(more.saved);
        self.bytes = self.bytes.saturating_add(more.bytes);
        for (endpoint, requests) in &more.by_endpoint {
            let sum = self.by_endpoint.entry(endpoint.clone()).or_default();
            *sum = sum.saturating_add(*requests);
        }
    }
}

/// Which runs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListFilter {
    /// Only those in this state.
    pub state: Option<RunState>,
    /// Only those of the playbook of this name.
    pub name: Option<String>,
    /// At most so many.
    pub runs_max: Option<usize>,
}

/// Who holds a lock, for those who find it taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerInfo {
    /// The id of its process.
    pub pid: u32,
    /// The name of its host.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
    /// The run it works on.
    pub run: String,
}

impl std::fmt::Display for OwnerInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "process {} on {} (run `{}`, since {})",
            self.pid, self.host, self.run, self.since
        )
    }
}

/// A message to the owner of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum InboxMessage {
    /// Stop for good.
    Cancel {
        /// Who asks.
        by: String,
    },
    /// An answer to a step that waits for one.
    Answer {
        /// The step.
        step: String,
        /// Yes or no.
        approved: bool,
        /// Who.
        by: String,
    },
    /// What became of a write whose fate could not be found out.
    Resolve {
        /// The step.
        step: String,
        /// What a person found.
        resolution: Resolution,
        /// Who.
        by: String,
    },
}

impl InboxMessage {
    /// Whether it is read after the run has ended: a write of unknown fate can be settled then too.
    pub fn outlives(&self, outcome: RunOutcome) -> bool {
        matches!(self, Self::Resolve { .. }) && outcome == RunOutcome::Unknown
    }
}

/// A message with its number: numbers of a run only grow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Its number.
    pub number: u64,
    /// What it says.
    pub message: InboxMessage,
}

/// How a step of a playbook went in an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastStep {
    /// How it ended: passed or failed.
    pub outcome: StepOutcome,
    /// The class of what went wrong, when it failed.
    pub failure: Option<FailureKind>,
    /// How long it took.
    pub duration_ms: u64,
    /// How long its pipeline was in the queue, when it waited for one.
    pub queued_ms: Option<u64>,
    /// How long its pipeline ran, when it waited for one.
    pub ran_ms: Option<u64>,
    /// When it ended.
    pub at: Timestamp,
}

/// Checks the shape of an id of a run, for it goes into file names: letters, digits, `.`, `_` and `-`,
/// beginning with a letter or digit.
pub fn check_run_id(id: &str) -> Result<(), StoreError> {
    let begins = id.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let fits = id
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if begins && fits && id.len() <= RUN_ID_BYTES_MAX && id != "last" {
        return Ok(());
    }
    let shown = crate::text::clean_line(id, 60);
    Err(
        StoreError::new(StoreErrorKind::InvalidId, format!("`{shown}` cannot be the id of a run"))
            .hint(format!(
                "use up to {RUN_ID_BYTES_MAX} letters, digits, `.`, `_` and `-`, beginning with a letter or digit, and not `last`"
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_ids_are_safe_in_file_names() {
        for good in ["a", "release-1.2_x", "01J9", &"x".repeat(100)] {
            assert!(check_run_id(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "last",
            ".x",
            "../x",
            "a/b",
            "a b",
            "é",
            "a\0",
            &"x".repeat(101),
        ] {
            assert!(check_run_id(bad).is_err(), "{bad}");
        }
    }
}
