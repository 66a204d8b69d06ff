//! A part of a plan: one step, and what it cannot do without.

use std::collections::BTreeSet;

use super::{Phase, Plan, PlanStep, digest};
use crate::diagnostic::nearest;
use crate::template::Tree;

/// Why there is no such part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OnlyError {
    /// There is no such step.
    #[error("the playbook has no step `{0}`")]
    NoSuchStep(String, Option<String>),
    /// A step under `finally` comes after all others.
    #[error("`{0}` is a step of `finally`, which runs after all the others")]
    Finally(String),
}

impl OnlyError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoSuchStep(_, Some(near)) => format!("did you mean `{near}`?"),
            Self::NoSuchStep(_, None) | Self::Finally(_) => {
                "`runner plan` shows the steps".to_owned()
            }
        }
    }
}

/// The plan of one step and of all that it needs or reads: no other step, no `finally`, and only the
/// outputs that these steps give. It is another plan, with another digest.
pub fn only(plan: &Plan, id: &str) -> Result<Plan, OnlyError> {
    let Some(target) = plan.steps.iter().position(|step| step.id == id) else {
        let near = nearest(id, plan.steps.iter().map(|step| step.id.as_str()));
        return Err(OnlyError::NoSuchStep(
            crate::text::clean_line(id, 80),
            near.map(str::to_owned),
        ));
    };
    let kept = needed(plan, target);
    if kept
        .iter()
        .filter_map(|index| plan.steps.get(*index))
        .any(|step| step.phase == Phase::Finally)
    {
        return Err(OnlyError::Finally(id.to_owned()));
    }
    let mut part = plan.clone();
    part.steps = kept
        .iter()
        .filter_map(|index| plan.steps.get(*index))
        .map(|step| moved(step, &kept))
        .collect();
    let names: BTreeSet<&str> = part.steps.iter().map(|step| step.id.as_str()).collect();
    part.outputs.retain(|_, tree| gives(tree, &names));
    part.digest = digest::of(&part);
    Ok(part)
}

/// A step, and whatever it needs or reads, however far; in the order of the plan.
fn needed(plan: &Plan, target: usize) -> BTreeSet<usize> {
    let mut kept = BTreeSet::new();
    let mut open = vec![target];
    while let Some(index) = open.pop() {
        let Some(step) = plan.steps.get(index).filter(|_| kept.insert(index)) else {
            continue;
        };
        open.extend(step.needs.iter().map(|need| need.step));
        open.extend(&step.reads);
        open.extend(step.undo.iter().flat_map(|undo| &undo.reads));
    }
    kept
}

/// A step whose neighbours stand elsewhere now.
fn moved(step: &PlanStep, kept: &BTreeSet<usize>) -> PlanStep {
    let place = |old: &usize| kept.iter().position(|index| index == old);
    let mut step = step.clone();
    step.needs.retain_mut(|need| {
        let new = place(&need.step);
        need.step = new.unwrap_or_default();
        new.is_some()
    });
    step.reads = step.reads.iter().filter_map(place).collect();
    if let Some(undo) = &mut step.undo {
        undo.reads = undo.reads.iter().filter_map(place).collect();
    }
    step
}

/// Whether an output mentions no step that is left out.
fn gives(tree: &Tree, kept: &BTreeSet<&str>) -> bool {
    tree.mentions().iter().all(|(mention, _)| {
        match mention
            .path
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .as_slice()
        {
            ["steps", id, ..] => kept.contains(id),
            _ => true,
        }
    })
}
