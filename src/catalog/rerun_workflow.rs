//! `rerun_workflow`: starts a whole workflow again.

use super::shared::{FAILED_JOBS, REASON, RESULT, START_ERRORS, TRIAGE, WAIT, WAITED_RESPONSE};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "rerun_workflow",
    summary: "Starts a workflow again, from its first pipeline, and waits for that.",
    doc: "The new workflow builds the same commit. Promotions of the old one are not repeated. The rerun is sent with a \
          request token of its own, so that repeating it after a lost answer cannot start it twice.",
    shape: Shape::Map,
    params: &[
        Param::required(
            "workflow",
            Type::Id,
            "The id of the workflow that is started again.",
        ),
        WAIT,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("workflow_id", Type::Id, "The id of the new workflow."),
        Field::always("pipeline_id", Type::Id, "The id of its first pipeline."),
        Field::always(
            "url",
            Type::Text,
            "The address of the new workflow for people.",
        ),
        RESULT,
        REASON,
        TRIAGE,
        FAILED_JOBS,
    ],
    response: WAITED_RESPONSE,
    errors: START_ERRORS,
    reach: Reach::Writes,
    waits: true,
    example: "playbook: 1\ninputs:\n  workflow: { type: string }\nsteps:\n  again:\n    rerun_workflow: { workflow: \"{{ inputs.workflow }}\" }\n    timeout: 45m\n",
};
