//! Durable runs.
//!
//! Duty: what `Store` was told stays told, whatever happens to the process; what cannot be kept is an
//! error with a name. Invariants: a commit is whole or not there; a run's events are a chain without
//! gaps, and damage to it is named, never guessed over; one living process works on a run.
//! The store knows nothing of plans, actions or Semaphore: it keeps events and reads only what a list
//! of runs must show. It is synchronous and called inline, so that virtual time stays virtual.

mod checksum;
mod contract;
mod error;
mod fold;
mod history;
mod lessons;
mod lock;
mod memory;
mod model;
mod redaction;
mod sqlite;

pub use contract::Store;
pub use error::{StoreError, StoreErrorKind};
pub use history::{Estimate, Estimates, estimate, remembered_as};
pub use lock::LockGuard;
pub use memory::{CrashAt, MemoryStore};
pub use model::{
    InboxMessage, ListFilter, OwnerInfo, PastStep, Posted, Resolution, RunHeader, RunState,
    RunSummary, SecretOrigin, StoredInput, Usage, check_run_id,
};
pub use sqlite::SqliteStore;
