//! Rule family: a pipeline is named by its newest id, and a promotion says what it means.
//!
//! A wait that follows, or that reruns, may end with another pipeline than it began with. Whoever then
//! names the first one promotes, or reads the logs of, a pipeline that was given up.

use crate::diagnostic::Diagnostic;
use crate::playbook::{Mistakes, Step, codes, fixed_line};
use crate::template::{Node, Tree};

use super::super::Phase;
use super::super::graph::Graph;
use super::super::names::{Indexed, Names};
use super::super::walk::{self, Found};

/// Checks all steps that name a pipeline.
pub(crate) fn check(names: &Names<'_>, graph: &Graph, mistakes: &mut Mistakes) {
    let named: Vec<(Indexed<'_>, Indexed<'_>, Found<'_>)> = names
        .steps
        .iter()
        .filter_map(|step| {
            let (of, found) = pipeline_of(step.step, names)?;
            Some((*step, of, found))
        })
        .collect();
    // By the step whose pipeline they take over, in the order of the file.
    let takers: Vec<(Indexed<'_>, Indexed<'_>)> = named
        .iter()
        .filter(|(step, _, _)| may_replace(step.step))
        .map(|(step, of, _)| (*of, *step))
        .collect();
    for (step, of, found) in &named {
        if !takers
            .iter()
            .any(|(first, taker)| first.index == of.index && taker.index != step.index)
        {
            continue;
        }
        let before = behind(*step, names, graph);
        // The last of several: each takes over from the one before it.
        let mut newest = *of;
        for (first, taker) in &takers {
            let ran = before.get(taker.index).copied().unwrap_or(false);
            if first.index == newest.index && taker.index != step.index && ran {
                newest = *taker;
            }
        }
        if newest.index != of.index {
            mistakes.push(replaced(step.step, of.step, newest.step, *found));
        }
    }
}

/// Warns of a promotion that promotes whatever the result.
pub(crate) fn overrides(step: &Step, mistakes: &mut Mistakes) {
    if step.action.action.name != "promote" {
        return;
    }
    let Some(tree) = step.action.params.get("override") else {
        return;
    };
    if tree.constant() == Some(serde_json::Value::Bool(true)) {
        mistakes.push(
            Diagnostic::warning(
                codes::OVERRIDE,
                tree.place.clone(),
                "this promotes a pipeline even when it did not pass",
            )
            .hint(
                "remove it, or let whoever runs it say so: `override: \"{{ inputs.override }}\"`",
            ),
        );
    }
}

/// The step whose `pipeline_id` alone is the pipeline of this one.
fn pipeline_of<'p>(step: &'p Step, names: &Names<'p>) -> Option<(Indexed<'p>, Found<'p>)> {
    let tree = step.action.params.get("pipeline")?;
    let found = alone(tree)?;
    let mut path = found.path();
    let (root, id, name) = (path.next()?, path.next()?, path.next()?);
    let named = root == "steps" && name == "pipeline_id" && path.next().is_none();
    named
        .then(|| names.step(id))
        .flatten()
        .map(|of| (of, found))
}

/// The mention, when the value is nothing but one.
pub(crate) fn alone(tree: &Tree) -> Option<Found<'_>> {
    let Node::Template(template) = &tree.node else {
        return None;
    };
    let [only] = template.mentions() else {
        return None;
    };
    let inner = template.source().trim().trim_start_matches('$');
    let inner = inner.strip_prefix("{{")?.strip_suffix("}}")?;
    let written = template.source().get(only.range.clone())?;
    if inner.trim_matches('-').trim() != written {
        return None;
    }
    let mut first = None;
    walk::tree(tree, &mut |found| first = Some(found));
    first
}

/// Whether the step may end with another pipeline than the one that it was given.
fn may_replace(step: &Step) -> bool {
    let follows = step.action.params.get("follow").and_then(Tree::constant)
        == Some(serde_json::Value::Bool(true));
    step.action.action.name == "wait_pipeline"
        && step.for_each.is_none()
        && (follows || step.rerun.is_some())
}

/// All steps that have ended when this one begins.
fn behind(step: Indexed<'_>, names: &Names<'_>, graph: &Graph) -> Vec<bool> {
    let mut seen = vec![false; names.steps.len()];
    let mut open = vec![step.index];
    while let Some(index) = open.pop() {
        for edge in graph.edges(index) {
            if let Some(flag) = seen.get_mut(edge.step)
                && !*flag
            {
                *flag = true;
                open.push(edge.step);
            }
        }
    }
    if step.phase == Phase::Finally {
        for (flag, other) in seen.iter_mut().zip(&names.steps) {
            *flag |= other.phase == Phase::Main;
        }
    }
    seen
}

fn replaced(step: &Step, of: &Step, newest: &Step, found: Found<'_>) -> Diagnostic {
    let place = found.hop_place(1);
    let does = if newest.rerun.is_some() {
        "reruns what did not pass"
    } else {
        "follows to the pipeline that replaced it"
    };
    let hint = format!("write `{}`", fixed_line(&place, &newest.id));
    Diagnostic::warning(
        codes::REPLACED_PIPELINE,
        place,
        format!(
            "`{}` names the pipeline that `{}` began with, and `{}` may have ended with another",
            step.id, of.id, newest.id
        ),
    )
    .label(newest.place.clone(), format!("this step {does}"))
    .hint(hint)
    .fix(newest.id.clone())
}
