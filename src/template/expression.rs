//! Bare expressions: `when`, `until`, `assert`, `for_each`.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::{Scope, TemplateError};

/// A name that an expression reads, such as `steps.build.pipeline_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The parts, from the root: `["steps", "build", "pipeline_id"]`. Cut at the first subscript that
    /// is not a constant.
    pub path: Vec<String>,
    /// Where it stands in the source text, as near as it is known.
    pub range: Range<usize>,
}

/// An expression that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    source: Arc<str>,
    mentions: Arc<[Mention]>,
}

impl Expression {
    /// Compiles the text and finds what it mentions.
    pub fn parse(_text: &str) -> Result<Self, TemplateError> {
        unimplemented!()
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What it mentions, in the order of the text.
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// Its value; undefined is an error.
    pub fn eval(&self, _scope: &Scope) -> Result<Value, TemplateError> {
        unimplemented!()
    }

    /// Whether it holds.
    pub fn holds(&self, _scope: &Scope) -> Result<bool, TemplateError> {
        unimplemented!()
    }

    /// Each name that it mentions with its value in this scope, for showing why it came out so.
    /// Undefined names stand with `null`.
    pub fn explain(&self, _scope: &Scope) -> Vec<(String, Value)> {
        unimplemented!()
    }
}
