//! How a single step ends: passed or failed by its action, given up, out of time, or without having begun;
//! and what it has to show then.

use std::time::Duration;

use serde_json::json;

use super::machine::Machine;
use super::moves::unmet;
use super::record::Record;
use super::retry::CallClass;
use super::scope::{Told, extract, step_data};
use super::seam::Cmd;
use super::step::{Node, Outstanding, State};
use crate::duration;
use crate::event::{Failure, FailureKind, Fate, StepEnded};
use crate::outcome::StepOutcome;
use crate::template::{Data, Scope};

/// What a person can do about a write that may have happened.
const LOOK_FOR_IT: &str = "look for it on Semaphore, then say so with `runner resolve`";

impl Machine {
    pub(super) fn out_of_time(&mut self, index: usize, last: Option<&Failure>) -> Failure {
        let total = self
            .nodes
            .get_mut(index)
            .and_then(Node::running)
            .map_or(0, |running| {
                running
                    .deadline_active_ms
                    .saturating_sub(running.started.active_ms)
            });
        let mut message = format!(
            "the step's time of {} is over",
            duration::show(Duration::from_millis(total))
        );
        if let Some(last) = last {
            message.push_str("; the last error was: ");
            message.push_str(&last.message);
        }
        let failure =
            Failure::new(FailureKind::Deadline, message).hint("`timeout` gives a step more time");
        self.doubtful(index, failure)
    }

    /// A failure for which a step ends although a write of it may have happened is of unknown fate.
    pub(super) fn doubtful(&mut self, index: usize, mut failure: Failure) -> Failure {
        let doubt = self
            .nodes
            .get_mut(index)
            .and_then(Node::running)
            .and_then(|running| running.doubt.as_ref());
        if let Some(doubt) = doubt {
            failure.fate = Fate::Unknown;
            failure.candidates.clone_from(&doubt.candidates);
            failure
                .message
                .push_str("; whether what was sent before has happened is not known: ");
            failure.message.push_str(&doubt.message);
            failure.hint = Some(LOOK_FOR_IT.to_owned());
        }
        failure
    }

    /// Gives a running step up, at once or as soon as the write that is under way has ended.
    pub(super) fn give_up(&mut self, index: usize, failure: &Failure) {
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        if running.parts.is_some() {
            // It ends when its parts have ended, which are given up each by itself.
            running.giving_up.get_or_insert_with(|| failure.clone());
            self.touched.insert(index);
            return;
        }
        if running
            .outstanding
            .under_way()
            .is_some_and(CallClass::writes)
        {
            running.giving_up = Some(failure.clone());
            return;
        }
        let sought = match &running.outstanding {
            Outstanding::Call { key, call, .. } => Some((key.step.clone(), call.clone())),
            _ => None,
        };
        if let Some(key) = running.outstanding.key() {
            self.turn.commands.push(Cmd::Drop { key });
        }
        if let Some((step, call)) = sought {
            self.note_sought(&step, &call);
        }
        self.end_given_up(index, failure.clone());
    }

    pub(super) fn end_given_up(&mut self, index: usize, failure: Failure) {
        let failure = self.doubtful(index, failure);
        let outcome = if failure.fate == Fate::Unknown {
            StepOutcome::Unknown
        } else {
            StepOutcome::Canceled
        };
        self.end_step(index, outcome, Some(failure));
    }

    pub(super) fn passed(&mut self, index: usize) {
        let verdict = self.after_action(index, true);
        match verdict {
            Ok(()) => self.end_step(index, StepOutcome::Passed, None),
            Err(failure) => self.end_step(index, StepOutcome::Failed, Some(failure)),
        }
    }

    pub(super) fn end_failed(&mut self, index: usize, mut failure: Failure) {
        let unknown = failure.kind == FailureKind::FateUnknown || failure.fate == Fate::Unknown;
        let outcome = if unknown && !failure.elsewhere {
            failure.hint.get_or_insert_with(|| LOOK_FOR_IT.to_owned());
            StepOutcome::Unknown
        } else {
            StepOutcome::Failed
        };
        self.end_step(index, outcome, Some(failure));
    }

    /// `extract` and `assert` of a step whose action has done what it should.
    fn after_action(&mut self, index: usize, passed: bool) -> Result<(), Failure> {
        let Some(step) = self.plan_step(index).cloned() else {
            return Ok(());
        };
        let record = self.record_of(index);
        let mut told = self.told_of(
            index,
            if passed {
                StepOutcome::Passed
            } else {
                StepOutcome::Failed
            },
            None,
        );
        told.outputs.extend(extract(&step, &record)?);
        if step.asserts.is_empty() {
            return Ok(());
        }
        let scope = self.scope_with_this(index, &told);
        match unmet(&step.asserts, "assert", &scope)? {
            Some(words) => Err(Failure::new(FailureKind::Assert, words)),
            None => Ok(()),
        }
    }

    /// What the expressions of a step see that speak of the step itself.
    pub(super) fn scope_with_this(&self, index: usize, told: &StepEnded) -> Scope {
        let record = self.record_of(index);
        let scope = self.scope_of(index);
        let Some(step) = self.plan_step(index) else {
            return scope;
        };
        let told = Told {
            ended: told,
            attempts: self.attempts(index),
            response: record.response.as_ref(),
            each: None,
        };
        scope.with("this", step_data(step, &told))
    }

    /// Ends a step that never began.
    pub(super) fn end_without_work(&mut self, index: usize, outcome: StepOutcome, why: String) {
        let mut told = self.told_of(index, outcome, None);
        told.why = Some(why);
        self.finish(index, told);
    }

    /// Ends a step.
    pub(super) fn end_step(
        &mut self,
        index: usize,
        outcome: StepOutcome,
        failure: Option<Failure>,
    ) {
        let mut told = self.told_of(index, outcome, failure);
        if let Some(step) = self.plan_step(index)
            && !self.is_fan(index)
        {
            // It is tried on a failed step too, and never hides the first error.
            if let Ok(taken) = extract(step, &self.record_of(index)) {
                told.outputs.extend(taken);
            }
        }
        let may_fail = self.plan_step(index).is_some_and(|step| step.allow_failure);
        let counts = outcome == StepOutcome::Failed && !may_fail;
        self.finish(index, told);
        if counts || outcome == StepOutcome::Unknown {
            self.failed(index);
        }
    }

    fn finish(&mut self, index: usize, told: StepEnded) {
        let record = self.record_of(index);
        let data = match self.plan_step(index) {
            Some(step) if self.is_read(index) => {
                let told = Told {
                    ended: &told,
                    attempts: self.attempts(index),
                    response: record.response.as_ref(),
                    each: self.each(index),
                };
                step_data(step, &told)
            }
            Some(_) | None => Data::new(&json!(null)),
        };
        self.close(index, told, data);
    }

    pub(super) fn told_of(
        &mut self,
        index: usize,
        outcome: StepOutcome,
        error: Option<Failure>,
    ) -> StepEnded {
        let record = self.record_of(index);
        let now = self.now.active_ms;
        let started = self
            .nodes
            .get_mut(index)
            .and_then(Node::running)
            .map_or(now, |r| r.started.active_ms);
        StepEnded {
            step: self.id(index),
            outcome,
            why: error.as_ref().map(|failure| failure.message.clone()),
            error,
            allowed_to_fail: self.may_fail(index),
            outputs: record.outputs,
            links: record.links,
            files: record.files,
            reruns: record.reruns,
            duration_ms: now.saturating_sub(started),
        }
    }

    pub(super) fn record_of(&self, index: usize) -> Record {
        match self.nodes.get(index).map(|node| &node.state) {
            Some(State::Running(running)) => running.act.record().clone().over(&running.before),
            Some(State::Waiting | State::Ended(_)) | None => Record::default(),
        }
    }

    pub(super) fn attempts(&self, index: usize) -> u32 {
        match self.nodes.get(index).map(|node| &node.state) {
            Some(State::Running(running)) => running.attempts,
            Some(State::Waiting | State::Ended(_)) | None => 0,
        }
    }
}
