//! `run_workflow`: starts a workflow.

use super::shared::{
    EXPOSE, FAILED_JOBS, REASON, RESULT, START_ERRORS, TRIAGE, WAIT, WAITED_RESPONSE,
};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "run_workflow",
    summary: "Starts a workflow of a project and waits for its first pipeline.",
    doc: "The same as a push or the `Run` button: Semaphore reads the pipeline file at the given reference and starts it. \
          The step waits until the pipeline is done, and passes only when the pipeline passed; with `wait: false` it is \
          over as soon as Semaphore has accepted the workflow.\n\nA start whose answer was lost is never sent a second time \
          before it was looked for: the runner marks its own workflows with the parameter `RUNNER_KEY`.",
    shape: Shape::Map,
    params: &[
        Param::required("project", Type::IdOrName, "The project, by name or id."),
        Param::required(
            "reference",
            Type::Text,
            "What to build: `refs/heads/BRANCH`, `refs/tags/TAG`, `refs/pull/NUMBER`, or the name of a branch.",
        ),
        Param::optional("commit_sha", Type::Text, "The commit to build.")
            .default("the newest commit of the reference"),
        Param::optional("pipeline_file", Type::Text, "The pipeline file, from the root of the repository.")
            .default("the project's own, usually `.semaphore/semaphore.yml`"),
        Param::optional(
            "parameters",
            Type::Map(&Type::Text),
            "Names and values that the first pipeline sees as environment variables. Semaphore shows them to people.",
        )
        .shown()
        .reserved(&["RUNNER_KEY"]),
        WAIT,
        EXPOSE,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("workflow_id", Type::Id, "The id of the workflow."),
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
    example: "playbook: 1\nsteps:\n  build:\n    run_workflow:\n      project: demo\n      reference: refs/heads/main\n      parameters: { DEPLOY: \"false\" }\n    timeout: 45m\n",
};
