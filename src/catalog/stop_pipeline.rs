//! `stop_pipeline`: stops a pipeline.

use super::shared::{STOP_ERRORS, STOP_RESPONSE, STOP_WAIT};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "stop_pipeline",
    summary: "Stops a pipeline and waits until it has come to its end.",
    doc: "Pipelines that were promoted from it go on; `stop_workflow` stops them too. What has ended already is left as it is, and that is no \
          error. Semaphore stops things in its own time: the step waits for that, unless it says `wait: false`.",
    shape: Shape::Map,
    params: &[
        Param::required("pipeline", Type::Id, "The id of the pipeline."),
        STOP_WAIT,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[Field::waited(
        "stopped",
        Type::Boolean,
        "Whether it ended as stopped or canceled; `false` when it had ended otherwise before.",
    )],
    response: STOP_RESPONSE,
    errors: STOP_ERRORS,
    reach: Reach::Writes,
    waits: false,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  stop:\n    stop_pipeline: { pipeline: \"{{ inputs.pipeline }}\" }\n    timeout: 5m\n",
};
