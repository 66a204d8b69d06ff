//! What a step has to show for itself: outputs, response, links, files.

use serde_json::{Map, Value};

use super::call::RedPipeline;
use crate::catalog::{Field, Type};
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
    /// The pipeline that ended red, for who asks why.
    pub(super) red: Option<Box<RedPipeline>>,
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

    /// This record over an older one of the same step: what is new counts, what is not there stays.
    #[must_use]
    pub(super) fn over(mut self, older: &Self) -> Self {
        let mut all = older.clone();
        all.outputs.append(&mut self.outputs);
        if self.response.is_some() {
            all.response = self.response;
        }
        for link in &self.links {
            all.link(&link.to, &link.url);
        }
        for file in self.files {
            if !all.files.contains(&file) {
                all.files.push(file);
            }
        }
        all.reruns.append(&mut self.reruns);
        all.red = self.red;
        all
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

impl Record {
    /// Takes the members of an object that the catalog names. What Semaphore does not say (yet) is
    /// none, so that it can be asked for.
    pub(super) fn describe(&mut self, object: &Value, fields: &[Field]) {
        for field in fields {
            let value = object.get(field.name).filter(|value| !value.is_null());
            let value = match (value, field.ty) {
                (Some(value), _) => value.clone(),
                (None, Type::List(_)) => Value::Array(Vec::new()),
                (None, _) => Value::Null,
            };
            self.outputs.insert(field.name.to_owned(), value);
        }
    }
}

/// A text member of an answer; empty when it is not there.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
