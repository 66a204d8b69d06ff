//! What the machine can ask the effects to do: one variant per thing done.

use indexmap::IndexMap;
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
    /// Describes a pipeline. Gives `{"pipeline": {...}, "blocks": [...]}`.
    DescribePipeline {
        /// The pipeline's id.
        pipeline_id: String,
        /// Whether blocks and jobs are wanted.
        detailed: bool,
    },
    /// Lists promotion events of a pipeline. Gives a list of
    /// `{"name", "triggered_by", "triggered_at", "status", "scheduled_pipeline_id", "override"}`,
    /// newest first.
    ListPromotions {
        /// The pipeline's id.
        pipeline_id: String,
        /// Only those of this name.
        name: Option<String>,
    },
    /// Triggers a promotion. Gives `{}`.
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
    },
    /// Waits until a promotion event that is not among the known ones has scheduled its pipeline, or
    /// failed. Gives `{"pipeline_id", "triggered_by", "status"}`.
    AwaitPromotion {
        /// The pipeline that was promoted.
        pipeline_id: String,
        /// The name of the promotion.
        name: String,
        /// The events that were there before, by [`promotion_event_key`].
        known: Vec<String>,
        /// For how long to look.
        within_ms: u64,
    },
    /// Waits until a pipeline is done. Gives what `DescribePipeline` with details gives, and `"url"`.
    AwaitPipeline {
        /// The pipeline's id.
        pipeline_id: String,
        /// Whether to move on to the pipeline or workflow that replaced it.
        follow: bool,
    },
    /// Describes a job. Gives the job's fields, normalised.
    DescribeJob {
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
    /// Sends a request to another address. Gives `{"status", "headers", "body"}`; a status that is not
    /// expected is a failure.
    Http(Box<HttpCall>),
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

impl Call {
    /// The word of the call.
    pub fn word(&self) -> &'static str {
        match self {
            Self::ResolveProject { .. } => "resolve_project",
            Self::RunWorkflow { .. } => "run_workflow",
            Self::DescribePipeline { .. } => "describe_pipeline",
            Self::ListPromotions { .. } => "list_promotions",
            Self::TriggerPromotion { .. } => "trigger_promotion",
            Self::AwaitPromotion { .. } => "await_promotion",
            Self::AwaitPipeline { .. } => "await_pipeline",
            Self::DescribeJob { .. } => "describe_job",
            Self::FetchLog { .. } => "fetch_log",
            Self::Http(_) => "http",
        }
    }

    /// What it is about, for people and for logs.
    pub fn about(&self) -> String {
        match self {
            Self::ResolveProject { name } => format!("project {name}"),
            Self::RunWorkflow {
                project_id,
                reference,
                ..
            } => format!("{reference} of project {project_id}"),
            Self::DescribePipeline { pipeline_id, .. }
            | Self::AwaitPipeline { pipeline_id, .. } => {
                format!("pipeline {pipeline_id}")
            }
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
            Self::DescribeJob { job_id } | Self::FetchLog { job_id, .. } => format!("job {job_id}"),
            Self::Http(call) => format!("{} {}", call.method, call.shown()),
        }
    }

    /// The id on Semaphore that it is about, when there is one.
    pub fn subject(&self) -> Option<&str> {
        match self {
            Self::DescribePipeline { pipeline_id, .. }
            | Self::AwaitPipeline { pipeline_id, .. }
            | Self::ListPromotions { pipeline_id, .. }
            | Self::TriggerPromotion { pipeline_id, .. }
            | Self::AwaitPromotion { pipeline_id, .. } => Some(pipeline_id),
            Self::DescribeJob { job_id } | Self::FetchLog { job_id, .. } => Some(job_id),
            Self::ResolveProject { .. } | Self::RunWorkflow { .. } | Self::Http(_) => None,
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
