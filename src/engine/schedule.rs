//! The ready set: which steps may begin, in the order of the plan.
//!
//! It counts, and knows nothing of outcomes: whether a need was met is decided when all of a step's needs
//! have ended. Steps can be added at run time.

use std::collections::BTreeSet;

/// The graph of a run as far as it concerns the order.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// For each step, how many of its needs have not ended.
    open: Vec<usize>,
    /// For each step, which steps need it.
    needed_by: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
    ended: Vec<bool>,
    /// Steps that do not begin before they are released, whatever has ended.
    held: BTreeSet<usize>,
}

impl Schedule {
    /// Adds a step that needs the given earlier or later steps; its index is returned. Needs that were
    /// not added yet must be added before anything is taken out.
    pub(super) fn add(&mut self, needs: &BTreeSet<usize>) -> usize {
        let index = self.open.len();
        let highest = needs.iter().next_back().map_or(0, |n| n + 1);
        while self.needed_by.len() <= index.max(highest) {
            self.needed_by.push(Vec::new());
        }
        let mut open = 0;
        for need in needs {
            if self.ended.get(*need).copied().unwrap_or(false) {
                continue;
            }
            open += 1;
            if let Some(list) = self.needed_by.get_mut(*need) {
                list.push(index);
            }
        }
        self.open.push(open);
        self.ended.push(false);
        self.offer(index);
        index
    }

    /// A step does not begin any more, for it is at work or has ended already.
    pub(super) fn withdraw(&mut self, index: usize) {
        self.ready.remove(&index);
    }

    /// A step does not begin before it is released.
    pub(super) fn hold(&mut self, index: usize) {
        self.held.insert(index);
        self.ready.remove(&index);
    }

    /// A step that was held begins as soon as its needs have ended.
    pub(super) fn release(&mut self, index: usize) {
        if self.held.remove(&index) {
            self.offer(index);
        }
    }

    fn offer(&mut self, index: usize) {
        let waits = self.open.get(index).is_none_or(|open| *open > 0);
        if !waits && !self.held.contains(&index) {
            self.ready.insert(index);
        }
    }

    /// The first step of the plan's order that may begin.
    pub(super) fn take_ready(&mut self) -> Option<usize> {
        self.ready.pop_first()
    }

    /// A step ended: what needed only it is ready now.
    pub(super) fn end(&mut self, index: usize) {
        match self.ended.get_mut(index) {
            Some(ended) if !*ended => *ended = true,
            Some(_) | None => return,
        }
        let waiting = self
            .needed_by
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default();
        for next in waiting {
            if let Some(open) = self.open.get_mut(next) {
                *open = open.saturating_sub(1);
            }
            self.offer(next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(list: &[usize]) -> BTreeSet<usize> {
        list.iter().copied().collect()
    }

    #[test]
    fn steps_come_in_the_order_of_the_plan_after_their_needs() {
        let mut schedule = Schedule::default();
        schedule.add(&needs(&[2]));
        schedule.add(&needs(&[]));
        schedule.add(&needs(&[]));
        assert_eq!(schedule.take_ready(), Some(1));
        assert_eq!(schedule.take_ready(), Some(2));
        assert_eq!(schedule.take_ready(), None);
        schedule.end(2);
        assert_eq!(schedule.take_ready(), Some(0));
    }

    #[test]
    fn what_is_held_begins_when_it_is_released_and_its_needs_have_ended() {
        let mut schedule = Schedule::default();
        let first = schedule.add(&needs(&[]));
        let held = schedule.add(&needs(&[first]));
        schedule.hold(held);
        assert_eq!(schedule.take_ready(), Some(first));
        schedule.end(first);
        assert_eq!(schedule.take_ready(), None);
        schedule.release(held);
        assert_eq!(schedule.take_ready(), Some(held));
    }

    #[test]
    fn a_step_added_later_sees_what_has_ended() {
        let mut schedule = Schedule::default();
        let first = schedule.add(&needs(&[]));
        assert_eq!(schedule.take_ready(), Some(first));
        schedule.end(first);
        let late = schedule.add(&needs(&[first]));
        assert_eq!(schedule.take_ready(), Some(late));
    }
}
