//! What is known of values before a run begins: inputs, and what is computed from them alone.
//!
//! Pure. Whatever a secret had a part in counts as not known, so that it is shown as its expression; what
//! steps will give is not known either.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::plan::{Plan, PlanStep};
use crate::template::{Data, Expression, Key, Mention, Node, Scope, Tree};

/// The names whose values are known, and a scope that holds them.
#[derive(Debug, Clone)]
pub struct Known {
    scope: Scope,
    inputs: BTreeSet<String>,
    vars: BTreeSet<String>,
}

impl Known {
    /// What is known of a playbook with these values of its inputs; `secrets` are the names of those
    /// that must not be shown.
    pub fn of(plan: &Plan, values: &IndexMap<String, Value>, secrets: &[String]) -> Self {
        let open = |name: &&String| !secrets.contains(name);
        let mut inputs: BTreeMap<String, Value> = values
            .iter()
            .filter(|(name, _)| open(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        // What may be missing is known to be missing.
        let optional = plan
            .inputs
            .iter()
            .filter(|(name, input)| input.optional && !input.secret && !values.contains_key(*name))
            .map(|(name, _)| name.clone());
        let optional: Vec<String> = optional.collect();
        let names: Vec<String> = plan.inputs.keys().cloned().collect();
        let fields = inputs
            .iter()
            .map(|(name, value)| (name.clone(), Data::new(value)))
            .collect();
        let mut known = Self {
            scope: Scope::new()
                .with("inputs", Data::record(fields, &names))
                .with("vars", Data::record(Vec::new(), &[])),
            inputs: std::mem::take(&mut inputs)
                .into_keys()
                .chain(optional)
                .collect(),
            vars: BTreeSet::new(),
        };
        known.compute_vars(plan);
        known
    }

    /// What is known inside the playbook that a step uses: what stands in `with`, else its defaults.
    pub fn inner(&self, step: &PlanStep, used: &Plan) -> Self {
        let with: &[(Key, Tree)] = match step.params.get("with").map(|tree| &tree.node) {
            Some(Node::Map(entries)) => entries,
            Some(_) | None => &[],
        };
        let literal = match step.params.get("with").map(|tree| &tree.node) {
            Some(Node::Literal(value)) => value.as_object(),
            Some(_) | None => None,
        };
        let mut values = IndexMap::new();
        let mut open = Vec::new();
        for (name, input) in &used.inputs {
            let given = with.iter().find(|(key, _)| key.name == *name);
            let value = match (given, literal.and_then(|map| map.get(name))) {
                (Some((_, tree)), _) => self.value(tree),
                (None, Some(value)) => Some(value.clone()),
                // What comes from the environment is read when the run begins.
                (None, None) if input.env.is_some() => None,
                (None, None) => input.default.clone(),
            };
            match value {
                Some(value) => drop(values.insert(name.clone(), value)),
                None if given.is_some() || input.env.is_some() => open.push(name.clone()),
                None => {}
            }
            if input.secret {
                open.push(name.clone());
            }
        }
        let mut known = Self::of(used, &values, &open);
        // An input that is given with something unknown is not missing.
        known.inputs.retain(|name| !open.contains(name));
        known
    }

    fn compute_vars(&mut self, plan: &Plan) {
        let names: Vec<String> = plan.vars.keys().cloned().collect();
        let mut fields = Vec::new();
        for (name, tree) in &plan.vars {
            if let Some(value) = self.value(tree) {
                self.vars.insert(name.clone());
                fields.push((name.clone(), Data::new(&value)));
                self.scope.set("vars", Data::record(fields.clone(), &names));
            }
        }
    }

    fn knows(&self, mention: &Mention) -> bool {
        let path: Vec<&str> = mention.path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["inputs", name, ..] => self.inputs.contains(*name),
            ["vars", name, ..] => self.vars.contains(*name),
            _ => false,
        }
    }

    /// The value of a tree, when all of it is known.
    pub fn value(&self, tree: &Tree) -> Option<Value> {
        if let Some(constant) = tree.constant() {
            return Some(constant);
        }
        let known = tree
            .mentions()
            .iter()
            .all(|(mention, _)| self.knows(mention));
        if known {
            tree.render(&self.scope).ok().flatten()
        } else {
            None
        }
    }

    /// The value of an expression, when all of it is known.
    pub fn eval(&self, expression: &Expression) -> Option<Value> {
        let known = expression.mentions().iter().all(|m| self.knows(m));
        known.then(|| expression.eval(&self.scope).ok()).flatten()
    }

    /// Whether a condition holds, when that is known.
    pub fn holds(&self, expression: &Expression) -> Option<bool> {
        let known = expression.mentions().iter().all(|m| self.knows(m));
        known.then(|| expression.holds(&self.scope).ok()).flatten()
    }

    /// A tree with everything that is known filled in, and the rest as it is written.
    pub fn shown(&self, tree: &Tree) -> Value {
        if let Some(value) = self.value(tree) {
            return value;
        }
        match &tree.node {
            Node::Literal(value) => value.clone(),
            Node::Template(template) => Value::String(template.source().trim().to_owned()),
            Node::Expressions(list) => list
                .iter()
                .map(|(expression, _)| Value::String(expression.source().to_owned()))
                .collect(),
            Node::List(items) => items.iter().map(|item| self.shown(item)).collect(),
            Node::Map(entries) => entries
                .iter()
                .map(|(key, item)| (key.name.clone(), self.shown(item)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// A duration as words.
    pub fn time(&self, tree: &Tree) -> String {
        with_unit(&self.shown(tree)).unwrap_or_else(|| self.words(tree))
    }

    /// The same as words: text as it is, an expression that stands alone without its braces.
    pub fn words(&self, tree: &Tree) -> String {
        match self.shown(tree) {
            Value::String(text) => bare(&text).to_owned(),
            other => other.to_string(),
        }
    }
}

/// A duration: expressions give seconds, which nobody reads.
pub fn with_unit(value: &Value) -> Option<String> {
    let seconds = Duration::try_from_secs_f64(value.as_f64()?).ok()?;
    Some(crate::duration::show(seconds))
}

/// An expression that is a whole text, without its braces.
pub fn bare(text: &str) -> &str {
    let trimmed = text.trim();
    let inner = trimmed
        .strip_prefix("${{")
        .or_else(|| trimmed.strip_prefix("{{"))
        .and_then(|rest| rest.strip_suffix("}}"));
    match inner {
        Some(inner) if !inner.contains("{{") => inner.trim_matches('-').trim(),
        Some(_) | None => trimmed,
    }
}
