//! A playbook at work: the run's own, or one that a step uses.
//!
//! Each has its own inputs, vars, steps and end; none sees into another. What they share (the schedule,
//! the stage of the run, the calls) belongs to the machine.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::ending::Stop;
use super::scope::Shared;
use crate::plan::{Phase, Plan};
use crate::template::Tree;

/// The frame of the run's own playbook.
pub(super) const ROOT: usize = 0;

/// A playbook at work.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) plan: Arc<Plan>,
    pub(super) shared: Shared,
    /// The step that uses it; none for the run's own.
    pub(super) owner: Option<usize>,
    /// What stands before the ids of its steps.
    pub(super) prefix: String,
    /// Where each step of its plan stands among the nodes of the run.
    nodes: Vec<Option<usize>>,
    /// Which of its steps some expression reads.
    read: BTreeSet<usize>,
    /// Which of its steps have their turn.
    pub(super) phase: Phase,
    /// How many of its steps have not ended.
    pub(super) open: usize,
    pub(super) stop: Option<Stop>,
    pub(super) finally_stop: Option<Stop>,
}

impl Frame {
    /// A playbook of which nothing has begun.
    pub(super) fn new(
        plan: Arc<Plan>,
        shared: Shared,
        owner: Option<usize>,
        prefix: String,
    ) -> Self {
        let mut frame = Self {
            plan,
            shared,
            owner,
            prefix,
            nodes: Vec::new(),
            read: BTreeSet::new(),
            phase: Phase::Main,
            open: 0,
            stop: None,
            finally_stop: None,
        };
        frame.index();
        frame
    }

    /// What is known of its plan by the numbers of the steps.
    pub(super) fn index(&mut self) {
        self.read = read(&self.plan);
        self.nodes = vec![None; self.plan.steps.len()];
    }

    /// The id in the run of a step of its plan.
    pub(super) fn id_of(&self, step: &str) -> String {
        format!("{}{step}", self.prefix)
    }

    /// Where a step of its plan stands among the nodes.
    pub(super) fn node_of(&self, step: usize) -> Option<usize> {
        self.nodes.get(step).copied().flatten()
    }

    /// Says where a step of its plan stands among the nodes.
    pub(super) fn place(&mut self, step: usize, node: Option<usize>) {
        if let Some(slot) = self.nodes.get_mut(step) {
            *slot = node;
        }
    }

    /// All nodes of its steps, in the order of the plan.
    pub(super) fn nodes(&self) -> impl Iterator<Item = usize> + '_ {
        self.nodes.iter().copied().flatten()
    }

    /// The numbers of its steps of a phase.
    pub(super) fn steps_of(&self, phase: Phase) -> Vec<usize> {
        let steps = self.plan.steps.iter().enumerate();
        steps
            .filter(|(_, step)| step.phase == phase)
            .map(|(index, _)| index)
            .collect()
    }

    /// Whether any expression reads a step.
    pub(super) fn is_read(&self, step: usize) -> bool {
        self.read.contains(&step)
    }

    /// Forgets where nodes from a number on stand: they are no more.
    pub(super) fn forget_from(&mut self, node: usize) {
        for slot in &mut self.nodes {
            slot.take_if(|at| *at >= node);
        }
    }

    /// The nodes have other numbers now.
    pub(super) fn renumber(&mut self, now: impl Fn(usize) -> Option<usize>) {
        self.owner = self.owner.and_then(&now);
        for slot in &mut self.nodes {
            *slot = slot.and_then(&now);
        }
    }
}

/// The steps of a plan that some expression reads.
fn read(plan: &Plan) -> BTreeSet<usize> {
    let mut read = BTreeSet::new();
    for (index, step) in plan.steps.iter().enumerate() {
        read.extend(step.reads.iter().copied());
        if let Some(undo) = &step.undo {
            // It reads its own step as `this`.
            read.insert(index);
            read.extend(undo.reads.iter().copied());
        }
    }
    read.extend(mentioned_steps(plan.outputs.values(), plan));
    read
}

/// The steps of a plan that some trees mention.
pub(super) fn mentioned_steps<'a>(
    trees: impl Iterator<Item = &'a Tree>,
    plan: &Plan,
) -> BTreeSet<usize> {
    trees
        .flat_map(Tree::mentions)
        .filter_map(|(mention, _)| match mention.path.as_slice() {
            [root, id, ..] if root == "steps" => plan.steps.iter().position(|s| s.id == *id),
            _ => None,
        })
        .collect()
}
