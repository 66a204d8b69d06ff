//! `list_pipelines`: lists pipelines of a project or of a workflow.

use super::shared::{COUNT, CREATED_AFTER, LIMIT, LIST_DOC, LIST_RESPONSE, READ_ERRORS};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "list_pipelines",
    summary: "Lists pipelines of a project or of a workflow, newest first.",
    doc: LIST_DOC,
    shape: Shape::Map,
    params: &[
        Param::optional("project", Type::IdOrName, "The project, by name or id."),
        Param::optional("workflow", Type::Id, "The id of the workflow."),
        Param::optional(
            "branch",
            Type::Text,
            "Only those of this branch, tag (`refs/tags/TAG`) or pull request (`refs/pull/NUMBER`).",
        ),
        Param::optional(
            "file",
            Type::Text,
            "Only those of this pipeline file, by its path from the root of the repository.",
        ),
        Param::optional(
            "state",
            Type::OneOf(&[
                "initializing",
                "pending",
                "queuing",
                "running",
                "stopping",
                "done",
            ]),
            "Only those in this state.",
        ),
        Param::optional(
            "result",
            Type::OneOf(&["passed", "failed", "stopped", "canceled"]),
            "Only those that ended so.",
        ),
        Param::optional("name", Type::Text, "Only those of this name."),
        CREATED_AFTER,
        LIMIT,
    ],
    exactly_one: &["project", "workflow"],
    only_with: &[],
    outputs: &[
        Field::always(
            "found",
            Type::List(&Type::Any),
            "The pipelines, each with the outputs of `describe_pipeline` but without its blocks.",
        ),
        COUNT,
    ],
    response: LIST_RESPONSE,
    errors: READ_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\nsteps:\n  green:\n    list_pipelines:\n      project: demo\n      branch: main\n      file: .semaphore/semaphore.yml\n      result: passed\n      limit: 1\n",
};
