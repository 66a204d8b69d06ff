//! Waiting for pipelines: the one place that polls.
//!
//! The longer a wait lasts, the rarer its looks: a tenth of the time waited so far, within `poll.min` and
//! `poll.max`, so that what is quick is seen quickly and what is long costs little. A look that fails is a
//! look that told nothing: the wait goes on until its time is over, or nothing could be seen for as long
//! as the network may be away.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::dispatch::Inner;
use super::failures::of_error;
use super::patience::{Patience, Teller};
use super::sightings::Sighting;
use crate::clock::millis_between;
use crate::event::{Answer, Failure, FailureKind, Seen};
use crate::ids::{Id, derived_number};
use crate::semaphore::wire::{Block, JobState, Pipeline, State, Verdict};
use crate::semaphore::{PipelineFilter, PipelinesOf, WorkflowFilter};

/// From so many waits in one project on, one list serves them all.
const LIST_FROM: usize = 4;
/// How many pipelines of a project are listed at once.
const LIST_MAX: usize = 5_000;

/// What one wait for a pipeline remembers beside its patience.
struct Wait {
    patience: Patience,
    last_seen: Option<Duration>,
    looks: u64,
    replaced: Vec<Value>,
}

impl Inner {
    /// Waits until a pipeline is done.
    pub(super) async fn await_pipeline(
        &self,
        pipeline: &Id,
        follow: bool,
        remaining: Duration,
        teller: &Teller<'_>,
    ) -> Result<Answer, Failure> {
        let mut wait = Wait {
            patience: Patience::new(self, "the pipeline was not done", remaining),
            last_seen: None,
            looks: 0,
            replaced: Vec::new(),
        };
        let mut pipeline = pipeline.clone();
        loop {
            let _counted = self.sightings.wait_for(&pipeline);
            let done = self.await_one(&pipeline, &mut wait, teller).await?;
            let next = if follow {
                self.await_successor(&done, &mut wait, teller).await?
            } else {
                None
            };
            match next {
                Some(next) => {
                    wait.replaced.push(json!({
                        "pipeline_id": done.id,
                        "result": done.result.as_ref().map(Verdict::as_str),
                        "reason": done.reason.as_ref().map(|reason| reason.as_str().to_owned()),
                    }));
                    wait.last_seen = None;
                    pipeline = next;
                }
                None => return self.finished(&pipeline, &mut wait, teller).await,
            }
        }
    }

    /// Waits for one pipeline, whatever replaces it.
    async fn await_one(
        &self,
        id: &Id,
        wait: &mut Wait,
        teller: &Teller<'_>,
    ) -> Result<Arc<Pipeline>, Failure> {
        loop {
            let look = self.look(id, wait.last_seen);
            match wait.patience.look(self, look).await? {
                Ok(sighting) => {
                    wait.last_seen = Some(sighting.at);
                    wait.patience.seeing();
                    wait.patience.last = format!("`{}`", sighting.pipeline.state.as_str());
                    let next = async { Ok(self.upcoming(&sighting).await) };
                    let next = wait.patience.look(self, next).await?;
                    self.tell_seen(&sighting, next.unwrap_or_default(), teller);
                    if sighting.pipeline.is_done() {
                        return Ok(sighting.pipeline);
                    }
                }
                Err(failure) => wait.patience.blind(self, failure, teller)?,
            }
            self.pause(id, wait).await?;
        }
    }

    /// Waits until the next look at a pipeline.
    async fn pause(&self, id: &Id, wait: &mut Wait) -> Result<(), Failure> {
        wait.looks += 1;
        let pause = self.interval(id, wait.patience.waited(self), wait.looks);
        wait.patience.pause(self, pause).await
    }

    /// Finds out which pipeline replaced one that is done.
    async fn await_successor(
        &self,
        done: &Pipeline,
        wait: &mut Wait,
        teller: &Teller<'_>,
    ) -> Result<Option<Id>, Failure> {
        loop {
            match wait.patience.look(self, self.successor(done)).await? {
                Ok(next) => {
                    wait.patience.seeing();
                    return Ok(next);
                }
                Err(failure) => wait.patience.blind(self, failure, teller)?,
            }
            self.pause(&done.id, wait).await?;
        }
    }

    /// The pause before the next look, spread a little so that many waits do not look at once.
    pub(super) fn interval(&self, id: &Id, waited: Duration, looks: u64) -> Duration {
        let (min, max) = (
            self.settings.poll_interval_min,
            self.settings.poll_interval_max,
        );
        let base = (waited / 10).clamp(min, max.max(min));
        let spread = derived_number(&[id.as_str(), &looks.to_string()]) % 200;
        base.mul_f64(0.9 + spread as f64 / 1_000.0)
    }

    /// What is to be seen of a pipeline now: by somebody else's look when there was one, else by a list
    /// when several wait in its project, else by a look of its own.
    async fn look(&self, id: &Id, after: Option<Duration>) -> Result<Sighting, Failure> {
        let project = self.sightings.project_of(id);
        let lane = self.sightings.lane(project.as_ref());
        let _alone = lane.lock().await;
        if let Some(sighting) = self.sightings.seen_after(id, after) {
            self.save();
            return Ok(sighting);
        }
        if let Some(project) = &project
            // A list that fails tells nothing; the pipeline itself may still be there to be seen.
            && let Ok(Some(sighting)) = self.look_at_project(project, id, after).await
        {
            return Ok(sighting);
        }
        let sighting = self.describe(id).await?;
        if project.is_none()
            && let Some(project) = &sighting.pipeline.project_id
        {
            // The others who do not know their project yet may be of the same one.
            let _ = self.look_at_project(project, id, Some(sighting.at)).await;
        }
        Ok(sighting)
    }

    async fn look_at_project(
        &self,
        project: &Id,
        id: &Id,
        after: Option<Duration>,
    ) -> Result<Option<Sighting>, Failure> {
        let (company, oldest) = self.sightings.company(project);
        if company < LIST_FROM {
            return Ok(None);
        }
        let filter = PipelineFilter {
            created_after: oldest.map(|at| at.as_second() - 1),
            ..PipelineFilter::of(PipelinesOf::Project(project.clone()), LIST_MAX)
        };
        let listing = self
            .client
            .list_pipelines(&filter)
            .await
            .map_err(of_error)?;
        self.contact();
        let at = self.clock.elapsed();
        for pipeline in listing.items {
            let sighting = Sighting {
                at,
                pipeline: Arc::new(pipeline),
                blocks: None,
                response: None,
            };
            self.sightings.note(&sighting);
        }
        Ok(self.sightings.seen_after(id, after))
    }

    async fn describe(&self, id: &Id) -> Result<Sighting, Failure> {
        let answer = self
            .client
            .describe_pipeline(id, true)
            .await
            .map_err(of_error)?;
        self.contact();
        let sighting = Sighting {
            at: self.clock.elapsed(),
            pipeline: Arc::new(answer.value.pipeline),
            blocks: Some(Arc::new(answer.value.blocks)),
            response: Some(Arc::new(answer.response)),
        };
        self.sightings.note(&sighting);
        Ok(sighting)
    }

    pub(super) fn tell_seen(
        &self,
        sighting: &Sighting,
        next_blocks: Vec<String>,
        teller: &Teller<'_>,
    ) {
        let pipeline = &sighting.pipeline;
        let now = self.clock.now();
        let running_since = pipeline.times.running_at;
        let queued_ms = pipeline
            .times
            .created_at
            .map(|created| millis_between(created, running_since.unwrap_or(now)));
        let blocks = sighting.blocks.as_ref().map(|blocks| {
            let done = blocks
                .iter()
                .filter(|block| block.state == State::Done)
                .count();
            (
                u32::try_from(done).unwrap_or(u32::MAX),
                u32::try_from(blocks.len()).unwrap_or(u32::MAX),
            )
        });
        let seen = Seen::Pipeline {
            pipeline_id: pipeline.id.to_string(),
            name: pipeline.name.clone(),
            state: pipeline.state.as_str().to_owned(),
            queued_ms,
            running_ms: running_since.map(|since| millis_between(since, now)),
            blocks: blocks.filter(|(_, all)| *all > 0),
            next_blocks,
            failed_jobs: sighting
                .blocks
                .as_ref()
                .map(|blocks| failed_names(blocks))
                .unwrap_or_default(),
            url: self.pipeline_url(pipeline),
        };
        teller.tell(self, seen);
    }

    /// The pipeline that replaced one that did not pass.
    async fn successor(&self, done: &Pipeline) -> Result<Option<Id>, Failure> {
        if done.result == Some(Verdict::Passed) {
            return Ok(None);
        }
        if let Some(next) = &done.partially_rerun_by {
            return Ok(Some(next.clone()));
        }
        // A rerun of the whole workflow starts again from its first pipeline.
        let (Some(project), Some(workflow), None) =
            (&done.project_id, &done.workflow_id, &done.promotion_of)
        else {
            return Ok(None);
        };
        let filter = WorkflowFilter {
            branch_name: Some(done.source.branch_name.clone()).filter(|name| !name.is_empty()),
            created_after: done.times.created_at.map(|at| at.as_second()),
            ..WorkflowFilter::of_project(project.clone(), 100)
        };
        let listing = match self.client.list_workflows(&filter).await.map_err(of_error) {
            Ok(listing) => listing,
            // Who may see the pipeline but not the list cannot know of a successor.
            Err(failure) if failure.kind == FailureKind::NotFound => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let rerun = listing
            .items
            .into_iter()
            .find(|found| found.rerun_of.as_ref() == Some(workflow));
        Ok(rerun.and_then(|rerun| rerun.pipeline_id))
    }

    /// The last describe with details: what the wait gives.
    async fn finished(
        &self,
        id: &Id,
        wait: &mut Wait,
        teller: &Teller<'_>,
    ) -> Result<Answer, Failure> {
        let seen = self.sightings.seen_after(id, None);
        let mut complete =
            seen.filter(|s| s.pipeline.is_done() && s.blocks.is_some() && s.response.is_some());
        let sighting = loop {
            if let Some(sighting) = complete {
                break sighting;
            }
            match wait.patience.look(self, self.describe(id)).await? {
                Ok(sighting) => complete = Some(sighting),
                Err(failure) => {
                    wait.patience.blind(self, failure, teller)?;
                    self.pause(id, wait).await?;
                    complete = None;
                }
            }
        };
        let replaced = std::mem::take(&mut wait.replaced);
        let blocks = sighting
            .blocks
            .as_deref()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut value = self.pipeline_value(&sighting.pipeline, blocks);
        if !replaced.is_empty() {
            value["replaced"] = Value::Array(replaced);
        }
        Ok(Answer {
            value,
            response: sighting.response.as_deref().cloned(),
            ..Answer::default()
        })
    }

    /// A pipeline with its blocks as calls give it.
    pub(super) fn pipeline_value(&self, pipeline: &Pipeline, blocks: &[Block]) -> Value {
        let mut fields = pipeline.to_value();
        let times = &pipeline.times;
        let seconds = |from: Option<jiff::Timestamp>, to: Option<jiff::Timestamp>| {
            Some(json!(millis_between(from?, to?) as f64 / 1_000.0))
        };
        let until_running = times.running_at.or(times.done_at);
        fields["queued_for"] = seconds(times.created_at, until_running).unwrap_or(Value::Null);
        fields["ran_for"] = seconds(times.running_at, times.done_at).unwrap_or(Value::Null);
        let blocks_value: Vec<Value> = blocks.iter().map(Block::to_value).collect();
        json!({
            "pipeline": fields, "blocks": blocks_value,
            "failed_jobs": failed_jobs(blocks), "url": self.pipeline_url(pipeline),
        })
    }

    pub(super) fn pipeline_url(&self, pipeline: &Pipeline) -> String {
        match &pipeline.workflow_id {
            Some(workflow) => self.client.workflow_url(workflow, Some(&pipeline.id)),
            None => String::new(),
        }
    }
}

fn failed_names(blocks: &[Block]) -> Vec<String> {
    let jobs = blocks.iter().flat_map(|block| &block.jobs);
    jobs.filter(|job| job.result == Some(Verdict::Failed))
        .map(|job| job.name.clone())
        .collect()
}

/// The jobs that did not pass, with their blocks.
fn failed_jobs(blocks: &[Block]) -> Vec<Value> {
    let red = |result: &Option<Verdict>| !matches!(result, None | Some(Verdict::Passed));
    blocks
        .iter()
        .flat_map(|block| block.jobs.iter().map(move |job| (block, job)))
        .filter(|(_, job)| job.state == JobState::Finished && red(&job.result))
        .map(|(block, job)| {
            json!({
                "job_id": job.id, "name": job.name, "block": block.name,
                "result": job.result.as_ref().map(Verdict::as_str),
            })
        })
        .collect()
}
