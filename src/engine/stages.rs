//! How a run moves through its stages: what may begin begins, and when all of a stage has ended, the next one
//! follows, until the run itself ends.

use serde_json::{Map, Value, json};

use super::ending::{Stop, failed_list, verdict};
use super::frame::{ROOT, mentioned_steps};
use super::machine::{FINALLY_DEADLINE, Machine, RUN_DEADLINE, Stage, millis};
use super::run_info::run_value;
use super::seam::{Cmd, Due};
use crate::event::{Event, Failure, FailureKind, RunEnded, StepEnded};
use crate::outcome::{RunOutcome, StepOutcome};
use crate::plan::Phase;

impl Machine {
    /// Begins what may begin, and moves from one stage to the next.
    pub(super) fn settle(&mut self) {
        loop {
            if let Some(index) = self.schedule.take_ready() {
                self.begin_step(index);
                continue;
            }
            if let Some(index) = self.touched.pop_first() {
                self.look_after(index);
                continue;
            }
            match self.stage {
                Stage::Main if self.open == 0 && !self.nodes.is_empty() => {
                    self.main_nodes = Some(self.nodes.len());
                    if !self.begin_stopping() && !self.begin_undo() {
                        self.begin_finally();
                    }
                }
                Stage::Undo if self.open == 0 => self.begin_finally(),
                Stage::Stopping if self.stopping.is_empty() => {
                    self.end_stopping();
                    self.begin_finally();
                }
                Stage::Finally if self.open == 0 => self.end_run(),
                Stage::Gate
                | Stage::Main
                | Stage::Stopping
                | Stage::Undo
                | Stage::Finally
                | Stage::Ended => return,
            }
        }
    }

    fn begin_step(&mut self, index: usize) {
        let Some(node) = self.nodes.get(index) else {
            return;
        };
        if node.undoes.is_some() {
            self.begin_undo_of(index);
            return;
        }
        // What its step needs, and whether it runs at all, was asked before the items were there.
        let is_item = node.item.is_some();
        if let Some(why) = (!is_item).then(|| self.unmet_need(index)).flatten() {
            self.end_without_work(index, StepOutcome::Blocked, why);
            return;
        }
        if let Some(stop) = self.stop_over(index) {
            let (outcome, why) = (stop.step_outcome(), stop.why());
            self.end_without_work(index, outcome, why);
            return;
        }
        let condition = if is_item {
            Ok(None)
        } else {
            self.condition(index)
        };
        match condition {
            Ok(None) => self.start_work(index),
            Ok(Some(why)) => self.end_without_work(index, StepOutcome::Skipped, why),
            Err(failure) => self.end_step(index, StepOutcome::Failed, Some(failure)),
        }
    }

    /// Why a step cannot run, when one of its needs ended otherwise than it wants.
    fn unmet_need(&self, index: usize) -> Option<String> {
        let frame = self.frame_of(index);
        let step = self.plan_step(index)?;
        step.needs.iter().find_map(|need| {
            let needed = self.nodes.get(frame.node_of(need.step)?)?;
            let outcome = needed.ended()?.told.outcome;
            (!need.accept.takes(outcome)).then(|| {
                let verb = if outcome == StepOutcome::Unknown {
                    "is"
                } else {
                    "was"
                };
                let how = match outcome {
                    StepOutcome::Passed | StepOutcome::Failed => outcome.to_string(),
                    _ => format!("{verb} {outcome}"),
                };
                format!("needs `{}: {}`, but it {how}", needed.id, need.accept)
            })
        })
    }

    /// The deadline of the run does not count any more.
    pub(super) fn drop_deadline(&mut self) {
        self.turn.commands.push(Cmd::Drop {
            key: RUN_DEADLINE.to_owned(),
        });
    }

    fn begin_finally(&mut self) {
        let (outcome, _, _) = self.verdict();
        self.stage = Stage::Finally;
        self.drop_deadline();
        if !self
            .root
            .plan
            .steps
            .iter()
            .any(|step| step.phase == Phase::Finally)
        {
            return;
        }
        self.turn.events.push(Event::FinallyStarted { outcome });
        let run = self.run_at_end(outcome, ROOT);
        self.root.shared.set_run(&run);
        let due = self
            .now
            .active_ms
            .saturating_add(millis(self.root.plan.finally_timeout));
        self.turn.commands.push(Cmd::Timer {
            key: FINALLY_DEADLINE.to_owned(),
            due: Due::Active(due),
        });
        self.add_steps(ROOT, Phase::Finally);
    }

    /// What `run` shows under `finally` of a playbook.
    pub(super) fn run_at_end(&self, outcome: RunOutcome, frame: usize) -> Value {
        let mut run = run_value(&self.run, &self.root.plan);
        if let Some(run) = run.as_object_mut() {
            run.insert("outcome".to_owned(), json!(outcome.as_str()));
            let nodes = self.nodes.iter().enumerate();
            let of_it = nodes.filter(|(index, _)| self.is_in(*index, frame));
            let leaves = of_it.filter(|(index, _)| !self.has_parts(*index));
            let told = leaves.filter_map(|(_, node)| Some(&node.ended()?.told));
            run.insert("failed".to_owned(), failed_list(told));
        }
        run
    }

    fn end_run(&mut self) {
        let (mut outcome, mut why, mut failure) = self.verdict();
        let (outputs, missing) = self.outputs_of(ROOT);
        // On a red run an output may be missing: what it speaks of may never have happened.
        if let Some(missing) = missing
            && outcome == RunOutcome::Passed
            && self.root.stop.is_none()
        {
            outcome = RunOutcome::Failed;
            why = Some(missing);
            failure = Some(FailureKind::Template);
        }
        self.stage = Stage::Ended;
        self.turn.commands.push(Cmd::Drop {
            key: FINALLY_DEADLINE.to_owned(),
        });
        self.turn.events.push(Event::RunEnded(RunEnded {
            outcome,
            why,
            failure,
            outputs,
        }));
    }

    /// The outputs of a playbook, and why one of them cannot be computed.
    pub(super) fn outputs_of(&self, frame: usize) -> (Map<String, Value>, Option<String>) {
        let frame = self.frame(frame);
        let mentioned = mentioned_steps(frame.plan.outputs.values(), &frame.plan);
        let nodes = mentioned.into_iter().filter_map(|step| frame.node_of(step));
        let scope = frame.shared.scope();
        let scope = scope.with("steps", self.steps_data(nodes));
        let mut outputs = Map::new();
        let mut missing = None;
        for (name, tree) in &frame.plan.outputs {
            match tree.render(&scope) {
                Ok(Some(value)) => {
                    outputs.insert(name.clone(), value);
                }
                Ok(None) => {}
                Err(error) => {
                    missing = Some(format!("the output `{name}` cannot be computed: {error}"));
                }
            }
        }
        (outputs, missing)
    }

    fn verdict(&self) -> (RunOutcome, Option<String>, Option<FailureKind>) {
        let undone = self.nodes.iter().enumerate();
        let undone = undone.filter(|(_, node)| node.undoes.is_some() && node.frame != ROOT);
        let undone = undone.map(|(index, _)| index);
        let counted = self.counted(self.nodes_of(ROOT).chain(undone));
        verdict(
            self.stopped_by(),
            self.root.finally_stop.as_ref(),
            counted,
            &self.unknown_in(ROOT),
        )
    }

    pub(super) fn told(&self) -> impl Iterator<Item = &StepEnded> + Clone {
        self.nodes
            .iter()
            .filter_map(|node| node.ended().map(|ended| &ended.told))
    }

    /// Stops for good: nothing new begins, and what is at work is given up.
    pub(super) fn stop_now(&mut self, stop: Stop) {
        let failure = match &stop {
            Stop::Deadline { .. } | Stop::FinallyDeadline { .. } => {
                Failure::new(FailureKind::Deadline, stop.why())
            }
            Stop::PartDeadline { .. }
            | Stop::Canceled { .. }
            | Stop::Failure { .. }
            | Stop::Busy { .. } => Failure::new(FailureKind::Canceled, stop.why()),
        };
        let to_the_last = matches!(self.stage, Stage::Gate | Stage::Main);
        let slot = match self.stage {
            Stage::Gate | Stage::Main => &mut self.root.stop,
            Stage::Undo => &mut self.undo_stop,
            Stage::Finally => &mut self.root.finally_stop,
            Stage::Stopping | Stage::Ended => return,
        };
        if !matches!(slot, None | Some(Stop::Failure { .. })) {
            return;
        }
        *slot = Some(stop);
        self.leave_gate();
        for index in 0..self.nodes.len() {
            // The `finally` of a used playbook has its own time.
            if !(to_the_last && self.is_last(index)) {
                self.give_up(index, &failure);
            }
        }
    }

    /// A step failed that was not allowed to: with `on_failure: stop` nothing new of its playbook begins.
    pub(super) fn failed(&mut self, index: usize) {
        use crate::plan::OnFailure;
        let Some(node) = self.nodes.get(index) else {
            return;
        };
        let (frame, id) = (node.frame, node.id.clone());
        let in_main = self.stage == Stage::Main && self.phase_of(index) == Some(Phase::Main);
        let frame = self.frame_mut(frame);
        if frame.plan.on_failure == OnFailure::Stop && in_main && frame.stop.is_none() {
            frame.stop = Some(Stop::Failure { step: id });
        }
    }
}
