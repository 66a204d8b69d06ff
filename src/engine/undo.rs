//! Taking back what was done: when a step failed that was not allowed to, and everything has settled.
//!
//! The undos of the steps whose writes happened, or may have, run one after the other, in the reverse of
//! the order in which their steps ended, before `finally`. The deadline of the run does not count for
//! them; each has its own time. One that fails keeps no other from its turn; one whose own write is of
//! unknown fate does, for what comes after it may rest on it. Nothing is taken back when anything is
//! unknown, or when the run was canceled: then a person has it in hand.

use std::collections::BTreeSet;

use super::ending::Stop;
use super::frame::ROOT;
use super::machine::{Machine, Stage, step_info};
use super::step::Node;
use crate::event::Event;
use crate::outcome::StepOutcome;
use crate::template::Scope;

impl Machine {
    /// Begins to take back what was done, when that is called for; says whether there is anything to do.
    pub(super) fn begin_undo(&mut self) -> bool {
        if !self.is_undone() {
            return false;
        }
        let mut done: Vec<(u64, usize)> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(index, _)| {
                !self.is_fan(*index)
                    && self
                        .plan_step(*index)
                        .is_some_and(|step| step.undo.is_some())
            })
            .filter_map(|(index, node)| {
                let ended = node.ended().filter(|ended| ended.wrote)?;
                let acted = matches!(
                    ended.told.outcome,
                    StepOutcome::Passed | StepOutcome::Failed
                );
                acted.then_some((ended.order, index))
            })
            .collect();
        if done.is_empty() {
            return false;
        }
        done.sort_unstable_by(|a, b| b.cmp(a));
        self.stage = Stage::Undo;
        self.drop_deadline();
        let mut before = None;
        for (_, undone) in done {
            before = Some(self.add_undo(undone, before));
        }
        true
    }

    /// Whether this is a run that is taken back.
    fn is_undone(&self) -> bool {
        let stopped = match &self.root.stop {
            Some(Stop::Canceled { .. } | Stop::Busy { .. }) => true,
            Some(
                Stop::Deadline { .. }
                | Stop::PartDeadline { .. }
                | Stop::FinallyDeadline { .. }
                | Stop::Failure { .. },
            )
            | None => false,
        };
        let failed = self
            .told()
            .any(|told| told.outcome == StepOutcome::Failed && !told.allowed_to_fail);
        failed && !stopped && self.first_unknown().is_none()
    }

    /// Adds the undo of a step, which begins when the one before it has ended.
    fn add_undo(&mut self, undone: usize, before: Option<usize>) -> usize {
        let needs: BTreeSet<usize> = before.into_iter().collect();
        let of = self.id(undone);
        let id = format!("{of}/undo");
        let undone_node = self.nodes.get(undone);
        let (step, frame) = undone_node.map_or((usize::MAX, ROOT), |node| (node.step, node.frame));
        let node = Node {
            undoes: Some(undone),
            item: undone_node.and_then(|node| node.item.clone()),
            ..Node::new(step, frame, id.clone())
        };
        let index = self.add_node(node, &needs);
        if let Some(planned) = self.plan_step(index) {
            let mut info = step_info(planned, self.frame(frame), None);
            info.id = id;
            info.undoes = Some(of);
            self.turn.events.push(Event::StepAdded(info));
        }
        index
    }

    /// Begins an undo whose turn it is.
    pub(super) fn begin_undo_of(&mut self, index: usize) {
        let why = match (&self.undo_stop, self.first_unknown()) {
            (Some(stop), _) => Some(stop.why()),
            (None, Some(step)) => Some(format!(
                "not begun: what `{step}` did could not be found out"
            )),
            (None, None) => None,
        };
        match why {
            Some(why) => self.end_without_work(index, StepOutcome::Canceled, why),
            None => self.start_work(index),
        }
    }

    fn first_unknown(&self) -> Option<&str> {
        self.unknown_in(ROOT).first().copied()
    }

    /// What stopped the run: what came while it was taken back counts when nothing did before.
    pub(super) fn stopped_by(&self) -> Option<&Stop> {
        match &self.root.stop {
            None | Some(Stop::Failure { .. }) => {
                self.undo_stop.as_ref().or(self.root.stop.as_ref())
            }
            Some(stop) => Some(stop),
        }
    }

    /// What an undo sees beside the rest: the record of its step.
    pub(super) fn with_undone(&self, index: usize, scope: Scope) -> Scope {
        let undone = self
            .nodes
            .get(index)
            .and_then(|node| self.nodes.get(node.undoes?)?.ended());
        match undone {
            Some(ended) => scope.with("this", ended.data.clone()),
            None => scope,
        }
    }

    /// Notes the steps that were taken back: whatever they passed with, another round does them again.
    pub(super) fn note_taken_back(&mut self) {
        let passed = |node: &&Node| {
            node.ended()
                .is_some_and(|ended| ended.told.outcome == StepOutcome::Passed)
        };
        let undone = self
            .nodes
            .iter()
            .filter(passed)
            .filter_map(|node| node.undoes);
        let ids: Vec<String> = undone.map(|index| self.id(index)).collect();
        self.taken_back.extend(ids);
    }

    /// The steps that were taken back, to be done again.
    pub(super) fn again_after_undo(&mut self) -> BTreeSet<usize> {
        let ids = std::mem::take(&mut self.taken_back);
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(_, node)| ids.contains(&node.id))
            .map(|(index, _)| index)
            .collect()
    }
}
