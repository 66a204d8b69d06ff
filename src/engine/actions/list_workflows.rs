//! `list_workflows`: lists workflows of a project.

use super::project::ProjectParam;
use super::reading::{Reading, listed};
use crate::engine::call::Call;
use crate::engine::params::Params;

/// The action.
pub(super) fn new(params: &Params) -> Reading {
    let (branch, created_after) = (params.optional("branch"), params.since("created_after"));
    let limit = params.integer("limit");
    let call = move |project_id: &str| Call::ListWorkflows {
        project_id: project_id.to_owned(),
        branch: branch.clone(),
        created_after,
        limit,
    };
    Reading::in_project(Some(ProjectParam::of(params)), Box::new(call), listed)
}
