//! `list_promotions`: lists what was promoted from a pipeline.

use super::shared::{COUNT, CREATED_AFTER, LIMIT, LIST_RESPONSE, READ_ERRORS};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "list_promotions",
    summary: "Lists the promotions that were triggered from a pipeline, newest first.",
    doc: "These are events, one for each time that a promotion was triggered, and not the promotions that the pipeline file \
          names: Semaphore has no list of those. A `status` of `passed` means that the promoted pipeline was made, not that \
          it passed.",
    shape: Shape::Map,
    params: &[
        Param::required("pipeline", Type::Id, "The id of the pipeline."),
        Param::optional("name", Type::Text, "Only those of this promotion."),
        Param::optional(
            "state",
            Type::OneOf(&["processing", "passed", "failed"]),
            "Only those whose `status` is this.",
        ),
        CREATED_AFTER,
        LIMIT,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always(
            "found",
            Type::List(&Type::Any),
            "The events: a list of `{name, triggered_by, triggered_at, status, scheduled_at, pipeline_id, override}`.",
        ),
        COUNT,
    ],
    response: LIST_RESPONSE,
    errors: READ_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  deployed:\n    list_promotions: { pipeline: \"{{ inputs.pipeline }}\", name: Production, state: passed }\n",
};
