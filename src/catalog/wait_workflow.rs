//! `wait_workflow`: waits until all pipelines of a workflow are done.

use super::shared::{VERDICTS, WAIT_ERRORS};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "wait_workflow",
    summary: "Waits until all pipelines of a workflow are done, promoted ones included, and takes the worst result.",
    doc: "Promotions can start pipelines at any time, so the workflow counts as done when all its pipelines are, and \
          nothing has changed for 15 seconds. A pipeline that was rebuilt does not count: the one that replaced it does. \
          The worst result is that of a pipeline that failed, then of one that was stopped, then of one that was canceled.",
    shape: Shape::Map,
    params: &[
        Param::required("workflow", Type::Id, "The id of the workflow."),
        Param::optional(
            "expect",
            Type::OneOf(&["passed", "failed", "done"]),
            "How the workflow must end for the step to pass; `done` takes every end.",
        )
        .default("passed"),
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always(
            "pipelines",
            Type::List(&Type::Any),
            "Its pipelines, oldest first: a list of `{pipeline_id, name, file, result, reason, promotion_of, url}`.",
        ),
        Field::always("result", Type::Text, "The worst result of its pipelines.").known(VERDICTS),
        Field::always(
            "reason",
            Type::Text,
            "Why the pipeline with that result ended so; else empty.",
        ),
        Field::always("url", Type::Text, "The address of the workflow for people."),
    ],
    response: "the last list of the workflow's pipelines",
    errors: WAIT_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\ninputs:\n  workflow: { type: string }\nsteps:\n  all:\n    wait_workflow: { workflow: \"{{ inputs.workflow }}\" }\n    timeout: 2h\n",
};
