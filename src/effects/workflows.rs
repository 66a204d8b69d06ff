//! Waiting for a whole workflow: all its pipelines, whoever started them.
//!
//! A workflow has no state. It is over when all its pipelines are, and when nothing has changed for a
//! while: a promotion by a rule comes some seconds after the end of its pipeline.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::dispatch::{Inner, answer};
use super::failures::of_error;
use super::patience::{Patience, Teller};
use super::sightings::Sighting;
use crate::event::{Answer, Failure};
use crate::ids::Id;
use crate::semaphore::wire::{Pipeline, Verdict};
use crate::semaphore::{Listing, PipelineFilter, PipelinesOf};

/// A workflow holds no more.
const PIPELINES_MAX: usize = 1_000;
/// While nothing may change, it is looked at so often.
const QUIET_EVERY: Duration = Duration::from_secs(5);

impl Inner {
    /// Waits until all pipelines of a workflow are done, and the same for `quiet`.
    pub(super) async fn await_workflow(
        &self,
        workflow: &Id,
        quiet: Duration,
        remaining: Duration,
        teller: &Teller<'_>,
    ) -> Result<Answer, Failure> {
        let what = "the pipelines of the workflow were not all done";
        let mut patience = Patience::new(self, what, remaining);
        let mut quiet_since: Option<(Duration, Vec<Id>)> = None;
        let mut looks = 0;
        loop {
            let mut pause = None;
            match patience.look(self, self.pipelines_of(workflow)).await? {
                Ok(listing) => {
                    self.contact();
                    patience.seeing();
                    let open = listing.items.iter().filter(|pipeline| !pipeline.is_done());
                    let open: Vec<&Pipeline> = open.collect();
                    self.tell_workflow(&listing.items, &open, teller);
                    patience.last = format!("{} of {} not done", open.len(), listing.items.len());
                    if open.is_empty() && !listing.items.is_empty() {
                        let now = self.clock.elapsed();
                        let ids: Vec<Id> = listing.items.iter().map(|p| p.id.clone()).collect();
                        let since = match &quiet_since {
                            Some((since, same)) if *same == ids => *since,
                            Some(_) | None => now,
                        };
                        let left = quiet.saturating_sub(now.saturating_sub(since));
                        if left.is_zero() {
                            return Ok(self.over(workflow, &listing));
                        }
                        quiet_since = Some((since, ids));
                        pause = Some(left.min(QUIET_EVERY));
                    } else {
                        quiet_since = None;
                    }
                }
                Err(failure) => patience.blind(self, failure, teller)?,
            }
            looks += 1;
            let usual = self.interval(workflow, patience.waited(self), looks);
            patience.pause(self, pause.unwrap_or(usual)).await?;
        }
    }

    async fn pipelines_of(&self, workflow: &Id) -> Result<Listing<Pipeline>, Failure> {
        let filter = PipelineFilter::of(PipelinesOf::Workflow(workflow.clone()), PIPELINES_MAX);
        self.client.list_pipelines(&filter).await.map_err(of_error)
    }

    /// Tells of the newest pipeline that is not done, or else of the newest.
    fn tell_workflow(&self, all: &[Pipeline], open: &[&Pipeline], teller: &Teller<'_>) {
        if let Some(newest) = open.first().copied().or(all.first()) {
            let sighting = Sighting {
                at: self.clock.elapsed(),
                pipeline: Arc::new(newest.clone()),
                blocks: None,
                response: None,
            };
            self.tell_seen(&sighting, Vec::new(), teller);
        }
    }

    fn over(&self, workflow: &Id, listing: &Listing<Pipeline>) -> Answer {
        let oldest_first: Vec<&Pipeline> = listing.items.iter().rev().collect();
        let pipelines: Vec<Value> = oldest_first
            .iter()
            .map(|pipeline| self.in_short(pipeline, replaced_by(pipeline, &oldest_first)))
            .collect();
        let worst = worst(&oldest_first);
        let value = json!({
            "pipelines": pipelines,
            "result": worst.and_then(|p| p.result.as_ref()).map(Verdict::as_str),
            "reason": worst.and_then(|p| p.reason.as_ref()).map(|reason| reason.as_str().to_owned()),
            "url": self.client.workflow_url(workflow, None),
        });
        answer(value, listing.response.clone())
    }

    fn in_short(&self, pipeline: &Pipeline, replaced_by: Option<&Id>) -> Value {
        json!({
            "pipeline_id": pipeline.id, "name": pipeline.name,
            "file": pipeline.source.pipeline_file(),
            "result": pipeline.result.as_ref().map(Verdict::as_str),
            "reason": pipeline.reason.as_ref().map(|reason| reason.as_str().to_owned()),
            "promotion_of": pipeline.promotion_of, "replaced_by": replaced_by,
            "url": self.pipeline_url(pipeline),
        })
    }
}

/// The pipeline that rebuilt this one.
fn replaced_by<'a>(pipeline: &'a Pipeline, all: &[&'a Pipeline]) -> Option<&'a Id> {
    let rebuilt = all
        .iter()
        .find(|other| other.partial_rerun_of.as_ref() == Some(&pipeline.id))
        .map(|other| &other.id);
    rebuilt.or(pipeline.partially_rerun_by.as_ref())
}

/// The pipeline whose result counts: the worst, of those that no rebuild replaced.
fn worst<'a>(all: &[&'a Pipeline]) -> Option<&'a Pipeline> {
    let rank = |pipeline: &&&Pipeline| match &pipeline.result {
        Some(Verdict::Passed) => 0,
        Some(Verdict::Canceled) => 1,
        Some(Verdict::Stopped) => 2,
        // What is not known is no better than what failed.
        Some(_) | None => 3,
    };
    let counted = all.iter().filter(|p| replaced_by(p, all).is_none());
    // The first of the worst: what came after it may be its consequence.
    counted.rev().max_by_key(rank).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline(number: u8, result: &str, rebuilds: Option<u8>) -> Pipeline {
        let id = |n: u8| format!("00000000-0000-4000-8000-0000000000{n:02}");
        Pipeline::parse(&json!({
            "ppl_id": id(number), "state": "DONE", "result": result,
            "partial_rerun_of": rebuilds.map(id).unwrap_or_default(),
        }))
        .unwrap()
    }

    #[test]
    fn the_worst_result_counts_unless_it_was_rebuilt() {
        type Given<'a> = &'a [(u8, &'a str, Option<u8>)];
        let cases: &[(Given<'_>, &str)] = &[
            (&[(1, "PASSED", None), (2, "PASSED", None)], "passed"),
            (&[(1, "PASSED", None), (2, "CANCELED", None)], "canceled"),
            (&[(1, "STOPPED", None), (2, "CANCELED", None)], "stopped"),
            (&[(1, "STOPPED", None), (2, "FAILED", None)], "failed"),
            (&[(1, "FAILED", None), (2, "PASSED", Some(1))], "passed"),
            (
                &[
                    (1, "FAILED", None),
                    (2, "FAILED", Some(1)),
                    (3, "PASSED", Some(2)),
                ],
                "passed",
            ),
            (&[(1, "ODD", None), (2, "STOPPED", None)], "odd"),
        ];
        for (given, expected) in cases {
            let all: Vec<Pipeline> = given
                .iter()
                .map(|(n, result, of)| pipeline(*n, result, *of))
                .collect();
            let all: Vec<&Pipeline> = all.iter().collect();
            let result = worst(&all).and_then(|p| p.result.as_ref());
            assert_eq!(result.map(Verdict::as_str), Some(*expected), "{given:?}");
        }
    }
}
