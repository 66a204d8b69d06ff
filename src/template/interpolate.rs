//! Text with `{{ expressions }}` in it.

use std::sync::Arc;

use serde_json::Value;

use super::{Mention, Scope, TemplateError};

/// A text that holds at least one `{{ expression }}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: Arc<str>,
    mentions: Arc<[Mention]>,
}

impl Template {
    /// Compiles the text. `None` when there is nothing to fill in: the text stands for itself.
    pub fn parse(_text: &str) -> Result<Option<Self>, TemplateError> {
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

    /// Whether the text is nothing but one `{{ expression }}`, so that its type is kept.
    pub fn is_whole(&self) -> bool {
        unimplemented!()
    }

    /// The value: of the expression's own type when the text is nothing but one expression, else text.
    /// Undefined is an error at any depth.
    pub fn render(&self, _scope: &Scope) -> Result<Value, TemplateError> {
        unimplemented!()
    }
}
