//! What a session works with, what it is told from outside, and how it ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::clock::{Clock, Moment};
use crate::engine::Effects;
use crate::event::{Observation, Recorded, RunEnded};
use crate::secret::Redactor;
use crate::store::{Store, StoreError};

/// Somebody who looks on. Sees nothing but events and observations, already without secrets.
pub trait Observer {
    /// An event was recorded.
    fn event(&mut self, recorded: &Recorded);
    /// A running step was seen doing something.
    fn observation(&mut self, _observation: &Observation) {}
    /// Something that people should know and that is no event of the run.
    fn notice(&mut self, _words: &str) {}
    /// Time has passed.
    fn tick(&mut self, _now: Moment) {}
}

/// What a session is told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopRequest {
    /// Stop working on the run; it can be resumed.
    Park {
        /// Why.
        reason: String,
        /// What the runner ends with.
        exit_code: u8,
    },
    /// Stop the run for good.
    Cancel {
        /// Who asks.
        by: String,
    },
}

/// What a session works with.
pub struct Conditions {
    /// The time.
    pub clock: Clock,
    /// Where the run is kept.
    pub store: Arc<dyn Store>,
    /// Who does things.
    pub effects: Arc<dyn Effects>,
    /// What masks secrets.
    pub redactor: Redactor,
    /// Who looks on.
    pub observers: Vec<Box<dyn Observer>>,
    /// Requests to stop.
    pub stop: UnboundedReceiver<StopRequest>,
    /// After this long a run that only waits is parked.
    pub park_after: Option<Duration>,
    /// How often those who look on are told that time has passed.
    pub tick_every: Option<Duration>,
    /// Whether messages from other processes are looked for.
    pub inbox: bool,
}

/// How a session ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Finish {
    /// The run ended.
    Ended(RunEnded),
    /// The run was parked.
    Parked {
        /// Why.
        reason: String,
        /// What the runner ends with.
        exit_code: u8,
    },
}

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The store could not be written or read. Nothing was sent that it does not know of.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal does not fit what the machine does: another playbook, or a bug.
    #[error(
        "the recorded events do not fit the playbook from event {seq} on: this is a bug in runner, or the store was altered"
    )]
    Replay {
        /// The first event that does not fit.
        seq: u64,
    },
}
