//! The life of a pipeline from running to done, and how it is stopped.

use std::time::Duration;

use crate::simulator::acts::{Done, Origin};
use crate::simulator::scenario::{Cue, Reason, Verdict};

use super::agenda::Due;
use super::places::Place;
use super::records::{BlockState, Ending, Job, Pipeline, Workflow};
use super::store::State;

/// The promotions look for results themselves this often, so they know one at the latest then.
const TOLD_WITHIN_MS: u64 = 5_000;

impl State {
    /// A pipeline begins to run, unless it is one that never does.
    pub(super) fn runs(&mut self, p: Place<Pipeline>) {
        let Some(plan) = self.pipelines[p].plan.clone() else {
            return;
        };
        if plan.result == Some(Verdict::Canceled) {
            let reason = plan.reason.unwrap_or(Reason::User);
            return self.end_pipeline(p, (Verdict::Canceled, reason));
        }
        self.pipelines[p].stamps.running = Some(self.now);
        self.cue(Cue::PipelineRunning);
        if let (Some(run), true) = (plan.run, plan.result.is_some() || plan.reason.is_some()) {
            self.schedule(run.0, Due::ForcedEnd(p));
        }
        self.go_on_with_blocks(p);
    }

    /// The time that the scenario gives a pipeline is up.
    pub(super) fn forced_end(&mut self, p: Place<Pipeline>) {
        if self.pipelines[p].is_done() {
            return;
        }
        let Some(ending) = self.said_ending(p) else {
            return;
        };
        self.end_all_jobs(p);
        self.end_open_blocks(p, ending);
        self.end_pipeline(p, ending);
    }

    /// How the scenario says that a pipeline ends, if it says it.
    pub(super) fn said_ending(&self, p: Place<Pipeline>) -> Option<Ending> {
        let plan = self.pipelines[p].plan.as_ref()?;
        if plan.result.is_none() && plan.reason.is_none() {
            return None;
        }
        let reason = plan.reason.unwrap_or(Reason::Test);
        let result = plan.result.unwrap_or(Verdict::Failed);
        Some((result, reason))
    }

    /// A pipeline whose blocks are all done is done.
    pub(super) fn end_when_all_blocks_are(&mut self, p: Place<Pipeline>) {
        let pipeline = &self.pipelines[p];
        if pipeline.is_done() || pipeline.blocks.iter().any(|b| b.state != BlockState::Done) {
            return;
        }
        let first_bad = pipeline
            .blocks
            .iter()
            .filter(|b| !matches!(b.ending, Some((Verdict::Passed, _))))
            .min_by_key(|b| b.done_at)
            .and_then(|b| b.ending);
        let real = if pipeline.stop_asked && pipeline.stamps.stopping.is_some() {
            (Verdict::Stopped, Reason::User)
        } else {
            first_bad.unwrap_or((Verdict::Passed, Reason::Test))
        };
        let was_stopped = matches!(real, (Verdict::Stopped, _));
        let said = self.said_ending(p).filter(|_| !was_stopped);
        self.end_pipeline(p, said.unwrap_or(real));
    }

    /// A pipeline is done.
    pub(super) fn end_pipeline(&mut self, p: Place<Pipeline>, ending: Ending) {
        let pipeline = &mut self.pipelines[p];
        if pipeline.is_done() {
            return;
        }
        pipeline.stamps.done = Some(self.now);
        pipeline.ending = Some(ending);
        let id = pipeline.id.clone();
        let has_switch = pipeline.switch.is_some();
        self.leave_queue(p);
        self.cue(Cue::PipelineDone);
        if has_switch {
            let wait = match self.scenario.server.promotions_told_after {
                Some(said) => said.0,
                None => Duration::from_millis(self.chance(&["told", &id]) % TOLD_WITHIN_MS),
            };
            self.schedule(wait, Due::Told(p));
        }
    }

    /// Tells a pipeline to stop; it takes notice a moment later.
    pub(crate) fn stop_pipeline(&mut self, p: Place<Pipeline>, origin: Origin) {
        let pipeline_id = self.pipelines[p].id.clone();
        self.record(origin, Done::StopPipeline { pipeline_id }, None, &[]);
        self.ask_to_stop(p, "");
    }

    /// Tells all pipelines of a workflow to stop, and says how many are not done yet.
    pub(crate) fn stop_workflow(&mut self, w: Place<Workflow>, origin: Origin) -> usize {
        let workflow = &self.workflows[w];
        let deed = Done::StopWorkflow {
            workflow_id: workflow.id.clone(),
        };
        let open: Vec<Place<Pipeline>> = workflow
            .pipelines
            .iter()
            .copied()
            .filter(|p| !self.pipelines[*p].is_done())
            .collect();
        for p in &open {
            self.ask_to_stop(*p, origin.user());
        }
        self.record(origin, deed, None, &[]);
        open.len()
    }

    fn ask_to_stop(&mut self, p: Place<Pipeline>, by: &str) {
        let pipeline = &mut self.pipelines[p];
        if pipeline.is_done() || pipeline.stop_asked {
            return;
        }
        pipeline.stop_asked = true;
        pipeline.terminated_by = by.to_owned();
        let noticed = self.scenario.server.stop_noticed_after.0;
        self.schedule(noticed, Due::StopNoticed(p));
    }

    /// A pipeline takes notice that it is to stop: it is canceled when it did not run yet, else its
    /// jobs are stopped.
    pub(super) fn stop_noticed(&mut self, p: Place<Pipeline>) {
        if self.pipelines[p].is_done() {
            return;
        }
        if self.pipelines[p].stamps.running.is_none() {
            self.end_open_blocks(p, (Verdict::Canceled, Reason::User));
            return self.end_pipeline(p, (Verdict::Canceled, Reason::User));
        }
        self.pipelines[p].stamps.stopping = Some(self.now);
        let mut running: Vec<Place<Job>> = Vec::new();
        let now = self.now;
        for block in &mut self.pipelines[p].blocks {
            match block.state {
                BlockState::Waiting => {
                    block.state = BlockState::Done;
                    block.ending = Some((Verdict::Canceled, Reason::User));
                    block.done_at = Some(now);
                }
                BlockState::Running | BlockState::Stopping => {
                    block.state = BlockState::Stopping;
                    running.extend(&block.jobs);
                }
                BlockState::Done => {}
            }
        }
        let noticed = self.scenario.server.stop_noticed_after.0;
        for job in running {
            self.schedule(noticed, Due::JobStopNoticed(job));
        }
        self.end_when_all_blocks_are(p);
    }
}
