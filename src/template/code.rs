//! One expression: checked, compiled and computed.
//!
//! The one file that runs minijinja. Ranges count in the expression's own text.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use minijinja::ErrorKind;
use serde_json::Value;

use super::chain::{self, Chain, Mention, Use};
use super::environment::{self, environment};
use super::json::{self, Fault};
use super::scope::{Missing, Walk};
use super::taint;
use super::token::{self, Kind, Token};
use super::{Scope, TemplateError, error};
use crate::diagnostic;

/// Longer ones could overflow the stack while minijinja compiles them, and that ends the process.
pub(super) const EXPRESSION_BYTES_MAX: usize = 2_000;

/// An expression that compiles. What was compiled is not kept: it takes 9 KB, and most expressions are
/// computed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Code {
    text: Arc<str>,
    chains: Arc<[Chain]>,
}

impl Code {
    pub(super) fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > EXPRESSION_BYTES_MAX {
            let message = format!(
                "the expression has {} bytes, and at most {EXPRESSION_BYTES_MAX} are allowed",
                text.len()
            );
            return Err(TemplateError::new(error::TOO_LONG, 0..text.len(), message)
                .hint("split it: compute parts of it in `vars` or in a `set` step"));
        }
        let tokens = token::all(text);
        if tokens.is_empty() {
            let message = "the expression is empty";
            return Err(TemplateError::new(error::SYNTAX, 0..text.len(), message));
        }
        if let Err(error) = environment().compile_expression(text) {
            return Err(syntax(text, &tokens, &error));
        }
        read_to_its_end(text, &tokens)?;
        every_if_has_its_else(&tokens)?;
        let names = chain::names(&tokens);
        for (what, name) in &names.used {
            exists(*what, name)?;
        }
        for chain in &names.chains {
            steps_are_named(text, chain)?;
        }
        Ok(Self {
            text: text.into(),
            chains: names.chains.into(),
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn chains(&self) -> &[Chain] {
        &self.chains
    }

    pub(super) fn mentions(&self) -> impl Iterator<Item = Mention> + '_ {
        self.chains.iter().map(Chain::mention)
    }

    /// The value as JSON; undefined is an error at any depth.
    pub(super) fn json(&self, scope: &Scope) -> Result<Value, TemplateError> {
        let value = self.compute(scope)?;
        let made = json::from_value(&value).map_err(|fault| match fault {
            Fault::Undefined => self.undefined(scope, &(0..self.text.len())),
            Fault::Big | Fault::Deep => self.fault(error::TOO_MUCH, &fault),
            Fault::Failed(_) => self.fault(error::FAILED, &fault),
            Fault::Number(_) | Fault::Kind(_) | Fault::Key(_) => {
                self.fault(error::NOT_JSON, &fault)
            }
        })?;
        taint::learn(self, scope, &made);
        Ok(made)
    }

    /// Whether the value is true.
    pub(super) fn holds(&self, scope: &Scope) -> Result<bool, TemplateError> {
        let value = self.compute(scope)?;
        if value.is_undefined() {
            return Err(self.undefined(scope, &(0..self.text.len())));
        }
        Ok(value.is_true())
    }

    fn compute(&self, scope: &Scope) -> Result<minijinja::Value, TemplateError> {
        let mut text = Cow::Borrowed(&*self.text);
        let mut missing = Vec::new();
        for (number, chain) in self.chains.iter().enumerate() {
            if let Walk::Missing(at) = scope.walk(chain) {
                missing.extend(mark(&mut text, number, chain, &at));
            }
        }
        environment()
            .compile_expression_owned(text.into_owned())
            .and_then(|compiled| compiled.eval(scope.context(&missing)))
            .map_err(|error| self.failed(scope, &error))
    }

    /// What a chain leads to, in JSON; null when that is nothing.
    pub(super) fn shown(&self, chain: &Chain, scope: &Scope) -> Value {
        let found = match scope.walk(chain) {
            Walk::Found(value) => json::from_value(&value).ok(),
            Walk::Missing(_) => None,
            Walk::Computed(_) => {
                let text = self.text.get(chain.range()).unwrap_or_default();
                Self::parse(text).and_then(|part| part.json(scope)).ok()
            }
        };
        found.unwrap_or(Value::Null)
    }

    fn fault(&self, code: &'static str, fault: &Fault) -> TemplateError {
        TemplateError::new(code, 0..self.text.len(), fault.words())
    }

    fn failed(&self, scope: &Scope, error: &minijinja::Error) -> TemplateError {
        let range = place(&self.text, error);
        let detail = error.detail().unwrap_or_default();
        match error.kind() {
            ErrorKind::UndefinedError => self.undefined(scope, &range),
            // Arithmetic and methods say it in words only.
            ErrorKind::InvalidOperation | ErrorKind::UnknownMethod
                if detail.contains("undefined") =>
            {
                self.undefined(scope, &range)
            }
            ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
                let shown = self.text.get(range.clone()).unwrap_or_default();
                let message = format!("`{shown}` names a filter or test that does not exist");
                TemplateError::new(error::UNKNOWN_NAME, range, message)
            }
            ErrorKind::OutOfFuel => {
                let message = "the expression asks for too much work";
                TemplateError::new(error::TOO_MUCH, range, message).hint(
                    "an expression may build at most about 6 MB of text or visit 200,000 items",
                )
            }
            _ => TemplateError::new(error::FAILED, range, words(error)),
        }
    }

    /// Says which name is undefined and which one may have been meant. The engine points at the filter
    /// or method that was given nothing, so the name that it was given is looked for before it.
    fn undefined(&self, scope: &Scope, near: &Range<usize>) -> TemplateError {
        let touches = |chain: &Chain| {
            let range = chain.range();
            range.start < near.end && near.start < range.end
        };
        let missing = |chain: &Chain| match scope.walk(chain) {
            Walk::Missing(missing) => Some((chain.clone(), missing)),
            Walk::Found(_) | Walk::Computed(_) => None,
        };
        let unasked = || self.chains.iter().filter(|c| !c.asked);
        let before = || unasked().rev().filter(|c| c.range().end <= near.start);
        let found = unasked()
            .filter(|c| touches(c))
            .find_map(missing)
            .or_else(|| before().find_map(missing))
            .or_else(|| self.chains.iter().filter(|c| touches(c)).find_map(missing));
        if let Some((chain, missing)) = found {
            return self.nothing_there(&chain, &missing);
        }
        let computed = self.chains.iter().find(|c| touches(c) && c.is_computed());
        let range = computed.map_or(near.clone(), Chain::range);
        let shown = self.text.get(range.clone()).unwrap_or_default().trim();
        TemplateError::new(error::UNDEFINED, range, format!("`{shown}` is undefined"))
            .hint("ask for it with `is defined`, or give a value with `| default(...)`")
    }

    fn nothing_there(&self, chain: &Chain, missing: &Missing) -> TemplateError {
        let text = |range: Range<usize>| self.text.get(range).unwrap_or_default();
        let whole = text(chain.range());
        let Some(above) = missing.hops.checked_sub(1) else {
            let message = format!("`{}` is undefined: there is no such name here", chain.root);
            let range = chain.root_range.clone();
            return TemplateError::new(error::UNDEFINED, range, message)
                .hint(nearest_or_all(&chain.root, &missing.there));
        };
        let parent = text(chain.range_of(above));
        let hop = text(chain.range_of(above).end..chain.range_of(missing.hops).end);
        let name = hop
            .trim_start_matches('.')
            .trim_matches(['[', ']', '\'', '"']);
        if missing.could_be {
            let message = format!("`{whole}` is undefined: `{parent}` did not give `{name}`");
            return TemplateError::new(error::UNDEFINED, chain.range(), message).hint(format!(
                "ask with `{whole} is defined`, or give a value with `{whole} | default('')`"
            ));
        }
        let message = match missing.kind.as_str() {
            "map" | "sequence" => format!("`{whole}` is undefined: `{parent}` has no `{name}`"),
            kind => format!("`{whole}` is undefined: `{parent}` is a {kind} and has no `{name}`"),
        };
        let range = chain.range_of(missing.hops);
        TemplateError::new(error::UNDEFINED, range, message)
            .hint(nearest_or_all(name, &missing.there))
    }
}

/// Writes into the text what the engine should make of a chain that leads nowhere; all other bytes
/// stay where they are. Gives the name that must fail when it is looked up.
///
/// A chain that is asked for ends at the first name that could be there but is not: a plain undefined
/// value, whatever depth was asked for, for which the engine's own `default` and `is defined` hold. Any
/// other is an error as soon as it is needed: the engine alone would let it pass inside of lists.
fn mark(text: &mut Cow<'_, str>, number: usize, chain: &Chain, at: &Missing) -> Option<String> {
    let whole = chain.range();
    if chain.asked {
        let cut = chain.range_of(at.hops).end..whole.end;
        if at.could_be && !cut.is_empty() {
            let blanks = " ".repeat(cut.len());
            text.to_mut().replace_range(cut, &blanks);
        }
        return None;
    }
    let name = format!("_{number:x}");
    let blanks = " ".repeat(whole.len().checked_sub(name.len())?);
    text.to_mut()
        .replace_range(whole, &(name.clone() + &blanks));
    Some(name)
}

/// `did you mean`, or what there is.
fn nearest_or_all(wanted: &str, there: &[String]) -> String {
    if let Some(near) = diagnostic::nearest(wanted, there.iter().map(String::as_str)) {
        return format!("did you mean `{near}`?");
    }
    let some: Vec<_> = there.iter().take(8).map(|n| format!("`{n}`")).collect();
    match some.len() {
        0 => "ask for it with `is defined`, or give a value with `| default(...)`".to_owned(),
        n if n < there.len() => {
            format!("there are {} and {} more", some.join(", "), there.len() - n)
        }
        _ => format!("there are {}", some.join(", ")),
    }
}

fn exists(what: Use, name: &Token<'_>) -> Result<(), TemplateError> {
    let known = environment::names(what);
    if known.contains(&name.text) {
        return Ok(());
    }
    let word = match what {
        Use::Filter => "filter",
        Use::Test => "test",
        Use::Function => "function",
    };
    let message = format!("there is no {word} `{}`", name.text);
    let error = TemplateError::new(error::UNKNOWN_NAME, name.range(), message);
    let near = diagnostic::nearest(name.text, known.iter().copied());
    Err(match near {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("the {word}s are {}", known.join(", "))),
    })
}

/// Without `else` the value would be undefined whenever the condition is false.
fn every_if_has_its_else(tokens: &[Token<'_>]) -> Result<(), TemplateError> {
    let mut open: Vec<&Token<'_>> = Vec::new();
    let mut before: Option<&Token<'_>> = None;
    for token in tokens {
        let attribute = before.is_some_and(|t| t.is("."));
        match token.text {
            "if" if token.kind == Kind::Name && !attribute => open.push(token),
            "else" if token.kind == Kind::Name && !attribute => drop(open.pop()),
            _ => {}
        }
        before = Some(token);
    }
    let Some(lonely) = open.first() else {
        return Ok(());
    };
    let message = "this `if` has no `else`, so there is no value when it does not hold";
    Err(TemplateError::new(error::NO_ELSE, lonely.range(), message)
        .hint("write `... if ... else ''`, or `else none` to leave the key out"))
}

/// Which step waits for which is read from the names, so each must stand there.
fn steps_are_named(text: &str, chain: &Chain) -> Result<(), TemplateError> {
    let after = text.get(chain.root_range.end..).unwrap_or_default();
    let dotted = after.trim_start().starts_with('.');
    let first = chain.hops.first().map(|(hop, _)| hop);
    if chain.root != "steps" || (dotted && matches!(first, Some(chain::Hop::Name(_)))) {
        return Ok(());
    }
    let message = "the steps are named one by one, so that it is known what waits for what";
    let error = TemplateError::new(
        error::STEPS,
        chain.range_of(1.min(chain.hops.len())),
        message,
    );
    Err(match first {
        Some(chain::Hop::Name(name)) => {
            let rest = text.get(chain.range_of(1).end..chain.range().end);
            let rest = rest.unwrap_or_default();
            let mut error = error.fix("", format!("steps.{name}"));
            error.hint = Some(format!("write `steps.{name}{rest}`"));
            error
        }
        _ => error.hint("write the step's id after a dot, like `steps.build`"),
    })
}

/// The signs of the language; everything else that is no name, number or text is a mistake.
const SIGNS: [&str; 24] = [
    ".", ",", "(", ")", "[", "]", "{", "}", ":", "+", "-", "*", "/", "//", "%", "**", "==", "!=",
    "<", ">", "<=", ">=", "=", "|",
];

/// After a text, what cannot be read ends the expression without a word: `a == 'x' && b` would be `a == 'x'`.
/// So the signs are looked at one by one, and in brackets there is no such end.
fn read_to_its_end(text: &str, tokens: &[Token<'_>]) -> Result<(), TemplateError> {
    let known = |token: &&Token<'_>| SIGNS.contains(&token.text) || token.text == "~";
    let signs = tokens.iter().filter(|token| token.kind == Kind::Sign);
    let strange = signs.clone().find(|token| !known(token));
    let open = tokens.iter().find(|token| token.kind == Kind::OpenText);
    let message = "the expression cannot be read to its end";
    if let Some(token) = strange.or(open) {
        let made = TemplateError::new(error::SYNTAX, token.range(), message);
        return Err(foreign(tokens, made));
    }
    if ends_early(tokens) && !reads_in_brackets(text) {
        return Err(TemplateError::new(error::SYNTAX, 0..text.len(), message));
    }
    Ok(())
}

/// Whether a text is followed by a word that no operator joins to it: what may end an expression early.
fn ends_early(tokens: &[Token<'_>]) -> bool {
    const JOIN: [&str; 7] = ["and", "or", "not", "in", "is", "if", "else"];
    let follows = |before: &Token<'_>, after: &Token<'_>| {
        before.kind == Kind::Text
            && match after.kind {
                Kind::Sign => false,
                Kind::Name => !JOIN.contains(&after.text),
                Kind::Text | Kind::OpenText | Kind::Number => true,
            }
    };
    tokens
        .iter()
        .zip(tokens.iter().skip(1))
        .any(|(before, after)| follows(before, after))
}

fn reads_in_brackets(text: &str) -> bool {
    let whole = format!("({text}\n)");
    environment().compile_expression(&whole).is_ok()
}

fn syntax(text: &str, tokens: &[Token<'_>], error: &minijinja::Error) -> TemplateError {
    let range = place(text, error);
    foreign(
        tokens,
        TemplateError::new(error::SYNTAX, range, words(error)),
    )
}

/// The same mistake, with what people who know other languages meant.
fn foreign(tokens: &[Token<'_>], made: TemplateError) -> TemplateError {
    if let Some(open) = tokens.iter().find(|t| t.kind == Kind::OpenText) {
        let message = "this text has no closing quote";
        return TemplateError::new(error::SYNTAX, open.range(), message);
    }
    let strange = |token: &&Token<'_>| token.kind == Kind::Sign && !token.text.is_ascii();
    if let Some(token) = tokens.iter().find(strange) {
        let code = token.text.chars().next().map_or(0, u32::from);
        let message = format!("the character U+{code:04X} cannot stand in an expression");
        return TemplateError::new(error::SYNTAX, token.range(), message)
            .hint("type the name anew: some characters cannot be seen, or look like others");
    }
    let meant: [(&str, &str, &str); 6] = [
        ("&&", "and", ""),
        ("||", "or", ""),
        ("!", "not ", ""),
        ("?", "", "write `a if condition else b`"),
        ("=", "==", ""),
        ("$", "", "names stand alone, like `inputs.name`"),
    ];
    let found = tokens.iter().find_map(|token| {
        let found = meant.iter().find(|(sign, _, _)| token.is(sign))?;
        Some((token.range(), *found))
    });
    match found {
        Some((range, ("=", fix, _))) => TemplateError { range, ..made }.fix("to compare, ", fix),
        Some((range, (_, "", hint))) => TemplateError { range, ..made }.hint(hint),
        Some((range, (_, fix, _))) => TemplateError { range, ..made }.fix("", fix),
        None => made,
    }
}

/// The bytes that minijinja means, in whole characters; the whole text when it does not say.
fn place(text: &str, error: &minijinja::Error) -> Range<usize> {
    let whole = 0..text.len();
    let mut range = error
        .range()
        .filter(|r| r.start <= r.end && r.end <= whole.end)
        .unwrap_or(whole);
    while !text.is_char_boundary(range.start) {
        range.start -= 1;
    }
    while range.end < text.len() && (range.is_empty() || !text.is_char_boundary(range.end)) {
        range.end += 1;
    }
    while !text.is_char_boundary(range.end) {
        range.end += 1;
    }
    range
}

/// What minijinja says, without its own place, cut to a length for people.
fn words(error: &minijinja::Error) -> String {
    let said = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    said.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only what is suspicious is read in brackets too; this reads everything in both ways.
    #[test]
    fn what_ends_early_is_always_suspected() {
        const WORDS: [&str; 33] = [
            "a", "b.c", "'x'", r"'\u12'", "\"y\"", "1", "2.5", "1e5", "1a", "not", "and", "or",
            "is", "in", "if", "else", "defined", "==", "!=", "+", "-", "~", "|", "default", "(",
            ")", "[", "]", "{", "}", ":", ",", ".",
        ];
        let mut dice = 7_u64;
        let mut roll = |sides: usize| {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(dice >> 33).unwrap() % sides
        };
        let mut both = 0;
        for _ in 0..200_000 {
            let words: Vec<&str> = (0..=roll(6)).map(|_| WORDS[roll(WORDS.len())]).collect();
            let text = words.join(["", " "][roll(2)]);
            let tokens = token::all(&text);
            let plain = environment().compile_expression(&text).is_ok();
            let open = tokens.iter().any(|t| t.kind == Kind::OpenText);
            if plain && !open && !reads_in_brackets(&text) {
                both += 1;
                assert!(ends_early(&tokens), "{text}");
            }
        }
        assert!(both > 20, "only {both}");
    }
}
