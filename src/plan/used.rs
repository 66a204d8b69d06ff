//! What the playbooks that are used need beside their text: variables of the environment, secrets, and which
//! file calls which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value;

use super::inputs::{self, GivenInputs};
use super::{BoundInputs, Plan, PlanStep};
use crate::diagnostic::{Diagnostics, Source};
use crate::playbook::Input;
use crate::template::{Node, Tree};

/// Binds the inputs of a plan, and keeps the variables of the environment that used playbooks read. What is
/// missing or wrong there is told now, and not when its step begins.
pub fn bind(plan: &Plan, given: &GivenInputs<'_>) -> (Option<BoundInputs>, Diagnostics) {
    let (bound, mut diagnostics) = inputs::bind_inputs(&plan.inputs, given);
    let mut env = IndexMap::new();
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    each_use(plan, &mut |step, used| {
        for (name, input) in &used.inputs {
            let Some(variable) = &input.env else { continue };
            let found = (given.env)(variable).filter(|text| !text.is_empty());
            if let Some(text) = &found {
                env.insert(variable.clone(), text.clone());
            }
            if with(step, name).is_some() || !told.insert((file(used), name.clone())) {
                continue;
            }
            if let Err(wrong) = inputs::of_environment(name, input, found.as_deref()) {
                diagnostics.push(*wrong);
            }
        }
    });
    let bound = bound.map(|bound| BoundInputs { env, ..bound });
    (bound.filter(|_| !diagnostics.has_errors()), diagnostics)
}

/// Every text that is secret before anything runs: values of secret inputs, wherever they come from.
pub fn secret_texts(plan: &Plan, bound: &BoundInputs) -> Vec<String> {
    let own = bound
        .secrets
        .iter()
        .filter_map(|name| bound.values.get(name));
    let mut found: Vec<Value> = own.cloned().collect();
    each_use(plan, &mut |step, used| {
        for (name, input) in used.inputs.iter().filter(|(_, input)| input.secret) {
            let variable = input.env.as_ref().and_then(|name| bound.env.get(name));
            found.extend(variable.map(|text| Value::from(text.as_str())));
            found.extend(input.default.clone());
            found.extend(with(step, name).and_then(Tree::constant));
        }
    });
    let texts = found.into_iter().filter_map(|value| match value {
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    });
    texts.collect()
}

/// The variables of the environment that used playbooks read as secrets.
pub fn secret_variables(plan: &Plan) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_use(plan, &mut |_, used| {
        let secret = used.inputs.values().filter(|input: &&Input| input.secret);
        found.extend(secret.filter_map(|input| input.env.clone()));
    });
    found
}

/// All variables of the environment that used playbooks read.
pub fn variables(plan: &Plan) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    each_use(plan, &mut |_, used| {
        found.extend(used.inputs.values().filter_map(|input| input.env.clone()));
    });
    found
}

/// All files of a plan, and which of the others each calls what.
pub fn links(plan: &Plan) -> Vec<(Arc<Source>, BTreeMap<String, String>)> {
    let mut calls: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    note(plan, &mut calls);
    let sources = plan.sources.iter();
    sources
        .map(|source| {
            let calls = calls.remove(&source.name).unwrap_or_default();
            (Arc::clone(source), calls)
        })
        .collect()
}

fn note(plan: &Plan, calls: &mut BTreeMap<String, BTreeMap<String, String>>) {
    let own = file(plan);
    if calls.contains_key(&own) {
        return;
    }
    calls.insert(own.clone(), BTreeMap::new());
    for step in &plan.steps {
        let written = step.params.get("playbook").and_then(Tree::constant);
        let (Some(used), Some(Value::String(written))) = (&step.used, written) else {
            continue;
        };
        calls
            .entry(own.clone())
            .or_default()
            .insert(written, file(used));
        note(used, calls);
    }
}

fn file(plan: &Plan) -> String {
    plan.sources
        .first()
        .map(|source| source.name.clone())
        .unwrap_or_default()
}

/// Every step that uses a playbook, at any depth. A plan has no more steps than its limit allows, those of
/// what it uses counted each time.
fn each_use(plan: &Plan, visit: &mut impl FnMut(&PlanStep, &Plan)) {
    for step in &plan.steps {
        if let Some(used) = &step.used {
            visit(step, used);
            each_use(used, visit);
        }
    }
}

/// What a step gives to an input.
fn with<'p>(step: &'p PlanStep, name: &str) -> Option<&'p Tree> {
    let Node::Map(entries) = &step.params.get("with")?.node else {
        return None;
    };
    entries
        .iter()
        .find(|(key, _)| key.name == name)
        .map(|(_, tree)| tree)
}
