//! Places inside scalars, and lines as they should be.

use std::ops::Range;

use crate::diagnostic::Place;
use crate::text;

/// The longest line that a hint shows whole.
const LINE_CHARACTERS_MAX: usize = 100;

/// The line of a place with `replacement` in the place's stead; the replacement alone when the line is
/// long or the place goes over several lines.
pub(crate) fn fixed_line(place: &Place, replacement: &str) -> String {
    let text = &place.source.text;
    let before = text.get(..place.span.start).unwrap_or_default();
    let after = text.get(place.span.end..).unwrap_or_default();
    let written = text.get(place.span.clone()).unwrap_or_default();
    let start = before.rsplit('\n').next().unwrap_or_default();
    let end = after.split('\n').next().unwrap_or_default();
    let end = end.split(" #").next().unwrap_or_default();
    let line = format!("{start}{replacement}{end}");
    let line = line.trim();
    if written.contains('\n') || line.chars().count() > LINE_CHARACTERS_MAX {
        return text::clean_line(replacement, LINE_CHARACTERS_MAX);
    }
    text::clean_line(line, LINE_CHARACTERS_MAX)
}

/// The same place with the quotes around it, when there are any.
pub(crate) fn with_quotes(place: &Place) -> Place {
    let bytes = place.source.text.as_bytes();
    let before = place.span.start.checked_sub(1).and_then(|at| bytes.get(at));
    let after = bytes.get(place.span.end);
    match (before, after) {
        (Some(b'"'), Some(b'"')) | (Some(b'\''), Some(b'\'')) => Place {
            column: place.column - 1,
            span: place.span.start - 1..place.span.end + 1,
            ..place.clone()
        },
        _ => place.clone(),
    }
}

/// The place of a part of a scalar: `range` counts bytes of `value`, the scalar's text without the
/// escapes, indents and folds that the file has. Both are walked side by side.
pub(crate) fn part(place: &Place, value: &str, range: &Range<usize>) -> Place {
    let written = place
        .source
        .text
        .get(place.span.clone())
        .unwrap_or_default();
    if written == value {
        return place.within(range.clone());
    }
    let start = walk(written, value, range.start);
    let length = range.end.saturating_sub(range.start);
    let wanted = value.get(range.clone()).unwrap_or_default();
    let length = if written.get(start..).is_some_and(|r| r.starts_with(wanted)) {
        length
    } else {
        0
    };
    place.within(start..start + length)
}

/// How many bytes of `written` stand before byte `until` of `value`.
fn walk(written: &str, value: &str, until: usize) -> usize {
    let mut rest = written.char_indices().peekable();
    for c in value.get(..until).unwrap_or_default().chars() {
        if c.is_whitespace() {
            // One blank may be a fold with its indents, and a line end is written with the indents
            // of the next line; both are skipped below, when the next character is looked for.
            let _ = rest.next_if(|(_, w)| w.is_whitespace());
            continue;
        }
        // Escapes and indents are passed over.
        let _ = rest.by_ref().find(|(_, w)| *w == c);
    }
    let wanted = value.get(until..).and_then(|v| v.chars().next());
    while let Some((_, w)) = rest.peek() {
        if !w.is_whitespace() || Some(*w) == wanted {
            break;
        }
        rest.next();
    }
    rest.peek().map_or(written.len(), |(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    #[test]
    fn parts_of_folded_and_escaped_text_are_found() {
        let source = Source::new(
            "a.yml",
            "a: |\n    one\n    two {{ x }}\nb: \"\\\"{{ y }}\\\"\"\n",
        );
        let at = source.text.find("one").unwrap();
        let block = source.place(at..at + 19);
        let value = "one\ntwo {{ x }}\n";
        let found = part(&block, value, &(11..12));
        assert_eq!((found.line, found.column), (3, 12));
        assert_eq!(source.text.get(found.span), Some("x"));
        let at = source.text.find("\\\"{{").unwrap();
        let quoted = source.place(at..at + 11);
        let found = part(&quoted, "\"{{ y }}\"", &(4..5));
        assert_eq!((found.line, found.column), (4, 10));
    }

    #[test]
    fn the_fixed_line_is_short() {
        let source = Source::new("a.yml", "  a: 1.20 # why\n");
        let place = source.place(5..9);
        assert_eq!(fixed_line(&place, "\"1.20\""), "a: \"1.20\"");
    }
}
