//! The texts that a name is compared with, where an expression writes them out.
//!
//! Only what can be read off the words is told: a comparison with anything that binds stronger beside it, such
//! as a filter, is left out. Must not know what the name leads to.

use super::chain::{Compared, plain};
use super::token::{Kind, Token};

/// The texts that a chain of these words (from `start` to before `end`) is compared with.
pub(super) fn texts(tokens: &[Token<'_>], start: usize, end: usize) -> Vec<Compared> {
    let before = |n: usize| start.checked_sub(n).and_then(|at| tokens.get(at));
    let after = |n: usize| tokens.get(end + n);
    if begins(before(1)) {
        if after(0).is_some_and(is_equality) && ends(after(2)) {
            return text(after(1)).into_iter().collect();
        }
        let negated = usize::from(after(0).is_some_and(|token| token.named("not")));
        if after(negated).is_some_and(|token| token.named("in")) {
            return list(tokens, end + negated + 1);
        }
    } else if before(1).is_some_and(is_equality) && begins(before(3)) && ends(after(0)) {
        return text(before(2)).into_iter().collect();
    }
    Vec::new()
}

fn is_equality(token: &Token<'_>) -> bool {
    token.is("==") || token.is("!=")
}

/// The texts of a list that is written out, when it holds nothing but constants and nothing is done with it.
fn list(tokens: &[Token<'_>], open: usize) -> Vec<Compared> {
    let Some(close) = tokens.get(open).and_then(|token| match token.text {
        "[" => Some("]"),
        "(" => Some(")"),
        _ => None,
    }) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut at = open + 1;
    loop {
        match tokens.get(at) {
            Some(end) if end.is(close) => break,
            Some(item) if matches!(item.kind, Kind::Text | Kind::Number) => {
                found.extend(text(Some(item)));
            }
            Some(_) | None => return Vec::new(),
        }
        match tokens.get(at + 1) {
            Some(comma) if comma.is(",") => at += 2,
            Some(end) if end.is(close) => {
                at += 1;
                break;
            }
            Some(_) | None => return Vec::new(),
        }
    }
    if ends(tokens.get(at + 1)) {
        found
    } else {
        Vec::new()
    }
}

fn text(token: Option<&Token<'_>>) -> Option<Compared> {
    let token = token.filter(|token| token.kind == Kind::Text)?;
    let text = plain(token.text)?.to_owned();
    let range = token.start + 1..token.start + 1 + text.len();
    Some(Compared { text, range })
}

/// Whether nothing before a comparison binds stronger than it.
fn begins(before: Option<&Token<'_>>) -> bool {
    before.is_none_or(|token| match token.kind {
        Kind::Sign => matches!(token.text, "(" | "[" | "{" | "," | ":"),
        Kind::Name => matches!(token.text, "and" | "or" | "not" | "if" | "else"),
        Kind::Text | Kind::OpenText | Kind::Number => false,
    })
}

/// The same behind it.
fn ends(after: Option<&Token<'_>>) -> bool {
    after.is_none_or(|token| match token.kind {
        Kind::Sign => matches!(token.text, ")" | "]" | "}" | "," | ":"),
        Kind::Name => matches!(token.text, "and" | "or" | "if" | "else"),
        Kind::Text | Kind::OpenText | Kind::Number => false,
    })
}

#[cfg(test)]
mod tests {
    use crate::template::Expression;

    /// The texts that the first name is compared with, with what stands there in the source.
    fn compared(text: &str) -> Vec<String> {
        let expression = Expression::parse(text).unwrap();
        let mention = expression.mentions().first().unwrap();
        let compared = mention.compared.iter();
        compared
            .map(|compared| {
                assert_eq!(
                    text.get(compared.range.clone()),
                    Some(compared.text.as_str())
                );
                compared.text.clone()
            })
            .collect()
    }

    #[test]
    fn a_comparison_that_is_written_out_is_found() {
        for text in [
            "vars.a == 'x'",
            "vars.a != \"x\"",
            "'x' == vars.a",
            "not vars.a == 'x' and true",
            "(vars.a == 'x') or false",
            "vars.a in ['x']",
            "vars.a not in ('x',)",
            "vars.a['b'].c == 'x'",
            "'y' if vars.a == 'x' else 'z'",
            "['y', vars.a == 'x']",
        ] {
            assert_eq!(compared(text), ["x"], "{text}");
        }
        assert_eq!(compared("vars.a in ['x', 1, 'y']"), ["x", "y"]);
    }

    #[test]
    fn what_binds_stronger_makes_it_another_comparison() {
        for text in [
            "vars.a | upper == 'X'",
            "vars.a ~ 'b' == 'x'",
            "'b' ~ vars.a == 'x'",
            "vars.a == 'x' ~ 'y'",
            "vars.a == 'x' | upper",
            "'x' | upper == vars.a",
            "'x' == vars.a | lower",
            "vars.a in ['x'] + ['y']",
            "vars.a in ['x' ~ 'y']",
            "vars.a == vars.b",
            "'x' in vars.a",
            "vars.a[vars.b] == 'x'",
            "vars.a == 'it\\'s'",
        ] {
            assert!(compared(text).is_empty(), "{text}");
        }
    }
}
