//! The list of all actions, in the order of the documentation.

use super::{
    Action, check, describe_pipeline, fetch_logs, promote, run_workflow, set, sleep, wait_pipeline,
};

static ALL: &[&Action] = &[
    &run_workflow::ACTION,
    &promote::ACTION,
    &wait_pipeline::ACTION,
    &describe_pipeline::ACTION,
    &fetch_logs::ACTION,
    &sleep::ACTION,
    &set::ACTION,
    &check::ACTION,
];

/// All actions.
pub fn all() -> &'static [&'static Action] {
    ALL
}

/// The action of this name.
pub fn find(name: &str) -> Option<&'static Action> {
    all().iter().find(|action| action.name == name).copied()
}
