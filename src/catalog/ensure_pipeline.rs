//! `ensure_pipeline`: makes sure that a commit has a pipeline that passed.

use super::shared::{
    EXPOSE, FAILED_JOBS, REASON, RESULT, START_ERRORS, TRIAGE, WAIT, WAITED_RESPONSE,
};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "ensure_pipeline",
    summary: "Makes sure that a pipeline of this file has passed for this commit.",
    doc: "One that has passed is reused, one that still runs is joined, and only when there is neither a workflow is \
          started. Pipelines count when they are of the same file, branch, commit and parameters. With `wait: false` the \
          step is over as soon as there is such a pipeline, whether it has passed or not.",
    shape: Shape::Map,
    params: &[
        Param::required("project", Type::IdOrName, "The project, by name or id."),
        Param::required(
            "reference",
            Type::Text,
            "Where the commit is: `refs/heads/BRANCH`, `refs/tags/TAG`, `refs/pull/NUMBER`, or the name of a branch.",
        ),
        Param::required("commit_sha", Type::Text, "The commit, by its whole SHA or at least its first 7 digits."),
        Param::optional("pipeline_file", Type::Text, "The pipeline file, from the root of the repository.")
            .default(".semaphore/semaphore.yml"),
        Param::optional(
            "parameters",
            Type::Map(&Type::Text),
            "Names and values that the pipeline sees as environment variables. Semaphore shows them to people.",
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
        Field::always("pipeline_id", Type::Id, "The id of the pipeline."),
        Field::always("url", Type::Text, "The address of the pipeline for people."),
        Field::always("found", Type::Text, "What was found: `reused` (one that had passed), `joined` (one that ran) or `started`.")
            .only(&["reused", "joined", "started"]),
        RESULT,
        REASON,
        TRIAGE,
        FAILED_JOBS,
    ],
    response: WAITED_RESPONSE,
    errors: START_ERRORS,
    reach: Reach::Writes,
    waits: true,
    example: "playbook: 1\ninputs:\n  commit: { type: string }\nsteps:\n  build:\n    ensure_pipeline:\n      project: demo\n      reference: refs/heads/main\n      commit_sha: \"{{ inputs.commit }}\"\n    timeout: 45m\n",
};
