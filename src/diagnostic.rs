//! What is wrong with a file, where, and what to do about it, as plain data.
//!
//! Only `cli/render.rs` knows how a diagnostic looks on a terminal.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::Serialize;

/// A file as it was read: its name for people and its text.
#[derive(Debug)]
pub struct Source {
    /// The path as the user gave it, or the name of a library playbook.
    pub name: String,
    /// The whole text.
    pub text: String,
    /// Where each line begins, found when it is first asked for.
    lines: OnceLock<Vec<usize>>,
}

impl PartialEq for Source {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || (self.name == other.name && self.text == other.text)
    }
}

impl Eq for Source {}

impl Source {
    /// A source to be shared by all places that point into it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            lines: OnceLock::new(),
        })
    }

    /// The place of a byte range of this source; ranges outside the text are cut to it.
    pub fn place(self: &Arc<Self>, span: Range<usize>) -> Place {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = span.end.clamp(start, self.text.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        let lines = self.lines.get_or_init(|| {
            let ends = self.text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let line = lines.partition_point(|begin| *begin <= start);
        let begin = line.checked_sub(1).and_then(|at| lines.get(at)).copied();
        let before = self.text.get(begin.unwrap_or(0)..start).unwrap_or_default();
        let column = before.chars().count() + 1;
        Place {
            source: Arc::clone(self),
            line,
            column,
            span: start..end,
        }
    }
}

/// A place in a source: line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub source: Arc<Source>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The bytes that are meant.
    pub span: Range<usize>,
}

impl Place {
    /// A part of this place: `range` counts bytes from the start of the place.
    ///
    /// Lines are counted from this place on, never from the start of the file: a file with thousands
    /// of places would cost its square.
    pub fn within(&self, range: Range<usize>) -> Self {
        let text = &self.source.text;
        let floor = |at: usize| {
            (0..=at.min(text.len()))
                .rev()
                .find(|at| text.is_char_boundary(*at))
                .unwrap_or_default()
        };
        let from = floor(self.span.start);
        let start = floor(self.span.start.saturating_add(range.start)).max(from);
        let end = floor(self.span.start.saturating_add(range.end)).max(start);
        let between = text.get(from..start).unwrap_or_default();
        let lines = between.matches('\n').count();
        let last = between.rsplit('\n').next().unwrap_or_default();
        let column = last.chars().count() + if lines == 0 { self.column } else { 1 };
        Self {
            source: Arc::clone(&self.source),
            line: self.line + lines,
            column,
            span: start..end,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", self.source.name, self.line, self.column)
    }
}

/// Whether a diagnostic refuses the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken, and the reader is told.
    Warning,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code, such as `P012`.
    pub code: &'static str,
    /// Whether it refuses the file.
    pub severity: Severity,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: String,
    /// Where it is.
    pub place: Option<Place>,
    /// Other places that belong to it, each with a few words.
    pub labels: Vec<(Place, String)>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text that should stand at `place` instead, when it is known exactly.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: Some(place),
            labels: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, place: Place, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, place, message)
        }
    }

    /// An error that belongs to no file (an input on the command line, a limit).
    pub fn error_without_place(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            place: None,
            labels: Vec::new(),
            hint: None,
            fix: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the exact text that should stand there instead.
    #[must_use]
    pub fn fix(mut self, replacement: impl Into<String>) -> Self {
        self.fix = Some(replacement.into());
        self
    }

    /// The same with another place and a few words for it.
    #[must_use]
    pub fn label(mut self, place: Place, words: impl Into<String>) -> Self {
        self.labels.push((place, words.into()));
        self
    }

    /// The same with the hint `did you mean ...`, when a candidate is near enough.
    #[must_use]
    pub fn nearest<'a>(self, wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        let Some(found) = nearest(wanted, candidates) else {
            return self;
        };
        self.hint(format!("did you mean `{found}`?"))
    }
}

/// All mistakes of a load, in the order they were found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one; the same mistake at the same place is kept once.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if !self.list.contains(&diagnostic) {
            self.list.push(diagnostic);
        }
    }

    /// Adds all of another load.
    pub fn extend(&mut self, other: Self) {
        for diagnostic in other.list {
            self.push(diagnostic);
        }
    }

    /// Whether the file is refused.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All, by file, line and column; those without a place come last.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<&Diagnostic> = self.list.iter().collect();
        all.sort_by_key(|d| match &d.place {
            Some(p) => (0, p.source.name.clone(), p.line, p.column),
            None => (1, String::new(), 0, 0),
        });
        all
    }
}

/// Longer names are not compared.
const COMPARED_BYTES_MAX: usize = 200;

/// The candidate that a typing person most likely meant, if any is near enough.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of the lengths, and nobody mistypes a name that is longer.
    let short = |name: &str| name.len() <= COMPARED_BYTES_MAX;
    if !short(wanted) {
        return None;
    }
    let lower = wanted.to_lowercase();
    candidates
        .into_iter()
        .filter(|c| *c != wanted && short(c))
        .map(|c| (strsim::damerau_levenshtein(&lower, &c.to_lowercase()), c))
        .filter(|(distance, c)| {
            let longest = wanted.chars().count().max(c.chars().count());
            *distance <= (longest / 3).max(1) && *distance < longest
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_not_bytes() {
        let source = Source::new("a.yml", "é: 1\nbé: x\n");
        let place = source.place(source.text.find('x').map_or(0..0, |i| i..i + 1));
        assert_eq!(place.to_string(), "a.yml:2:5");
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("overide", ["name", "override"]), Some("override"));
        assert_eq!(nearest("xyz", ["name", "override"]), None);
    }
}
