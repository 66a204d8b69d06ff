//! `use`: a step that is another playbook.
//!
//! Its steps are steps of the run, called `STEP/INNER`; they see the inputs that `with` gives and nothing
//! else of the playbook around them. It has its own `on_failure`, `finally` and outputs, and its time is
//! bounded by that of its step.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use super::actions::Whole;
use super::ending::{Stop, verdict};
use super::frame::Frame;
use super::machine::{Machine, millis, step_info};
use super::moves::timeout_of;
use super::params::read_duration;
use super::parts::NODES_MAX;
use super::record::Record;
use super::run_info::run_value;
use super::scope::Shared;
use super::seam::{Cmd, Due};
use super::step::{Node, Outstanding, Parts};
use crate::duration;
use crate::event::{Event, Failure, FailureKind, Fate};
use crate::outcome::{RunOutcome, StepOutcome};
use crate::plan::{Phase, Plan, PlanStep, bind_with};
use crate::template::{LocatedError, Scope};

impl Machine {
    /// Begins the playbook that a step uses.
    pub(super) fn start_used(&mut self, index: usize, step: &PlanStep, used: &Arc<Plan>) {
        let scope = self.scope_of(index);
        let (shared, timeout) = match self.opened(step, used, &scope) {
            Ok(opened) => opened,
            Err(failure) => return self.end_step(index, StepOutcome::Failed, Some(failure)),
        };
        if self.nodes.len() + used.steps.len() > NODES_MAX {
            let count = used.steps.len();
            let failure = self.too_many_steps(index, "run_steps_max", count, NODES_MAX);
            return self.end_step(index, StepOutcome::Failed, Some(failure));
        }
        let known = self
            .used
            .iter()
            .position(|frame| frame.owner == Some(index));
        let frame = match known {
            Some(at) => {
                self.open_again(at + 1, shared);
                at + 1
            }
            None => self.open_frame(index, used, shared),
        };
        self.run_parts(index, Parts::Used { frame }, timeout);
    }

    /// What a used playbook sees, and how much time it has.
    fn opened(
        &self,
        step: &PlanStep,
        used: &Plan,
        scope: &Scope,
    ) -> Result<(Shared, Option<Duration>), Failure> {
        let with = match step.params.get("with") {
            Some(tree) => tree.render(scope).map_err(|error| template(&error))?,
            None => None,
        };
        let with = match with {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let bound = bind_with(&used.inputs, &with, &self.inputs.env).map_err(|mistakes| {
            let words: Vec<&str> = mistakes
                .sorted()
                .iter()
                .map(|m| m.message.as_str())
                .collect();
            Failure::new(FailureKind::Parameter, words.join("; "))
        })?;
        let run = run_value(&self.run, &self.root.plan);
        let shared = Shared::new(used, &bound, &run, self.root.shared.redactor())
            .map_err(|error| template(&error))?;
        let own = timeout_of(step, scope)?;
        let inner = match &used.timeout {
            Some(tree) => tree
                .render(&shared.scope())
                .map_err(|error| template(&error))?,
            None => None,
        };
        let inner = match inner {
            Some(value) => Some(read_duration(&value).ok_or_else(|| {
                let words = format!(
                    "the `timeout` of the playbook `{}` came out as {value}, which is no duration",
                    used.name
                );
                Failure::new(FailureKind::Parameter, words)
            })?),
            None => None,
        };
        let timeout = own.into_iter().chain(inner).min();
        Ok((shared, timeout))
    }

    /// Makes the steps of a playbook steps of the run.
    fn open_frame(&mut self, index: usize, used: &Arc<Plan>, shared: Shared) -> usize {
        let id = self.id(index);
        let prefix = format!("{id}/");
        let frame = Frame::new(Arc::clone(used), shared, Some(index), prefix);
        for step in &used.steps {
            let info = step_info(step, &frame, Some(&id));
            self.turn.events.push(Event::StepAdded(info));
        }
        self.used.push(frame);
        let frame = self.used.len();
        self.add_steps(frame, Phase::Main);
        frame
    }

    /// Goes on with a playbook in another round.
    fn open_again(&mut self, frame: usize, shared: Shared) {
        let again = self.frame_mut(frame);
        again.shared = shared;
        again.phase = Phase::Main;
        again.stop = None;
        again.finally_stop = None;
        self.count_open();
        self.release(frame, Phase::Main);
    }

    fn release(&mut self, frame: usize, phase: Phase) {
        let nodes: Vec<usize> = self.frame(frame).nodes().collect();
        for node in nodes {
            if self.phase_of(node) == Some(phase) {
                self.schedule.release(node);
            }
        }
    }

    /// A step whose parts do its work is running from here on.
    pub(super) fn run_parts(&mut self, index: usize, parts: Parts, timeout: Option<Duration>) {
        let step = self.id(index);
        let deadline_active_ms = timeout.map_or(u64::MAX, |timeout| {
            self.now.active_ms.saturating_add(millis(timeout))
        });
        let cx = self.cx_of(index);
        let calls = self.calls_made.get(&step).copied().unwrap_or(0) + 1;
        let timer = timeout.map(|_| format!("parts:{step}#{calls}"));
        if let Some(key) = &timer {
            self.turn.commands.push(Cmd::Timer {
                key: key.clone(),
                due: Due::Active(deadline_active_ms),
            });
        }
        let mut running = super::step::Running::new(Box::new(Whole::default()), self.now, cx);
        running.deadline_active_ms = deadline_active_ms;
        running.calls = calls;
        running.outstanding = Outstanding::Parts { timer };
        running.parts = Some(parts);
        if let Some(node) = self.nodes.get_mut(index) {
            node.state = super::step::State::Running(Box::new(running));
        }
        self.touched.insert(index);
    }

    /// Moves a used playbook on when all of its steps have ended.
    pub(super) fn look_after_used(&mut self, index: usize, frame: usize) {
        if self.frame(frame).open > 0 {
            return;
        }
        let has_finally = !self.frame(frame).steps_of(Phase::Finally).is_empty();
        if self.frame(frame).phase == Phase::Main && has_finally {
            self.begin_finally_of(index, frame);
        } else {
            self.end_used(index, frame);
        }
    }

    fn begin_finally_of(&mut self, index: usize, frame: usize) {
        let (outcome, ..) = self.verdict_of(frame);
        let run = self.run_at_end(outcome, frame);
        let time = self.frame(frame).plan.finally_timeout;
        let again = self.frame_mut(frame);
        again.phase = Phase::Finally;
        again.shared.set_run(&run);
        let steps = self.frame(frame).steps_of(Phase::Finally);
        let known = steps
            .iter()
            .any(|step| self.frame(frame).node_of(*step).is_some());
        if known {
            self.count_open();
            self.release(frame, Phase::Finally);
        } else {
            self.add_steps(frame, Phase::Finally);
        }
        let step = self.id(index);
        let due = self.now.active_ms.saturating_add(millis(time));
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        running.calls += 1;
        let timer = format!("parts:{step}#{}", running.calls);
        let before = std::mem::replace(
            &mut running.outstanding,
            Outstanding::Parts {
                timer: Some(timer.clone()),
            },
        );
        let dropped = before.key().map(|key| Cmd::Drop { key });
        self.turn.commands.extend(dropped);
        self.turn.commands.push(Cmd::Timer {
            key: timer,
            due: Due::Active(due),
        });
        self.touched.insert(index);
    }

    /// The time of a used playbook, or of its `finally`, is over.
    pub(super) fn parts_out_of_time(&mut self, index: usize) {
        let step = self.id(index);
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        running.outstanding = Outstanding::Parts { timer: None };
        let total = running
            .deadline_active_ms
            .saturating_sub(running.started.active_ms);
        let Some(Parts::Used { frame }) = running.parts else {
            return;
        };
        let last = self.frame(frame).phase == Phase::Finally;
        let stop = if last {
            let after = duration::show(self.frame(frame).plan.finally_timeout);
            Stop::FinallyDeadline { after }
        } else {
            let after = duration::show(Duration::from_millis(total));
            Stop::PartDeadline { step, after }
        };
        let failure = Failure::new(FailureKind::Deadline, stop.why());
        let slot = self.frame_mut(frame);
        *(if last {
            &mut slot.finally_stop
        } else {
            &mut slot.stop
        }) = Some(stop);
        for part in index + 1..self.nodes.len() {
            if self.is_within(part, index) && (last || !self.is_last(part)) {
                self.give_up(part, &failure);
            }
        }
        self.touched.insert(index);
    }

    fn verdict_of(&self, frame: usize) -> (RunOutcome, Option<String>, Option<FailureKind>) {
        let of = self.frame(frame);
        verdict(
            of.stop.as_ref(),
            of.finally_stop.as_ref(),
            self.counted(self.nodes_of(frame).filter(|index| {
                let node = self.nodes.get(*index);
                node.is_some_and(|node| node.undoes.is_none())
            })),
            &self.unknown_in(frame),
        )
    }

    /// All steps of a used playbook have ended: so has the step that uses it.
    fn end_used(&mut self, index: usize, frame: usize) {
        let (outcome, why, kind) = self.verdict_of(frame);
        let (outputs, missing) = self.outputs_of(frame);
        let wrote = self.parts_wrote(index);
        let why = self.first_cause(frame, why);
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        running.wrote |= wrote;
        running.act = Box::new(Whole::new(Record {
            outputs,
            ..Record::default()
        }));
        let giving_up = running.giving_up.take();
        let outstanding = std::mem::replace(&mut running.outstanding, Outstanding::Nothing);
        let dropped = outstanding.key().map(|key| Cmd::Drop { key });
        self.turn.commands.extend(dropped);
        let kind = kind.unwrap_or(FailureKind::StepFailed);
        let failure = Failure::new(kind, why.unwrap_or_default());
        match (outcome, giving_up, missing) {
            (RunOutcome::Unknown, _, _) => {
                let failure = failure.fate(Fate::Unknown);
                self.end_step(index, StepOutcome::Unknown, Some(failure));
            }
            (_, Some(failure), _) => {
                self.end_step(index, StepOutcome::Canceled, Some(failure));
            }
            (RunOutcome::Passed, None, None) => self.done(index),
            (RunOutcome::Passed, None, Some(missing)) => {
                let failure = Failure::new(FailureKind::Template, missing);
                self.end_step(index, StepOutcome::Failed, Some(failure));
            }
            (RunOutcome::Failed | RunOutcome::Canceled | RunOutcome::Deadline, None, _) => {
                self.end_step(index, StepOutcome::Failed, Some(failure));
            }
        }
    }

    /// The words for how a playbook ended, with the reason when it is one step's.
    fn first_cause(&self, frame: usize, why: Option<String>) -> Option<String> {
        let nodes = self.nodes_of(frame);
        let failed = self
            .counted(nodes)
            .filter(|counted| counted.told.outcome == StepOutcome::Failed && !counted.may_fail);
        let failed: Vec<_> = failed.collect();
        match (why, failed.as_slice()) {
            (Some(why), [only]) if self.frame(frame).stop.is_none() => Some(match &only.told.why {
                Some(cause) => format!("{why}: {cause}"),
                None => why,
            }),
            (why, _) => why,
        }
    }
}

fn template(error: &LocatedError) -> Failure {
    let mut failure = Failure::new(FailureKind::Template, error.to_string());
    failure.hint.clone_from(&error.error.hint);
    failure
}
