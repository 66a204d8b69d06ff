//! What went wrong in a template, and where.

use std::ops::Range;

use crate::diagnostic::Place;

/// A mistake in a template or expression, by the bytes of its own source text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// The stable code (`T001` ...).
    pub code: &'static str,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The bytes of the source text that are meant.
    pub range: Range<usize>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl TemplateError {
    /// The same at a place of a file: `place` is where the template's text stands.
    pub fn at(self, place: &Place) -> LocatedError {
        LocatedError {
            place: place.within(self.range.clone()),
            error: self,
        }
    }
}

/// A mistake in a template, at its place in a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {error}")]
pub struct LocatedError {
    /// Where in the file.
    pub place: Place,
    /// What is wrong.
    pub error: TemplateError,
}
