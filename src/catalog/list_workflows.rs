//! `list_workflows`: lists workflows of a project.

use super::shared::{COUNT, CREATED_AFTER, LIMIT, LIST_DOC, LIST_RESPONSE, READ_ERRORS};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "list_workflows",
    summary: "Lists workflows of a project, newest first.",
    doc: LIST_DOC,
    shape: Shape::Map,
    params: &[
        Param::required("project", Type::IdOrName, "The project, by name or id."),
        Param::optional(
            "branch",
            Type::Text,
            "Only those of this branch, tag (`refs/tags/TAG`) or pull request (`refs/pull/NUMBER`).",
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
            "The workflows, each with the outputs of `describe_workflow`.",
        ),
        COUNT,
    ],
    response: LIST_RESPONSE,
    errors: READ_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\nsteps:\n  recent:\n    list_workflows: { project: demo, branch: main, created_after: 2h }\n    until: this.count > 0\n",
};
