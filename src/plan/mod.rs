//! From a `Playbook` to a `Plan`: the graph and its checks.
//!
//! What comes out is complete: every name is resolved, every edge is known, every mistake that the files
//! show was found (one file per rule family under `check/`). After this nobody checks again.

mod build;
mod changes;
mod check;
mod checkout;
mod digest;
mod graph;
mod inputs;
mod model;
mod names;
mod only;
mod reasons;
mod used;
mod walk;

pub use crate::playbook::{
    ForEach, Limits, Located, OnConflict, OnFailure, OnInterrupt, Rerun, RerunScope, Retry, RetryOn,
};
pub use build::{build, check, check_beside, check_with};
pub use changes::{Changes, changes};
pub use checkout::{Checkout, ReadCheckout};
pub use inputs::{GivenInputs, InputsFile, bind_inputs, bind_with, parse_given, read_inputs_file};
pub use model::{BoundInputs, Need, Phase, Plan, PlanStep};
pub use only::{OnlyError, only};
pub use reasons::{Reason, reasons};
pub use used::{bind, links, secret_texts, secret_variables, variables};
