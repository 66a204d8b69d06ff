//! Rule family: what is declared is read somewhere. A name that nothing reads is a leftover, or the one that
//! was meant has another name.

use std::collections::HashSet;

use crate::diagnostic::Diagnostic;
use crate::playbook::{Mistakes, codes};

use super::super::names::Names;
use super::super::walk::{self, Found};

/// The names that are read.
#[derive(Default)]
struct Read<'p> {
    inputs: HashSet<&'p str>,
    vars: HashSet<&'p str>,
    /// `inputs` as a whole, and so every one of them.
    all_inputs: bool,
    all_vars: bool,
}

/// Warns of inputs and vars that nothing reads. To be asked only of playbooks that are right: what a part
/// reads that could not be made out is not known, and a name that is misspelt elsewhere is the mistake.
pub(crate) fn check(names: &Names<'_>, mistakes: &mut Mistakes) {
    let playbook = names.playbook;
    let read = read(names);
    for (name, input) in &playbook.inputs {
        if read.all_inputs || read.inputs.contains(name.as_str()) {
            continue;
        }
        let what = if input.secret { "secret" } else { "input" };
        mistakes.push(
            Diagnostic::warning(
                codes::UNUSED_INPUT,
                input.place.clone(),
                format!("nothing reads the {what} `{name}`"),
            )
            .hint(format!(
                "remove it, or read it with `{{{{ inputs.{name} }}}}`"
            )),
        );
    }
    for (name, tree) in &playbook.vars {
        if !read.all_vars && !read.vars.contains(name.as_str()) {
            mistakes.push(
                Diagnostic::warning(
                    codes::UNUSED_VAR,
                    tree.place.clone(),
                    format!("nothing reads the var `{name}`"),
                )
                .hint(format!(
                    "remove it, or read it with `{{{{ vars.{name} }}}}`"
                )),
            );
        }
    }
}

fn read<'p>(names: &Names<'p>) -> Read<'p> {
    let playbook = names.playbook;
    let mut read = Read::default();
    let mut note = |found: Found<'p>| {
        match (found.hop(0), found.hop(1)) {
            (Some("inputs"), Some(name)) => drop(read.inputs.insert(name)),
            (Some("inputs"), None) => read.all_inputs = true,
            (Some("vars"), Some(name)) => drop(read.vars.insert(name)),
            (Some("vars"), None) => read.all_vars = true,
            _ => {}
        };
    };
    let of_run = playbook
        .vars
        .values()
        .chain(playbook.outputs.values())
        .chain(&playbook.timeout)
        .chain(playbook.concurrency.iter().map(|c| &c.group));
    for tree in of_run {
        walk::tree(tree, &mut note);
    }
    for indexed in &names.steps {
        let undo = indexed.step.undo.as_deref();
        for step in std::iter::once(indexed.step).chain(undo) {
            walk::step(step, &mut |found, _, _| note(found));
        }
    }
    read
}
