//! The shape of a world: the format of the simulator's scenarios, with a few short forms.
//!
//! The names and words are those of `src/simulator/scenario/`; a test holds them together.

use super::shape::{Field, Shape, may, must};
use super::world_others::{APPROVALS, SERVERS};

const VERDICTS: Shape = Shape::Words(&["passed", "failed", "stopped", "canceled"]);
const REASONS: Shape = Shape::Words(&[
    "test",
    "malformed",
    "stuck",
    "user",
    "internal",
    "strategy",
    "fast_failing",
    "deleted",
    "timeout",
    "skipped",
]);
const EXIT_CODE: Shape = Shape::Whole(0, 255);
const TEXTS: Shape = Shape::Named(&Shape::Text);

const COMMAND: Shape = Shape::Map(&[
    must("command", Shape::Text, "The command line."),
    may("output", Shape::Text, "What it prints."),
    may("exit_code", EXIT_CODE, "Its exit code."),
]);

const JOB_CHANGE: Shape = Shape::Map(&[
    may("wait", Shape::Duration, "How long it waits for an agent."),
    may("run", Shape::Duration, "How long it runs."),
    may("result", VERDICTS, "How it ends."),
    may("exit_code", EXIT_CODE, "The exit code of its last command."),
    may(
        "log",
        Shape::List(&COMMAND),
        "Its commands and what they print.",
    ),
    may("never_started", Shape::Text, "Why it never started."),
]);

const JOB: Shape = Shape::Map(&[
    must("name", Shape::Text, "Its name."),
    may("wait", Shape::Duration, "How long it waits for an agent."),
    may("run", Shape::Duration, "How long it runs."),
    may("result", VERDICTS, "How it ends."),
    may("exit_code", EXIT_CODE, "The exit code of its last command."),
    may(
        "log",
        Shape::List(&COMMAND),
        "Its commands and what they print.",
    ),
    may("log_corrupt", Shape::Bool, "Whether its log is no JSON."),
    may(
        "self_hosted",
        Shape::Bool,
        "Whether it runs on an agent of our own, whose logs are elsewhere.",
    ),
    may("never_started", Shape::Text, "Why it never started."),
]);

const BLOCK: Shape = Shape::Map(&[
    must("name", Shape::Text, "Its name."),
    may(
        "needs",
        Shape::List(&Shape::Text),
        "The blocks that must have passed before.",
    ),
    may("skipped", Shape::Bool, "Whether a condition leaves it out."),
    may("jobs", Shape::List(&JOB), "Its jobs."),
]);

const PARAMETERS: Shape = Shape::List(&Shape::Map(&[
    must("name", Shape::Text, "Its name."),
    may("required", Shape::Bool, "Whether it must be given."),
    may(
        "options",
        Shape::List(&Shape::Text),
        "The values that are allowed.",
    ),
    may("default", Shape::Text, "What holds when it is not given."),
]));

const PROMOTION: Shape = Shape::Map(&[
    must("name", Shape::Text, "Its name."),
    may(
        "pipeline_file",
        Shape::Text,
        "The file of the pipeline that it starts.",
    ),
    may("parameters", PARAMETERS, "The parameters it takes."),
    may(
        "auto",
        Shape::List(&VERDICTS),
        "After which results it starts by itself.",
    ),
    may(
        "deployment_target",
        Shape::Text,
        "Why its deployment target refuses.",
    ),
    may(
        "schedule",
        Shape::Duration,
        "How long the start of its pipeline takes.",
    ),
    may(
        "event",
        Shape::Words(&["passes", "fails", "vanishes"]),
        "What becomes of its event.",
    ),
]);

const CHANGE: Shape = Shape::Map(&[
    may("init", Shape::Duration, "How long it is initializing."),
    may("queue", Shape::Duration, "How long it waits in its queue."),
    may("run", Shape::Duration, "How long it runs."),
    may("result", VERDICTS, "How it ends."),
    may("reason", REASONS, "Why it ends so."),
    may("error", Shape::Text, "The error of a malformed one."),
    may(
        "jobs",
        Shape::Named(&JOB_CHANGE),
        "What is different in its jobs, by name.",
    ),
]);

const PIPELINE: Shape = Shape::Map(&[
    may("name", Shape::Text, "Its name."),
    may("init", Shape::Duration, "How long it is initializing."),
    may("queue", Shape::Duration, "How long it waits in its queue."),
    may(
        "run",
        Shape::Duration,
        "How long it runs, when no job says it; with `result`, after which it is ended.",
    ),
    may("result", VERDICTS, "How it ends, whatever its jobs do."),
    may("reason", REASONS, "Why it ends so."),
    may("error", Shape::Text, "The error of a malformed one."),
    may(
        "parallel",
        Shape::Bool,
        "Whether its queue lets pipelines run side by side.",
    ),
    may(
        "after_pipeline",
        Shape::Bool,
        "Whether jobs run after its end.",
    ),
    may("blocks", Shape::List(&BLOCK), "Its blocks."),
    may(
        "jobs",
        Shape::Named(&JOB_CHANGE),
        "What its jobs do, by name; a pipeline without blocks gets one that holds them.",
    ),
    may("promotions", Shape::List(&PROMOTION), "Its promotions."),
    may(
        "runs",
        Shape::List(&CHANGE),
        "What is different in its first run, its second, and so on; the last holds for all later ones.",
    ),
    may(
        "references",
        Shape::Named(&Shape::List(&CHANGE)),
        "Runs of some references, instead of `runs`.",
    ),
]);

const REFERENCE: Shape = Shape::Map(&[
    may("commit", Shape::Text, "The commit at its tip."),
    may("message", Shape::Text, "The message of that commit."),
    may("missing", Shape::Bool, "Whether it does not exist."),
]);

const TASK: Shape = Shape::Map(&[
    must("name", Shape::Text, "Its name."),
    may("id", Shape::Text, "Its id."),
    may("reference", Shape::Text, "The reference it runs on."),
    may(
        "pipeline_file",
        Shape::Text,
        "The file of the pipeline that it starts.",
    ),
    may("parameters", PARAMETERS, "The parameters it takes."),
    may("at", Shape::Text, "Its schedule in cron's words."),
    may("paused", Shape::Bool, "Whether its schedule is paused."),
]);

const PIPELINES: Field = may(
    "pipelines",
    Shape::Named(&PIPELINE),
    "What pipelines do, by the path of their file; `x.yml` is `.semaphore/x.yml`.",
);
const REFERENCES: Field = may(
    "references",
    Shape::Named(&REFERENCE),
    "What is special about some references.",
);
const TASKS: Field = may("tasks", Shape::List(&TASK), "Its tasks.");

const PROJECT: Shape = Shape::Map(&[
    must("name", Shape::Text, "Its name."),
    may("id", Shape::Text, "Its id."),
    may(
        "foreign",
        Shape::Bool,
        "Whether it belongs to another organization.",
    ),
    PIPELINES,
    REFERENCES,
    TASKS,
]);

const OF_PROJECT: Field = may(
    "project",
    Shape::Text,
    "The project; that of the world when it is left out.",
);
const TARGET: Shape = Shape::Map(&[OF_PROJECT]);
const START: Shape = Shape::Map(&[
    OF_PROJECT,
    may("reference", Shape::Text, "The reference."),
    may("commit_sha", Shape::Text, "The commit."),
    may("pipeline_file", Shape::Text, "The file."),
    may("parameters", TEXTS, "Parameters of its pipeline."),
]);
const PROMOTE: Shape = Shape::Map(&[
    OF_PROJECT,
    must("name", Shape::Text, "The name of the promotion."),
    may("parameters", TEXTS, "Its parameters."),
    may(
        "override",
        Shape::Bool,
        "Whether a pipeline that did not pass is promoted too.",
    ),
]);
const PUSH: Shape = Shape::Map(&[
    OF_PROJECT,
    may("reference", Shape::Text, "The reference that moves."),
    must("commit", Shape::Text, "The commit it moves to."),
]);

const VISIT: Shape = Shape::Map(&[
    must(
        "at",
        Shape::Duration,
        "How long after the start of the run, or after `on`.",
    ),
    may(
        "on",
        Shape::Words(&[
            "run_workflow",
            "pipeline_running",
            "pipeline_done",
            "promotion",
        ]),
        "The first time that this happens is where `at` counts from.",
    ),
    may("who", Shape::Text, "The id of the user."),
    must(
        "do",
        Shape::Choice(&[
            ("start", None),
            ("start", Some(START)),
            ("rerun", None),
            ("rerun", Some(TARGET)),
            ("rebuild", None),
            ("rebuild", Some(TARGET)),
            ("promote", Some(PROMOTE)),
            ("stop", None),
            ("stop", Some(TARGET)),
            ("push", Some(PUSH)),
        ]),
        "What they do.",
    ),
]);

const COUNT: Shape = Shape::Whole(0, 1_000_000);

const FAULT: Shape = Shape::Map(&[
    must(
        "on",
        Shape::Text,
        "An endpoint (`run_workflow`), `reads`, `writes`, `any`, or a method and a path with `*`.",
    ),
    may(
        "nth",
        Shape::Whole(1, 1_000_000),
        "The first matching request that is hit, from 1.",
    ),
    may("count", COUNT, "How many are hit."),
    may("from", Shape::Duration, "Not before this time."),
    may("until", Shape::Duration, "Not from this time on."),
    may(
        "percent",
        Shape::Whole(0, 100),
        "How many of a hundred matching requests are hit, by chance.",
    ),
    must(
        "do",
        Shape::Choice(&[
            ("reset_before_acting", None),
            ("reset_after_acting", None),
            ("hang", None),
            ("delay", Some(Shape::Duration)),
            ("cut_body", Some(COUNT)),
            ("slow_backend", Some(Shape::Duration)),
            ("rate_limit", Some(Shape::Duration)),
            ("stale_list", Some(Shape::Duration)),
            ("answer", Some(ANSWER)),
        ]),
        "What happens to it.",
    ),
]);

const ANSWER: Shape = Shape::Map(&[
    must("status", Shape::Whole(100, 599), "Its status."),
    may("body", Shape::Text, "Its body."),
    may("headers", TEXTS, "Its headers."),
    may("acts", Shape::Bool, "Whether the server acts before."),
]);

const SERVER: Shape = Shape::Map(&[
    may(
        "queue_limit",
        COUNT,
        "How many pipelines that are not done one queue holds.",
    ),
    may(
        "workflow_pipelines_max",
        COUNT,
        "How many pipelines one workflow holds.",
    ),
    may(
        "promotions_told_after",
        Shape::Duration,
        "How long after its end the promotions learn a pipeline's result.",
    ),
    may(
        "stop_noticed_after",
        Shape::Duration,
        "How long a stop takes to be noticed.",
    ),
    may(
        "reference_given_up_after",
        Shape::Duration,
        "For how long a missing reference is looked for.",
    ),
    may("list_lag", Shape::Duration, "How far lists lag behind."),
    may(
        "redirects_keep_origin",
        Shape::Bool,
        "Whether redirects to logs point to where the request went.",
    ),
    may(
        "api_token_in_ui",
        Shape::Bool,
        "Whether the web pages know API tokens.",
    ),
]);

/// A world.
pub(super) const WORLD: Shape = Shape::Map(&[
    may(
        "scenario",
        Shape::Text,
        "The built-in scenario that all this changes: `passing` when it is left out; `empty` has nothing but a project.",
    ),
    may("description", Shape::Text, "What it is for."),
    may(
        "project",
        Shape::Text,
        "The name of the project that all this is about; the scenario's own when it is left out.",
    ),
    PIPELINES,
    REFERENCES,
    TASKS,
    may(
        "projects",
        Shape::List(&PROJECT),
        "More projects, or changes to those that are there, by name.",
    ),
    may(
        "role",
        Shape::Words(&["admin", "reader", "nobody"]),
        "What the token of the runner may do.",
    ),
    may("server", SERVER, "How the server itself behaves."),
    may(
        "past",
        Shape::Duration,
        "For how long all this has been there when the run begins: what people did in that time is history. Their times count from its beginning.",
    ),
    may(
        "people",
        Shape::List(&VISIT),
        "What other people do, and when.",
    ),
    may(
        "faults",
        Shape::List(&FAULT),
        "What goes wrong on the wire.",
    ),
    may(
        "http",
        SERVERS,
        "Other servers that the playbook speaks to. The first that still answers takes a request.",
    ),
    may(
        "approvals",
        APPROVALS,
        "What people answer to the steps that wait for an approval.",
    ),
]);
