//! Values that must be quoted and are not: what people meant, from the line on which YAML went wrong.

use std::ops::Range;
use std::sync::Arc;

use super::{codes, fixed_line};
use crate::diagnostic::{Diagnostic, Place, Source};

/// Whether a mistake says that its place must be quoted, so that the rest can be read as if it were.
pub(super) fn can_be_masked(diagnostic: &Diagnostic) -> bool {
    [codes::UNQUOTED_TEMPLATE, codes::UNQUOTED_BRACKETS].contains(&diagnostic.code)
}

/// The text with a quoted filler of the same length where the mistake is: every other place stays what it
/// is. The filler reads as text and as an expression, and mentions nothing.
pub(super) fn masked(text: &str, span: &Range<usize>) -> Option<String> {
    let value = text.get(span.clone()).filter(|value| value.is_ascii())?;
    let room = value.len().checked_sub(2)?;
    let word = if room < 4 { "1" } else { "true" };
    let (before, after) = (text.get(..span.start)?, text.get(span.end..)?);
    Some(format!("{before}\"{word:<room$}\"{after}"))
}

/// A value that had to be quoted, where the line says so.
pub(super) fn at(place: &Place) -> Option<Diagnostic> {
    template(place).or_else(|| brackets(place))
}

/// The line of a place, with the byte at which it begins.
fn line(place: &Place) -> Option<(usize, &str)> {
    let text = &place.source.text;
    let from = text
        .get(..place.span.start)?
        .rfind('\n')
        .map_or(0, |at| at + 1);
    let line = text.get(from..)?.lines().next()?;
    (line.len() <= LINE_BYTES_MAX).then_some((from, line))
}

/// A longer line was not typed by a person, and looking at it would cost its square.
const LINE_BYTES_MAX: usize = 2_000;

fn on_line(place: &Place, from: usize, line: &str, range: &Range<usize>) -> Option<Place> {
    Some(Place {
        source: Arc::clone(&place.source),
        line: place.line,
        column: line.get(..range.start)?.chars().count() + 1,
        span: from + range.start..from + range.end,
    })
}

/// The first `{{` outside quotes on the line where it went wrong.
fn template(place: &Place) -> Option<Diagnostic> {
    let (from, line) = line(place)?;
    let at = line
        .match_indices("{{")
        .map(|(at, _)| at)
        .find(|at| is_bare(line.get(..*at).unwrap_or_default()))?;
    let range = value_around(line, at)?;
    Some(unquoted(on_line(place, from, line, &range)?))
}

/// Whether no quote is open after this beginning of a line, and no comment has begun.
fn is_bare(before: &str) -> bool {
    let mut open = None;
    let mut last = ' ';
    for c in before.chars() {
        match (open, c) {
            (None, '#') if last.is_whitespace() => return false,
            (None, '"' | '\'') => open = Some(c),
            (Some(quote), c) if quote == c => open = None,
            _ => {}
        }
        last = c;
    }
    open.is_none()
}

/// The whole value around a `{{` at byte `at` of a line: from its key, dash or comma to its end.
fn value_around(line: &str, at: usize) -> Option<Range<usize>> {
    let before = line.get(..at)?;
    let after_key = [": ", "- ", ", ", "[ ", "{ ", "["]
        .iter()
        .filter_map(|sign| before.rfind(sign).map(|found| found + sign.len()))
        .max()
        .unwrap_or_default();
    let start =
        after_key + before.get(after_key..)?.len() - before.get(after_key..)?.trim_start().len();
    let in_flow = line.get(..start)?.contains(['{', '[']);
    let rest = line.get(at..)?;
    let close = rest.rfind("}}").filter(|_| !in_flow).or(rest.find("}}"))? + 2;
    let tail = rest.get(close..)?;
    let tail = if in_flow {
        tail.find([',', '}', ']', ' ']).unwrap_or(tail.len())
    } else {
        tail.find(" #").unwrap_or(tail.len())
    };
    let value = line.get(start..at + close + tail)?.trim_end();
    Some(start..start + value.len())
}

/// The message for a template without quotes; `place` is the whole template.
pub(crate) fn unquoted(place: Place) -> Diagnostic {
    let written = place
        .source
        .text
        .get(place.span.clone())
        .unwrap_or_default();
    // What Semaphore fills in itself must come to it as it is.
    let semaphores = written.starts_with("${{") && written.contains("parameters.");
    let meant = if semaphores {
        format!("{{% raw %}}{written}{{% endraw %}}")
    } else {
        written.to_owned()
    };
    told(
        codes::UNQUOTED_TEMPLATE,
        place,
        "a template must be quoted, for YAML reads `{` as the start of a map",
        &meant,
    )
}

/// An expression with brackets or braces of its own: `when: inputs.x in [1, 2]` within braces, or one that
/// begins with a bracket.
fn brackets(place: &Place) -> Option<Diagnostic> {
    let (from, line) = line(place)?;
    let wrong = place.span.start.checked_sub(from)?;
    let starts = [": ", ", ", "[", "- "].iter().flat_map(|sign| {
        line.match_indices(sign)
            .map(|(at, sign)| at + sign.len())
            .filter(|at| is_bare(line.get(..*at).unwrap_or_default()))
    });
    let range = starts
        .filter(|start| *start <= wrong)
        .filter_map(|start| expression(line, start))
        .filter(|range| range.start <= wrong && wrong <= range.end)
        .min_by_key(|range| range.end - range.start)?;
    let meant = line.get(range.clone())?.to_owned();
    Some(told(
        codes::UNQUOTED_BRACKETS,
        on_line(place, from, line, &range)?,
        "a value with brackets or braces of its own must be quoted here, for YAML reads them itself",
        &meant,
    ))
}

/// The value that begins at byte `start` of a line, when it has brackets and more than brackets.
fn expression(line: &str, start: usize) -> Option<Range<usize>> {
    let rest = line.get(start..)?;
    let start = start + rest.len() - rest.trim_start().len();
    let rest = line.get(start..)?;
    if rest.starts_with(['"', '\'', '|', '>', '#']) {
        return None;
    }
    let (mut depth, mut brackets, mut quote, mut last) = (0_usize, false, None, ' ');
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        match (quote, c) {
            (Some(open), c) if open == c => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(c),
            (None, '[' | '{' | '(') => {
                brackets |= c != '(';
                depth += 1;
            }
            (None, ']' | '}' | ')' | ',') if depth == 0 => {
                end = at;
                break;
            }
            (None, ']' | '}' | ')') => depth -= 1,
            (None, '#') if last == ' ' => {
                end = at;
                break;
            }
            _ => {}
        }
        last = c;
    }
    let value = rest.get(..end)?.trim_end();
    let alone = value.starts_with(['[', '{']) && value.ends_with([']', '}']);
    let whole = depth == 0 && quote.is_none();
    (whole && brackets && !alone).then(|| start..start + value.len())
}

fn told(code: &'static str, place: Place, message: &str, meant: &str) -> Diagnostic {
    let quoted = quoted(meant);
    Diagnostic::error(code, place.clone(), message)
        .hint(format!("write `{}`", fixed_line(&place, &quoted)))
        .fix(quoted)
}

/// A text in the quotes that leave it as it is.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        format!("\"{text}\"")
    }
}

/// The same mistake in the file as it is, and no longer in the text that was read in its stead.
pub(super) fn moved(diagnostic: Diagnostic, to: &Arc<Source>) -> Diagnostic {
    let home = |place: Place| Place {
        source: Arc::clone(to),
        ..place
    };
    let mut moved = match diagnostic.code {
        codes::UNQUOTED_TEMPLATE => match diagnostic.place.clone() {
            Some(place) => unquoted(home(place)),
            None => diagnostic,
        },
        _ => diagnostic,
    };
    moved.place = moved.place.map(home);
    moved
}
