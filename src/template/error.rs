//! What went wrong in a template, and where.
//!
//! This file owns the codes of the layer. It must not know what a template is used for.

use std::ops::Range;

use crate::diagnostic::Place;

/// Every code of this layer with its title, in order; the documentation is made from it.
pub const CODES: &[(&str, &str)] = &[
    (SYNTAX, "the expression cannot be read"),
    (TOO_LONG, "the text is too long to be compiled"),
    (UNDEFINED, "the expression uses something undefined"),
    (UNKNOWN_NAME, "there is no such filter, test or function"),
    (BRACES, "a bare expression stands in braces"),
    (TAG, "a block or comment tag stands in a text"),
    (
        FOREIGN,
        "a text holds `${{ }}`, which Semaphore would fill in",
    ),
    (UNCLOSED, "a `{{` or `{% raw %}` is never closed"),
    (STEPS, "the steps are not named one by one"),
    (FAILED, "the expression cannot be computed"),
    (TOO_MUCH, "the expression asks for too much work or space"),
    (NOT_JSON, "the result cannot be written as JSON"),
    (NO_ELSE, "an `if` has no `else`"),
    (PATH_SYNTAX, "the JSONPath cannot be read"),
    (PATH_REFUSED, "the JSONPath has a form that is refused"),
    (PATH_REGEX, "the JSONPath holds a broken regular expression"),
    (PATH_TOO_LONG, "the JSONPath is too long"),
];

pub(super) const SYNTAX: &str = "T001";
pub(super) const TOO_LONG: &str = "T002";
pub(super) const UNDEFINED: &str = "T003";
pub(super) const UNKNOWN_NAME: &str = "T004";
pub(super) const BRACES: &str = "T005";
pub(super) const TAG: &str = "T006";
pub(super) const FOREIGN: &str = "T007";
pub(super) const UNCLOSED: &str = "T008";
pub(super) const STEPS: &str = "T009";
pub(super) const FAILED: &str = "T010";
pub(super) const TOO_MUCH: &str = "T011";
pub(super) const NOT_JSON: &str = "T012";
pub(super) const NO_ELSE: &str = "T013";
pub(super) const PATH_SYNTAX: &str = "T020";
pub(super) const PATH_REFUSED: &str = "T021";
pub(super) const PATH_REGEX: &str = "T022";
pub(super) const PATH_TOO_LONG: &str = "T023";

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
    /// The text that should stand at the range instead, when it is known exactly.
    pub fix: Option<String>,
    /// Why one would write that, as the beginning of a hint; often empty.
    pub why: &'static str,
}

impl TemplateError {
    pub(super) fn new(code: &'static str, range: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            range,
            hint: None,
            fix: None,
            why: "",
        }
    }

    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the exact text that should stand there; the hint says it too, for whoever does not
    /// know the text around it.
    #[must_use]
    pub(super) fn fix(mut self, why: &'static str, replacement: impl Into<String>) -> Self {
        let replacement = replacement.into();
        self.hint = Some(format!("{why}write `{replacement}`"));
        self.fix = Some(replacement);
        self.why = why;
        self
    }

    /// The same, when the text it counts in begins at `offset` of a longer one.
    #[must_use]
    pub(super) fn shifted(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }

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
