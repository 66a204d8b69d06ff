//! Rule family: no secret goes where Semaphore shows it to people, unless the playbook says so.

use std::collections::{BTreeSet, HashSet};

use crate::diagnostic::Diagnostic;
use crate::playbook::{Mistakes, Playbook, Step, codes};
use crate::template::{Node, Tree};

use super::super::names::Names;
use super::super::walk;
use super::mentions::near;

/// The vars (`vars.x`) and outputs of `set` (`steps.x.y`) that are made out of secrets. Steps are
/// visited until nothing changes, for they stand in any order.
pub(crate) fn tainted(playbook: &Playbook) -> BTreeSet<String> {
    let mut tainted = BTreeSet::new();
    if !playbook.inputs.values().any(|input| input.secret) {
        return tainted;
    }
    for (name, tree) in &playbook.vars {
        if source(tree, playbook, &tainted).is_some() {
            tainted.insert(format!("vars.{name}"));
        }
    }
    let sets: Vec<&Step> = playbook
        .steps
        .values()
        .chain(playbook.finally.values())
        .filter(|step| step.action.action.shape == crate::catalog::Shape::Names)
        .collect();
    loop {
        let before = tainted.len();
        for step in &sets {
            for (name, tree) in &step.action.params {
                if source(tree, playbook, &tainted).is_some() {
                    tainted.insert(format!("steps.{}.{name}", step.id));
                }
            }
        }
        if tainted.len() == before {
            return tainted;
        }
    }
}

/// The secret name that a value is made of, if any.
fn source(tree: &Tree, playbook: &Playbook, tainted: &BTreeSet<String>) -> Option<String> {
    let mut secret = None;
    walk::tree(tree, &mut |found| {
        let hops: Vec<&str> = found.path().collect();
        let is_secret = match hops.as_slice() {
            ["inputs", name, ..] => playbook.inputs.get(*name).is_some_and(|i| i.secret),
            // `inputs` as a whole holds every secret.
            ["inputs"] => true,
            ["vars", name, ..] => tainted.contains(&format!("vars.{name}")),
            ["steps", id, name, ..] => tainted.contains(&format!("steps.{id}.{name}")),
            _ => false,
        };
        if is_secret && secret.is_none() {
            secret = Some(hops.join("."));
        }
    });
    secret
}

/// Checks what becomes a name on disk: the group of `concurrency`, and where files are saved.
pub(crate) fn on_disk(names: &Names<'_>, mistakes: &mut Mistakes) {
    let mut look = |tree: &Tree, what: &str| {
        if let Some(secret) = source(tree, names.playbook, &names.tainted) {
            mistakes.push(
                Diagnostic::error(
                    codes::SECRET_SHOWN,
                    tree.place.clone(),
                    format!("`{what}` holds the secret `{secret}`, and becomes a name on disk"),
                )
                .hint("make the name out of something else"),
            );
        }
    };
    if let Some(concurrency) = &names.playbook.concurrency {
        look(&concurrency.group, "group");
    }
    for indexed in &names.steps {
        let step = &indexed.step.action;
        for param in step.action.params.iter().filter(|param| param.inside) {
            if let Some(tree) = step.params.get(param.name) {
                look(tree, param.name);
            }
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
            if let Some(secret) = source(tree, names.playbook, &names.tainted) {
                mistakes.push(would_be_shown(tree, param.name, &secret));
            }
            // A map that is computed may hold any name, so `expose` cannot be checked.
            return;
        };
        for (key, value) in entries {
            given.push(&key.name);
            if let Some(secret) = source(value, names.playbook, &names.tainted)
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
