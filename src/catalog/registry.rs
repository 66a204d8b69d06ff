//! The list of all actions, in the order of the documentation.

use super::{
    Action, approve, check, describe_job, describe_pipeline, describe_workflow, ensure_pipeline,
    fail, fetch_logs, http, list_pipelines, list_promotions, list_workflows, promote,
    rebuild_pipeline, rerun_workflow, run_task, run_workflow, set, sleep, stop_job, stop_pipeline,
    stop_workflow, r#use, wait_pipeline, wait_workflow,
};

static ALL: &[&Action] = &[
    &run_workflow::ACTION,
    &ensure_pipeline::ACTION,
    &rerun_workflow::ACTION,
    &rebuild_pipeline::ACTION,
    &run_task::ACTION,
    &promote::ACTION,
    &wait_pipeline::ACTION,
    &wait_workflow::ACTION,
    &stop_workflow::ACTION,
    &stop_pipeline::ACTION,
    &stop_job::ACTION,
    &describe_workflow::ACTION,
    &describe_pipeline::ACTION,
    &describe_job::ACTION,
    &list_workflows::ACTION,
    &list_pipelines::ACTION,
    &list_promotions::ACTION,
    &fetch_logs::ACTION,
    &r#use::ACTION,
    &http::ACTION,
    &approve::ACTION,
    &sleep::ACTION,
    &set::ACTION,
    &check::ACTION,
    &fail::ACTION,
];

/// All actions.
pub fn all() -> &'static [&'static Action] {
    ALL
}

/// The action of this name.
pub fn find(name: &str) -> Option<&'static Action> {
    all().iter().find(|action| action.name == name).copied()
}
