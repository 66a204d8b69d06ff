//! Why a pipeline ended red is found out before anything is made of it: the step makes one more call, which reads
//! the logs of the failed jobs and asks the history, and goes on with what that gives.
//!
//! It never makes a step fail, nor does it keep one from failing: what cannot be found out is `unknown`.

use serde_json::{Value, json};

use super::call::{Call, RedJob, RedPipeline};
use super::machine::Machine;
use super::record::text;
use super::retry::Tries;
use super::step::{After, Node, Outstanding};
use crate::event::{EffectKey, FailureKind, Outcome};
use crate::triage::Kind;

/// The output under which it is found.
pub(super) const TRIAGE: &str = "triage";

impl Machine {
    /// Finds out why the pipeline of a step ended red; gives back what is to be done now, when there is nothing to wait for.
    pub(super) fn look_into(&mut self, index: usize, after: After) -> Option<After> {
        let is_about_it = match &after {
            After::Done => true,
            After::Failed(failure) => matches!(
                failure.kind,
                FailureKind::PipelineFailed | FailureKind::PipelineStopped
            ),
        };
        let Some(mut red) = self.record_of(index).red.filter(|_| is_about_it) else {
            return Some(after);
        };
        let jobs_max = usize::try_from(self.run.triage).unwrap_or(usize::MAX);
        red.jobs.truncate(jobs_max);
        let why_not = if jobs_max == 0 {
            Some("`triage.jobs` is 0")
        } else if !is_worth_it(&red) {
            Some("somebody stopped it, or a newer pipeline did")
        } else {
            None
        };
        if let Some(why) = why_not {
            self.note_triage(index, unknown(why));
            return Some(after);
        }
        let id = self.id(index);
        let running = self.nodes.get_mut(index).and_then(Node::running)?;
        running.calls += 1;
        running.triaging = Some(after);
        let key = EffectKey {
            step: id,
            call: running.calls,
            attempt: 1,
        };
        let call = Call::Triage(red);
        running.outstanding = Outstanding::Call {
            key: key.clone(),
            call: call.clone(),
            tries: Tries::default(),
        };
        self.command_call(index, &key, &call);
        None
    }

    /// It was found out, or not: the step goes on.
    pub(super) fn looked_into(&mut self, index: usize, outcome: &Outcome) {
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        let after = running.triaging.take();
        let step = self.id(index);
        let found = match &outcome.result {
            Ok(answer) => {
                self.note_limits(&step, answer);
                answer.value.get(TRIAGE).cloned()
            }
            Err(failure) => Some(unknown(&failure.message)),
        };
        self.note_triage(index, found.unwrap_or_else(|| unknown("nothing was found")));
        match after {
            Some(After::Failed(failure)) => self.judge_failed(index, failure),
            Some(After::Done) => self.judge_done(index),
            None => {}
        }
    }

    fn note_triage(&mut self, index: usize, found: Value) {
        if let Some(running) = self.nodes.get_mut(index).and_then(Node::running) {
            running.before.outputs.insert(TRIAGE.to_owned(), found);
        }
    }
}

/// What stands for what could not be found out.
fn unknown(why: &str) -> Value {
    json!({
        "kind": Kind::Unknown.as_str(), "why": why, "signature": "",
        "seen": 0, "branches": 0, "passed_later": 0, "jobs": [],
    })
}

/// Whether the pipeline ended by itself: nothing is to be learned from what a person stopped.
fn is_worth_it(red: &RedPipeline) -> bool {
    red.result == "failed" || matches!(red.reason.as_str(), "timeout" | "internal" | "stuck")
}

/// What is to be found out about a pipeline that is done; none when it passed.
pub(super) fn red(answer: &Value) -> Option<Box<RedPipeline>> {
    let pipeline = answer.get("pipeline")?;
    if matches!(text(pipeline, "result"), "" | "passed") {
        return None;
    }
    let own = |name: &str| text(pipeline, name).to_owned();
    let jobs = answer.get("failed_jobs").and_then(Value::as_array);
    let mut jobs: Vec<RedJob> = jobs
        .into_iter()
        .flatten()
        .map(|job| RedJob {
            job_id: text(job, "job_id").to_owned(),
            name: text(job, "name").to_owned(),
            block: text(job, "block").to_owned(),
            result: text(job, "result").to_owned(),
        })
        .collect();
    // What was stopped was most likely stopped because something else failed.
    jobs.sort_by_key(|job| job.result != "failed");
    Some(Box::new(RedPipeline {
        pipeline_id: own("pipeline_id"),
        project_id: own("project_id"),
        branch: own("branch_name"),
        commit_sha: own("commit_sha"),
        pipeline_file: own("pipeline_file"),
        result: own("result"),
        reason: own("reason"),
        description: own("error_description"),
        jobs,
    }))
}
