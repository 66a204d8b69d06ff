//! Rule family: a value is compared only with texts that it can be. A condition that is never true, or always,
//! is a word that was misspelt.

use std::borrow::Cow;

use crate::catalog::{ERROR_KINDS, Field, STEP_FIELDS, TRIAGE_FIELDS, Words};
use crate::diagnostic::Diagnostic;
use crate::outcome::RunOutcome;
use crate::playbook::{InputType, Mistakes, Step, codes};
use crate::text;

use super::super::names::{Names, Output};
use super::super::walk::Found;
use super::mentions::{Where, near};

/// More words than this are not listed.
const LISTED_MAX: usize = 8;
/// A shorter text is the beginning of too much.
const BEGUN_BYTES_MIN: usize = 3;

/// The words that a value can be, and whether there can be no others.
struct Can<'a> {
    words: Vec<Cow<'a, str>>,
    only: bool,
}

/// Checks the texts that a mention is compared with.
pub(crate) fn check(found: Found<'_>, at: Where<'_>, names: &Names<'_>, mistakes: &mut Mistakes) {
    if found.mention.compared.is_empty() {
        return;
    }
    let Some(can) = can_be(found, at, names) else {
        return;
    };
    for compared in &found.mention.compared {
        // What Semaphore has not said yet is empty.
        let empty = compared.text.is_empty() && !can.only;
        if empty || can.words.iter().any(|word| *word == compared.text) {
            continue;
        }
        mistakes.push_with(|| never(found, &can, compared));
    }
}

fn never(found: Found<'_>, can: &Can<'_>, compared: &crate::template::Compared) -> Diagnostic {
    let place = found.part(&compared.range);
    let path = text::clean_line(found.written(), 60);
    let word = text::clean_line(&compared.text, 60);
    let diagnostic = if can.only {
        let message = format!("`{path}` is never `{word}`");
        Diagnostic::error(codes::NEVER_EQUAL, place, message)
    } else {
        let message = format!("`{word}` is none of the words that are known for `{path}`");
        Diagnostic::warning(codes::NEVER_EQUAL, place, message)
    };
    let listed: Vec<String> = can.words.iter().map(|word| format!("`{word}`")).collect();
    let otherwise = if listed.len() <= LISTED_MAX {
        format!("it is one of {}", listed.join(", "))
    } else {
        "look at what it can be in `docs/actions.md`".to_owned()
    };
    let words = || can.words.iter().map(AsRef::as_ref);
    match begun(&compared.text, words()) {
        Some(word) => diagnostic.hint(format!("did you mean `{word}`?")).fix(word),
        None => near(diagnostic, &compared.text, words(), &otherwise),
    }
}

/// The one word that is meant by its beginning: `prod`, `infra`.
fn begun<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut begun = words.filter(|word| word.starts_with(text));
    let only = begun.next().filter(|_| text.len() >= BEGUN_BYTES_MIN)?;
    begun.next().is_none().then_some(only)
}

/// What the value of a mention can be, when that is known.
fn can_be<'a>(found: Found<'a>, at: Where<'a>, names: &'a Names<'_>) -> Option<Can<'a>> {
    let path: Vec<&str> = found.path().collect();
    match (path.as_slice(), at) {
        (["inputs", name], _) => of_input(name, names),
        (["run", "outcome"], _) => Some(only(RunOutcome::ALL.map(RunOutcome::as_str).as_slice())),
        (["steps", id, rest @ ..], _) => {
            let step = names.step(id)?.step;
            match rest {
                ["each", item, rest @ ..] if item.parse::<i64>().is_ok() => {
                    of_record(rest, |name| names.own(step, name), step)
                }
                rest => of_record(rest, |name| names.output(step, name), step),
            }
        }
        (["this", rest @ ..], Where::Step { indexed, sees }) if sees.this => {
            let step = indexed.step;
            of_record(rest, |name| names.own(step, name), step)
        }
        _ => None,
    }
}

/// The values that the declaration of an input allows.
fn of_input<'a>(name: &str, names: &'a Names<'_>) -> Option<Can<'a>> {
    let input = names.playbook.inputs.get(name)?;
    let allowed = input.allowed.as_ref()?;
    let texts = allowed.iter().filter_map(serde_json::Value::as_str);
    (input.ty == InputType::String).then(|| Can {
        words: texts.map(Cow::Borrowed).collect(),
        only: true,
    })
}

/// What a part of the record of a step can be.
fn of_record<'a>(path: &[&str], has: impl Fn(&str) -> Output, step: &Step) -> Option<Can<'a>> {
    let name = path.first()?;
    let Output::Known(_) = has(name) else {
        return None;
    };
    let output = |name: &str| {
        let own = STEP_FIELDS.iter().find(|field| field.name == name);
        own.or_else(|| step.action.action.output(name))
    };
    match path {
        ["error", "kind"] => Some(only(ERROR_KINDS)),
        ["triage", part] => {
            output("triage")?;
            of_field(TRIAGE_FIELDS.iter().find(|field| field.name == *part)?)
        }
        [name] => of_field(output(name)?),
        _ => None,
    }
}

fn of_field<'a>(field: &Field) -> Option<Can<'a>> {
    match field.words {
        Words::Any => None,
        Words::Only(words) => Some(only(words)),
        Words::Known(words) => Some(Can {
            only: false,
            ..only(words)
        }),
    }
}

fn only<'a>(words: &[&'static str]) -> Can<'a> {
    Can {
        words: words.iter().copied().map(Cow::Borrowed).collect(),
        only: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::StepOutcome;
    use crate::triage::Kind;

    fn words(of: &[Field], name: &str) -> &'static [&'static str] {
        match of.iter().find(|field| field.name == name).unwrap().words {
            Words::Only(words) => words,
            Words::Any | Words::Known(_) => &[],
        }
    }

    #[test]
    fn the_catalog_says_all_words_of_the_runner() {
        let outcomes = StepOutcome::ALL.map(StepOutcome::as_str);
        assert_eq!(words(STEP_FIELDS, "outcome"), outcomes);
        assert_eq!(words(TRIAGE_FIELDS, "kind"), Kind::ALL.map(Kind::as_str));
    }
}
