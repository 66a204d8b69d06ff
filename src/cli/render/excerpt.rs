//! Which parts of which files are shown with a diagnostic.
//!
//! Pure. Knows places, not how they look.

use std::ops::Range;
use std::sync::Arc;

use super::words;
use crate::diagnostic::{Diagnostic, Place};

/// A part of a file that is longer than this is not shown, only named.
pub(super) const SNIPPET_BYTES_MAX: usize = 8_192;

/// A part of a file that is shown, with what is marked in it.
pub(super) struct Excerpt {
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) column: usize,
    /// Whole lines; none when they are too long to be shown.
    pub(super) text: Option<String>,
    /// Ranges within the text; those with a label are not the culprit.
    pub(super) marks: Vec<(Range<usize>, Option<String>)>,
}

/// Places that are near each other are shown together, others each for themselves: a renderer that is
/// given whole files would look through them again for every diagnostic.
pub(super) fn excerpts(diagnostic: &Diagnostic) -> Vec<Excerpt> {
    let places: Vec<(&Place, Option<String>)> = diagnostic
        .place
        .iter()
        .map(|place| (place, None))
        .chain(
            diagnostic
                .labels
                .iter()
                .map(|(place, label)| (place, Some(words(label)))),
        )
        .collect();
    let mut excerpts = Vec::new();
    let mut done = vec![false; places.len()];
    for (n, (first, _)) in places.iter().enumerate() {
        if done.get(n).copied().unwrap_or(true) {
            continue;
        }
        let mut lines = lines_around(first, &first.span);
        let mut together = Vec::new();
        for (done, (place, label)) in done.iter_mut().zip(&places).skip(n) {
            let wider = lines.start.min(place.span.start)..lines.end.max(place.span.end);
            let near =
                Arc::ptr_eq(&place.source, &first.source) && wider.len() <= SNIPPET_BYTES_MAX;
            if near && !*done {
                *done = true;
                lines = lines_around(first, &wider);
                together.push((*place, label.clone()));
            }
        }
        excerpts.push(excerpt(first, lines, together));
        if let Some(done) = done.get_mut(n) {
            *done = true;
        }
    }
    excerpts
}

fn excerpt(first: &Place, lines: Range<usize>, together: Vec<(&Place, Option<String>)>) -> Excerpt {
    let file = words(&first.source.name);
    let shown = first
        .source
        .text
        .get(lines.clone())
        .filter(|text| text.len() <= SNIPPET_BYTES_MAX && !together.is_empty());
    Excerpt {
        file,
        line: match shown {
            Some(_) => first.source.place(lines.start..lines.start).line,
            None => first.line,
        },
        column: first.column,
        text: shown.map(readable),
        marks: together
            .into_iter()
            .map(|(place, label)| {
                let start = place.span.start.saturating_sub(lines.start);
                (start..place.span.end.saturating_sub(lines.start), label)
            })
            .collect(),
    }
}

/// The lines of a file from Windows without what ends them there, and as long as before: the marks stay right.
pub(super) fn readable(lines: &str) -> String {
    lines.replace('\r', " ")
}

/// The whole lines that a range touches.
pub(super) fn lines_around(place: &Place, span: &Range<usize>) -> Range<usize> {
    let text = &place.source.text;
    let start = text
        .get(..span.start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let end = text
        .get(span.end..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |at| span.end + at);
    start..end
}
