//! Text with `{{ expressions }}` in it.
//!
//! Only `{{ }}` and `{% raw %}` mean something; whatever else looks like a tag is refused, for a text
//! that holds it was meant to be something else. Values are never read again as templates.

use std::sync::Arc;

use serde_json::Value;

use super::code::Code;
use super::cut::{self, Piece};
use super::{Mention, Scope, TemplateError, error, json};

/// The most bytes of a text that is compiled.
const TEMPLATE_BYTES_MAX: usize = 64 << 10;

/// A text that holds at least one `{{ expression }}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: Arc<str>,
    parts: Arc<[Part]>,
    whole: bool,
    mentions: Arc<[Mention]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// An expression and the byte of the source where it begins.
    Code(Code, usize),
}

impl Template {
    /// Compiles the text. `None` when there is nothing to fill in: the text stands for itself.
    pub fn parse(text: &str) -> Result<Option<Self>, TemplateError> {
        if !["{{", "{%", "{#"].iter().any(|tag| text.contains(tag)) {
            return Ok(None);
        }
        if text.len() > TEMPLATE_BYTES_MAX {
            let message = format!(
                "the text has {} bytes, and at most {TEMPLATE_BYTES_MAX} are allowed where something is filled in",
                text.len()
            );
            return Err(TemplateError::new(error::TOO_LONG, 0..text.len(), message));
        }
        let cut = cut::cut(text)?;
        let mut parts = Vec::new();
        let mut mentions = Vec::new();
        for piece in cut.pieces {
            parts.push(match piece {
                Piece::Text(text) => Part::Text(text),
                Piece::Expression(range) => {
                    let inner = text.get(range.clone()).unwrap_or_default();
                    let code = Code::parse(inner).map_err(|e| e.shifted(range.start))?;
                    mentions.extend(code.mentions().map(|found| found.shifted(range.start)));
                    Part::Code(code, range.start)
                }
            });
        }
        Ok(Some(Self {
            source: text.into(),
            parts: parts.into(),
            whole: cut.whole,
            mentions: mentions.into(),
        }))
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
        self.whole
    }

    /// The text when it holds no expression after all, only `{% raw %}`.
    pub fn constant(&self) -> Option<String> {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Code(..) => None,
            })
            .collect()
    }

    /// The value: of the expression's own type when the text is nothing but one expression, else text.
    /// Undefined is an error at any depth.
    pub fn render(&self, scope: &Scope) -> Result<Value, TemplateError> {
        let mut made = String::new();
        for part in self.parts.iter() {
            match part {
                Part::Text(text) => made.push_str(text),
                Part::Code(code, offset) => {
                    let value = code.json(scope).map_err(|e| e.shifted(*offset))?;
                    if self.whole {
                        return Ok(value);
                    }
                    made.push_str(&json::text(&value));
                }
            }
            if made.len() > json::OUTPUT_BYTES_MAX {
                let message = "the text that was made has more than 1 MiB";
                return Err(TemplateError::new(
                    error::TOO_MUCH,
                    0..self.source.len(),
                    message,
                ));
            }
        }
        Ok(Value::String(made))
    }
}
