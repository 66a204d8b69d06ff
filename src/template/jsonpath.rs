//! JSONPath (RFC 9535). With `jsonpath_forms.rs` the one place that knows the crate.
//!
//! A path that was parsed is evaluated as the RFC says; what the crate gets wrong never gets here.

use std::sync::Arc;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::query::{QueryRef, js_path_process};
use serde_json::Value;

use super::TemplateError;
use super::jsonpath_forms as forms;

/// How many matches are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Take {
    /// Exactly one; none or several is an error.
    #[default]
    One,
    /// The first; none is an error.
    First,
    /// All, as a list; none is the empty list.
    All,
    /// One or none; several is an error.
    Optional,
}

/// A path that compiles and whose every form is evaluated correctly.
#[derive(Debug, Clone)]
pub struct JsonPath {
    source: String,
    query: Arc<JpQuery>,
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for JsonPath {}

impl JsonPath {
    /// Compiles the text; forms that the crate gets wrong are refused here.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let query = forms::parse(text)?;
        Ok(Self {
            source: text.to_owned(),
            query: Arc::new(query),
        })
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it finds, in document order.
    pub fn find<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        self.matches(value).into_iter().map(QueryRef::val).collect()
    }

    /// What it finds, as many as wanted; `Ok(None)` only for [`Take::Optional`]. The error says the
    /// path and what was found.
    pub fn take(&self, value: &Value, take: Take) -> Result<Option<Value>, String> {
        let found = self.matches(value);
        let first = || found.first().map(|m| m.clone().val().clone());
        match (take, found.len()) {
            (Take::All, _) => {
                let all = found.into_iter().map(|m| m.val().clone());
                Ok(Some(Value::Array(all.collect())))
            }
            (Take::Optional, 0) => Ok(None),
            (Take::One | Take::Optional, 1) | (Take::First, 1..) => Ok(first()),
            (Take::One, 0) => Err(self.nothing(value, "exactly one match")),
            (Take::First, 0) => Err(self.nothing(value, "at least one match")),
            (Take::One, _) => Err(self.several(&found, "exactly one match")),
            (Take::Optional, _) => Err(self.several(&found, "at most one match")),
        }
    }

    /// A query that was parsed cannot fail: the crate's errors are all about its text.
    fn matches<'a>(&self, value: &'a Value) -> Vec<QueryRef<'a, Value>> {
        js_path_process(&self.query, value).unwrap_or_default()
    }

    fn nothing(&self, value: &Value, wanted: &str) -> String {
        let there = match value {
            Value::Object(map) if map.is_empty() => "an empty object".to_owned(),
            Value::Object(map) => {
                let names: Vec<_> = map.keys().take(8).map(|k| format!("`{k}`")).collect();
                let more = if map.len() > 8 { ", ..." } else { "" };
                format!("an object with {}{more}", names.join(", "))
            }
            Value::Array(list) => format!("a list of {}", list.len()),
            Value::Null => "null".to_owned(),
            Value::String(_) => "a text".to_owned(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
        };
        format!("`{}`: wanted {wanted}, found none in {there}", self.source)
    }

    fn several(&self, found: &[QueryRef<'_, Value>], wanted: &str) -> String {
        let shown: Vec<_> = found.iter().take(3).map(|m| m.clone().path()).collect();
        let more = if found.len() > 3 { ", ..." } else { "" };
        format!(
            "`{}`: wanted {wanted}, found {} matches: {}{more}",
            self.source,
            found.len(),
            shown.join(", "),
        )
    }
}
