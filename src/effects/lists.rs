//! Lists: all pages up to a limit, filtered as the playbook wants.
//!
//! What the server can filter, it filters; the rest is filtered here, out of as many as it takes.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::dispatch::{Inner, answer};
use super::failures::{id, of_error};
use super::lookup::branch_of;
use super::promotions::event_value;
use crate::engine::call::{PipelineQuery, Since};
use crate::event::{Answer, Failure, FailureKind};
use crate::ids::Id;
use crate::semaphore::wire::{Pipeline, PromotionEvent, State, Verdict, Workflow};
use crate::semaphore::{Listing, PipelineFilter, PipelinesOf, WorkflowFilter};

const LIMIT_DEFAULT: u64 = 100;
/// How many are read at the most, whatever is asked for.
const READ_MAX: usize = 5_000;
/// How many of a branch are looked at to find one that fits.
const FIND_MAX: usize = 500;

/// How many are wanted, and whether that was said.
#[derive(Clone, Copy)]
struct Wanted {
    count: usize,
    said: bool,
}

impl Wanted {
    fn of(limit: Option<u64>) -> Self {
        let count = limit.unwrap_or(LIMIT_DEFAULT).max(1);
        Self {
            count: usize::try_from(count).unwrap_or(READ_MAX).min(READ_MAX),
            said: limit.is_some(),
        }
    }
}

/// What is found in a listing; none when more must be read first.
fn pick<T>(
    listing: Listing<T>,
    wanted: Wanted,
    read: usize,
    keep: impl Fn(&T) -> bool,
    value: impl Fn(&T) -> Value,
) -> Option<Answer> {
    let fits = |item: &&T| keep(item);
    let found: Vec<Value> = listing.items.iter().filter(fits).map(value).collect();
    let enough = found.len() >= wanted.count;
    if !enough && !listing.complete && read < READ_MAX {
        return None;
    }
    let more = found.len() > wanted.count || !listing.complete;
    let mut answer = answer(
        Value::Array(found.into_iter().take(wanted.count).collect()),
        listing.response,
    );
    if more && !(wanted.said && enough) {
        let words = format!(
            "only the newest {} were read, and there are more",
            if enough { wanted.count } else { read }
        );
        answer.limits.push(("list_items_max".to_owned(), words));
    }
    Some(answer)
}

/// How many to read in the first round, and in the next ones.
fn rounds(wanted: Wanted, filtered: bool) -> impl Iterator<Item = usize> {
    let first = if filtered {
        wanted.count.max(100)
    } else {
        wanted.count
    };
    [first, first.saturating_mul(10), READ_MAX]
        .into_iter()
        .map(|read| read.min(READ_MAX))
}

impl Inner {
    fn moment(&self, since: Option<Since>) -> Option<Timestamp> {
        match since? {
            Since::At(at) => Some(at),
            Since::AgoMs(ms) => {
                let ago = std::time::Duration::from_millis(ms);
                self.clock.now().checked_sub(ago).ok()
            }
        }
    }

    /// Lists workflows of a project.
    pub(super) async fn list_workflows(
        &self,
        project: &Id,
        (branch, since, limit): (Option<&str>, Option<Since>, Option<u64>),
    ) -> Result<Answer, Failure> {
        let (wanted, after) = (Wanted::of(limit), self.moment(since));
        for read in rounds(wanted, false) {
            let filter = WorkflowFilter {
                branch_name: branch.map(branch_of),
                created_after: after.map(|at| at.as_second().saturating_sub(1)),
                ..WorkflowFilter::of_project(project.clone(), read)
            };
            let listing = self
                .client
                .list_workflows(&filter)
                .await
                .map_err(of_error)?;
            let keep = |workflow: &Workflow| younger(workflow.created_at, after);
            let value = |workflow: &Workflow| self.workflow_value(workflow);
            if let Some(answer) = pick(listing, wanted, read, keep, value) {
                return Ok(answer);
            }
        }
        Err(no_round())
    }

    /// A workflow as calls give it.
    pub(super) fn workflow_value(&self, workflow: &Workflow) -> Value {
        let mut value = workflow.to_value();
        let pipeline = workflow.pipeline_id.as_ref();
        value["url"] = json!(self.client.workflow_url(&workflow.id, pipeline));
        value
    }

    /// Lists pipelines of a project or workflow.
    pub(super) async fn list_pipelines(&self, query: &PipelineQuery) -> Result<Answer, Failure> {
        let of = match (&query.project_id, &query.workflow_id) {
            (Some(project), _) => PipelinesOf::Project(id(project)?),
            (None, Some(workflow)) => PipelinesOf::Workflow(id(workflow)?),
            (None, None) => return Err(no_round()),
        };
        let (wanted, after) = (Wanted::of(query.limit), self.moment(query.created_after));
        let filtered = query.state.is_some() || query.result.is_some() || query.name.is_some();
        for read in rounds(wanted, filtered) {
            let filter = PipelineFilter {
                branch_name: query.branch.as_deref().map(branch_of),
                file: query.file.clone(),
                created_after: after.map(|at| at.as_second().saturating_sub(1)),
                ..PipelineFilter::of(of.clone(), read)
            };
            let listing = self
                .client
                .list_pipelines(&filter)
                .await
                .map_err(of_error)?;
            let is = |want: &Option<String>, have: Option<&str>| {
                want.as_deref().is_none_or(|want| have == Some(want))
            };
            let keep = |pipeline: &Pipeline| {
                is(&query.state, Some(pipeline.state.as_str()))
                    && is(&query.result, pipeline.result.as_ref().map(Verdict::as_str))
                    && is(&query.name, Some(&pipeline.name))
                    && younger(pipeline.times.created_at, after)
            };
            let value = |pipeline: &Pipeline| self.listed_pipeline(pipeline);
            if let Some(answer) = pick(listing, wanted, read, keep, value) {
                return Ok(answer);
            }
        }
        Err(no_round())
    }

    /// A pipeline of a list.
    fn listed_pipeline(&self, pipeline: &Pipeline) -> Value {
        let mut value = pipeline.to_value();
        value["url"] = json!(self.pipeline_url(pipeline));
        value
    }

    /// Lists the promotions that were triggered from a pipeline.
    pub(super) async fn list_promotions(
        &self,
        pipeline: &Id,
        (name, status): (Option<&str>, Option<&str>),
        (since, limit): (Option<Since>, Option<u64>),
    ) -> Result<Answer, Failure> {
        let (wanted, after) = (Wanted::of(limit), self.moment(since));
        for read in rounds(wanted, status.is_some() || after.is_some()) {
            let listing = self.client.list_promotions(pipeline, name, read).await;
            let listing = listing.map_err(of_error)?;
            let server_time = listing.server_date;
            let keep = |event: &PromotionEvent| {
                name.is_none_or(|name| event.name == name)
                    && status.is_none_or(|status| event.status.as_str() == status)
                    && younger(event.triggered_at, after)
            };
            if let Some(mut answer) = pick(listing, wanted, read, keep, event_value) {
                answer.value = json!({"events": answer.value, "server_time": server_time});
                return Ok(answer);
            }
        }
        Err(no_round())
    }

    /// Looks for a pipeline of a file and commit that passed, or else for one that runs.
    pub(super) async fn find_pipeline(&self, sought: &Commit<'_>) -> Result<Answer, Failure> {
        let filter = PipelineFilter {
            branch_name: Some(branch_of(sought.reference)),
            file: Some(sought.pipeline_file.to_owned()),
            ..PipelineFilter::of(PipelinesOf::Project(sought.project.clone()), FIND_MAX)
        };
        let listing = self
            .client
            .list_pipelines(&filter)
            .await
            .map_err(of_error)?;
        let fits = |pipeline: &&Pipeline| sought.has_parameters(pipeline);
        let alike: Vec<&Pipeline> = listing.items.iter().filter(fits).collect();
        let of_commit = |pipeline: &&&Pipeline| sought.is_commit(&pipeline.source.commit_sha);
        let passed = alike
            .iter()
            .filter(of_commit)
            .find(|pipeline| pipeline.result == Some(Verdict::Passed));
        let running = alike
            .iter()
            .filter(of_commit)
            .find(|pipeline| !pipeline.is_done() && pipeline.state != State::Stopping);
        let (word, found) = match (passed, running) {
            (Some(found), _) => ("reused", found),
            (None, Some(found)) => ("joined", found),
            (None, None) => {
                let undecided = alike
                    .iter()
                    .any(|pipeline| !pipeline.is_done() && pipeline.source.commit_sha.is_empty());
                let value = json!({"found": null, "undecided": undecided});
                return Ok(answer(value, Value::Null));
            }
        };
        let value = json!({
            "found": word, "pipeline_id": found.id, "workflow_id": found.workflow_id,
            "url": self.pipeline_url(found), "undecided": false,
        });
        Ok(answer(value, found.to_value()))
    }
}

/// A commit that is to be built.
pub(super) struct Commit<'a> {
    pub(super) project: Id,
    pub(super) reference: &'a str,
    pub(super) pipeline_file: &'a str,
    pub(super) commit_sha: &'a str,
    pub(super) parameters: &'a indexmap::IndexMap<String, String>,
}

impl Commit<'_> {
    fn is_commit(&self, sha: &str) -> bool {
        let wanted = self.commit_sha.trim();
        wanted.len() >= 7
            && sha.len() >= wanted.len()
            && sha
                .get(..wanted.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(wanted))
    }

    /// Whether a pipeline was made with these parameters and no others, our own mark left out.
    fn has_parameters(&self, pipeline: &Pipeline) -> bool {
        let mut names = pipeline
            .env_vars
            .names()
            .filter(|name| *name != crate::semaphore::MARK_PARAMETER);
        let known = |name: &str| self.parameters.contains_key(name);
        let given = |(name, value): (&String, &String)| {
            pipeline.env_vars.value(name) == Some(value.as_str())
        };
        names.all(known) && self.parameters.iter().all(given)
    }
}

fn younger(at: Option<Timestamp>, after: Option<Timestamp>) -> bool {
    match (at, after) {
        (Some(at), Some(after)) => at > after,
        (None, Some(_)) => false,
        (_, None) => true,
    }
}

fn no_round() -> Failure {
    Failure::new(
        FailureKind::Bug,
        "a list came to no end: this is a bug in runner",
    )
}
