//! What a run is, beside its plan and inputs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::params::read_duration;
use super::retry::Budget;
use super::scope::Shared;
use crate::plan::Plan;
use crate::template::LocatedError;

/// What a run is, beside its plan and inputs.
#[derive(Debug, Clone)]
pub struct RunInfo {
    /// Its id.
    pub id: String,
    /// A random number made with the run: tokens and jitter are derived from it.
    pub salt: String,
    /// The path of the playbook, as it was given.
    pub path: String,
    /// The version of the runner.
    pub runner: String,
    /// The address of the Semaphore job around us, or empty.
    pub url: String,
    /// When the run was made.
    pub started_at: Timestamp,
    /// The time of the whole run, when it was given beside the playbook.
    pub timeout: Option<Duration>,
    /// For how long the network may be away.
    pub budget: Budget,
    /// Whether new pipelines are marked as ours.
    pub mark: bool,
    /// Of how many failed jobs of a red pipeline the logs are read to find out why; 0 for none.
    pub triage: u32,
}

/// Why a run could not begin: nothing was sent.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StartError {
    /// A template of the playbook itself could not be filled in.
    #[error(transparent)]
    Template(#[from] LocatedError),
    /// The time of the whole run came out as something else.
    #[error("the `timeout` of the playbook came out as {0}, which is no duration")]
    Timeout(String),
}

/// The deadline of a run that does not say its own.
pub const RUN_TIMEOUT_DEFAULT: Duration = Duration::from_secs(24 * 3600);

/// What `run` shows.
pub(super) fn run_value(run: &RunInfo, plan: &Plan) -> Value {
    json!({
        "id": run.id, "name": plan.name, "url": run.url, "started_at": run.started_at.to_string(),
    })
}

pub(super) fn run_timeout(
    run: &RunInfo,
    plan: &Plan,
    shared: &Shared,
) -> Result<Duration, StartError> {
    if let Some(given) = run.timeout {
        return Ok(given);
    }
    let Some(tree) = &plan.timeout else {
        return Ok(RUN_TIMEOUT_DEFAULT);
    };
    match tree.render(&shared.scope())? {
        None => Ok(RUN_TIMEOUT_DEFAULT),
        Some(value) => read_duration(&value).ok_or_else(|| StartError::Timeout(value.to_string())),
    }
}
