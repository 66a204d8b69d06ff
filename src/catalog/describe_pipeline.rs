//! `describe_pipeline`: reads a pipeline.

use super::shared::{PIPELINE_FIELDS, READ_ERRORS};
use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "describe_pipeline",
    summary: "Reads a pipeline as it is now, without waiting.",
    doc: "States and results come in lower case, times in RFC 3339; a time that is not yet known is `null`.",
    shape: Shape::Map,
    params: &[
        Param::required("pipeline", Type::Id, "The id of the pipeline."),
        Param::optional(
            "detailed",
            Type::Boolean,
            "Whether `blocks` and `failed_jobs` are filled in.",
        )
        .default("false"),
        Param::optional(
            "topology",
            Type::Boolean,
            "Whether each block says in `needs` which blocks it waits for; one more request.",
        )
        .default("false"),
    ],
    exactly_one: &[],
    only_with: &[("topology", "detailed")],
    outputs: PIPELINE_FIELDS,
    response: "`pipeline` and `blocks`, as Semaphore describes them",
    errors: READ_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  look:\n    describe_pipeline: { pipeline: \"{{ inputs.pipeline }}\", detailed: true, topology: true }\n    assert: [\"this.state == 'done'\"]\n",
};
