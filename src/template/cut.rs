//! Cuts a text into what stands for itself and what is an expression.

use std::ops::Range;

use super::token;
use super::{TemplateError, error};

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// The bytes between the braces.
    Expression(Range<usize>),
}

/// A text in its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) pieces: Vec<Piece>,
    /// Whether it is one expression and nothing else.
    pub(super) whole: bool,
}

/// Cuts a text.
pub(super) fn cut(text: &str) -> Result<Cut, TemplateError> {
    let trimmed = text.trim();
    let start = text.len() - text.trim_start().len();
    let dollar = usize::from(trimmed.starts_with("${{"));
    if trimmed.get(dollar..).is_some_and(|t| t.starts_with("{{")) {
        let tag = expression(text, start + dollar)?;
        if tag.end == start + trimmed.len() {
            if dollar == 1 {
                not_semaphores(text, start, &tag)?;
            }
            let pieces = vec![Piece::Expression(tag.inner)];
            return Ok(Cut {
                pieces,
                whole: true,
            });
        }
    }
    mixed(text)
}

fn mixed(text: &str) -> Result<Cut, TemplateError> {
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut trim_next = false;
    while let Some(open) = next_tag(text, at) {
        let rest = text.get(open..).unwrap_or_default();
        let mut plain = text.get(at..open).unwrap_or_default();
        if trim_next {
            plain = plain.trim_start();
        }
        if rest.get(2..).is_some_and(|r| r.starts_with('-')) {
            plain = plain.trim_end();
        }
        push(&mut pieces, plain);
        if rest.starts_with("{{") {
            let tag = expression(text, open)?;
            if text.get(..open).is_some_and(|before| before.ends_with('$')) {
                not_semaphores(text, open - 1, &tag)?;
                return Err(dollar_in_text(text, open - 1, &tag));
            }
            pieces.push(Piece::Expression(tag.inner));
            (at, trim_next) = (tag.end, tag.trims);
        } else {
            let raw = raw(text, open)?;
            push(&mut pieces, text.get(raw.inner).unwrap_or_default());
            (at, trim_next) = (raw.end, raw.trims);
        }
    }
    let mut tail = text.get(at..).unwrap_or_default();
    if trim_next {
        tail = tail.trim_start();
    }
    push(&mut pieces, tail);
    Ok(Cut {
        pieces,
        whole: false,
    })
}

fn push(pieces: &mut Vec<Piece>, text: &str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
}

/// A tag: what stands in it, and the byte after it.
struct Tag {
    inner: Range<usize>,
    end: usize,
    /// Whether it takes the blanks after it away.
    trims: bool,
}

fn next_tag(text: &str, from: usize) -> Option<usize> {
    let rest = text.get(from..)?;
    let tags = ["{{", "{%", "{#"];
    tags.iter()
        .filter_map(|tag| rest.find(tag))
        .min()
        .map(|at| from + at)
}

/// The expression whose `{{` stands at `open`; it ends at the first `}}` outside texts and brackets.
fn expression(text: &str, open: usize) -> Result<Tag, TemplateError> {
    let signed = text
        .get(open + 2..)
        .is_some_and(|t| t.starts_with(['-', '+']));
    let start = open + 2 + usize::from(signed);
    let mut at = start;
    let mut depth = 0_i32;
    while let Some(token) = token::next(text, at) {
        let rest = text.get(token.start..).unwrap_or_default();
        let sign = usize::from(rest.starts_with("-}}") || rest.starts_with("+}}"));
        if depth <= 0 && rest.get(sign..).is_some_and(|r| r.starts_with("}}")) {
            return Ok(Tag {
                inner: start..token.start,
                end: token.start + sign + 2,
                trims: rest.starts_with('-'),
            });
        }
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
        at = token.end();
    }
    let message = "this `{{` has no `}}` after it";
    let error = TemplateError::new(error::UNCLOSED, open..open + 2, message);
    Err(error
        .hint("close it, or write `{% raw %}{{{% endraw %}` for braces that stand for themselves"))
}

/// The block whose `{%` stands at `open`, which must be `raw`; or a comment, which must not be there.
fn raw(text: &str, open: usize) -> Result<Tag, TemplateError> {
    let Some((begin, trims_inside)) = tag_named(text, open, "raw") else {
        return Err(no_such_tag(text, open));
    };
    let mut at = begin;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find("{%")) {
        let close = at + found;
        if let Some((end, trims)) = tag_named(text, close, "endraw") {
            let inner = text.get(begin..close).unwrap_or_default();
            let skip = if trims_inside {
                inner.len() - inner.trim_start().len()
            } else {
                0
            };
            let cut = if text.get(close + 2..).is_some_and(|t| t.starts_with('-')) {
                inner.len() - inner.trim_end().len()
            } else {
                0
            };
            let stop = close.saturating_sub(cut).max(begin + skip);
            return Ok(Tag {
                inner: begin + skip..stop,
                end,
                trims,
            });
        }
        at = close + 2;
    }
    let message = "this `{% raw %}` has no `{% endraw %}` after it";
    Err(TemplateError::new(error::UNCLOSED, open..begin, message))
}

/// The byte after the tag at `open` when it has this name, and whether it ends with `-`.
fn tag_named(text: &str, open: usize, name: &str) -> Option<(usize, bool)> {
    let inner = text.get(open..)?.strip_prefix("{%")?;
    let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
    let rest = inner.trim_start().strip_prefix(name)?.trim_start();
    let trims = rest.starts_with('-');
    let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
    let rest = rest.strip_prefix("%}")?;
    Some((text.len() - rest.len(), trims))
}

fn no_such_tag(text: &str, open: usize) -> TemplateError {
    let rest = text.get(open..).unwrap_or_default();
    if rest.starts_with("{#") {
        return no_comment(text, open);
    }
    let (what, close, hint) = ("a block", "%}", "`{% raw %}{%{% endraw %}`");
    let end = rest.find(close).map_or(open + 2, |at| open + at + 2);
    let message =
        format!("{what} cannot stand in a text: only `{{{{ expression }}}}` is filled in");
    let advice = format!(
        "for a condition write `{{{{ a if condition else b }}}}`; for the characters themselves write {hint}"
    );
    TemplateError::new(error::TAG, open..end, message).hint(advice)
}

/// `{#` begins a comment in other languages of templates, and means something in a shell.
fn no_comment(text: &str, open: usize) -> TemplateError {
    let rest = text.get(open..).unwrap_or_default();
    let end = rest.find("#}").map_or(open + 2, |at| open + at + 2);
    let whole = text.get(open..end).unwrap_or_default();
    let message = "`{#` begins a comment, which cannot stand in a text";
    TemplateError::new(error::TAG, open..end, message).fix(
        "for the characters themselves ",
        format!("{{% raw %}}{whole}{{% endraw %}}"),
    )
}

/// `${{parameters.X}}` is filled in by Semaphore in its own files, never here.
fn not_semaphores(text: &str, dollar: usize, tag: &Tag) -> Result<(), TemplateError> {
    let inner = text.get(tag.inner.clone()).unwrap_or_default().trim();
    let root = token::next(inner, 0);
    if root.is_none_or(|t| t.text != "parameters") {
        return Ok(());
    }
    let whole = text.get(dollar..tag.end).unwrap_or_default();
    let message = format!("`{whole}` is a parameter of Semaphore's own pipeline files");
    Err(
        TemplateError::new(error::FOREIGN, dollar..tag.end, message).fix(
            "to pass it on as it is, ",
            format!("{{% raw %}}{whole}{{% endraw %}}"),
        ),
    )
}

fn dollar_in_text(text: &str, dollar: usize, tag: &Tag) -> TemplateError {
    let inner = text.get(tag.inner.clone()).unwrap_or_default().trim();
    let message = "`${{ }}` can only be a whole value; inside a text it is `{{ }}`";
    TemplateError::new(error::FOREIGN, dollar..tag.end, message).hint(format!(
        "write `{{{{ {inner} }}}}`, or for a dollar before it `{{{{ '$' }}}}{{{{ {inner} }}}}`"
    ))
}
