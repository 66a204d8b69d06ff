//! The contract that every store keeps; `tests/it/stores.rs` holds all of them against it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::error::StoreError;
use super::history::Estimates;
use super::lock::LockGuard;
use super::model::{
    InboxMessage, ListFilter, OwnerInfo, PastStep, Posted, RunHeader, RunSummary, Usage,
};
use crate::event::{EffectKey, Intent, Observation, Recorded};
use crate::triage::Past;

/// A store of runs. Calls are synchronous; what was written is durable when they return, and nothing of
/// it is there when they return an error.
pub trait Store: Send + Sync {
    /// Makes a run. Its id must have the shape of [`check_run_id`](super::check_run_id) and be new.
    fn create_run(&self, header: &RunHeader) -> Result<(), StoreError>;

    /// Appends events in one transaction. They must follow the stored ones without a gap. A `CallEnded`
    /// closes the intent of its key. `RunEnded` closes the run, and empties the inbox unless the run is
    /// unknown. After it only `Resolved` and
    /// `PlanChanged` may come, and `RoundRequested`, which opens the run again.
    fn append(&self, run: &str, events: &[Recorded]) -> Result<(), StoreError>;

    /// Writes an intent together with the events before it, in one transaction. An intent of the same
    /// key that is still open is replaced.
    fn write_intent(
        &self,
        run: &str,
        intent: &Intent,
        pending: &[Recorded],
    ) -> Result<(), StoreError>;

    /// The intents without an outcome, in the order they were written.
    fn open_intents(&self, run: &str) -> Result<Vec<Intent>, StoreError>;

    /// The intent of a call, when it is open.
    fn intent(&self, run: &str, key: &EffectKey) -> Result<Option<Intent>, StoreError>;

    /// All events of a run. One that is not what was written, or is missing, is an error with its number.
    fn load(&self, run: &str) -> Result<Vec<Recorded>, StoreError>;

    /// The header of a run.
    fn header(&self, run: &str) -> Result<RunHeader, StoreError>;

    /// Summaries, newest first.
    fn list(&self, filter: &ListFilter) -> Result<Vec<RunSummary>, StoreError>;

    /// The one run whose id is `prefix` or begins with it, or the newest one for `last`.
    fn find(&self, prefix: &str) -> Result<String, StoreError>;

    /// Keeps what a step is seen doing; only the last of each step. Lossy, and so never an error.
    fn put_observation(&self, run: &str, observation: &Observation);

    /// What the steps were last seen doing, by the name of the step.
    fn observations(&self, run: &str) -> Result<Vec<Observation>, StoreError>;

    /// Keeps how much a run has asked of Semaphore; only the last. Lossy, and so never an error.
    fn put_usage(&self, run: &str, usage: &Usage);

    /// How much a run has asked of Semaphore, as far as its sessions came to tell.
    fn usage(&self, run: &str) -> Result<Usage, StoreError>;

    /// Leaves a message for the owner of a run that has not ended; durable, also when no owner lives. A
    /// run that ended as unknown takes what settles it.
    fn post(&self, run: &str, message: &InboxMessage) -> Result<(), StoreError>;

    /// The messages of a run that this store has not given out before, oldest first. They stay in the
    /// store until [`Store::settle`], and are given out again after a restart.
    fn take(&self, run: &str) -> Result<Vec<Posted>, StoreError>;

    /// Says that what the messages up to this number ask for stands in events that were appended: only
    /// then are they removed, so that a crash in between loses none.
    fn settle(&self, run: &str, up_to: u64) -> Result<(), StoreError>;

    /// Takes the lock of a run; it is free again when the guard is dropped or its process is gone.
    /// `Locked` says who holds it.
    fn acquire(&self, run: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError>;

    /// The same for a concurrency group.
    fn acquire_group(&self, group: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError>;

    /// Who works on a run at the moment.
    fn owner(&self, run: &str) -> Result<Option<OwnerInfo>, StoreError>;

    /// How a step went in earlier runs of what is [remembered](super::remembered_as) by this name: the
    /// last 20 times it passed or failed, newest first.
    fn history(&self, name: &str, step: &str) -> Result<Vec<PastStep>, StoreError>;

    /// The same for all steps that are remembered by this name.
    fn histories(&self, name: &str) -> Result<BTreeMap<String, Vec<PastStep>>, StoreError>;

    /// How long the steps take that are remembered by this name.
    fn estimates(&self, name: &str) -> Result<Estimates, StoreError> {
        Ok(Estimates::of(&self.histories(name)?))
    }

    /// Where a failure (a project and a signature) was seen since a time, newest first; the last 100 times of each are
    /// kept. What simulated runs saw is known to simulated runs alone: `run` is the one that asks.
    fn failures(
        &self,
        run: &str,
        failure: (&str, &str),
        since: Timestamp,
    ) -> Result<Vec<Past>, StoreError>;

    /// Removes runs that ended before a time, and gives their ids; and forgets how steps went and
    /// which failures were seen before that time. Runs that have not ended stay.
    fn prune(&self, ended_before: Timestamp) -> Result<Vec<String>, StoreError>;
}
