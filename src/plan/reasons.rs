//! Why a step waits for another: the mentions that make an edge, and whether `needs` says it itself.
//!
//! The plan keeps the edges alone; here they are traced back to the text, for people.

use crate::diagnostic::Place;
use crate::outcome::Accept;

use super::model::{Plan, PlanStep};
use super::walk::{self, Found};

/// Why a step waits for another.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    /// The index of the needed step.
    pub step: usize,
    /// Which of its outcomes will do.
    pub accept: Accept,
    /// Whether `needs` says so; else mentions alone do.
    pub named: bool,
    /// The mentions of it: what they say, and where.
    pub mentions: Vec<(String, Place)>,
}

/// The reasons for all edges of a step, in the order of the plan.
pub fn reasons(plan: &Plan, step: &PlanStep) -> Vec<Reason> {
    let mentions = mentions(step);
    step.needs
        .iter()
        .map(|need| {
            let id = plan.steps.get(need.step).map(|step| step.id.as_str());
            let own: Vec<&Mentioned> = mentions
                .iter()
                .filter(|mentioned| Some(mentioned.step.as_str()) == id)
                .collect();
            // What mentions alone would give: the condition decides for the whole step.
            let by_mention = own.iter().map(|mentioned| mentioned.accept).next_back();
            Reason {
                step: need.step,
                accept: need.accept,
                named: by_mention != Some(need.accept),
                mentions: own
                    .into_iter()
                    .map(|mentioned| (mentioned.text.clone(), mentioned.place.clone()))
                    .collect(),
            }
        })
        .collect()
}

/// A mention of a step.
struct Mentioned {
    step: String,
    text: String,
    place: Place,
    accept: Accept,
}

/// Everything that a step mentions of others; what its condition mentions comes last.
fn mentions(step: &PlanStep) -> Vec<Mentioned> {
    let mut all = Vec::new();
    let mut note = |found: Found<'_>, accept: Accept| {
        if let (Some("steps"), Some(step)) = (found.hop(0), found.hop(1)) {
            all.push(Mentioned {
                step: step.to_owned(),
                text: found.path().collect::<Vec<_>>().join("."),
                place: found.place(),
                accept,
            });
        }
    };
    let timeout = step.timeout.iter().map(|timeout| &timeout.value);
    let max = step.rerun.iter().map(|rerun| &rerun.max);
    for tree in step.params.values().chain(timeout).chain(max) {
        walk::tree(tree, &mut |found| note(found, Accept::PASSED));
    }
    let of_this = step
        .asserts
        .iter()
        .chain(step.rerun.iter().filter_map(|rerun| rerun.when.as_ref()))
        .chain(step.until.iter().flat_map(|until| &until.that));
    let items = step.for_each.iter().map(|each| &each.items);
    for located in of_this.chain(items) {
        walk::expression(&located.value, &located.place, &mut |found| {
            note(found, Accept::PASSED);
        });
    }
    if let Some(when) = &step.when {
        walk::expression(&when.value, &when.place, &mut |found| {
            note(found, Accept::ANY);
        });
    }
    all
}
