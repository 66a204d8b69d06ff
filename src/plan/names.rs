//! What the names of a playbook are: steps by their index, their outputs, their types.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::catalog::{STEP_FIELDS, Shape, Type};
use crate::playbook::{Input, InputType, Playbook, Step, is_literally_false};
use crate::template::{Node, Tree};

use super::{Phase, Plan};

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
    /// What was made of the playbooks that it uses, by the names of their sources.
    made: &'p HashMap<String, Made>,
}

/// What was made of a playbook that another uses.
pub(super) struct Made {
    /// Its plan, when nothing is wrong with it.
    pub(super) plan: Option<Arc<Plan>>,
    /// Its outputs that hold a secret.
    pub(super) tainted: BTreeSet<String>,
    /// How many steps it has, those of what it uses included.
    pub(super) steps: usize,
}

impl<'p> Names<'p> {
    pub(super) fn of(playbook: &'p Playbook, made: &'p HashMap<String, Made>) -> Self {
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
            made,
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

impl<'p> Names<'p> {
    /// What `name` is in the record of a step, as others see it. A step that is done for each of several
    /// items has the outputs of its action in the records of the items alone.
    pub(super) fn output(&self, step: &Step, name: &str) -> Output {
        if step.for_each.is_none() {
            return self.own(step, name);
        }
        STEP_FIELDS
            .iter()
            .filter(|field| field.name != "response")
            .find(|field| field.name == name)
            .map_or(Output::None, |field| Output::Known(field.ty))
    }

    /// What `name` is in a step's own record, or in that of one of its items.
    pub(super) fn own(&self, step: &Step, name: &str) -> Output {
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
        if is_use(step) {
            return self.of_used(step, name);
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

    /// An output of the playbook that a step uses. When that could not be read, it may have any.
    fn of_used(&self, step: &Step, name: &str) -> Output {
        let Some(used) = self.used_by(step) else {
            return Output::Known(Type::Any);
        };
        match used.outputs.get(name) {
            Some(tree) => Output::Known(tree_type(tree)),
            None if used.broken.iter().any(|b| *b == format!("outputs.{name}")) => {
                Output::Known(Type::Any)
            }
            None => Output::None,
        }
    }

    /// The playbook that a step uses, when it could be read.
    pub(super) fn used_by(&self, step: &Step) -> Option<&'p Playbook> {
        let written = step.used()?.constant()?;
        let used = self.playbook.used.get(written.as_str()?)?;
        Some(used)
    }

    /// What was made of the playbook that a step uses.
    pub(super) fn made_of(&self, step: &Step) -> Option<&'p Made> {
        self.made.get(&self.used_by(step)?.source.name)
    }

    /// All names of a step's record that others can mention.
    pub(super) fn outputs<'s>(&self, step: &'s Step) -> Vec<&'s str>
    where
        'p: 's,
    {
        if step.for_each.is_none() {
            return self.own_outputs(step);
        }
        let names = STEP_FIELDS.iter().map(|field| field.name);
        names
            .filter(|name| matches!(self.output(step, name), Output::Known(_)))
            .collect()
    }

    /// All names of a step's own record, what it adds itself first.
    pub(super) fn own_outputs<'s>(&self, step: &'s Step) -> Vec<&'s str>
    where
        'p: 's,
    {
        let action = step.action.action;
        let mut names: Vec<&str> = action.outputs.iter().map(|field| field.name).collect();
        names.extend(step.extract.keys().map(String::as_str));
        if action.shape == Shape::Names {
            names.extend(step.action.params.keys().map(String::as_str));
        }
        if let Some(used) = self.used_by(step) {
            let reserved = |name: &&str| STEP_FIELDS.iter().any(|field| field.name == *name);
            let outputs = used.outputs.keys().map(String::as_str);
            names.extend(outputs.filter(|name| !reserved(name)));
        }
        names.extend(STEP_FIELDS.iter().map(|field| field.name));
        names.retain(|name| matches!(self.own(step, name), Output::Known(_)));
        names
    }
}

/// Whether a step uses another playbook.
pub(super) fn is_use(step: &Step) -> bool {
    step.action.action.name == "use"
}

/// The type of what an input holds.
pub(super) fn input_type(input: &Input) -> Type {
    type_of(input.ty)
}

/// The type of the values of a declared type.
pub(super) fn type_of(ty: InputType) -> Type {
    match ty {
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
