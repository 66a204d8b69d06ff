//! Rule family: no secret goes where Semaphore shows it to people, unless the playbook says so.

use std::collections::{BTreeSet, HashSet};

use crate::catalog::Shape;
use crate::diagnostic::{Diagnostic, Place};
use crate::playbook::{Mistakes, Playbook, Step, codes};
use crate::template::{Node, Tree};

use super::super::names::{Names, is_use};
use super::super::walk::{self, Found};
use super::mentions::near;

/// The vars (`vars.x`) and outputs of `set` (`steps.x.y`) that are made out of secrets. Steps are
/// visited until nothing changes, for they stand in any order.
pub(crate) fn tainted(names: &Names<'_>) -> BTreeSet<String> {
    let playbook = names.playbook;
    let mut tainted = BTreeSet::new();
    let mut made = names.steps.iter().filter_map(|s| names.made_of(s.step));
    let is_secret = playbook.inputs.values().any(|input| input.secret);
    if !is_secret && made.all(|made| made.tainted.is_empty()) {
        return tainted;
    }
    for (name, tree) in &playbook.vars {
        if source(tree, playbook, &tainted).is_some() {
            tainted.insert(format!("vars.{name}"));
        }
    }
    let steps = names.steps.iter().map(|indexed| indexed.step);
    let steps: Vec<&Step> = steps
        .filter(|step| step.for_each.is_some() || is_use(step) || is_set(step))
        .collect();
    loop {
        let before = tainted.len();
        for step in &steps {
            taints(step, names, &mut tainted);
        }
        if tainted.len() == before {
            return tainted;
        }
    }
}

/// The outputs of a playbook that are made out of secrets.
pub(crate) fn outputs(names: &Names<'_>) -> BTreeSet<String> {
    let outputs = names.playbook.outputs.iter();
    outputs
        .filter(|(_, tree)| source(tree, names.playbook, &names.tainted).is_some())
        .map(|(name, _)| name.clone())
        .collect()
}

fn is_set(step: &Step) -> bool {
    step.action.action.shape == Shape::Names
}

/// What a step makes out of secrets: outputs of `set`, and the records of its items.
fn taints(step: &Step, names: &Names<'_>, tainted: &mut BTreeSet<String>) {
    let (id, playbook) = (&step.id, names.playbook);
    let mut items = false;
    if let Some(for_each) = &step.for_each {
        walk::expression(&for_each.items.value, &for_each.items.place, &mut |found| {
            items |= secret(found, playbook, tainted).is_some();
        });
    }
    let mut own: Vec<String> = Vec::new();
    if let Some(made) = names.made_of(step) {
        own.extend(made.tainted.iter().cloned());
    }
    if is_set(step) {
        for (name, tree) in &step.action.params {
            let mut holds = source(tree, playbook, tainted).is_some();
            walk::tree(tree, &mut |found| {
                holds |= items && found.hop(0) == Some("item");
            });
            own.extend(holds.then(|| name.clone()));
        }
    }
    if step.for_each.is_none() {
        tainted.extend(own.into_iter().map(|name| format!("steps.{id}.{name}")));
    } else if items || !own.is_empty() {
        tainted.insert(format!("steps.{id}.each"));
    }
    if items {
        tainted.insert(format!("items of {id}"));
    }
}

/// The secret name that a value of the playbook itself is made of, if any.
fn source(tree: &Tree, playbook: &Playbook, tainted: &BTreeSet<String>) -> Option<String> {
    let mut first = None;
    walk::tree(tree, &mut |found| {
        first = first.take().or_else(|| secret(found, playbook, tainted));
    });
    first
}

/// The secret name that a value of a step is made of, if any.
pub(crate) fn source_in(tree: &Tree, step: &Step, names: &Names<'_>) -> Option<String> {
    let items = names.tainted.contains(&format!("items of {}", step.id));
    let mut first = None;
    walk::tree(tree, &mut |found| {
        let here = || secret(found, names.playbook, &names.tainted);
        let item = || (items && found.hop(0) == Some("item")).then(|| joined(found));
        first = first.take().or_else(here).or_else(item);
    });
    first
}

fn joined(found: Found<'_>) -> String {
    found.path().collect::<Vec<_>>().join(".")
}

/// What is mentioned, when it is or holds a secret.
fn secret(found: Found<'_>, playbook: &Playbook, tainted: &BTreeSet<String>) -> Option<String> {
    let hops: Vec<&str> = found.path().collect();
    let is_secret = match hops.as_slice() {
        ["inputs", name, ..] => playbook.inputs.get(*name).is_some_and(|i| i.secret),
        // `inputs` as a whole holds every secret.
        ["inputs"] => true,
        ["vars", name, ..] => tainted.contains(&format!("vars.{name}")),
        ["steps", id, name, ..] => tainted.contains(&format!("steps.{id}.{name}")),
        _ => false,
    };
    is_secret.then(|| hops.join("."))
}

/// Checks what becomes a name on disk: the group of `concurrency`, where files are saved, and the keys
/// of items.
pub(crate) fn on_disk(names: &Names<'_>, mistakes: &mut Mistakes) {
    let told = |place: &Place, what: &str, secret: &str| {
        Diagnostic::error(
            codes::SECRET_SHOWN,
            place.clone(),
            format!("`{what}` holds the secret `{secret}`, and becomes a name on disk"),
        )
        .hint("make the name out of something else")
    };
    if let Some(concurrency) = &names.playbook.concurrency
        && let Some(secret) = source(&concurrency.group, names.playbook, &names.tainted)
    {
        mistakes.push(told(&concurrency.group.place, "group", &secret));
    }
    for indexed in &names.steps {
        let step = indexed.step;
        for param in step
            .action
            .action
            .params
            .iter()
            .filter(|param| param.inside)
        {
            if let Some(tree) = step.action.params.get(param.name)
                && let Some(secret) = source_in(tree, step, names)
            {
                mistakes.push(told(&tree.place, param.name, &secret));
            }
        }
        let Some(for_each) = &step.for_each else {
            continue;
        };
        let items = names.tainted.contains(&format!("items of {}", step.id));
        if items && for_each.key.is_none() {
            let source = for_each.items.value.source().trim();
            let told = told(&for_each.items.place, "for_each", source);
            mistakes.push(told.hint("say what the items are called: `key: index | string`"));
        }
        if let Some(key) = &for_each.key {
            walk::expression(&key.value, &key.place, &mut |found| {
                let item = (items && found.hop(0) == Some("item")).then(|| joined(found));
                let secret = item.or_else(|| secret(found, names.playbook, &names.tainted));
                if let Some(secret) = secret {
                    mistakes.push(told(&key.place, "key", &secret));
                }
            });
        }
    }
}

/// Checks the parameters of a step that Semaphore shows, and its `expose`.
pub(crate) fn step(step: &Step, names: &Names<'_>, mistakes: &mut Mistakes) {
    let shown = step.action.action.params.iter().filter(|p| p.shown);
    let exposed = exposed(step);
    let mut given: Vec<&str> = Vec::new();
    for param in shown {
        let Some(tree) = step.action.params.get(param.name) else {
            continue;
        };
        let Node::Map(entries) = &tree.node else {
            if let Some(secret) = source_in(tree, step, names) {
                mistakes.push(would_be_shown(tree, param.name, &secret));
            }
            // A map that is computed may hold any name, so `expose` cannot be checked.
            return;
        };
        for (key, value) in entries {
            given.push(&key.name);
            if let Some(secret) = source_in(value, step, names)
                && !exposed.iter().any(|(name, _)| *name == key.name)
            {
                mistakes.push(would_be_shown(value, &key.name, &secret));
            }
        }
    }
    let known: HashSet<&str> = given.iter().copied().collect();
    for (name, tree) in exposed {
        if !known.contains(name) {
            let diagnostic = Diagnostic::error(
                codes::UNKNOWN_KEY,
                tree.place.clone(),
                format!(
                    "`expose` names `{}`, and there is no such parameter",
                    crate::text::clean_line(name, 60)
                ),
            );
            mistakes.push(near(
                diagnostic,
                name,
                given.iter().copied(),
                "name parameters of this step",
            ));
        }
    }
}

fn exposed(step: &Step) -> Vec<(&str, &Tree)> {
    let Some(Tree {
        node: Node::List(items),
        ..
    }) = step.action.params.get("expose")
    else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|tree| match &tree.node {
            Node::Literal(serde_json::Value::String(name)) => Some((name.as_str(), tree)),
            _ => None,
        })
        .collect()
}

fn would_be_shown(tree: &Tree, name: &str, secret: &str) -> Diagnostic {
    let name = crate::text::clean_line(name, 60);
    Diagnostic::error(
        codes::SECRET_SHOWN,
        tree.place.clone(),
        format!("`{name}` holds the secret `{secret}`, and Semaphore shows parameters to people"),
    )
    .hint(format!(
        "keep it in a secret on Semaphore, or add `expose: [{name}]` when people may see it"
    ))
}
