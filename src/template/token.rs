//! The words of an expression, with their bytes.
//!
//! Cut the way minijinja's own lexer cuts them, so that what is found here is what it will compute.
//! This file must not know what the words mean.

use std::ops::Range;

/// What kind of word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or keyword.
    Name,
    /// A text in quotes.
    Text,
    /// A text whose closing quote is missing.
    OpenText,
    /// A number.
    Number,
    /// An operator, bracket, or anything else.
    Sign,
}

/// A word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Token<'_> {
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is(&self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    pub(super) fn named(&self, name: &str) -> bool {
        self.kind == Kind::Name && self.text == name
    }
}

const PAIRS: [&str; 8] = ["//", "**", "==", "!=", ">=", "<=", "&&", "||"];

/// The next word at or after `from`; `None` at the end.
pub(super) fn next(text: &str, from: usize) -> Option<Token<'_>> {
    let rest = text.get(from..)?;
    let trimmed = rest.trim_start_matches(|c: char| c.is_ascii_whitespace());
    let start = from + rest.len() - trimmed.len();
    let first = trimmed.chars().next()?;
    let (kind, len) = match first {
        '\'' | '"' => quoted(trimmed, first),
        '0'..='9' => {
            let before = text.get(..start).unwrap_or_default().trim_end();
            (Kind::Number, number(trimmed, before.ends_with('.')))
        }
        'a'..='z' | 'A'..='Z' | '_' => (Kind::Name, name(trimmed)),
        _ => {
            let pair = PAIRS.iter().find(|p| trimmed.starts_with(**p));
            (Kind::Sign, pair.map_or(first.len_utf8(), |p| p.len()))
        }
    };
    Some(Token {
        kind,
        text: trimmed.get(..len)?,
        start,
    })
}

/// All words.
pub(super) fn all(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = next(text, at) {
        at = token.end();
        found.push(token);
    }
    found
}

fn name(text: &str) -> usize {
    text.bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
        .count()
}

/// Digits, then a fraction or an exponent; a dot before a name begins a hop instead.
fn number(text: &str, after_dot: bool) -> usize {
    let bytes = text.as_bytes();
    let at = |i: usize| bytes.get(i).copied().unwrap_or(b' ');
    if at(0) == b'0' && matches!(at(1) | 0x20, b'x' | b'o' | b'b') {
        return name(text);
    }
    let digits = |from: usize| {
        let run = bytes.iter().skip(from);
        from + run
            .take_while(|b| b.is_ascii_digit() || **b == b'_')
            .count()
    };
    let exponent = |from: usize| {
        let sign = usize::from(matches!(at(from + 1), b'+' | b'-'));
        (matches!(at(from), b'e' | b'E') && at(from + 1 + sign).is_ascii_digit())
            .then(|| digits(from + 1 + sign))
    };
    let whole = digits(0);
    if after_dot {
        return whole;
    }
    let begins_name = at(whole + 1).is_ascii_alphabetic() || at(whole + 1) == b'_';
    let end = match at(whole) {
        b'.' if !begins_name || exponent(whole + 1).is_some() => digits(whole + 1),
        _ => whole,
    };
    exponent(end).unwrap_or(end)
}

fn quoted(text: &str, quote: char) -> (Kind, usize) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return (Kind::Text, at + 1),
            _ => {}
        }
    }
    (Kind::OpenText, text.len())
}
