//! The named values that expressions see.
//!
//! Values are made ready once and shared. This file must not know which names there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::{DynObject, Enumerator, Object};
use serde_json::Value;

use super::chain::{Chain, Hop};
use super::json;
use crate::secret::Redactor;

/// A value made ready for expressions once; cheap to clone.
#[derive(Debug, Clone)]
pub struct Data(pub(super) minijinja::Value);

impl Data {
    /// From JSON.
    pub fn new(value: &Value) -> Self {
        Self(json::to_value(value))
    }

    /// A record: `fields` are there; `known` are names that could be there but are not (the outputs of
    /// a step that was skipped): they count as undefined at any depth, so that `is defined` and
    /// `default(...)` can ask for them. Any other name is a mistake with the nearest name as a hint.
    pub fn record(fields: Vec<(String, Self)>, known: &[String]) -> Self {
        Self(minijinja::Value::from_object(Record {
            fields: fields.into_iter().map(|(n, d)| (n, d.0)).collect(),
            known: known.to_vec(),
        }))
    }
}

/// Fields that are there, and names that could be.
#[derive(Debug)]
struct Record {
    fields: indexmap::IndexMap<String, minijinja::Value>,
    known: Vec<String>,
}

impl Object for Record {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        self.fields.get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let names: Vec<_> = self.fields.keys().map(minijinja::Value::from).collect();
        Enumerator::Values(names)
    }
}

/// What expressions see: `inputs`, `vars`, `steps`, `run`, `item`, `key`, `index`, `this`.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    names: Arc<Names>,
    redactor: Redactor,
}

#[derive(Debug, Clone, Default)]
struct Names(BTreeMap<String, minijinja::Value>);

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<minijinja::Value> {
        self.0.get(key).cloned()
    }
}

impl Scope {
    /// Empty.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more name.
    #[must_use]
    pub fn with(mut self, name: &str, data: Data) -> Self {
        self.set(name, data);
        self
    }

    /// The same with those who are told what expressions make out of secrets.
    #[must_use]
    pub fn telling(mut self, redactor: &Redactor) -> Self {
        self.redactor = redactor.clone();
        self
    }

    /// Who knows the secrets.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Sets a name.
    pub fn set(&mut self, name: &str, data: Data) {
        Arc::make_mut(&mut self.names)
            .0
            .insert(name.to_owned(), data.0);
    }

    /// What minijinja looks names up in; the lookup of a name in `failing` is an error.
    pub(super) fn context(&self, failing: &[String]) -> minijinja::Value {
        let mut names = Arc::clone(&self.names);
        for name in failing {
            let error = minijinja::Error::from(minijinja::ErrorKind::UndefinedError);
            let all = &mut Arc::make_mut(&mut names).0;
            all.insert(name.clone(), minijinja::Value::from(error));
        }
        minijinja::Value::from_dyn_object(DynObject::new(names))
    }

    /// What a chain reads: where it leads, or the last value before what is computed.
    pub(super) fn read(&self, chain: &Chain) -> Option<minijinja::Value> {
        match self.walk(chain) {
            Walk::Found(value) | Walk::Computed(value) => Some(value),
            Walk::Missing(_) => None,
        }
    }

    /// Follows a chain of names.
    pub(super) fn walk(&self, chain: &Chain) -> Walk {
        let Some(mut value) = self.names.0.get(&chain.root).cloned() else {
            return Walk::Missing(Missing {
                hops: 0,
                kind: "scope".to_owned(),
                there: self.names.0.keys().cloned().collect(),
                could_be: false,
            });
        };
        for (at, (hop, _)) in chain.hops.iter().enumerate() {
            let next = match hop {
                Hop::Name(name) => value.get_attr(name),
                Hop::Index(index) => value.get_item(&minijinja::Value::from(*index)),
                Hop::Computed => return Walk::Computed(value),
            };
            match next {
                Ok(next) if !next.is_undefined() => value = next,
                _ => return Walk::Missing(missing(&value, hop, at + 1)),
            }
        }
        Walk::Found(value)
    }
}

/// What a chain of names leads to.
#[derive(Debug)]
pub(super) enum Walk {
    Found(minijinja::Value),
    /// The value before the first computed subscript; nothing is known from there on.
    Computed(minijinja::Value),
    Missing(Missing),
}

/// Where a chain of names leads nowhere.
#[derive(Debug)]
pub(super) struct Missing {
    /// How many hops lead to what is not there; 0 is the root itself.
    pub(super) hops: usize,
    /// What it was looked for in.
    pub(super) kind: String,
    /// The names that are there.
    pub(super) there: Vec<String>,
    /// Whether it is a name that could be there.
    pub(super) could_be: bool,
}

fn missing(value: &minijinja::Value, hop: &Hop, hops: usize) -> Missing {
    let names = |value: &minijinja::Value| -> Vec<String> {
        let Ok(keys) = value.try_iter() else {
            return Vec::new();
        };
        keys.take(200)
            .filter_map(|key| key.as_str().map(str::to_owned))
            .collect()
    };
    let record = value.downcast_object_ref::<Record>();
    let could_be = match (record, hop) {
        (Some(record), Hop::Name(name)) => record.known.contains(name),
        _ => false,
    };
    let is_map = value.kind() == minijinja::value::ValueKind::Map;
    let mut there = if is_map { names(value) } else { Vec::new() };
    if let Some(record) = record {
        there.extend(record.known.iter().cloned());
    }
    Missing {
        hops,
        kind: value.kind().to_string(),
        there,
        could_be,
    }
}
