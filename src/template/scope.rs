//! The named values that expressions see.

use serde_json::Value;

/// A value made ready for expressions once; cheap to clone.
#[derive(Debug, Clone)]
pub struct Data(pub(super) minijinja::Value);

impl Data {
    /// From JSON.
    pub fn new(_value: &Value) -> Self {
        unimplemented!()
    }

    /// A record: `fields` are there; `known` are names that could be there but are not (the outputs of
    /// a step that was skipped): they count as undefined at any depth, so that `is defined` and
    /// `default(...)` can ask for them. Any other name is a mistake with the nearest name as a hint.
    pub fn record(_fields: Vec<(String, Self)>, _known: &[String]) -> Self {
        unimplemented!()
    }
}

/// What expressions see: `inputs`, `vars`, `steps`, `run`, `item`, `key`, `index`, `this`.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub(super) names: std::collections::BTreeMap<String, minijinja::Value>,
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

    /// Sets a name.
    pub fn set(&mut self, name: &str, data: Data) {
        self.names.insert(name.to_owned(), data.0);
    }
}
