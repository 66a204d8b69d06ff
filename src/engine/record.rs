//! What a step has to show for itself: outputs, response, links, files.

use serde_json::{Map, Value};

use crate::event::{FileWritten, Link};

/// What is known of a step's work so far. It grows while the action goes on, so that a step that is given
/// up half-way still says what it started.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Record {
    /// The outputs of the action.
    pub(super) outputs: Map<String, Value>,
    /// The raw JSON of the last API answer.
    pub(super) response: Option<Value>,
    /// Where to look.
    pub(super) links: Vec<Link>,
    /// What was written to disk.
    pub(super) files: Vec<FileWritten>,
    /// The pipelines that were done again.
    pub(super) reruns: Vec<Value>,
}

impl Record {
    /// Sets an output; `null` counts as not there.
    pub(super) fn set(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        if !value.is_null() {
            self.outputs.insert(name.to_owned(), value);
        }
    }

    /// Takes over the members of an answer under their own names.
    pub(super) fn take(&mut self, answer: &Value, names: &[&str]) {
        for name in names {
            if let Some(value) = answer.get(*name) {
                self.set(name, value.clone());
            }
        }
    }

    /// Adds a link once.
    pub(super) fn link(&mut self, to: &str, url: &str) {
        let link = Link {
            to: to.to_owned(),
            url: url.to_owned(),
        };
        if !url.is_empty() && !self.links.contains(&link) {
            self.links.push(link);
        }
    }
}

/// A text member of an answer; empty when it is not there.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
