//! Which names an expression reads, and where.
//!
//! An expression of this language binds no names of its own, so every name that is not a keyword, a
//! filter, a test, a function or an argument's name is read from the scope. Must not know values.

use std::ops::Range;

use super::comparison;
use super::token::{Kind, Token};

/// A name that an expression reads, such as `steps.build.pipeline_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The parts, from the root: `["steps", "build", "pipeline_id"]`. Cut at the first subscript that
    /// is not a constant.
    pub path: Vec<String>,
    /// Where it stands in the source text, as near as it is known.
    pub range: Range<usize>,
    /// The texts that its value is compared with (`==`, `!=`, `in`), where that is written out.
    pub compared: Vec<Compared>,
}

impl Mention {
    /// The same in a text that holds the expression from this byte on.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        let ranges = self.compared.iter_mut().map(|compared| &mut compared.range);
        for range in ranges.chain([&mut self.range]) {
            *range = range.start + by..range.end + by;
        }
        self
    }
}

/// A text in quotes that a value is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// The text, without its quotes.
    pub text: String,
    /// Where that stands in the source text.
    pub range: Range<usize>,
}

/// One step down from a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hop {
    /// By a name: `.x` or `['x']`.
    Name(String),
    /// By a position: `[0]` or `.0`.
    Index(i64),
    /// By something that is computed.
    Computed,
}

/// A root name and all hops after it, as it stands in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) root: String,
    /// Where the root ends.
    pub(super) root_range: Range<usize>,
    /// The hops, each with the byte after it.
    pub(super) hops: Vec<(Hop, usize)>,
    /// Whether `default` or `is defined` asks for it, so that it may be undefined.
    pub(super) asked: bool,
    /// The texts that the value is compared with.
    compared: Vec<Compared>,
    /// Whether it stands in the condition of an `if`: it decides, and is no part of the value.
    pub(super) decides: bool,
}

impl Chain {
    pub(super) fn range(&self) -> Range<usize> {
        self.range_of(self.hops.len())
    }

    /// The bytes of the root and the first hops.
    pub(super) fn range_of(&self, hops: usize) -> Range<usize> {
        let last = hops.checked_sub(1).and_then(|i| self.hops.get(i));
        self.root_range.start..last.map_or(self.root_range.end, |(_, end)| *end)
    }

    pub(super) fn is_computed(&self) -> bool {
        self.hops.iter().any(|(hop, _)| *hop == Hop::Computed)
    }

    pub(super) fn mention(&self) -> Mention {
        let mut path = vec![self.root.clone()];
        let mut end = self.root_range.end;
        for (hop, after) in &self.hops {
            match hop {
                Hop::Name(name) => path.push(name.clone()),
                Hop::Index(index) => path.push(index.to_string()),
                Hop::Computed => break,
            }
            end = *after;
        }
        // What stands behind a computed hop is another value than the one that the path leads to.
        let compared = if self.is_computed() {
            Vec::new()
        } else {
            self.compared.clone()
        };
        Mention {
            path,
            range: self.root_range.start..end,
            compared,
        }
    }
}

/// A filter, test or function that is used by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Filter,
    Test,
    Function,
}

/// What the words of an expression name.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    pub(super) chains: Vec<Chain>,
    pub(super) used: Vec<(Use, Token<'a>)>,
}

const KEYWORDS: [&str; 13] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "True", "false", "False", "none", "None",
];

/// Finds every name.
pub(super) fn names<'a>(tokens: &[Token<'a>]) -> Names<'a> {
    let mut found = Names::default();
    let mut conditions = 0_usize;
    let mut before: Option<&Token<'_>> = None;
    for (at, token) in tokens.iter().enumerate() {
        if token.kind == Kind::Name {
            let part = before.is_some_and(|t| t.is("."));
            match token.text {
                "if" if !part => conditions += 1,
                "else" if !part => conditions = conditions.saturating_sub(1),
                _ => {}
            }
            role(tokens, at, conditions > 0, &mut found);
        }
        before = Some(token);
    }
    found
}

fn role<'a>(tokens: &[Token<'a>], at: usize, decides: bool, found: &mut Names<'a>) {
    let Some(token) = tokens.get(at) else { return };
    let before = |n: usize| at.checked_sub(n).and_then(|i| tokens.get(i));
    let after = tokens.get(at + 1);
    let sign_before = |sign: &str| before(1).is_some_and(|t| t.is(sign));
    let tested = before(1).is_some_and(|t| t.named("is"))
        || before(1).is_some_and(|t| t.named("not")) && before(2).is_some_and(|t| t.named("is"));
    if sign_before(".") {
        // A part of the chain that began before it.
    } else if sign_before("|") {
        found.used.push((Use::Filter, *token));
    } else if tested && token.text != "not" {
        found.used.push((Use::Test, *token));
    } else if KEYWORDS.contains(&token.text) || after.is_some_and(|t| t.is("=")) {
        // A keyword, or the name of an argument.
    } else if after.is_some_and(|t| t.is("(")) {
        found.used.push((Use::Function, *token));
    } else {
        found.chains.push(Chain {
            decides,
            ..chain(tokens, at, token)
        });
    }
}

fn chain(tokens: &[Token<'_>], at: usize, root: &Token<'_>) -> Chain {
    let mut chain = Chain {
        root: root.text.to_owned(),
        root_range: root.range(),
        hops: Vec::new(),
        asked: false,
        compared: Vec::new(),
        decides: false,
    };
    let first = at;
    let mut at = at + 1;
    while let Some((hop, next)) = hop(tokens, at) {
        // A name that is called is a method, not a part of the data.
        if tokens.get(next).is_some_and(|t| t.is("(")) && tokens.get(at).is_some_and(|t| t.is("."))
        {
            break;
        }
        let end = next.checked_sub(1).and_then(|i| tokens.get(i));
        chain.hops.push((hop, end.map_or(0, Token::end)));
        at = next;
    }
    chain.asked = asked(tokens, at);
    chain.compared = comparison::texts(tokens, first, at);
    chain
}

fn asked(tokens: &[Token<'_>], at: usize) -> bool {
    let closed = tokens.iter().skip(at).take_while(|t| t.is(")")).count();
    let at = at + closed;
    let name = |n: usize, names: &[&str]| {
        tokens
            .get(at + n)
            .is_some_and(|t| t.kind == Kind::Name && names.contains(&t.text))
    };
    let questions = ["defined", "undefined"];
    if tokens.get(at).is_some_and(|t| t.is("|")) {
        return name(1, &["default", "d"]);
    }
    name(0, &["is"]) && (name(1, &questions) || name(1, &["not"]) && name(2, &questions))
}

/// The hop that begins at a word, and the word after it.
fn hop(tokens: &[Token<'_>], at: usize) -> Option<(Hop, usize)> {
    let first = tokens.get(at)?;
    let second = tokens.get(at + 1)?;
    if first.is(".") {
        return match second.kind {
            Kind::Name => Some((Hop::Name(second.text.to_owned()), at + 2)),
            Kind::Number => Some((index(second.text), at + 2)),
            Kind::Text | Kind::OpenText | Kind::Sign => None,
        };
    }
    if !first.is("[") {
        return None;
    }
    let close = closing(tokens, at)?;
    let constant = match (close - at, second.kind) {
        (2, Kind::Text) => plain(second.text).map(|name| Hop::Name(name.to_owned())),
        (2, Kind::Number) => Some(index(second.text)),
        _ => None,
    };
    Some((constant.unwrap_or(Hop::Computed), close + 1))
}

fn index(text: &str) -> Hop {
    text.parse().map_or(Hop::Computed, Hop::Index)
}

/// The text in quotes, when it needs no unescaping.
pub(super) fn plain(quoted: &str) -> Option<&str> {
    let inner = quoted.get(1..quoted.len().checked_sub(1)?)?;
    (!inner.contains('\\')).then_some(inner)
}

fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|s| token.is(s)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|s| token.is(s)) {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}
