//! From a `Playbook` to a `Plan`: the graph and its checks.
//!
//! What comes out is complete: every name is resolved, every edge is known, every mistake that the files
//! show was found (one file per rule family under `check/`). After this nobody checks again.

mod model;

pub use crate::playbook::{OnConflict, OnFailure, OnInterrupt, Retry, RetryOn};
pub use model::{BoundInputs, Need, Phase, Plan, PlanStep};
