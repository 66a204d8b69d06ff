//! From text to a `Playbook`, collecting every mistake.
//!
//! Two steps: `tree.rs` reads YAML into a tree with spans, and `decode/` turns that tree into the types of
//! `model.rs`, which cannot be wrong in what the file alone shows. Nothing here knows other playbooks'
//! steps, the graph, or Semaphore.

mod model;

pub use model::{
    Concurrency, Defaults, Extract, Input, InputType, Invocation, Located, Needs, OnConflict,
    OnFailure, OnInterrupt, Playbook, Retry, RetryOn, Step, Timeout,
};
