//! `run_task`: runs a task of a project now.

use super::shared::{
    EXPOSE, FAILED_JOBS, REASON, RESULT, START_ERRORS, TRIAGE, WAIT, WAITED_RESPONSE,
};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "run_task",
    summary: "Runs a task of a project now and waits for its pipeline.",
    doc: "What is not given is as the task has it. Semaphore has no way to recognise a repeated start of a task, and no room \
          for a mark of ours unless the task has a parameter `RUNNER_KEY`: with one, a start whose answer was lost is looked \
          for and found; without one, the step ends as `unknown` when anything new is there that could be it.",
    shape: Shape::Map,
    params: &[
        Param::required("project", Type::IdOrName, "The project, by name or id."),
        Param::required("task", Type::IdOrName, "The task, by name or id."),
        Param::optional(
            "reference",
            Type::Text,
            "What to build: `refs/heads/BRANCH`, `refs/tags/TAG`, or the name of a branch.",
        )
        .default("the task's own"),
        Param::optional(
            "pipeline_file",
            Type::Text,
            "The pipeline file, from the root of the repository.",
        )
        .default("the task's own"),
        Param::optional(
            "parameters",
            Type::Map(&Type::Text),
            "Values for the parameters of the task. Semaphore shows them to people.",
        )
        .shown()
        .reserved(&["RUNNER_KEY"]),
        WAIT,
        EXPOSE,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always(
            "workflow_id",
            Type::Id,
            "The id of the workflow that was started.",
        ),
        Field::always("pipeline_id", Type::Id, "The id of its first pipeline."),
        Field::always("url", Type::Text, "The address of the workflow for people."),
        RESULT,
        REASON,
        TRIAGE,
        FAILED_JOBS,
    ],
    response: WAITED_RESPONSE,
    errors: START_ERRORS,
    reach: Reach::Writes,
    waits: true,
    example: "playbook: 1\nsteps:\n  nightly:\n    run_task:\n      project: demo\n      task: nightly\n      reference: refs/heads/main\n    timeout: 2h\n",
};
