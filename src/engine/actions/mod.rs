//! What each action does: one file per action, under the name it has in YAML and in the catalog.
//!
//! An action is a small pure state machine: given the step's parameters and the last outcome it says the
//! next call, or that it is done. It never talks to the network and never sees a clock.

mod act;
mod approve;
mod check;
mod describe_pipeline;
mod fail;
mod fetch_logs;
mod http;
mod pipeline;
mod promote;
mod run_workflow;
mod set;
mod sleep;
mod wait_pipeline;

pub(super) use act::{Act, Cx, Input, Next, start};
