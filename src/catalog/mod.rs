//! What each action is: its parameters, outputs and words, described once.
//!
//! The decoder, the nearest-name hints, the checks of `steps.x.y`, the JSON Schema and
//! `docs/actions.md` all come from these descriptions. What an action *does* stands in
//! `engine/actions/`, under the same name.

mod approve;
mod check;
mod describe_job;
mod describe_pipeline;
mod describe_workflow;
mod ensure_pipeline;
mod fail;
mod fetch_logs;
mod http;
mod list_pipelines;
mod list_promotions;
mod list_workflows;
mod markdown;
mod promote;
mod rebuild_pipeline;
mod registry;
mod rerun_workflow;
mod run_task;
mod run_workflow;
mod set;
mod shared;
mod sleep;
mod stop_job;
mod stop_pipeline;
mod stop_workflow;
mod types;
mod r#use;
mod wait_pipeline;
mod wait_workflow;

pub use http::{SAFE_METHODS, check_header_name, check_header_value};
pub use markdown::actions_markdown;
pub use registry::{all, find};
pub use shared::{ERROR_KINDS, STEP_FIELDS, TRIAGE_FIELDS};
pub use types::{Action, Field, Param, Reach, Shape, Type, Words};
