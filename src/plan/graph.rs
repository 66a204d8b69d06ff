//! The graph: edges from `needs` and from mentions, their order, and circles.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::diagnostic::{Diagnostic, Place};
use crate::outcome::Accept;
use crate::playbook::{Mistakes, codes};

use super::names::Names;

/// An edge with the place that made it.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    /// The index of the needed step.
    pub(super) step: usize,
    /// Which of its outcomes will do.
    pub(super) accept: Accept,
    /// Where it comes from, when `needs` names it.
    pub(super) place: Option<Place>,
}

/// The edges of every step, and what each reads.
#[derive(Debug, Default)]
pub(super) struct Graph {
    edges: Vec<BTreeMap<usize, Edge>>,
    reads: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// So many steps without edges.
    pub(super) fn new(steps: usize) -> Self {
        Self {
            edges: vec![BTreeMap::new(); steps],
            reads: vec![BTreeSet::new(); steps],
        }
    }

    /// The edges of a step, by the order of the needed steps.
    pub(super) fn edges(&self, step: usize) -> impl Iterator<Item = &Edge> {
        self.edges.get(step).into_iter().flat_map(BTreeMap::values)
    }

    /// What a step reads.
    pub(super) fn reads(&self, step: usize) -> BTreeSet<usize> {
        self.reads.get(step).cloned().unwrap_or_default()
    }

    /// How many edges there are.
    pub(super) fn len(&self) -> usize {
        self.edges.iter().map(BTreeMap::len).sum()
    }

    /// A step reads another.
    pub(super) fn read(&mut self, step: usize, read: usize) {
        if let Some(reads) = self.reads.get_mut(step) {
            reads.insert(read);
        }
    }

    /// Adds an edge, or replaces the one that was there.
    pub(super) fn set(&mut self, step: usize, edge: Edge) {
        if let Some(edges) = self.edges.get_mut(step) {
            edges.insert(edge.step, edge);
        }
    }

    /// All steps in an order in which each stands after what it needs, by their place in the file
    /// where nothing orders them; what is missing stands in a circle.
    pub(super) fn order(&self) -> Vec<usize> {
        let count = self.edges.len();
        let mut waiting: Vec<usize> = self.edges.iter().map(BTreeMap::len).collect();
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); count];
        for (index, edges) in self.edges.iter().enumerate() {
            for needed in edges.keys() {
                if let Some(list) = followers.get_mut(*needed) {
                    list.push(index);
                }
            }
        }
        let mut ready: BinaryHeap<Reverse<usize>> = waiting
            .iter()
            .enumerate()
            .filter(|(_, needs)| **needs == 0)
            .map(|(index, _)| Reverse(index))
            .collect();
        let mut order = Vec::with_capacity(count);
        while let Some(Reverse(index)) = ready.pop() {
            order.push(index);
            for follower in followers.get(index).into_iter().flatten() {
                if let Some(needs) = waiting.get_mut(*follower) {
                    *needs -= 1;
                    if *needs == 0 {
                        ready.push(Reverse(*follower));
                    }
                }
            }
        }
        order
    }

    /// Tells every circle, each with its whole path.
    pub(super) fn circles(&self, names: &Names<'_>, order: &[usize], mistakes: &mut Mistakes) {
        let mut done = vec![false; self.edges.len()];
        for index in order {
            if let Some(flag) = done.get_mut(*index) {
                *flag = true;
            }
        }
        for start in 0..self.edges.len() {
            let Some(circle) = self.walk(start, &mut done) else {
                continue;
            };
            tell(names, &circle, mistakes);
        }
    }

    /// Walks from needed step to needed step until one comes again. What was walked is done.
    fn walk(&self, start: usize, done: &mut [bool]) -> Option<Vec<usize>> {
        let mut path: Vec<usize> = Vec::new();
        let mut at: BTreeMap<usize, usize> = BTreeMap::new();
        let mut next = Some(start);
        while let Some(index) = next {
            if let Some(first) = at.get(&index) {
                return Some(path.split_off(*first));
            }
            if done.get(index).copied().unwrap_or(true) {
                return None;
            }
            if let Some(flag) = done.get_mut(index) {
                *flag = true;
            }
            at.insert(index, path.len());
            path.push(index);
            next = self.edges(index).map(|edge| edge.step).find(|needed| {
                at.contains_key(needed) || !done.get(*needed).copied().unwrap_or(true)
            });
        }
        None
    }
}

/// The longest circle that is shown whole.
const SHOWN_MAX: usize = 20;

fn tell(names: &Names<'_>, circle: &[usize], mistakes: &mut Mistakes) {
    // The circle begins with the step that stands first in the file.
    let first = circle
        .iter()
        .enumerate()
        .min_by_key(|(_, index)| **index)
        .map_or(0, |(at, _)| at);
    let steps: Vec<_> = circle
        .iter()
        .cycle()
        .skip(first)
        .take(circle.len())
        .filter_map(|index| names.steps.get(*index))
        .collect();
    let Some(start) = steps.first() else { return };
    let mut path: Vec<String> = steps
        .iter()
        .take(SHOWN_MAX)
        .map(|s| format!("`{}`", s.step.id))
        .collect();
    if steps.len() > SHOWN_MAX {
        path.push("…".to_owned());
    }
    path.push(format!("`{}`", start.step.id));
    let mut diagnostic = Diagnostic::error(
        codes::CYCLE,
        start.step.place.clone(),
        format!("these steps wait for each other: {}", path.join(" → ")),
    )
    .hint(
        "each waits for the one after the arrow, because it mentions or needs it: cut one of them",
    );
    for step in steps.iter().skip(1).take(SHOWN_MAX) {
        diagnostic = diagnostic.label(step.step.place.clone(), "this step is part of it");
    }
    mistakes.push(diagnostic);
}
