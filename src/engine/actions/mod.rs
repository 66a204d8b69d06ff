//! What each action does: one file per action, under the name it has in YAML and in the catalog.
//!
//! An action is a small pure state machine: given the step's parameters and the last outcome it says the
//! next call, or that it is done. It never talks to the network and never sees a clock.

mod act;
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
mod pipeline;
mod project;
mod promote;
mod reading;
mod rebuild_pipeline;
mod rerun_workflow;
mod run_task;
mod run_workflow;
mod set;
mod sleep;
mod stop_job;
mod stop_pipeline;
mod stop_workflow;
mod stopping;
mod wait_pipeline;
mod wait_workflow;
mod whole;

pub(super) use act::{Act, Cx, Input, Next, reads_the_run, rebuild, start};
pub(super) use whole::Whole;
