//! Steps that are made of others: which belongs where, and what that means for them.
//!
//! A fan-out has items, and a step that uses a playbook has the steps of that playbook; both do nothing
//! themselves, and end when their parts have ended. Here are the questions to that tree; what either kind
//! does stands in `fan_out.rs` and `used.rs`.

use super::ending::{Counted, Stop};
use super::frame::{Frame, ROOT};
use super::machine::Machine;
use super::step::{Node, Parts, State};
use crate::outcome::StepOutcome;
use crate::plan::Phase;

/// How many steps a run may come to, items and steps of used playbooks counted.
pub(super) const NODES_MAX: usize = 20_000;

impl Machine {
    /// A playbook at work, by its number.
    pub(super) fn frame(&self, frame: usize) -> &Frame {
        let used = frame.checked_sub(1).and_then(|at| self.used.get(at));
        used.unwrap_or(&self.root)
    }

    /// The same to change it.
    pub(super) fn frame_mut(&mut self, frame: usize) -> &mut Frame {
        let used = frame.checked_sub(1).and_then(|at| self.used.get_mut(at));
        used.unwrap_or(&mut self.root)
    }

    /// The playbook that a step belongs to.
    pub(super) fn frame_of(&self, index: usize) -> &Frame {
        let frame = self.nodes.get(index).map_or(ROOT, |node| node.frame);
        self.frame(frame)
    }

    /// The step that a step is a part of.
    pub(super) fn above(&self, index: usize) -> Option<usize> {
        let node = self.nodes.get(index)?;
        match &node.item {
            Some(item) if node.undoes.is_none() => Some(item.of),
            _ => self.frame(node.frame).owner,
        }
    }

    /// A step and those that it is a part of, from the inside.
    fn upwards(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(index), |at| self.above(*at))
    }

    /// Whether a step is a part of another, directly or not.
    pub(super) fn is_within(&self, index: usize, whole: usize) -> bool {
        self.upwards(index).skip(1).any(|above| above == whole)
    }

    /// Whether a step belongs to a playbook, or to one that it uses.
    pub(super) fn is_in(&self, index: usize, frame: usize) -> bool {
        self.upwards(index)
            .any(|at| self.nodes.get(at).is_some_and(|node| node.frame == frame))
    }

    /// Whether a step has items: it is no item itself.
    pub(super) fn is_fan(&self, index: usize) -> bool {
        let node = self.nodes.get(index);
        node.is_some_and(|node| node.undoes.is_none() && node.item.is_none())
            && self
                .plan_step(index)
                .is_some_and(|step| step.for_each.is_some())
    }

    /// Whether a step is made of others.
    pub(super) fn has_parts(&self, index: usize) -> bool {
        let used = || {
            self.plan_step(index)
                .is_some_and(|step| step.used.is_some())
        };
        self.is_fan(index) || used()
    }

    /// When a step has its time in its playbook.
    pub(super) fn phase_of(&self, index: usize) -> Option<Phase> {
        let node = self.nodes.get(index)?;
        let step = self.frame(node.frame).plan.steps.get(node.step)?;
        Some(step.phase)
    }

    /// Whether a step stands under `finally` of a used playbook, which has a time of its own.
    pub(super) fn is_last(&self, index: usize) -> bool {
        self.upwards(index).any(|at| {
            let inner = self.nodes.get(at).is_some_and(|node| node.frame != ROOT);
            inner && self.phase_of(at) == Some(Phase::Finally)
        })
    }

    /// The steps of a playbook, without those of playbooks that it uses.
    pub(super) fn nodes_of(&self, frame: usize) -> impl Iterator<Item = usize> + '_ {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(move |(_, node)| node.frame == frame)
            .map(|(index, _)| index)
    }

    /// Steps as they count for the end of their playbook. A fan-out that failed for its items does not
    /// count beside them.
    pub(super) fn counted<'a>(
        &'a self,
        nodes: impl Iterator<Item = usize> + 'a,
    ) -> impl Iterator<Item = Counted<'a>> {
        use crate::event::FailureKind::StepFailed;
        nodes.filter_map(|index| {
            let told = &self.nodes.get(index)?.ended()?.told;
            let of_items = told.error.as_ref().is_some_and(|e| e.kind == StepFailed);
            let may_fail = self.plan_step(index).is_some_and(|step| step.allow_failure);
            (!(of_items && self.is_fan(index))).then_some(Counted { told, may_fail })
        })
    }

    /// The steps of a playbook, and of those that it uses, whose writes have an unknown fate.
    pub(super) fn unknown_in(&self, frame: usize) -> Vec<&str> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(index, node)| {
                let unknown =
                    |ended: &super::step::Ended| ended.told.outcome == StepOutcome::Unknown;
                node.ended().is_some_and(unknown)
                    && self.is_in(*index, frame)
                    && !self.has_parts(*index)
            })
            .map(|(_, node)| node.id.as_str())
            .collect()
    }

    /// Whether a failure of a step, or of one that it is a part of, is allowed.
    pub(super) fn may_fail(&self, index: usize) -> bool {
        let allowed = |at| self.plan_step(at).is_some_and(|step| step.allow_failure);
        self.upwards(index).any(allowed)
    }

    /// Why a step is not begun any more: its playbook, or what it is a part of, was stopped.
    pub(super) fn stop_over(&self, index: usize) -> Option<&Stop> {
        // What stopped the other steps does not count for those under `finally`.
        let mut last = false;
        for at in self.upwards(index) {
            let node = self.nodes.get(at)?;
            if node.undoes.is_some() {
                return self.undo_stop.as_ref();
            }
            let frame = self.frame(node.frame);
            let stop = match self.phase_of(at) {
                Some(Phase::Finally) => {
                    last = true;
                    &frame.finally_stop
                }
                Some(Phase::Main) | None if last => &None,
                Some(Phase::Main) | None => &frame.stop,
            };
            let of_items = node.item.as_ref().and_then(|item| self.items_stop(item.of));
            if let Some(stop) = stop.as_ref().or(of_items.filter(|_| !last)) {
                return Some(stop);
            }
        }
        None
    }

    fn items_stop(&self, fan: usize) -> Option<&Stop> {
        match &self.nodes.get(fan)?.state {
            State::Running(running) => match &running.parts {
                Some(Parts::Items { stop, .. }) => stop.as_ref(),
                Some(Parts::Used { .. }) | None => None,
            },
            State::Waiting | State::Ended(_) => None,
        }
    }

    /// A step has ended: what it is a part of is looked after, and what is a part of it does not begin
    /// any more.
    pub(super) fn part_ended(&mut self, index: usize) {
        let Some(node) = self.nodes.get(index) else {
            return;
        };
        if node.undoes.is_none() {
            let frame = node.frame;
            let frame = self.frame_mut(frame);
            frame.open = frame.open.saturating_sub(1);
            let above = self.above(index);
            self.touched.extend(above);
        }
        if !self.has_parts(index) {
            return;
        }
        let id = self.id(index);
        let left: Vec<usize> = (0..self.nodes.len())
            .filter(|at| self.above(*at) == Some(index))
            .filter(|at| {
                let node = self.nodes.get(*at);
                node.is_some_and(|node| matches!(node.state, State::Waiting))
            })
            .collect();
        for part in left {
            let why = format!("`{id}` did not come to it");
            self.end_without_work(part, StepOutcome::Blocked, why);
        }
    }

    /// Sees to a step whose parts moved on.
    pub(super) fn look_after(&mut self, index: usize) {
        let running = self.nodes.get_mut(index).and_then(Node::running);
        match running.and_then(|running| running.parts.clone()) {
            Some(Parts::Items { .. }) => self.look_after_items(index),
            Some(Parts::Used { frame }) => self.look_after_used(index, frame),
            None => {}
        }
    }

    /// Whether any write of a part happened, or may have.
    pub(super) fn parts_wrote(&self, index: usize) -> bool {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter(|(at, _)| self.above(*at) == Some(index))
            .any(|(_, node)| node.ended().is_some_and(|ended| ended.wrote))
    }

    /// Whether a step waits for more than its needs: for the step that it is a part of.
    pub(super) fn is_held(&self, index: usize) -> bool {
        let Some(node) = self.nodes.get(index) else {
            return false;
        };
        if !matches!(node.state, State::Waiting) || node.undoes.is_some() {
            return false;
        }
        if node.item.is_some() {
            return true;
        }
        let frame = self.frame(node.frame);
        let Some(owner) = frame.owner else {
            return false;
        };
        let begun = self
            .nodes
            .get(owner)
            .is_some_and(|owner| matches!(owner.state, State::Running(_)));
        let later = frame.phase == Phase::Main && self.phase_of(index) == Some(Phase::Finally);
        !begun || later
    }

    /// Counts anew what has not ended.
    pub(super) fn count_open(&mut self) {
        self.open = self.nodes.iter().filter(|n| n.ended().is_none()).count();
        for frame in 0..=self.used.len() {
            let phase = self.frame(frame).phase;
            let open = self.nodes_of(frame).filter(|index| {
                let node = self.nodes.get(*index);
                node.is_some_and(|node| node.undoes.is_none() && node.ended().is_none())
                    && (frame == ROOT || self.phase_of(*index) == Some(phase))
            });
            let open = open.count();
            self.frame_mut(frame).open = open;
        }
        let whole = (0..self.nodes.len()).filter(|index| {
            matches!(self.nodes.get(*index).map(|node| &node.state),
                Some(State::Running(running)) if running.parts.is_some())
        });
        let whole: Vec<usize> = whole.collect();
        self.touched.extend(whole);
    }
}
