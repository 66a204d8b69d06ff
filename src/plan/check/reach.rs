//! Rule family: every step can run. A step that needs one step to fail and another that needs the
//! same step to pass never does.

use crate::diagnostic::Diagnostic;
use crate::outcome::{Accept, StepOutcome};
use crate::playbook::{Mistakes, codes};

use super::super::graph::{Edge, Graph};
use super::super::names::Names;

/// One bit per step.
#[derive(Clone)]
struct Bits(Vec<u64>);

impl Bits {
    fn new(steps: usize) -> Self {
        Self(vec![0; steps.div_ceil(64)])
    }

    fn set(&mut self, index: usize) {
        if let Some(word) = self.0.get_mut(index / 64) {
            *word |= 1 << (index % 64);
        }
    }

    fn join(&mut self, other: &Self) {
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    /// The first step that is in both.
    fn common(&self, other: &Self) -> Option<usize> {
        self.0
            .iter()
            .zip(&other.0)
            .enumerate()
            .find(|(_, (a, b))| *a & *b != 0)
            .map(|(at, (a, b))| at * 64 + (a & b).trailing_zeros() as usize)
    }
}

/// Checks all steps, in an order in which each stands after what it needs.
pub(crate) fn check(names: &Names<'_>, graph: &Graph, order: &[usize], mistakes: &mut Mistakes) {
    let count = names.steps.len();
    // What must have passed, and what must have failed, for a step to run at all.
    let mut passed: Vec<Bits> = vec![Bits::new(count); count];
    let mut failed: Vec<Bits> = vec![Bits::new(count); count];
    for index in order.iter().copied() {
        let (mut must_pass, mut must_fail) = (Bits::new(count), Bits::new(count));
        for edge in graph.edges(index) {
            let accept = edge.accept;
            let ran = started(accept);
            if ran && let (Some(p), Some(f)) = (passed.get(edge.step), failed.get(edge.step)) {
                must_pass.join(p);
                must_fail.join(f);
            }
            if ran && !accept.takes(StepOutcome::Failed) {
                must_pass.set(edge.step);
            }
            if accept == Accept::FAILED {
                must_fail.set(edge.step);
            }
            never_skipped(names, index, edge, mistakes);
        }
        if let (Some(other), Some(step)) = (must_pass.common(&must_fail), names.steps.get(index)) {
            let other = names.steps.get(other).map_or("", |s| s.step.id.as_str());
            mistakes.push(
                Diagnostic::error(
                    codes::NEVER_RUNS,
                    step.step.place.clone(),
                    format!(
                        "step `{}` can never run: one of its needs wants `{other}` to have passed, another to have failed",
                        step.step.id
                    ),
                )
                .hint(format!("look at what leads from `{other}` to it, or say `any`")),
            );
            // What needs it would say the same again.
            (must_pass, must_fail) = (Bits::new(count), Bits::new(count));
        }
        if let (Some(p), Some(f)) = (passed.get_mut(index), failed.get_mut(index)) {
            *p = must_pass;
            *f = must_fail;
        }
    }
}

/// Whether what is accepted says that the step's own needs were met.
fn started(accept: Accept) -> bool {
    !accept.takes(StepOutcome::Blocked)
        && !accept.takes(StepOutcome::Canceled)
        && !accept.takes(StepOutcome::Unknown)
}

/// Only a step with a `when` can be skipped.
fn never_skipped(names: &Names<'_>, index: usize, edge: &Edge, mistakes: &mut Mistakes) {
    let (Some(step), Some(needed)) = (names.steps.get(index), names.steps.get(edge.step)) else {
        return;
    };
    if edge.accept != Accept::only(StepOutcome::Skipped) || needed.step.when.is_some() {
        return;
    }
    let place = edge.place.as_ref().unwrap_or(&step.step.place).clone();
    mistakes.push(
        Diagnostic::error(
            codes::NEVER_RUNS,
            place,
            format!(
                "step `{}` can never run: `{}` has no `when` and is never skipped",
                step.step.id, needed.step.id
            ),
        )
        .hint("say `passed`, `failed` or `any`"),
    );
}
