//! `wait_pipeline`: waits until a pipeline is done.

use super::shared::{FAILED_JOBS, REASON, RESULT, TRIAGE, URL, WAIT_ERRORS, WAITED_RESPONSE};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "wait_pipeline",
    summary: "Waits until a pipeline is done and takes its result.",
    doc: "One shared watcher asks Semaphore for all waits of the process, seldom at first and more often near the end. \
          The step passes when the pipeline ended as `expect` says. It never stops the pipeline, not even when the \
          step's time is over.",
    shape: Shape::Map,
    params: &[
        Param::required("pipeline", Type::Id, "The id of the pipeline."),
        Param::optional(
            "follow",
            Type::Boolean,
            "Whether to move on to the pipeline that replaced it, when somebody rebuilt or reran it.",
        )
        .default("false"),
        Param::optional(
            "expect",
            Type::OneOf(&["passed", "failed", "done"]),
            "How the pipeline must end for the step to pass; `done` takes every end.",
        )
        .default("passed"),
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("pipeline_id", Type::Id, "The id of the pipeline that ended: another one after following."),
        RESULT,
        REASON,
        TRIAGE,
        FAILED_JOBS,
        URL,
        Field::always("queued_for", Type::Duration, "How long it waited in the queue, in seconds."),
        Field::always("ran_for", Type::Duration, "How long it ran, in seconds."),
    ],
    response: WAITED_RESPONSE,
    errors: WAIT_ERRORS,
    reach: Reach::Reads,
    waits: true,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  tests:\n    wait_pipeline: { pipeline: \"{{ inputs.pipeline }}\", follow: true }\n    timeout: 45m\n",
};
