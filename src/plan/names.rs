//! What the names of a playbook are: steps by their index, their outputs, their types.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::catalog::{STEP_FIELDS, Shape, Type};
use crate::playbook::{Input, InputType, Playbook, Step, is_literally_false};
use crate::template::{Node, Tree};

use super::Phase;

/// A step of either phase, with its index in the plan.
#[derive(Clone, Copy)]
pub(super) struct Indexed<'p> {
    pub(super) index: usize,
    pub(super) phase: Phase,
    pub(super) step: &'p Step,
}

/// All names of a playbook.
pub(super) struct Names<'p> {
    pub(super) playbook: &'p Playbook,
    pub(super) steps: Vec<Indexed<'p>>,
    by_id: HashMap<&'p str, usize>,
    broken: HashSet<&'p str>,
    /// Vars and steps whose values hold a secret.
    pub(super) tainted: BTreeSet<String>,
}

impl<'p> Names<'p> {
    pub(super) fn of(playbook: &'p Playbook) -> Self {
        let main = playbook.steps.values().map(|step| (Phase::Main, step));
        let last = playbook.finally.values().map(|step| (Phase::Finally, step));
        let steps: Vec<Indexed<'p>> = main
            .chain(last)
            .enumerate()
            .map(|(index, (phase, step))| Indexed { index, phase, step })
            .collect();
        let mut by_id = HashMap::with_capacity(steps.len());
        for indexed in &steps {
            by_id
                .entry(indexed.step.id.as_str())
                .or_insert(indexed.index);
        }
        Self {
            playbook,
            by_id,
            steps,
            broken: playbook.broken.iter().map(String::as_str).collect(),
            tainted: BTreeSet::new(),
        }
    }

    /// The step of this id.
    pub(super) fn step(&self, id: &str) -> Option<Indexed<'p>> {
        let index = *self.by_id.get(id)?;
        self.steps.get(index).copied()
    }

    /// All ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'p str> + '_ {
        self.steps.iter().map(|indexed| indexed.step.id.as_str())
    }

    /// Whether the file names it, but says it wrongly: that was told already.
    pub(super) fn is_broken(&self, name: &str) -> bool {
        self.broken.contains(name)
    }
}

/// What a name of a step's record is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Output {
    /// It is there, and of this type.
    Known(Type),
    /// It would be there if the step waited.
    NotWaited,
    /// The step has no such name.
    None,
}

/// What `name` is in the record of a step, as others see it. A step that is done for each of several
/// items has the outputs of its action in the records of the items alone.
pub(super) fn output(step: &Step, name: &str) -> Output {
    if step.for_each.is_none() {
        return own(step, name);
    }
    let fields = STEP_FIELDS.iter().filter(|field| field.name != "response");
    fields
        .into_iter()
        .find(|field| field.name == name)
        .map_or(Output::None, |field| Output::Known(field.ty))
}

/// What `name` is in a step's own record, or in that of one of its items.
pub(super) fn own(step: &Step, name: &str) -> Output {
    let action = step.action.action;
    if let Some(field) = STEP_FIELDS.iter().find(|field| field.name == name) {
        let absent = name == "response" && action.response.is_empty() || name == "each";
        return if absent {
            Output::None
        } else {
            Output::Known(field.ty)
        };
    }
    if let Some(field) = action.output(name) {
        let waits = !is_literally_false(step.action.params.get("wait"));
        return if field.when_waited && !waits {
            Output::NotWaited
        } else {
            Output::Known(field.ty)
        };
    }
    if step.extract.contains_key(name) {
        return Output::Known(Type::Any);
    }
    match action.shape {
        Shape::Names => step
            .action
            .params
            .get(name)
            .map_or(Output::None, |tree| Output::Known(tree_type(tree))),
        Shape::Map | Shape::Scalar | Shape::ListOrMap => Output::None,
    }
}

/// All names of a step's record that others can mention.
pub(super) fn outputs(step: &Step) -> Vec<&str> {
    if step.for_each.is_none() {
        return own_outputs(step);
    }
    let names = STEP_FIELDS.iter().map(|field| field.name);
    names
        .filter(|name| matches!(output(step, name), Output::Known(_)))
        .collect()
}

/// All names of a step's own record, what it adds itself first.
pub(super) fn own_outputs(step: &Step) -> Vec<&str> {
    let action = step.action.action;
    let mut names: Vec<&str> = action.outputs.iter().map(|field| field.name).collect();
    names.extend(step.extract.keys().map(String::as_str));
    if action.shape == Shape::Names {
        names.extend(step.action.params.keys().map(String::as_str));
    }
    names.extend(STEP_FIELDS.iter().map(|field| field.name));
    names.retain(|name| matches!(own(step, name), Output::Known(_)));
    names
}

/// The type of what an input holds.
pub(super) fn input_type(input: &Input) -> Type {
    match input.ty {
        InputType::String => Type::Text,
        InputType::Integer => Type::Integer,
        InputType::Number => Type::Number,
        InputType::Boolean => Type::Boolean,
        InputType::Duration => Type::Duration,
        InputType::List => Type::List(&Type::Any),
        InputType::Object => Type::Map(&Type::Any),
    }
}

/// The type of a value of the file, as far as it is known without its mentions.
pub(super) fn tree_type(tree: &Tree) -> Type {
    match &tree.node {
        Node::Literal(value) => match value {
            serde_json::Value::Null => Type::Any,
            serde_json::Value::Bool(_) => Type::Boolean,
            serde_json::Value::Number(n) if n.is_f64() => Type::Number,
            serde_json::Value::Number(_) => Type::Integer,
            serde_json::Value::String(_) => Type::Text,
            serde_json::Value::Array(_) => Type::List(&Type::Any),
            serde_json::Value::Object(_) => Type::Map(&Type::Any),
        },
        Node::Template(template) if template.is_whole() => Type::Any,
        Node::Template(_) => Type::Text,
        Node::Expressions(_) | Node::List(_) => Type::List(&Type::Any),
        Node::Map(_) => Type::Map(&Type::Any),
    }
}
