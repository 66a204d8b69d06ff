//! Pipelines: describe, list, stop, rebuild, topology.
//!
//! Duty: the endpoints under `pipelines`. Invariant: what describe gives is about the pipeline that was
//! asked for. It must not wait nor poll.

use serde_json::json;

use super::client::{Answer, Client};
use super::error::Error;
use super::operation::Operation;
use super::pages::{Key, Listing, Paged, by_link};
use super::transport::Request;
use super::wire::{Fields, Pipeline, PipelineDetails, TopologyBlock};
use super::workflows::{PAGE_SIZE, same_id, token_given};
use crate::ids::Id;

const PATH: &str = "/api/v1alpha/pipelines";

/// Whose pipelines to list.
#[derive(Debug, Clone)]
pub enum PipelinesOf {
    /// Of a project.
    Project(Id),
    /// Of a workflow: the cheapest way to see whether all of it is over.
    Workflow(Id),
}

/// Which pipelines to list.
#[derive(Debug, Clone)]
pub struct PipelineFilter {
    /// Whose.
    pub of: PipelinesOf,
    /// Of this branch.
    pub branch_name: Option<String>,
    /// Of this file, by its whole path.
    pub file: Option<String>,
    /// Made after this second of the epoch.
    pub created_after: Option<i64>,
    /// Made before this second of the epoch.
    pub created_before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

impl PipelineFilter {
    /// All pipelines of a project or workflow, up to a limit.
    pub fn of(of: PipelinesOf, limit: usize) -> Self {
        Self {
            of,
            branch_name: None,
            file: None,
            created_after: None,
            created_before: None,
            limit,
        }
    }
}

impl Client {
    /// Describes a pipeline; blocks and jobs only when `detailed`.
    pub async fn describe_pipeline(
        &self,
        pipeline: &Id,
        detailed: bool,
    ) -> Result<Answer<PipelineDetails>, Error> {
        let mut request = Request::get(format!("{PATH}/{pipeline}"));
        if detailed {
            // Nothing but the word `true` counts as true here.
            request = request.query("detailed", "true");
        }
        self.ask(Operation::DescribePipeline, request, |json| {
            let details = PipelineDetails::parse(json)?;
            same_id("pipeline", pipeline, &details.pipeline.id)?;
            Ok(details)
        })
        .await
    }

    /// Lists pipelines, newest first.
    pub async fn list_pipelines(
        &self,
        filter: &PipelineFilter,
    ) -> Result<Listing<Pipeline>, Error> {
        let first = match &filter.of {
            PipelinesOf::Project(id) => Request::get(PATH).query("project_id", id.as_str()),
            PipelinesOf::Workflow(id) => Request::get(PATH).query("wf_id", id.as_str()),
        };
        let first = first
            .query_if("branch_name", filter.branch_name.as_deref())
            .query_if("yml_file_path", filter.file.as_deref())
            .query_if("created_after", filter.created_after.map(|s| s.to_string()))
            .query_if(
                "created_before",
                filter.created_before.map(|s| s.to_string()),
            )
            .query("page_size", filter.limit.clamp(1, PAGE_SIZE).to_string());
        self.list(Paged {
            operation: Operation::ListPipelines,
            first,
            limit: filter.limit,
            parse: Pipeline::parse,
            key: |pipeline| Key::Id(pipeline.id.to_string()),
            next: by_link,
        })
        .await
    }

    /// Tells a pipeline to stop, which it does in its own time; pipelines promoted from it go on.
    pub async fn stop_pipeline(&self, pipeline: &Id) -> Result<Answer<()>, Error> {
        let request =
            Request::patch(format!("{PATH}/{pipeline}")).json(json!({"terminate_request": true}));
        self.stop(Operation::StopPipeline, request).await
    }

    /// Runs again what did not pass. The same token gives the same new pipeline, whose id this is.
    pub async fn rebuild_pipeline(
        &self,
        pipeline: &Id,
        request_token: &str,
    ) -> Result<Answer<Id>, Error> {
        token_given(Operation::RebuildPipeline, request_token)?;
        let request = Request::post(format!("{PATH}/{pipeline}/partial_rebuild"))
            .json(json!({"request_token": request_token}));
        self.ask(Operation::RebuildPipeline, request, |json| {
            Fields::of("answer", json)?.required_id(&["pipeline_id", "ppl_id"])
        })
        .await
    }

    /// The blocks of a pipeline and what each waits for; empty until its file was read.
    pub async fn describe_topology(
        &self,
        pipeline: &Id,
    ) -> Result<Answer<Vec<TopologyBlock>>, Error> {
        let request = Request::get(format!("{PATH}/{pipeline}/describe_topology"));
        self.ask(
            Operation::DescribeTopology,
            request,
            TopologyBlock::parse_list,
        )
        .await
    }
}
