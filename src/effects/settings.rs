//! What the effects are told by the settings of the runner.

use std::path::PathBuf;
use std::time::Duration;

use crate::engine::Budget;

/// How the effects go about their work.
#[derive(Debug, Clone)]
pub struct EffectSettings {
    /// The shortest time between two looks at a pipeline.
    pub poll_interval_min: Duration,
    /// The longest.
    pub poll_interval_max: Duration,
    /// How many requests in a second the whole process sends at the most.
    pub requests_per_second: f64,
    /// How long to look for what a write of unknown fate may have done.
    pub settle: Duration,
    /// For how long the network may be away.
    pub budget: Budget,
    /// How much of a log is kept.
    pub log_bytes_max: u64,
    /// How far back the same failure counts as seen before.
    pub triage_window: Duration,
    /// Whether waits ask once for the order of the blocks, to say what comes next.
    pub topology: bool,
    /// The folder that `save_to` is relative to.
    pub files_dir: PathBuf,
}

impl Default for EffectSettings {
    fn default() -> Self {
        Self {
            poll_interval_min: Duration::from_secs(2),
            poll_interval_max: Duration::from_secs(30),
            requests_per_second: 10.0,
            settle: Duration::from_secs(60),
            budget: Budget::default(),
            log_bytes_max: 64 << 20,
            triage_window: Duration::from_secs(14 * 24 * 3_600),
            topology: false,
            files_dir: PathBuf::from("."),
        }
    }
}
