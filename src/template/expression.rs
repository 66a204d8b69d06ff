//! Bare expressions: `when`, `until`, `assert`, `for_each`.
//!
//! An expression is checked as far as its text alone allows when it is parsed, so that what is left
//! for later depends on values only.

use std::sync::Arc;

use serde_json::Value;

use super::chain::Mention;
use super::code::{Code, EXPRESSION_BYTES_MAX};
use super::{Scope, TemplateError, error, token};

/// An expression that compiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    code: Code,
    mentions: Arc<[Mention]>,
}

impl Expression {
    /// Compiles the text and finds what it mentions.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        braces(text)?;
        let code = Code::parse(text)?;
        Ok(Self {
            mentions: code.mentions().collect(),
            code,
        })
    }

    /// The text.
    pub fn source(&self) -> &str {
        self.code.text()
    }

    /// What it mentions, in the order of the text.
    pub fn mentions(&self) -> &[Mention] {
        &self.mentions
    }

    /// Its value; undefined is an error.
    pub fn eval(&self, scope: &Scope) -> Result<Value, TemplateError> {
        self.code.json(scope)
    }

    /// Whether it holds.
    pub fn holds(&self, scope: &Scope) -> Result<bool, TemplateError> {
        self.code.holds(scope)
    }

    /// Each name that it mentions with its value in this scope, for showing why it came out so.
    /// Undefined names stand with `null`.
    pub fn explain(&self, scope: &Scope) -> Vec<(String, Value)> {
        let mut shown: Vec<(String, Value)> = Vec::new();
        for chain in self.code.chains() {
            let name = self.source().get(chain.range()).unwrap_or_default();
            if !shown.iter().any(|(known, _)| known == name) {
                shown.push((name.to_owned(), self.code.shown(chain, scope)));
            }
        }
        shown
    }
}

/// A bare expression is written without braces.
fn braces(text: &str) -> Result<(), TemplateError> {
    if text.len() > EXPRESSION_BYTES_MAX || !text.contains("{{") {
        return Ok(());
    }
    let tokens = token::all(text);
    let Some(open) = tokens.windows(2).find_map(|pair| match pair {
        [a, b] if a.is("{") && b.is("{") && a.end() == b.start => Some(a.start),
        _ => None,
    }) else {
        return Ok(());
    };
    let bare = ["${{", "{{-", "{{", "-}}", "}}"]
        .iter()
        .fold(text.to_owned(), |text, brace| text.replace(brace, " "));
    let bare = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    let message = "this is an expression already, so the braces are not needed";
    let error = TemplateError::new(error::BRACES, open..text.len().min(open + 2), message);
    Err(error.hint(format!("write it without braces: `{bare}`")))
}
