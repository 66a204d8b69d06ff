//! `stop_workflow`: stops a workflow.

use super::shared::{STOP_ERRORS, STOP_RESPONSE, STOP_WAIT};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "stop_workflow",
    summary: "Stops a workflow and waits until it has come to its end.",
    doc: "All its pipelines are told to stop, promoted ones included. What has ended already is left as it is, and that is no \
          error. Semaphore stops things in its own time: the step waits for that, unless it says `wait: false`.",
    shape: Shape::Map,
    params: &[
        Param::required("workflow", Type::Id, "The id of the workflow."),
        STOP_WAIT,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[Field::waited(
        "stopped",
        Type::Boolean,
        "Whether any of its pipelines ended as stopped or canceled; `false` when all had ended otherwise before.",
    )],
    response: STOP_RESPONSE,
    errors: STOP_ERRORS,
    reach: Reach::Writes,
    waits: false,
    example: "playbook: 1\ninputs:\n  workflow: { type: string }\nsteps:\n  stop:\n    stop_workflow: { workflow: \"{{ inputs.workflow }}\" }\n    timeout: 5m\n",
};
