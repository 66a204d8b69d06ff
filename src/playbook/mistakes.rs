//! The mistakes of a load: all of them are counted, the first of them are kept.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Diagnostics, Severity};

use super::codes;
use super::limits::Limits;

/// Collects mistakes up to a limit, so that a hostile file cannot make a million.
#[derive(Debug)]
pub(crate) struct Mistakes {
    found: Diagnostics,
    errors: usize,
    count: usize,
    max: usize,
    masked: Vec<Range<usize>>,
}

impl Mistakes {
    /// None yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            found: Diagnostics::new(),
            errors: 0,
            count: 0,
            max: limits.mistakes_max,
            masked: Vec::new(),
        }
    }

    /// From now on, nothing more is told of these bytes of the file: a filler stands there.
    pub(crate) fn mask(&mut self, span: Range<usize>) {
        self.masked.push(span);
    }

    fn is_masked(&self, diagnostic: &Diagnostic) -> bool {
        let Some(place) = &diagnostic.place else {
            return false;
        };
        let span = &place.span;
        let inside = |masked: &Range<usize>| {
            span.start < masked.end && masked.start < span.end.max(span.start + 1)
        };
        self.masked.iter().any(inside)
    }

    /// Adds one.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.is_masked(&diagnostic) {
            return;
        }
        self.count += 1;
        if diagnostic.severity == Severity::Error {
            self.errors += 1;
        }
        if self.count <= self.max {
            self.found.push(diagnostic);
        }
    }

    /// Adds an error that is made only when it is kept: its place may cost time to find.
    pub(crate) fn push_with(&mut self, make: impl FnOnce() -> Diagnostic) {
        if self.count < self.max {
            self.push(make());
        } else {
            self.count += 1;
            self.errors += 1;
        }
    }

    /// Adds one, if there is one.
    pub(crate) fn extend(&mut self, diagnostic: Option<Diagnostic>) {
        if let Some(diagnostic) = diagnostic {
            self.push(diagnostic);
        }
    }

    /// How many errors there are, those that are not kept included.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// What was kept, and how many were not.
    pub(crate) fn finish(mut self) -> Diagnostics {
        if self.count > self.max {
            let mut more = Diagnostic::error_without_place(
                codes::TOO_MANY_MISTAKES,
                format!("{} more mistakes are not shown", self.count - self.max),
            );
            // Many warnings are warnings all the same.
            if self.errors == 0 {
                more.severity = Severity::Warning;
            }
            self.found.push(more);
        }
        self.found
    }
}
