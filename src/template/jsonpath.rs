//! JSONPath (RFC 9535). The one file that knows the crate.

use serde_json::Value;

use super::TemplateError;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPath {
    source: String,
}

impl JsonPath {
    /// Compiles the text; forms that the crate gets wrong are refused here.
    pub fn parse(_text: &str) -> Result<Self, TemplateError> {
        unimplemented!()
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it finds, in document order.
    pub fn find<'a>(&self, _value: &'a Value) -> Vec<&'a Value> {
        unimplemented!()
    }

    /// What it finds, as many as wanted; `Ok(None)` only for [`Take::Optional`]. The error says the
    /// path and what was found.
    pub fn take(&self, _value: &Value, _take: Take) -> Result<Option<Value>, String> {
        unimplemented!()
    }
}
