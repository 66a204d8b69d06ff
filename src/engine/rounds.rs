//! Going on with what has ended: an unknown write that a person settled, and another round of a run.
//!
//! A step that passed keeps its results, and what it wrote is never written again. What is done again has
//! new tokens and marks, so that it is not taken for what the round before it made.

use std::collections::BTreeSet;

use super::actions::Input;
use super::call::Call;
use super::ending::Stop;
use super::machine::{Machine, Stage, millis};
use super::params::read_duration;
use super::retry::Tries;
use super::step::{Node, Outstanding, Running, State};
use crate::clock::later;
use crate::event::{EffectKey, Event, Failure, FailureKind, Fate, Resolution};
use crate::outcome::StepOutcome;
use crate::plan::Phase;

/// The work of a step whose last write has an unknown fate: kept until a person says what became of it.
pub(super) struct Unsettled {
    running: Running,
    key: EffectKey,
    call: Call,
}

impl Machine {
    /// Keeps the work of a step that ends as unknown.
    pub(super) fn keep_unsettled(&mut self, index: usize, running: Running) {
        if let Some((key, call)) = self.lost.remove(&index) {
            let unsettled = Unsettled { running, key, call };
            self.unsettled.insert(index, unsettled);
        }
    }

    /// Remembers the write whose fate is unknown.
    pub(super) fn note_lost(&mut self, index: usize, key: &EffectKey, call: &Call) {
        // What a person named was not there: it is still the write itself that is unknown.
        if !matches!(call, Call::Adopt { .. }) {
            self.lost.insert(index, (key.clone(), call.clone()));
        }
    }

    /// Steps whose fate nobody has settled, by their ids.
    pub fn unsettled(&self) -> Vec<&str> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(index, node)| {
                outcome(node) == Some(StepOutcome::Unknown)
                    && !self.resolutions.contains_key(index)
                    && !self.has_parts(*index)
            })
            .map(|(_, node)| node.id.as_str())
            .collect()
    }

    /// A person says what became of a write: the step goes on at once, or in the next round.
    pub(super) fn resolved(&mut self, step: &str, resolution: Resolution) {
        let Some(index) = self.nodes.iter().position(|node| node.id == step) else {
            return;
        };
        if !self.unsettled.contains_key(&index) {
            return;
        }
        self.resolutions.insert(index, resolution);
        if self.stage == Stage::Main && matches!(self.root.stop, None | Some(Stop::Failure { .. }))
        {
            let mut again = BTreeSet::from([index]);
            self.add_what_waited(&mut again);
            self.reopen(&again);
        }
    }

    /// Another round of a run that has ended.
    pub(super) fn begin_round(&mut self, failed: bool) {
        if self.stage != Stage::Ended || !self.unsettled().is_empty() {
            return;
        }
        self.drop_finally();
        let mut again = self.not_passed(failed);
        again.extend(self.again_after_undo());
        self.add_what_waited(&mut again);
        self.round += 1;
        self.stage = Stage::Main;
        self.root.stop = None;
        self.undo_stop = None;
        self.root.finally_stop = None;
        self.started.clear();
        self.triggered.clear();
        self.sought.clear();
        self.root
            .shared
            .set_run(&super::run_info::run_value(&self.run, &self.root.plan));
        let deadline = later(self.now.wall, self.run_timeout);
        let finally = self
            .root
            .plan
            .steps
            .iter()
            .filter(|s| s.phase == Phase::Finally);
        let steps = again
            .iter()
            .filter_map(|index| self.nodes.get(*index).map(|node| node.id.clone()))
            .chain(finally.map(|step| step.id.clone()))
            .collect();
        self.turn.events.push(Event::RoundStarted {
            round: self.round,
            steps,
            deadline,
        });
        self.command_deadline(deadline);
        self.reopen(&again);
    }

    /// What a round does again: what is settled now, what never had its turn, and what failed when that
    /// is asked for; with it what was skipped because of them.
    fn not_passed(&self, failed: bool) -> BTreeSet<usize> {
        self.nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| match outcome(node) {
                Some(StepOutcome::Unknown | StepOutcome::Blocked | StepOutcome::Canceled) => true,
                Some(StepOutcome::Failed) => failed,
                Some(StepOutcome::Passed | StepOutcome::Skipped) | None => false,
            })
            .map(|(index, _)| index)
            // What is a part of a step that passed had its turn, whatever became of it.
            .filter(|index| !self.is_part_of_passed(*index))
            .collect()
    }

    fn is_part_of_passed(&self, index: usize) -> bool {
        let passed = |at: &usize| {
            let outcome = self.nodes.get(*at).and_then(outcome);
            outcome == Some(StepOutcome::Passed)
        };
        let above = std::iter::successors(self.above(index), |at| self.above(*at));
        above.into_iter().any(|at| passed(&at))
    }

    /// Adds what was blocked, skipped or given up and needs, directly or not, what is done again; with a part
    /// of a step the step itself, and with a step that uses a playbook its `finally`.
    fn add_what_waited(&self, again: &mut BTreeSet<usize>) {
        loop {
            let before = again.len();
            for (index, node) in self.nodes.iter().enumerate() {
                let idle = matches!(
                    outcome(node),
                    Some(StepOutcome::Blocked | StepOutcome::Skipped | StepOutcome::Canceled)
                );
                if idle && self.needs_of(index).any(|need| again.contains(&need)) {
                    again.insert(index);
                }
                let Some(above) = self.above(index) else {
                    continue;
                };
                let last = self.is_last(index) && again.contains(&above);
                if last && node.ended().is_some() {
                    again.insert(index);
                }
                if again.contains(&index) {
                    again.insert(above);
                }
            }
            if again.len() == before {
                return;
            }
        }
    }

    /// The steps that a step needs. An item needs nothing: its step did.
    fn needs_of(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let frame = self.frame_of(index);
        let step = self.nodes.get(index).filter(|node| node.item.is_none());
        let step = step.and_then(|node| frame.plan.steps.get(node.step));
        let needs = step.into_iter().flat_map(|step| &step.needs);
        needs.filter_map(|need| frame.node_of(need.step))
    }

    /// What a step waits for: its needs, and what stands open before those of them that have ended.
    pub(super) fn waits_for(&self, index: usize) -> BTreeSet<usize> {
        let mut waits = BTreeSet::new();
        let mut looked_at = BTreeSet::new();
        let mut left = vec![index];
        while let Some(index) = left.pop() {
            for need in self.needs_of(index) {
                if !looked_at.insert(need) {
                    continue;
                }
                let ended = self.nodes.get(need).is_some_and(|n| n.ended().is_some());
                if ended {
                    left.push(need);
                } else {
                    waits.insert(need);
                }
            }
        }
        waits
    }

    /// Lets steps that have ended begin again; those that were settled go on where they stood.
    fn reopen(&mut self, again: &BTreeSet<usize>) {
        for index in again {
            if let Some(node) = self.nodes.get_mut(*index)
                && matches!(node.state, State::Ended(_))
            {
                node.state = State::Waiting;
            }
        }
        self.rebuild_schedule();
        for index in again {
            if let (Some(unsettled), Some(resolution)) =
                (self.unsettled.remove(index), self.resolutions.remove(index))
            {
                self.go_on(*index, unsettled, resolution);
            }
        }
    }

    /// Goes on with a step from a write that is settled now.
    fn go_on(&mut self, index: usize, unsettled: Unsettled, resolution: Resolution) {
        let Unsettled {
            mut running,
            key,
            call,
        } = unsettled;
        self.schedule.withdraw(index);
        running.started = self.now;
        running.deadline_active_ms = self.deadline_again(index);
        running.giving_up = None;
        running.outstanding = Outstanding::Nothing;
        let adopt = match resolution {
            Resolution::NotSent => {
                running.doubt = None;
                None
            }
            Resolution::Is(id) => {
                running.calls += 1;
                running.attempts += 1;
                let key = EffectKey {
                    call: running.calls,
                    attempt: 1,
                    ..key.clone()
                };
                let adopt = Call::Adopt {
                    id,
                    project_id: project_of(&call),
                };
                running.outstanding = Outstanding::Call {
                    key: key.clone(),
                    call: adopt.clone(),
                    tries: Tries::default(),
                };
                Some((key, adopt))
            }
        };
        // Should nobody know what the person named, the write is as unknown as before.
        self.lost.insert(index, (key.clone(), call.clone()));
        let id = self.id(index);
        self.turn.events.push(Event::StepStarted {
            step: id,
            because: None,
        });
        if let Some(node) = self.nodes.get_mut(index) {
            node.state = State::Running(Box::new(running));
        }
        match adopt {
            Some((key, adopt)) => self.command_call(index, &key, &adopt),
            None => self.call_again(index, &key, call, Tries::default()),
        }
    }

    /// A step that goes on has its whole time again.
    fn deadline_again(&self, index: usize) -> u64 {
        let timeout = self.plan_step(index).and_then(|step| {
            let given = step.timeout.as_ref()?;
            let value = given.value.render(&self.scope_of(index)).ok()??;
            read_duration(&value)
        });
        let default = self.plan_step(index).and_then(|step| step.default_timeout);
        let timeout = timeout
            .or(default)
            .unwrap_or(super::moves::STEP_TIMEOUT_DEFAULT);
        self.now.active_ms.saturating_add(millis(timeout))
    }

    /// What a person named could not be taken over: the write is unknown again.
    pub(super) fn adoption_failed(&mut self, index: usize, failure: &Failure) {
        let mut unknown = failure.clone().fate(Fate::Unknown);
        unknown.kind = FailureKind::FateUnknown;
        self.drive(index, Input::Failure(&unknown));
    }
}

fn outcome(node: &Node) -> Option<StepOutcome> {
    node.ended().map(|ended| ended.told.outcome)
}

/// The project that a write was for.
fn project_of(call: &Call) -> Option<String> {
    match call {
        Call::RunWorkflow { project_id, .. } | Call::RunTask { project_id, .. } => {
            Some(project_id.clone())
        }
        _ => None,
    }
}
