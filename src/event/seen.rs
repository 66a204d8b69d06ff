//! What running steps are seen doing: kept lossily, for people only; the machine never reads it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a running step is seen doing: for people, kept lossily.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// The step.
    pub step: String,
    /// When it was seen.
    pub at: Timestamp,
    /// What was seen.
    pub seen: Seen,
}

/// What can be seen of a running step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum Seen {
    /// A pipeline that is waited for.
    Pipeline {
        /// Its id.
        pipeline_id: String,
        /// Its name.
        name: String,
        /// Its state, lower case.
        state: String,
        /// For how long it was queued, when it is known.
        queued_ms: Option<u64>,
        /// For how long it has run, when it runs.
        running_ms: Option<u64>,
        /// Blocks that are done, and all blocks, when they are known.
        blocks: Option<(u32, u32)>,
        /// The blocks that run when those that run now are done, when it was asked for.
        #[serde(default)]
        next_blocks: Vec<String>,
        /// Jobs that have failed so far.
        failed_jobs: Vec<String>,
        /// The page of it.
        url: String,
    },
    /// Something goes wrong at the moment, and is tried again.
    Trouble {
        /// What.
        message: String,
    },
    /// A log that is being fetched.
    Log {
        /// The job.
        job: String,
        /// How much of it has come.
        bytes: u64,
    },
}
