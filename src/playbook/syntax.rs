//! What is wrong with a text that is no YAML, in our own words. The one file that knows the YAML
//! crate's errors.

use std::sync::Arc;

use serde_saphyr::{Error, Location, budget::BudgetBreach};

use super::limits::Limits;
use super::{codes, unquoted};
use crate::diagnostic::{Diagnostic, Place, Source};
use crate::{size, text};

/// Makes a source out of the bytes of a file; a byte order mark is dropped, and a line that ends with a
/// carriage return alone ends as all others do: YAML counts it as a line, and so must every place.
pub fn source_from_bytes(
    name: &str,
    bytes: Vec<u8>,
    limits: &Limits,
) -> Result<Arc<Source>, Box<Diagnostic>> {
    if bytes.len() > limits.file_bytes_max {
        let source = Source::new(name, String::new());
        return Err(Box::new(too_large(&source, limits)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => {
            let text = text
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or(text);
            Ok(Source::new(name, without_lone_returns(text)))
        }
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            let before = bytes.get(..good).unwrap_or_default();
            let source = Source::new(name, String::from_utf8_lossy(before));
            let end = source.text.len();
            let place = source.place(end..end);
            Err(Box::new(
                Diagnostic::error(codes::NOT_UTF8, place, "the file is not UTF-8 text")
                    .hint("save it as UTF-8"),
            ))
        }
    }
}

/// The same text, byte for byte in its place, for which a line ends where `\n` stands.
fn without_lone_returns(text: String) -> String {
    if !text.contains('\r') {
        return text;
    }
    let mut chars = text.chars().peekable();
    let mut out = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        let alone = c == '\r' && chars.peek() != Some(&'\n');
        out.push(if alone { '\n' } else { c });
    }
    out
}

/// The file is over the limit.
pub(crate) fn too_large(source: &Arc<Source>, limits: &Limits) -> Diagnostic {
    let max = size::show(u64::try_from(limits.file_bytes_max).unwrap_or(u64::MAX));
    Diagnostic::error(
        codes::FILE_TOO_LARGE,
        source.place(0..0),
        format!("the file is larger than {max}"),
    )
    .hint("split it, or raise `limits.file_bytes_max`")
}

/// More values than the limit, counted after aliases were filled in.
pub(crate) fn too_many_values(source: &Arc<Source>, limits: &Limits) -> Diagnostic {
    Diagnostic::error(
        codes::TOO_COMPLEX,
        source.place(0..0),
        format!("the file holds more than {} values", limits.nodes_max),
    )
    .hint("aliases count as often as they are used")
}

/// An error of the crate, explained; its places are in the text that was read.
pub(crate) fn explain(source: &Arc<Source>, limits: &Limits, error: &Error) -> Diagnostic {
    let error = error.without_snippet();
    let place = place(source, error.location());
    if let Error::AliasError { error, .. } = error {
        return explain(source, limits, error);
    }
    if let Some(found) = structure(limits, error, &place) {
        return found;
    }
    if let Some(found) = tab(&place).or_else(|| unquoted::at(&place)) {
        return found;
    }
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    if message.contains("recursion limit") {
        return too_deep(limits, place);
    }
    let diagnostic = Diagnostic::error(
        codes::YAML,
        place,
        format!("this is not valid YAML: {}", text::clean_line(message, 120)),
    );
    match advice(message) {
        Some(hint) => diagnostic.hint(hint),
        None => diagnostic,
    }
}

fn place(source: &Arc<Source>, location: Option<Location>) -> Place {
    let Some(location) = location.filter(|l| *l != Location::UNKNOWN) else {
        return source.place(0..0);
    };
    let line = usize::try_from(location.line()).unwrap_or(1).max(1);
    let column = usize::try_from(location.column()).unwrap_or(1).max(1);
    let mut start: usize = source
        .text
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let rest = source.text.get(start..).unwrap_or_default();
    start += rest
        .chars()
        .take(column - 1)
        .take_while(|c| *c != '\n')
        .map(char::len_utf8)
        .sum::<usize>();
    let end = source
        .text
        .get(start..)
        .and_then(|rest| rest.chars().next())
        .filter(|c| *c != '\n')
        .map_or(start, |c| start + c.len_utf8());
    Place {
        source: Arc::clone(source),
        line,
        column,
        span: start..end,
    }
}

fn too_deep(limits: &Limits, place: Place) -> Diagnostic {
    Diagnostic::error(
        codes::TOO_COMPLEX,
        place,
        format!(
            "lists and maps are nested more than {} deep",
            limits.depth_max
        ),
    )
    .hint("a playbook needs no such depth: is a bracket missing?")
}

/// Errors that have a code of their own.
fn structure(limits: &Limits, error: &Error, place: &Place) -> Option<Diagnostic> {
    let complex = |what: String| {
        Diagnostic::error(codes::TOO_COMPLEX, place.clone(), what)
            .hint("values count as often as their anchors are used; the limits can be raised")
    };
    match error {
        Error::MultipleDocuments { .. } => Some(
            Diagnostic::error(
                codes::SEVERAL_DOCUMENTS,
                place.clone(),
                "a playbook is one YAML document, and here a second one begins",
            )
            .hint("remove the `---`, or make two files"),
        ),
        Error::Budget { breach, .. } => Some(complex(match breach {
            BudgetBreach::Depth { .. } => return Some(too_deep(limits, place.clone())),
            BudgetBreach::Aliases { .. }
            | BudgetBreach::Anchors { .. }
            | BudgetBreach::MergeKeys { .. } => {
                format!("anchors are used more than {} times", limits.aliases_max)
            }
            _ => format!("the file holds more than {} values", limits.nodes_max),
        })),
        Error::AliasReplayCounterOverflow { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => Some(complex(format!(
            "its aliases make more than {} values",
            limits.nodes_max
        ))),
        Error::RecursiveReferencesRequireWeakTypes { .. } => {
            Some(complex("an alias stands inside its own anchor".to_owned()))
        }
        _ => None,
    }
}

/// A tab before the first character of the line where it went wrong, or of the next one.
fn tab(place: &Place) -> Option<Diagnostic> {
    let text = &place.source.text;
    let from = text
        .get(..place.span.start)?
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let mut start = from;
    for (n, line) in text.get(from..)?.split_inclusive('\n').take(2).enumerate() {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        if let Some(at) = line.get(..indent).and_then(|indent| indent.find('\t')) {
            let place = Place {
                source: Arc::clone(&place.source),
                line: place.line + n,
                column: at + 1,
                span: start + at..start + at + 1,
            };
            return Some(
                Diagnostic::error(codes::TAB, place, "a tab is used to indent")
                    .hint("YAML is indented with spaces alone")
                    .fix("  "),
            );
        }
        start += line.len();
    }
    None
}

fn advice(message: &str) -> Option<&'static str> {
    let known = [
        (
            "did not find expected ',' or '}'",
            "a comma is missing before this, or the value before it must be quoted",
        ),
        (
            "expected ',' or ']'",
            "a comma is missing before this, or the value before it must be quoted",
        ),
        ("mapping values", "a value that holds `: ` must be quoted"),
        ("unclosed quote", "the closing quote is missing"),
        (
            "mismatched bracket",
            "each bracket is closed by its own kind",
        ),
        ("unclosed bracket", "the closing bracket is missing"),
        (
            "unexpected character",
            "a value that starts with this character must be quoted",
        ),
        (
            "unknown anchor",
            "an anchor must be defined before it is used: `&name` first, `*name` later",
        ),
        ("unsupported tag", "a playbook needs no tags: remove it"),
        (
            "block sequence",
            "a list begins on a line of its own, below its key",
        ),
        (
            "document start",
            "all keys of a map begin in the same column",
        ),
        (
            "block mapping",
            "all keys of a map begin in the same column",
        ),
    ];
    known
        .iter()
        .find(|(words, _)| message.contains(words))
        .map(|(_, hint)| *hint)
}
