//! `fetch_logs`: saves the logs of jobs.

use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "fetch_logs",
    summary: "Saves the logs of one job, of the jobs of a pipeline, or of all that failed in this run.",
    doc: "Each log is streamed to a file of its own below the folder of the run's files; nothing of it is kept in memory. \
          What it holds is cleaned of everything that could drive a terminal, and cut at the size limit with a note. A job that has no log is \
          listed under `failed_commands` with Semaphore's reason. When a log cannot be fetched, the others are fetched all \
          the same, and then the step fails.",
    shape: Shape::Map,
    params: &[
        Param::optional("job", Type::Id, "The id of the job."),
        Param::optional("pipeline", Type::Id, "The id of the pipeline whose jobs are meant."),
        Param::optional(
            "of",
            Type::OneOf(&["failed"]),
            "`failed`: the failed jobs of every pipeline of this run that has ended red so far.",
        ),
        Param::optional("jobs", Type::OneOf(&["failed", "all"]), "Which jobs of the pipeline.").default("failed"),
        Param::optional(
            "save_to",
            Type::Text,
            "The folder, inside the folder of the run's files; absolute paths and `..` are refused.",
        )
        .default("`logs`")
        .inside(),
        Param::optional(
            "format",
            Type::OneOf(&["text", "events"]),
            "What is written: the text as people see it, or the events as Semaphore gives them, one JSON object per line.",
        )
        .default("text"),
        Param::optional("tail", Type::Integer, "How many last lines of a failed command are given back.")
            .default("20"),
    ],
    exactly_one: &["job", "pipeline", "of"],
    only_with: &[("jobs", "pipeline")],
    outputs: &[
        Field::always("files", Type::List(&Type::Any), "The files that were written: a list of `{job, job_id, path, bytes, complete}`."),
        Field::always(
            "failed_commands",
            Type::List(&Type::Any),
            "The commands that failed: a list of `{job, command, exit_code, last_lines}`.",
        ),
    ],
    response: "a list with one object per log: `job_id`, `job`, `path`, `bytes`, `complete`, `failed_command`, `missing`",
    errors: &[("file", "a file could not be written"), ("not_found", "what it names does not exist, or the token may not see it")],
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  logs:\n    fetch_logs: { pipeline: \"{{ inputs.pipeline }}\", jobs: failed, save_to: logs }\n",
};
