//! `list_pipelines`: lists pipelines of a project or of a workflow.

use super::project::ProjectParam;
use super::reading::{Reading, listed};
use crate::engine::call::{Call, PipelineQuery};
use crate::engine::params::Params;

/// The action.
pub(super) fn new(params: &Params) -> Reading {
    let query = PipelineQuery {
        project_id: None,
        workflow_id: params.optional("workflow"),
        branch: params.optional("branch"),
        file: params.optional("file"),
        state: params.optional("state"),
        result: params.optional("result"),
        name: params.optional("name"),
        created_after: params.since("created_after"),
        limit: params.integer("limit"),
    };
    if query.workflow_id.is_some() {
        return Reading::of(Call::ListPipelines(query), listed);
    }
    let call = move |project_id: &str| {
        Call::ListPipelines(PipelineQuery {
            project_id: Some(project_id.to_owned()),
            ..query.clone()
        })
    };
    Reading::in_project(Some(ProjectParam::of(params)), Box::new(call), listed)
}
