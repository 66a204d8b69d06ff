//! `rebuild_pipeline`: runs again what did not pass of a pipeline.

use super::shared::{
    FAILED_JOBS, REASON, RESULT, START_ERRORS, TRIAGE, URL, WAIT, WAITED_RESPONSE,
};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "rebuild_pipeline",
    summary: "Runs again what did not pass of a pipeline, and waits for the new pipeline.",
    doc: "Semaphore makes a new pipeline in which the blocks that passed are taken over; only pipelines that are done and \
          did not pass can be rebuilt. Later steps must use the new `pipeline_id`: promotions of the old one stay with the \
          old one. It is sent with a request token of its own, so that repeating it after a lost answer cannot start it twice.",
    shape: Shape::Map,
    params: &[
        Param::required(
            "pipeline",
            Type::Id,
            "The id of the pipeline that did not pass.",
        ),
        WAIT,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("pipeline_id", Type::Id, "The id of the new pipeline."),
        Field::waited("url", URL.ty, URL.doc),
        RESULT,
        REASON,
        TRIAGE,
        FAILED_JOBS,
    ],
    response: WAITED_RESPONSE,
    errors: START_ERRORS,
    reach: Reach::Writes,
    waits: true,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  again:\n    rebuild_pipeline: { pipeline: \"{{ inputs.pipeline }}\" }\n    timeout: 45m\n",
};
