//! Workflows: run, describe, list, rerun, stop.
//!
//! Duty: the five endpoints under `plumber-workflows`. Invariant: ids in paths are ids. It must not
//! decide whether a run that nobody answered may be sent again.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::client::{Answer, Client};
use super::error::Error;
use super::json::json_of;
use super::operation::Operation;
use super::pages::{Key, Listing, Paged, by_link};
use super::transport::Request;
use super::wire::fields::kind_of;
use super::wire::{Odd, Started, Workflow};
use crate::ids::Id;

/// The parameter of a pipeline by which a run of ours is found again.
pub const MARK_PARAMETER: &str = "RUNNER_KEY";
/// Items of a page, where the server takes any number.
pub(super) const PAGE_SIZE: usize = 100;

const PATH: &str = "/api/v1alpha/plumber-workflows";

/// What to run.
#[derive(Debug, Clone)]
pub struct RunWorkflow {
    /// The project.
    pub project_id: Id,
    /// `refs/heads/x`, `refs/tags/x`, `refs/pull/N`, or a branch name.
    pub reference: String,
    /// The commit, or none for the tip.
    pub commit_sha: Option<String>,
    /// The pipeline file, or none for the default.
    pub pipeline_file: Option<String>,
    /// Parameters of the first pipeline.
    pub parameters: IndexMap<String, String>,
    /// The value of [`MARK_PARAMETER`], or none when marks are off.
    pub mark: Option<String>,
}

/// Which workflows to list.
#[derive(Debug, Clone)]
pub struct WorkflowFilter {
    /// Of this project.
    pub project_id: Id,
    /// Of this branch; tags as `refs/tags/x`, pull requests as `pull-request-N`.
    pub branch_name: Option<String>,
    /// Made after this second of the epoch.
    pub created_after: Option<i64>,
    /// Made before this second of the epoch.
    pub created_before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

impl WorkflowFilter {
    /// All workflows of a project, up to a limit.
    pub fn of_project(project_id: Id, limit: usize) -> Self {
        Self {
            project_id,
            branch_name: None,
            created_after: None,
            created_before: None,
            limit,
        }
    }
}

impl Client {
    /// Starts a workflow. Without a token of ours on the server's side, this call is never repeated
    /// blindly.
    pub async fn run_workflow(&self, run: &RunWorkflow) -> Result<Answer<Started>, Error> {
        let mut parameters = run.parameters.clone();
        if let Some(mark) = &run.mark
            && parameters
                .insert(MARK_PARAMETER.to_owned(), mark.clone())
                .is_some()
        {
            return Err(Error::refused_here(
                Operation::RunWorkflow,
                format!("the parameter `{MARK_PARAMETER}` is runner's own"),
                "choose another name, or turn marks off with `writes.mark: false`",
            ));
        }
        let mut body = Map::new();
        body.insert("project_id".to_owned(), json!(run.project_id));
        body.insert("reference".to_owned(), json!(run.reference));
        let optional = [
            ("commit_sha", &run.commit_sha),
            ("pipeline_file", &run.pipeline_file),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                body.insert(name.to_owned(), json!(value));
            }
        }
        if !parameters.is_empty() {
            body.insert("parameters".to_owned(), json!(parameters));
        }
        let request = Request::post(PATH).json(Value::Object(body));
        self.ask(Operation::RunWorkflow, request, Started::parse)
            .await
    }

    /// Describes a workflow.
    pub async fn describe_workflow(&self, workflow: &Id) -> Result<Answer<Workflow>, Error> {
        let request = Request::get(format!("{PATH}/{workflow}"));
        self.ask(Operation::DescribeWorkflow, request, |json| {
            let described = Workflow::parse_described(json)?;
            same_id("workflow", workflow, &described.id)?;
            Ok(described)
        })
        .await
    }

    /// Lists workflows, newest first.
    pub async fn list_workflows(
        &self,
        filter: &WorkflowFilter,
    ) -> Result<Listing<Workflow>, Error> {
        let first = Request::get(PATH)
            .query("project_id", filter.project_id.as_str())
            .query_if("branch_name", filter.branch_name.as_deref())
            .query_if("created_after", filter.created_after.map(|s| s.to_string()))
            .query_if(
                "created_before",
                filter.created_before.map(|s| s.to_string()),
            )
            .query("page_size", filter.limit.clamp(1, PAGE_SIZE).to_string());
        self.list(Paged {
            operation: Operation::ListWorkflows,
            first,
            limit: filter.limit,
            parse: Workflow::parse,
            key: |workflow| Key::Id(workflow.id.to_string()),
            next: by_link,
        })
        .await
    }

    /// Starts a workflow again. The same token gives the same new workflow.
    pub async fn rerun_workflow(
        &self,
        workflow: &Id,
        request_token: &str,
    ) -> Result<Answer<Started>, Error> {
        token_given(Operation::RerunWorkflow, request_token)?;
        let request = Request::post(format!("{PATH}/{workflow}/reschedule"))
            .json(json!({"request_token": request_token}));
        self.ask(Operation::RerunWorkflow, request, Started::parse)
            .await
    }

    /// Tells all pipelines of a workflow to stop, which they do in their own time.
    pub async fn stop_workflow(&self, workflow: &Id) -> Result<Answer<()>, Error> {
        let request = Request::post(format!("{PATH}/{workflow}/terminate"));
        self.stop(Operation::StopWorkflow, request).await
    }
}

impl Client {
    /// Sends a stop. The document promises no body, the server sends a sentence: both are a yes.
    pub(super) async fn stop(
        &self,
        operation: Operation,
        request: Request,
    ) -> Result<Answer<()>, Error> {
        let whole = self.whole(operation, request).await?;
        let response = if whole.body.is_empty() {
            Value::Null
        } else {
            let json = json_of(&whole.body);
            let json = json.and_then(|json| acknowledged(&json).map(|()| json));
            json.map_err(|odd| self.odd(operation, &whole, &odd))?
        };
        Ok(Answer {
            value: (),
            response,
            server_date: whole.date(),
        })
    }
}

/// A write that answers with a sentence.
pub(super) fn acknowledged(json: &Value) -> Result<(), Odd> {
    match json {
        Value::String(_) | Value::Object(_) => Ok(()),
        other => Err(Odd(format!("it is {}, not a sentence", kind_of(other)))),
    }
}

/// An answer about something else than what was asked for is no answer.
pub(super) fn same_id(what: &str, asked: &Id, answered: &Id) -> Result<(), Odd> {
    if asked == answered {
        Ok(())
    } else {
        Err(Odd(format!(
            "it is about the {what} {answered}, not {asked}"
        )))
    }
}

/// An empty token would be refused, or worse, ignored.
pub(super) fn token_given(operation: Operation, token: &str) -> Result<(), Error> {
    if token.trim().is_empty() {
        return Err(Error::refused_here(
            operation,
            "the request token is empty",
            "this is a bug in runner: each write has a token of its own",
        ));
    }
    Ok(())
}
