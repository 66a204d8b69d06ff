//! Rule family: every step can run. A step never does that needs one step to fail and another that needs
//! the same step to pass, or that needs an end which the other step cannot have.

use crate::diagnostic::Diagnostic;
use crate::outcome::{Accept, StepOutcome};
use crate::playbook::{Mistakes, OnFailure, Step, codes};

use super::super::graph::{Edge, Graph};
use super::super::names::{Indexed, Names};

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
        if let Some(step) = names.steps.get(index) {
            switched_off(step.step, mistakes);
        }
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
            unmet(names, graph, index, edge, mistakes);
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

/// An edge that no end of the needed step can meet.
fn unmet(names: &Names<'_>, graph: &Graph, index: usize, edge: &Edge, mistakes: &mut Mistakes) {
    let (Some(step), Some(needed)) = (names.steps.get(index), names.steps.get(edge.step)) else {
        return;
    };
    let wanted: Vec<StepOutcome> = StepOutcome::ALL
        .into_iter()
        .filter(|outcome| edge.accept.takes(*outcome))
        .collect();
    // The first reason is the one that counts: `passed` takes `skipped` too, and nobody thinks of that.
    let mut reason = None;
    for outcome in wanted {
        let Some(why) = impossible(outcome, *needed, names, graph) else {
            return;
        };
        reason.get_or_insert(why);
    }
    let Some(reason) = reason else { return };
    let id = &needed.step.id;
    let hint = match (&edge.place, needed.step.action.action.name) {
        (Some(_), "fail") => "say `failed` or `any`".to_owned(),
        (None, "fail") => {
            format!("it mentions `{id}`, and so needs it to pass: add `needs: {{ {id}: failed }}`")
        }
        _ => "say `passed`, `failed` or `any`".to_owned(),
    };
    let place = edge.place.as_ref().unwrap_or(&step.step.place).clone();
    let message = format!("step `{}` can never run: `{id}` {reason}", step.step.id);
    // Only what no change elsewhere could mend is refused; the others may be a part that is switched off.
    let never = edge.accept == Accept::only(StepOutcome::Skipped);
    let diagnostic = if never {
        Diagnostic::error(codes::NEVER_RUNS, place, message)
    } else {
        Diagnostic::warning(codes::NEVER_RUNS, place, message)
    };
    mistakes.push(diagnostic.hint(hint));
}

/// Why a step never ends like this; none when it may.
fn impossible(
    outcome: StepOutcome,
    of: Indexed<'_>,
    names: &Names<'_>,
    graph: &Graph,
) -> Option<&'static str> {
    let step = of.step;
    let action = step.action.action;
    match outcome {
        StepOutcome::Passed if action.name == "fail" && step.for_each.is_none() => {
            Some("is a `fail` and never passes")
        }
        // A `when` that could not be read is a `when` all the same, and that was told.
        StepOutcome::Skipped if step.when.is_none() && names.playbook.complete => {
            Some("has no `when` and is never skipped")
        }
        StepOutcome::Blocked => {
            let may = graph.edges(of.index).any(|edge| edge.accept != Accept::ANY);
            let stops = names.playbook.on_failure == OnFailure::Stop;
            (!may && !stops).then_some("needs nothing and is never blocked")
        }
        StepOutcome::Unknown if !action.changes() && action.name != "use" => {
            Some("sends nothing whose fate could be unknown")
        }
        StepOutcome::Passed
        | StepOutcome::Failed
        | StepOutcome::Skipped
        | StepOutcome::Canceled
        | StepOutcome::Unknown => None,
    }
}

/// Warns of a step whose condition is no condition.
fn switched_off(step: &Step, mistakes: &mut Mistakes) {
    let Some(when) = &step.when else { return };
    if when.value.source().trim() == "false" {
        mistakes.push(
            Diagnostic::warning(
                codes::NEVER_RUNS,
                when.place.clone(),
                format!("step `{}` never runs: its `when` is always false", step.id),
            )
            .hint("remove the step, or write a condition"),
        );
    }
}
