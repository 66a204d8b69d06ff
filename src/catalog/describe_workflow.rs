//! `describe_workflow`: reads a workflow.

use super::shared::{READ_ERRORS, WORKFLOW_FIELDS};
use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "describe_workflow",
    summary: "Reads a workflow as it is now, without waiting.",
    doc: "A workflow has no state of its own: its pipelines have. `list_pipelines` with `workflow` shows those, and \
          `wait_workflow` waits for them.",
    shape: Shape::Map,
    params: &[Param::required(
        "workflow",
        Type::Id,
        "The id of the workflow.",
    )],
    exactly_one: &[],
    only_with: &[],
    outputs: WORKFLOW_FIELDS,
    response: "`workflow`, as Semaphore describes it",
    errors: READ_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\ninputs:\n  workflow: { type: string }\nsteps:\n  look:\n    describe_workflow: { workflow: \"{{ inputs.workflow }}\" }\n    until: \"this.commit_sha != ''\"\n    poll: 2s\n",
};
