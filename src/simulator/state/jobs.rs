//! Jobs: waiting for an agent, running, over.

use std::sync::Arc;

use crate::simulator::acts::{Done, Origin};
use crate::simulator::scenario::{self, Verdict};

use super::agenda::Due;
use super::places::Place;
use super::records::{Job, Pipeline};
use super::store::State;

impl State {
    /// Puts a job in line for an agent.
    pub(super) fn enqueue_job(
        &mut self,
        pipeline: Place<Pipeline>,
        block: usize,
        (index, said): (usize, &scenario::Job),
    ) -> Place<Job> {
        let id = self.new_id();
        let place = self.add_job(Job {
            id,
            pipeline,
            block,
            index,
            plan: Arc::new(said.clone()),
            created_at: self.now,
            enqueued_at: self.now,
            started_at: None,
            finished: None,
            failure_reason: String::new(),
            copy_of: None,
        });
        if said.never_started.is_some() {
            self.schedule(said.run.0, Due::JobEnds(place));
        } else {
            self.schedule(said.wait.0, Due::JobStarts(place));
        }
        place
    }

    /// A job got its agent.
    pub(super) fn job_starts(&mut self, j: Place<Job>) {
        let job = &mut self.jobs[j];
        if job.finished.is_some() {
            return;
        }
        job.started_at = Some(self.now);
        let run = job.plan.run.0;
        self.schedule(run, Due::JobEnds(j));
    }

    /// A job comes to its own end.
    pub(super) fn job_ends(&mut self, j: Place<Job>) {
        let plan = Arc::clone(&self.jobs[j].plan);
        let verdict = match &plan.never_started {
            Some(why) => {
                if self.jobs[j].finished.is_none() {
                    self.jobs[j].failure_reason.clone_from(why);
                }
                Verdict::Failed
            }
            None => plan.result,
        };
        self.finish_job(j, verdict);
    }

    /// Tells a job to stop; it takes notice a moment later.
    pub(crate) fn stop_job(&mut self, j: Place<Job>, origin: Origin) {
        let job_id = self.jobs[j].id.clone();
        self.record(origin, Done::StopJob { job_id }, None, &[]);
        if self.jobs[j].finished.is_none() {
            let noticed = self.scenario.server.stop_noticed_after.0;
            self.schedule(noticed, Due::JobStopNoticed(j));
        }
    }

    /// A job takes notice that it is to stop.
    pub(super) fn job_stop_noticed(&mut self, j: Place<Job>) {
        self.finish_job(j, Verdict::Stopped);
    }

    fn finish_job(&mut self, j: Place<Job>, verdict: Verdict) {
        let job = &mut self.jobs[j];
        if job.finished.is_some() {
            return;
        }
        job.finished = Some((self.now, verdict));
        let (pipeline, block) = (job.pipeline, job.block);
        if !self.pipelines[pipeline].is_done() {
            self.end_block_when_all_jobs_are(pipeline, block);
        }
    }

    /// Stops all jobs of a pipeline at once, without a look at what follows from it.
    pub(super) fn end_all_jobs(&mut self, p: Place<Pipeline>) {
        let all: Vec<Place<Job>> = self.pipelines[p]
            .blocks
            .iter()
            .flat_map(|b| b.jobs.iter().copied())
            .collect();
        for job in all {
            let now = self.now;
            let job = &mut self.jobs[job];
            if job.finished.is_none() {
                job.finished = Some((now, Verdict::Stopped));
            }
        }
    }
}
