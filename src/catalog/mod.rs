//! What each action is: its parameters, outputs and words, described once.
//!
//! The decoder, the nearest-name hints, the checks of `steps.x.y`, the JSON Schema and
//! `docs/actions.md` all come from these descriptions. What an action *does* stands in
//! `engine/actions/`, under the same name.

mod check;
mod describe_pipeline;
mod fetch_logs;
mod markdown;
mod promote;
mod registry;
mod run_workflow;
mod set;
mod shared;
mod sleep;
mod types;
mod wait_pipeline;

pub use markdown::actions_markdown;
pub use registry::{all, find};
pub use shared::STEP_FIELDS;
pub use types::{Action, Field, Param, Reach, Shape, Type};
