//! Doing a step again: `until` asks once more what is not yet as wanted, `rerun` runs once more what
//! ended badly.
//!
//! Neither is a retry, which is about calls that went wrong. A step that begins again is begun with the
//! parameters it was given the first time, and keeps what it had to show.

use serde_json::{Map, Value, json};

use super::actions::{Input, rebuild, start};
use super::machine::Machine;
use super::moves::unmet;
use super::record::{Record, text};
use super::scope::extract;
use super::step::{After, Node, Outstanding};
use super::triage::TRIAGE;
use crate::event::{Failure, FailureKind};
use crate::outcome::StepOutcome;
use crate::plan::{PlanStep, Rerun, RerunScope};

/// Whether a pipeline is run again.
enum Again {
    /// This one is.
    Pipeline(String),
    /// None is; why, when that is worth telling.
    No(Option<String>),
}

impl Machine {
    /// The action of a step did what it should.
    pub(super) fn done(&mut self, index: usize) {
        if self.look_into(index, After::Done).is_some() {
            self.judge_done(index);
        }
    }

    /// The same when it is known why its pipeline ended red, if it did.
    pub(super) fn judge_done(&mut self, index: usize) {
        let Some(until) = self.plan_step(index).and_then(|step| step.until.clone()) else {
            return self.passed(index);
        };
        let told = self.told_with_extracts(index, StepOutcome::Passed, None);
        let scope = self.scope_with_this(index, &told);
        match unmet(&until.that, "until", &scope) {
            Ok(None) => self.passed(index),
            Ok(Some(unmet)) => {
                let Some((timer, cut)) = self.set_timer(index, until.poll) else {
                    return;
                };
                if let Some(running) = self.nodes.get_mut(index).and_then(Node::running) {
                    running.outstanding = Outstanding::Poll { timer, cut, unmet };
                }
            }
            Err(failure) => self.end_step(index, StepOutcome::Failed, Some(failure)),
        }
    }

    /// Reads once more what was not yet as wanted.
    pub(super) fn ask_again(&mut self, index: usize) {
        self.begin_again(index, None);
    }

    /// The action of a step failed.
    pub(super) fn ended_badly(&mut self, index: usize, failure: Failure) {
        if let Some(After::Failed(failure)) = self.look_into(index, After::Failed(failure)) {
            self.judge_failed(index, failure);
        }
    }

    /// The same when it is known why: perhaps its pipeline is run again.
    pub(super) fn judge_failed(&mut self, index: usize, mut failure: Failure) {
        let round = self.round(index);
        match self.what_to_rerun(index, &failure) {
            Ok(Again::Pipeline(pipeline_id)) => self.begin_again(index, Some(&pipeline_id)),
            Ok(Again::No(why)) => {
                if let Some(why) = why {
                    let hint = failure.hint.take();
                    failure.hint = Some(hint.map_or(why.clone(), |hint| format!("{hint}; {why}")));
                }
                if round > 0 && !is_red(&failure) {
                    let message = format!(
                        "the pipeline ended badly, and running it again went wrong: {}",
                        failure.message
                    );
                    failure.message = message;
                }
                self.end_failed(index, failure);
            }
            Err(failure) => self.end_failed(index, failure),
        }
    }

    /// The pipeline of a step that is worth running again, or why it is not, when that is worth telling.
    fn what_to_rerun(&mut self, index: usize, failure: &Failure) -> Result<Again, Failure> {
        let Some(step) = self.plan_step(index).cloned() else {
            return Ok(Again::No(None));
        };
        let (Some(rerun), true) = (&step.rerun, is_red(failure)) else {
            return Ok(Again::No(None));
        };
        let outputs = Value::Object(self.record_of(index).outputs);
        let (pipeline_id, result) = (text(&outputs, "pipeline_id"), text(&outputs, "result"));
        if pipeline_id.is_empty() || matches!(result, "" | "passed") {
            return Ok(Again::No(None));
        }
        let max = self.reruns_max(index, rerun)?;
        if u64::from(self.round(index)) >= max {
            let why = match max {
                0 => None,
                1 => Some("it was run again once, as `rerun.max` allows".to_owned()),
                max => Some(format!(
                    "it was run again {max} times, as `rerun.max` allows"
                )),
            };
            return Ok(Again::No(why));
        }
        let unmet = match &rerun.when {
            None if of_its_own(result, text(&outputs, "reason")) => None,
            None => return Ok(Again::No(None)),
            Some(when) => {
                let told =
                    self.told_with_extracts(index, StepOutcome::Failed, Some(failure.clone()));
                let scope = self.scope_with_this(index, &told);
                unmet(std::slice::from_ref(when), "rerun.when", &scope)?
            }
        };
        Ok(match unmet {
            None => Again::Pipeline(pipeline_id.to_owned()),
            Some(words) => Again::No(Some(format!("it was not run again: {words}"))),
        })
    }

    fn reruns_max(&self, index: usize, rerun: &Rerun) -> Result<u64, Failure> {
        let rendered = rerun.max.render(&self.scope_of(index));
        let value = rendered
            .map_err(|error| Failure::new(FailureKind::Template, error.to_string()))?
            .unwrap_or(Value::from(0));
        value.as_u64().ok_or_else(|| {
            let words = format!(
                "{}: `rerun.max` came out as {value}, which is no number of times",
                rerun.max.place
            );
            Failure::new(FailureKind::Parameter, words)
        })
    }

    fn round(&mut self, index: usize) -> u32 {
        let running = self.nodes.get_mut(index).and_then(Node::running);
        running.map_or(0, |running| running.cx.round)
    }

    /// Begins the action of a step again: with a pipeline as a rerun, else to read once more.
    fn begin_again(&mut self, index: usize, ended: Option<&str>) {
        let record = self.record_of(index);
        let Some(step) = self.plan_step(index).cloned() else {
            return;
        };
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        running.before = record;
        if let Some(pipeline_id) = ended {
            running.cx.round += 1;
            // What was found out was about the pipeline that is left behind.
            let triage = running.before.outputs.remove(TRIAGE).unwrap_or(Value::Null);
            let outputs = Value::Object(running.before.outputs.clone());
            running.before.reruns.push(json!({
                "pipeline_id": pipeline_id, "result": text(&outputs, "result"),
                "reason": text(&outputs, "reason"), "triage": text(&triage, "kind"),
            }));
        }
        let scope = step.rerun.as_ref().map(|rerun| rerun.scope);
        let begun = match (ended, scope) {
            (Some(pipeline_id), Some(RerunScope::Failed)) => {
                Ok(rebuild(pipeline_id, &running.params, &running.cx))
            }
            _ => start(step.action.name, &running.params, &running.cx),
        };
        match begun {
            Ok(act) => {
                running.act = act;
                self.drive(index, Input::Start);
            }
            Err(failure) => self.end_failed(index, failure),
        }
    }

    fn told_with_extracts(
        &mut self,
        index: usize,
        outcome: StepOutcome,
        failure: Option<Failure>,
    ) -> crate::event::StepEnded {
        let mut told = self.told_of(index, outcome, failure);
        let record: Record = self.record_of(index);
        let taken = self
            .plan_step(index)
            .map(|step: &PlanStep| extract(step, &record));
        // What cannot be taken out yet is told when the step has ended.
        if let Some(Ok(taken)) = taken {
            told.outputs.extend(taken);
        }
        told
    }

    /// The pipelines of this run that ended red so far, each once, in the order of the plan.
    pub(super) fn red_pipelines(&self) -> Vec<String> {
        let mut red: Vec<String> = Vec::new();
        let mut note = |pipeline: &Map<String, Value>| {
            let field = |name| pipeline.get(name).and_then(Value::as_str);
            let id = field("pipeline_id").unwrap_or_default();
            let result = field("result").unwrap_or_default();
            let is_red = !matches!(result, "" | "passed");
            if is_red && !id.is_empty() && !red.iter().any(|known| known == id) {
                red.push(id.to_owned());
            }
        };
        for ended in self.nodes.iter().filter_map(Node::ended) {
            let told = &ended.told;
            let of_workflow = told.outputs.get("pipelines").and_then(Value::as_array);
            let earlier = told.reruns.iter().filter_map(Value::as_object);
            earlier.for_each(&mut note);
            note(&told.outputs);
            let pipelines = of_workflow.into_iter().flatten();
            pipelines.filter_map(Value::as_object).for_each(&mut note);
        }
        red
    }
}

/// Whether a failure is a pipeline that did not pass.
fn is_red(failure: &Failure) -> bool {
    matches!(
        failure.kind,
        FailureKind::PipelineFailed | FailureKind::PipelineStopped
    )
}

/// Whether a pipeline ended badly by itself, not because a person or a newer pipeline ended it.
fn of_its_own(result: &str, reason: &str) -> bool {
    match result {
        // A file that is wrong is wrong again.
        "failed" => reason != "malformed",
        _ => matches!(reason, "timeout" | "internal" | "stuck"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_stopped_is_not_run_again() {
        for (result, reason, again) in [
            ("failed", "test", true),
            ("failed", "stuck", true),
            ("failed", "malformed", false),
            ("stopped", "timeout", true),
            ("canceled", "internal", true),
            ("stopped", "user", false),
            ("stopped", "", false),
            ("canceled", "strategy", false),
            ("canceled", "user", false),
        ] {
            assert_eq!(of_its_own(result, reason), again, "{result} {reason}");
        }
    }
}
