//! What the machine can ask the effects to do: one variant per thing done.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::address::Address;

/// A call. Each variant says the shape of its answer's `value`; keys are always the long names
/// (`workflow_id`, `pipeline_id`), states lower case, times RFC 3339 or `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
pub enum Call {
    /// Finds the id of a project by its name. Gives `{"id", "name"}`.
    ResolveProject {
        /// The name.
        name: String,
    },
    /// Finds a task of a project. Gives `{"id", "name", "reference", "parameters": [name…]}`.
    ResolveTask {
        /// The project's id.
        project_id: String,
        /// The task's id or name.
        task: String,
    },
    /// Starts a workflow. Gives `{"workflow_id", "pipeline_id", "url"}`.
    RunWorkflow {
        /// The project's id.
        project_id: String,
        /// `refs/heads/x`, `refs/tags/x`, `refs/pull/N`, or a branch name.
        reference: String,
        /// The commit, or none for the tip.
        commit_sha: Option<String>,
        /// The pipeline file, or none for the default.
        pipeline_file: Option<String>,
        /// Parameters of the initial pipeline.
        parameters: IndexMap<String, String>,
        /// What marks the pipeline as ours: the value of `RUNNER_KEY`, or none when marks are off.
        mark: Option<String>,
    },
    /// Runs a task. Gives `{"workflow_id", "url"}`, and `"pipeline_id"` when it is known.
    RunTask {
        /// The project's id.
        project_id: String,
        /// The task's id.
        task_id: String,
        /// What to build, or none for the task's own reference.
        reference: Option<String>,
        /// The reference under which the new workflow will be found.
        shows_on: String,
        /// The pipeline file, or none for the task's own.
        pipeline_file: Option<String>,
        /// Values for the task's parameters.
        parameters: IndexMap<String, String>,
        /// What marks the pipeline as ours, when the task has a parameter for it.
        mark: Option<String>,
    },
    /// Starts a workflow again. Gives `{"workflow_id", "pipeline_id", "url"}`.
    RerunWorkflow {
        /// The old workflow's id.
        workflow_id: String,
        /// The request token.
        token: String,
    },
    /// Runs again what did not pass of a pipeline. Gives `{"pipeline_id"}`.
    RebuildPipeline {
        /// The old pipeline's id.
        pipeline_id: String,
        /// The request token.
        token: String,
    },
    /// Tells a workflow to stop. Gives `{}`.
    StopWorkflow {
        /// The workflow's id.
        workflow_id: String,
    },
    /// Tells a pipeline to stop. Gives `{}`.
    StopPipeline {
        /// The pipeline's id.
        pipeline_id: String,
    },
    /// Tells a job to stop. Gives `{}`.
    StopJob {
        /// The job's id.
        job_id: String,
    },
    /// Takes what a person says a write of unknown fate has made: the id of a workflow or of a
    /// pipeline. Gives what the write would have given: `{"workflow_id", "pipeline_id", "url"}`.
    Adopt {
        /// The id.
        id: String,
        /// The project that it must belong to, when it is known.
        project_id: Option<String>,
    },
    /// Describes a workflow. Gives the workflow's fields, normalised, and `"url"`.
    DescribeWorkflow {
        /// The workflow's id.
        workflow_id: String,
    },
    /// Describes a pipeline. Gives `{"pipeline": {…}, "blocks": […], "failed_jobs": […], "url"}`.
    DescribePipeline {
        /// The pipeline's id.
        pipeline_id: String,
        /// Whether blocks and jobs are wanted.
        detailed: bool,
        /// Whether each block is to say which ones it waits for (`needs`).
        #[serde(default)]
        topology: bool,
    },
    /// Describes a job. Gives the job's fields, normalised, `"url"`, and `"failure_reason"` when it
    /// ended without having run.
    DescribeJob {
        /// The job's id.
        job_id: String,
    },
    /// Looks for a pipeline that passed, or else for one that runs, of a file and commit. Gives
    /// `{"found": "reused" | "joined" | null, "pipeline_id", "workflow_id", "url", "undecided"}`;
    /// `undecided` when a pipeline is there whose commit is not known yet.
    FindPipeline {
        /// The project's id.
        project_id: String,
        /// Where the commit is.
        reference: String,
        /// The pipeline file.
        pipeline_file: String,
        /// The commit, or its beginning.
        commit_sha: String,
        /// Its parameters.
        parameters: IndexMap<String, String>,
    },
    /// Lists workflows. Gives a list of workflows, normalised, newest first.
    ListWorkflows {
        /// The project's id.
        project_id: String,
        /// Only those of this branch or reference.
        branch: Option<String>,
        /// Only those that are younger.
        created_after: Option<Since>,
        /// At most so many; none for the default.
        limit: Option<u64>,
    },
    /// Lists pipelines. Gives a list of pipelines, normalised, newest first.
    ListPipelines(PipelineQuery),
    /// Lists promotion events of a pipeline. Gives `{"events": […], "server_time"}`, newest first; an
    /// event is `{"name", "triggered_by", "triggered_at", "status", "scheduled_at", "pipeline_id",
    /// "override"}`.
    ListPromotions {
        /// The pipeline's id.
        pipeline_id: String,
        /// Only those of this name.
        name: Option<String>,
        /// Only those with this status.
        status: Option<String>,
        /// Only those that are younger.
        created_after: Option<Since>,
        /// At most so many; none for the default.
        limit: Option<u64>,
    },
    /// Triggers a promotion. Gives `{"after", "before"}`: between which times of the server it was.
    TriggerPromotion {
        /// The pipeline that is promoted.
        pipeline_id: String,
        /// The name of the promotion.
        name: String,
        /// Its parameters.
        parameters: IndexMap<String, String>,
        /// Whether a pipeline that did not pass is promoted all the same.
        r#override: bool,
        /// The request token.
        token: String,
        /// The server's time when the events before it were listed.
        listed_at: Option<Timestamp>,
    },
    /// Waits until a promotion event has scheduled its pipeline, or failed. Gives `{"pipeline_id",
    /// "triggered_by", "status"}`.
    AwaitPromotion {
        /// The pipeline that was promoted.
        pipeline_id: String,
        /// The name of the promotion.
        name: String,
        /// Which of its events.
        sought: SoughtEvent,
        /// For how long to look.
        within_ms: u64,
    },
    /// Waits until a pipeline is done. Gives what `DescribePipeline` with details gives.
    AwaitPipeline {
        /// The pipeline's id.
        pipeline_id: String,
        /// Whether to move on to the pipeline or workflow that replaced it; those that were left
        /// behind are then in `"replaced"`.
        follow: bool,
    },
    /// Waits until all pipelines of a workflow are done. Gives `{"pipelines": […], "result",
    /// "reason", "url"}`, oldest first.
    AwaitWorkflow {
        /// The workflow's id.
        workflow_id: String,
        /// For how long nothing may have changed.
        quiet_ms: u64,
    },
    /// Waits until a job has finished. Gives what `DescribeJob` gives.
    AwaitJob {
        /// The job's id.
        job_id: String,
    },
    /// Fetches the log of a job to a file. Gives
    /// `{"job_id", "job", "path", "bytes", "complete", "failed_command": null | {"command",
    /// "exit_code", "last_lines"}, "missing": null | reason}`.
    FetchLog {
        /// The job's id.
        job_id: String,
        /// The job's name, for the file's name.
        job_name: String,
        /// The folder, relative to the folder of the run's files.
        folder: String,
        /// `text` or `events`.
        format: String,
        /// How many last lines are given back.
        tail: u32,
    },
    /// Finds out why a pipeline ended red, from the logs of its failed jobs and from the history. Gives
    /// `{"triage": {"kind", "why", "signature", "seen", "branches", "passed_later", "jobs": [{"job_id",
    /// "job", "block", "command", "exit_code", "signature", "seen", "infrastructure", "last_lines",
    /// "missing"}]}, "about": {"project_id", "pipeline_id", "branch", "commit_sha", "pipeline_file"}}`.
    Triage(Box<RedPipeline>),
    /// Sends a request to another address. Gives `{"status", "headers", "body"}`; a status that is not
    /// expected is a failure.
    Http(Box<HttpCall>),
}

/// A pipeline that ended red.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedPipeline {
    /// Its id.
    pub pipeline_id: String,
    /// The id of its project.
    pub project_id: String,
    /// The branch, tag or pull request that it built.
    pub branch: String,
    /// The commit that it built.
    pub commit_sha: String,
    /// The file that it was made from.
    pub pipeline_file: String,
    /// Its result.
    pub result: String,
    /// Its reason.
    pub reason: String,
    /// What Semaphore says of its file, when that is malformed.
    pub description: String,
    /// The jobs whose logs are read, those that failed before those that were stopped.
    pub jobs: Vec<RedJob>,
}

/// A job that did not pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedJob {
    /// Its id.
    pub job_id: String,
    /// Its name.
    pub name: String,
    /// The name of its block.
    pub block: String,
    /// Its result.
    pub result: String,
}

/// A request to another address than Semaphore's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HttpCall {
    /// `GET`, `HEAD`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Where it goes.
    pub url: String,
    /// Its headers; the body's type among them.
    pub headers: IndexMap<String, String>,
    /// What is sent along.
    pub body: Option<String>,
    /// The statuses that will do; empty for any from 200 to 299.
    pub expect: Vec<u16>,
    /// Whether doing it twice is the same as doing it once, although its method does not say so.
    pub idempotent: bool,
}

impl HttpCall {
    /// Whether a status is one of those that will do.
    pub fn expects(&self, status: u16) -> bool {
        if self.expect.is_empty() {
            (200..300).contains(&status)
        } else {
            self.expect.contains(&status)
        }
    }

    /// Where it goes, for people; empty when that is no address.
    fn shown(&self) -> String {
        Address::parse(&self.url).map_or_else(|_| String::new(), |address| address.shown())
    }
}

/// Which pipelines are listed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct PipelineQuery {
    /// Of this project.
    pub project_id: Option<String>,
    /// Of this workflow.
    pub workflow_id: Option<String>,
    /// Of this branch or reference.
    pub branch: Option<String>,
    /// Of this pipeline file.
    pub file: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// With this result.
    pub result: Option<String>,
    /// Of this name.
    pub name: Option<String>,
    /// Only those that are younger.
    pub created_after: Option<Since>,
    /// At most so many; none for the default.
    pub limit: Option<u64>,
}

/// A moment in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Since {
    /// So many milliseconds before the call.
    AgoMs(u64),
    /// At this time.
    At(Timestamp),
}

/// Which event of a promotion is meant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SoughtEvent {
    /// The one with this [`promotion_event_key`].
    Known(String),
    /// Ours: not there before, triggered by a person's token, and in the time of our trigger.
    Ours {
        /// The events that were there before, by [`promotion_event_key`].
        before: Vec<String>,
        /// The server's time before which it cannot have been triggered.
        not_before: Option<Timestamp>,
        /// The server's time after which it cannot have been triggered.
        not_after: Option<Timestamp>,
        /// Whether the server said yes to the trigger; else nothing that is found is certainly ours.
        answered: bool,
        /// The parameters that its pipeline must have.
        parameters: IndexMap<String, String>,
    },
}

impl Call {
    /// The word of the call.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ResolveProject { .. } => "resolve_project",
            Self::ResolveTask { .. } => "resolve_task",
            Self::RunWorkflow { .. } => "run_workflow",
            Self::RunTask { .. } => "run_task",
            Self::RerunWorkflow { .. } => "rerun_workflow",
            Self::RebuildPipeline { .. } => "rebuild_pipeline",
            Self::StopWorkflow { .. } => "stop_workflow",
            Self::StopPipeline { .. } => "stop_pipeline",
            Self::StopJob { .. } => "stop_job",
            Self::DescribeWorkflow { .. } => "describe_workflow",
            Self::Adopt { .. } => "adopt",
            Self::DescribePipeline { .. } => "describe_pipeline",
            Self::DescribeJob { .. } => "describe_job",
            Self::FindPipeline { .. } => "find_pipeline",
            Self::ListWorkflows { .. } => "list_workflows",
            Self::ListPipelines(_) => "list_pipelines",
            Self::ListPromotions { .. } => "list_promotions",
            Self::TriggerPromotion { .. } => "trigger_promotion",
            Self::AwaitPromotion { .. } => "await_promotion",
            Self::AwaitPipeline { .. } => "await_pipeline",
            Self::AwaitWorkflow { .. } => "await_workflow",
            Self::AwaitJob { .. } => "await_job",
            Self::FetchLog { .. } => "fetch_log",
            Self::Triage(_) => "triage",
            Self::Http(_) => "http",
        }
    }

    /// What it is about, for people and for logs.
    pub fn about(&self) -> String {
        match self {
            Self::ResolveProject { name } => format!("project {name}"),
            Self::ResolveTask { project_id, task } => {
                format!("task {task} of project {project_id}")
            }
            Self::RunWorkflow {
                project_id,
                reference,
                ..
            } => format!("{reference} of project {project_id}"),
            Self::RunTask { task_id, .. } => format!("task {task_id}"),
            Self::RerunWorkflow { workflow_id, .. }
            | Self::StopWorkflow { workflow_id }
            | Self::DescribeWorkflow { workflow_id }
            | Self::AwaitWorkflow { workflow_id, .. } => format!("workflow {workflow_id}"),
            Self::RebuildPipeline { pipeline_id, .. }
            | Self::StopPipeline { pipeline_id }
            | Self::DescribePipeline { pipeline_id, .. }
            | Self::AwaitPipeline { pipeline_id, .. } => format!("pipeline {pipeline_id}"),
            Self::FindPipeline {
                pipeline_file,
                commit_sha,
                ..
            } => format!("{pipeline_file} at {commit_sha}"),
            Self::ListWorkflows { project_id, .. } => format!("workflows of project {project_id}"),
            Self::ListPipelines(query) => match (&query.project_id, &query.workflow_id) {
                (Some(project), _) => format!("pipelines of project {project}"),
                (None, Some(workflow)) => format!("pipelines of workflow {workflow}"),
                (None, None) => "pipelines".to_owned(),
            },
            Self::Adopt { id, .. } => format!("workflow or pipeline {id}"),
            Self::ListPromotions { pipeline_id, .. } => {
                format!("promotions of pipeline {pipeline_id}")
            }
            Self::TriggerPromotion {
                pipeline_id, name, ..
            }
            | Self::AwaitPromotion {
                pipeline_id, name, ..
            } => {
                format!("promotion {name} of pipeline {pipeline_id}")
            }
            Self::StopJob { job_id }
            | Self::DescribeJob { job_id }
            | Self::AwaitJob { job_id }
            | Self::FetchLog { job_id, .. } => format!("job {job_id}"),
            Self::Triage(red) => format!("why pipeline {} ended red", red.pipeline_id),
            Self::Http(call) => format!("{} {}", call.method, call.shown()),
        }
    }

    /// The id on Semaphore that it is about, when there is one.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::Adopt { id, .. } => Some(id),
            Self::RebuildPipeline { pipeline_id, .. }
            | Self::StopPipeline { pipeline_id }
            | Self::DescribePipeline { pipeline_id, .. }
            | Self::AwaitPipeline { pipeline_id, .. }
            | Self::ListPromotions { pipeline_id, .. }
            | Self::TriggerPromotion { pipeline_id, .. }
            | Self::AwaitPromotion { pipeline_id, .. } => Some(pipeline_id),
            Self::RerunWorkflow { workflow_id, .. }
            | Self::StopWorkflow { workflow_id }
            | Self::DescribeWorkflow { workflow_id }
            | Self::AwaitWorkflow { workflow_id, .. } => Some(workflow_id),
            Self::StopJob { job_id }
            | Self::DescribeJob { job_id }
            | Self::AwaitJob { job_id }
            | Self::FetchLog { job_id, .. } => Some(job_id),
            Self::ListPipelines(query) => query.workflow_id.as_deref(),
            Self::Triage(red) => Some(&red.pipeline_id),
            Self::ResolveProject { .. }
            | Self::ResolveTask { .. }
            | Self::RunWorkflow { .. }
            | Self::RunTask { .. }
            | Self::FindPipeline { .. }
            | Self::ListWorkflows { .. }
            | Self::Http(_) => None,
        }
    }

    /// The server that it is about, when that is another than Semaphore.
    pub fn elsewhere(&self) -> Option<String> {
        let Self::Http(call) = self else { return None };
        let address = Address::parse(&call.url);
        Some(address.map_or_else(|_| String::new(), |address| address.origin()))
    }
}

/// What tells two promotion events apart: name, who, when.
pub fn promotion_event_key(event: &Value) -> String {
    let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    format!(
        "{}|{}|{}",
        text("name"),
        text("triggered_by"),
        text("triggered_at")
    )
}
