//! Parameters and outputs that several actions have, so that they read the same everywhere.

use super::{Field, Param, Type};

/// `wait`, of every action that starts a pipeline.
pub(super) const WAIT: Param = Param::optional(
    "wait",
    Type::Boolean,
    "Whether to wait until the pipeline is done and take its result.",
)
.default("true");

/// `wait`, of every action that stops something.
pub(super) const STOP_WAIT: Param = Param::optional(
    "wait",
    Type::Boolean,
    "Whether to wait until it has come to its end; with `false` the step is over as soon as Semaphore knows.",
)
.default("true");

/// `created_after`, of every list.
pub(super) const CREATED_AFTER: Param = Param::optional(
    "created_after",
    Type::Since,
    "Only what is younger: a duration (`2h`: in the last two hours) or a time (`2026-11-24T08:00:00Z`).",
);

/// `limit`, of every list.
pub(super) const LIMIT: Param =
    Param::optional("limit", Type::Integer, "At most so many, from 1 to 5000.").default("100");

/// `count`, of every list.
pub(super) const COUNT: Field = Field::always("count", Type::Integer, "How many were found.");

/// What lists say of themselves.
pub(super) const LIST_DOC: &str = "All pages are read, up to `limit`. When there is more than the default limit, the \
     report says so.";

/// What `response` holds after a list.
pub(super) const LIST_RESPONSE: &str = "the list, as Semaphore gives it";

/// What `response` holds after a stop.
pub(super) const STOP_RESPONSE: &str =
    "what it ended as, as Semaphore describes it; with `wait: false` the answer to the stop";

/// The errors of every stop.
pub(super) const STOP_ERRORS: &[(&str, &str)] = &[
    ("deadline", "it had not come to its end in the step's time"),
    (
        "not_found",
        "there is no such thing, or the token may not see it",
    ),
];

/// `expose`, of every action whose parameters Semaphore shows to people.
pub(super) const EXPOSE: Param = Param::optional(
    "expose",
    Type::List(&Type::Text),
    "The names of those parameters that may hold a secret although Semaphore shows them to people.",
);

/// How a pipeline ends, in Semaphore's words.
pub(super) const VERDICTS: &[&str] = &["passed", "failed", "stopped", "canceled"];

/// Why, in Semaphore's words.
const REASONS: &[&str] = &[
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
];

/// Where a pipeline is, in Semaphore's words.
const STATES: &[&str] = &[
    "initializing",
    "waiting",
    "pending",
    "queuing",
    "running",
    "stopping",
    "done",
];

/// Where a job is, and how it ends, in Semaphore's words.
const JOB_STATES: &[&str] = &["pending", "queued", "running", "stopping", "finished"];

/// What starts a workflow, in Semaphore's words.
const WORKFLOW_TRIGGERS: &[&str] = &["hook", "schedule", "api", "manual_run"];

/// What `error.kind` can be.
pub static ERROR_KINDS: &[&str] = &[
    "network",
    "timeout",
    "rate_limited",
    "server",
    "auth_outage",
    "unauthorized",
    "permission",
    "not_found",
    "refused",
    "queue_full",
    "not_passed",
    "invalid_answer",
    "fate_unknown",
    "limit",
    "file",
    "deadline",
    "pipeline_failed",
    "pipeline_stopped",
    "promotion_failed",
    "assert",
    "check",
    "fail",
    "extract",
    "template",
    "parameter",
    "rejected",
    "canceled",
    "locked",
    "step_failed",
    "bug",
];

/// `result`.
pub(super) const RESULT: Field = Field::waited(
    "result",
    Type::Text,
    "How the pipeline ended: `passed`, `failed`, `stopped` or `canceled`.",
)
.known(VERDICTS);

/// `reason`.
pub(super) const REASON: Field = Field::waited(
    "reason",
    Type::Text,
    "Why it did not pass: `test`, `malformed`, `stuck`, `timeout`, `user`, `internal` and the like; else empty.",
)
.known(REASONS);

/// `triage`.
pub(super) const TRIAGE: Field = Field::waited(
    "triage",
    Type::Map(&Type::Any),
    "Why it did not pass, as far as logs and history tell: `{kind, why, signature, seen, branches, passed_later, jobs}` \
     (see triage.md); only when it did not pass.",
);

/// What stands in `triage`.
pub static TRIAGE_FIELDS: &[Field] = &[
    Field::always(
        "kind",
        Type::Text,
        "`infrastructure`, `known_flake`, `new` or `unknown`.",
    )
    .only(&["infrastructure", "known_flake", "new", "unknown"]),
    Field::always("why", Type::Text, "Why it is of that kind, in words."),
    Field::always(
        "signature",
        Type::Text,
        "What stays the same when the same failure happens again; empty when there is none.",
    ),
    Field::always(
        "seen",
        Type::Integer,
        "How many other pipelines of the project ended with it before, within `triage.window`. With several failed jobs, \
         that of the one that was seen least.",
    ),
    Field::always(
        "branches",
        Type::Integer,
        "On how many branches those were.",
    ),
    Field::always(
        "passed_later",
        Type::Integer,
        "How many of those passed afterwards, with the same commit.",
    ),
    Field::always(
        "jobs",
        Type::List(&Type::Any),
        "The failed jobs that were looked at: `{job_id, job, block, command, exit_code, signature, seen, infrastructure, \
         last_lines, missing}`.",
    ),
];

/// `failed_jobs`.
pub(super) const FAILED_JOBS: Field = Field::waited(
    "failed_jobs",
    Type::List(&Type::Any),
    "The jobs that did not pass: a list of `{job_id, name, block, result}`.",
);

/// `url`, of a pipeline.
pub(super) const URL: Field = Field::always("url", Type::Text, "Its address for people.");

/// What `response` holds after a wait.
pub(super) const WAITED_RESPONSE: &str = "the last description of the pipeline with details: `pipeline` and `blocks`; with `wait: false` the answer to the start";

/// The errors of every wait for a pipeline.
pub(super) const WAIT_ERRORS: &[(&str, &str)] = &[
    ("pipeline_failed", "the pipeline did not end as it should"),
    ("pipeline_stopped", "the pipeline was stopped or canceled"),
    (
        "deadline",
        "the step's time was over before the pipeline was done; the pipeline goes on",
    ),
    NOT_FOUND,
];

/// The errors of every start of a pipeline.
pub(super) const START_ERRORS: &[(&str, &str)] = &[
    ("pipeline_failed", "the pipeline did not pass"),
    ("pipeline_stopped", "the pipeline was stopped or canceled"),
    ("refused", "Semaphore refused to start it, and said why"),
    (
        "queue_full",
        "too many pipelines wait already: nothing was started",
    ),
    (
        "deadline",
        "the step's time was over before the pipeline was done; the pipeline goes on",
    ),
    NOT_FOUND,
];

/// The errors of everything that names one thing.
pub(super) const READ_ERRORS: &[(&str, &str)] = &[NOT_FOUND];

const NOT_FOUND: (&str, &str) = (
    "not_found",
    "what it names does not exist, or the token may not see it",
);

/// A pipeline, normalised.
pub(super) const PIPELINE_FIELDS: &[Field] = &[
    Field::always("pipeline_id", Type::Id, "Its id."),
    Field::always("workflow_id", Type::Id, "The id of its workflow."),
    Field::always("project_id", Type::Id, "The id of its project."),
    Field::always("name", Type::Text, "Its name."),
    Field::always(
        "state",
        Type::Text,
        "Where it is: `initializing`, `pending`, `queuing`, `running`, `stopping` or `done`.",
    )
    .known(STATES),
    Field::always(
        "result",
        Type::Text,
        "How it ended: `passed`, `failed`, `stopped` or `canceled`; none until it is done.",
    )
    .known(VERDICTS),
    Field::always("reason", Type::Text, "Why it did not pass; else none.").known(REASONS),
    Field::always(
        "error_description",
        Type::Text,
        "What is wrong with the pipeline file, when it is malformed.",
    ),
    Field::always(
        "branch_name",
        Type::Text,
        "The branch, tag or pull request that it builds.",
    ),
    Field::always("commit_sha", Type::Text, "The commit that it builds."),
    Field::always("commit_message", Type::Text, "The message of that commit."),
    Field::always(
        "pipeline_file",
        Type::Text,
        "The file that it was made from, from the root of the repository.",
    ),
    Field::always("working_directory", Type::Text, "The folder of that file."),
    Field::always(
        "yaml_file_name",
        Type::Text,
        "The name of that file in its folder.",
    ),
    Field::always("created_at", Type::Text, "When it was created."),
    Field::always("pending_at", Type::Text, "When it was ready to be queued."),
    Field::always("queuing_at", Type::Text, "When it joined the queue."),
    Field::always("running_at", Type::Text, "When it began to run."),
    Field::always("stopping_at", Type::Text, "When somebody began to stop it."),
    Field::always("done_at", Type::Text, "When it was done."),
    Field::always(
        "switch_id",
        Type::Id,
        "The id of its set of promotions; none when it has no promotions.",
    ),
    Field::always(
        "promotion_of",
        Type::Id,
        "The id of the pipeline it was promoted from; else none.",
    ),
    Field::always(
        "partial_rerun_of",
        Type::Id,
        "The id of the pipeline it rebuilds; else none.",
    ),
    Field::always(
        "partially_rerun_by",
        Type::Id,
        "The id of the pipeline that rebuilds it; else none.",
    ),
    Field::always(
        "terminate_request",
        Type::Text,
        "How it was asked to stop; empty when it was not.",
    ),
    Field::always(
        "terminated_by",
        Type::Text,
        "Who stopped it; empty when nobody did.",
    ),
    Field::always(
        "queue",
        Type::Map(&Type::Any),
        "Its queue: `{queue_id, name, scope}`.",
    ),
    Field::always(
        "workflow_triggered_by",
        Type::Text,
        "What started its workflow, such as `api` or `hook`.",
    ),
    Field::always(
        "triggered_by",
        Type::Text,
        "What started it, such as `workflow` or `promotion`.",
    ),
    Field::always(
        "triggered_by_user_id",
        Type::Text,
        "The id of the user who started it; empty when no user did.",
    ),
    Field::always(
        "workflow_rerun_of",
        Type::Id,
        "The id of the workflow that its workflow runs again; else none.",
    ),
    Field::always(
        "with_after_task",
        Type::Boolean,
        "Whether jobs run after it.",
    ),
    Field::always(
        "env_vars",
        Type::List(&Type::Text),
        "The names of its parameters, without their values.",
    ),
    Field::always(
        "queued_for",
        Type::Duration,
        "How long it waited before it ran, in seconds; none until it runs.",
    ),
    Field::always(
        "ran_for",
        Type::Duration,
        "How long it ran, in seconds; none until it is done.",
    ),
    URL,
    Field::always(
        "blocks",
        Type::List(&Type::Any),
        "Its blocks with their jobs; empty unless `detailed`.",
    ),
    Field::always(
        "failed_jobs",
        Type::List(&Type::Any),
        "The jobs that did not pass: a list of `{job_id, name, block, result}`; empty unless `detailed`.",
    ),
];

/// A workflow, normalised.
pub(super) const WORKFLOW_FIELDS: &[Field] = &[
    Field::always("workflow_id", Type::Id, "Its id."),
    Field::always("pipeline_id", Type::Id, "The id of its first pipeline."),
    Field::always("project_id", Type::Id, "The id of its project."),
    Field::always(
        "branch_name",
        Type::Text,
        "The branch, tag or pull request that it builds.",
    ),
    Field::always(
        "commit_sha",
        Type::Text,
        "The commit that it builds; empty until Semaphore has looked it up.",
    ),
    Field::always(
        "requester_id",
        Type::Text,
        "The id of the user who asked for it.",
    ),
    Field::always(
        "rerun_of",
        Type::Id,
        "The id of the workflow that it repeats; else none.",
    ),
    Field::always(
        "triggered_by",
        Type::Text,
        "What started it: `hook`, `schedule`, `api` or `manual_run`.",
    )
    .known(WORKFLOW_TRIGGERS),
    Field::always("created_at", Type::Text, "When it was created."),
    URL,
];

/// A job, normalised.
pub(super) const JOB_FIELDS: &[Field] = &[
    Field::always("job_id", Type::Id, "Its id."),
    Field::always("name", Type::Text, "Its name."),
    Field::always("project_id", Type::Id, "The id of its project."),
    Field::always(
        "pipeline_id",
        Type::Id,
        "The id of its pipeline; none when Semaphore does not show it.",
    ),
    Field::always(
        "workflow_id",
        Type::Id,
        "The id of its workflow; none when Semaphore does not show it.",
    ),
    Field::always(
        "state",
        Type::Text,
        "Where it is: `pending`, `queued`, `running`, `stopping` or `finished`.",
    )
    .known(JOB_STATES),
    Field::always(
        "result",
        Type::Text,
        "How it ended: `passed`, `failed` or `stopped`; none until it has finished.",
    )
    .known(VERDICTS),
    Field::always(
        "failure_reason",
        Type::Text,
        "Why it ended without ever having run; else none.",
    ),
    Field::always("created_at", Type::Text, "When it was created."),
    Field::always("updated_at", Type::Text, "When it changed last."),
    Field::always("started_at", Type::Text, "When it began to run."),
    Field::always("finished_at", Type::Text, "When it ended."),
    Field::always("machine_type", Type::Text, "The type of its machine."),
    Field::always("os_image", Type::Text, "The image of its machine."),
    Field::always(
        "agent_name",
        Type::Text,
        "The agent that runs it; empty until one does.",
    ),
    URL,
];

/// What every step has, whatever its action.
pub static STEP_FIELDS: &[Field] = &[
    Field::always(
        "outcome",
        Type::Text,
        "`passed`, `failed`, `skipped`, `blocked`, `canceled` or `unknown`.",
    )
    .only(&[
        "passed", "failed", "skipped", "blocked", "canceled", "unknown",
    ]),
    Field::always("why", Type::Text, "Why it is not `passed`, in words."),
    Field::always(
        "error",
        Type::Any,
        "When it failed: `{kind, message, hint, status}`.",
    ),
    Field::always("attempts", Type::Integer, "How often it was tried."),
    Field::always("duration", Type::Duration, "How long it took, in seconds."),
    Field::always(
        "response",
        Type::Any,
        "The JSON of its last answer from the API.",
    ),
    Field::always(
        "each",
        Type::List(&Type::Any),
        "With `for_each`: one record per item.",
    ),
];
