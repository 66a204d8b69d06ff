//! `needs`: which steps must have ended, and how.

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::{Located, Needs};
use super::super::tree::{Entry, Yaml, YamlNode};
use super::fields::{list, wrong_shape};
use super::scalars;
use crate::diagnostic::{Diagnostic, Place};
use crate::outcome::{Accept, StepOutcome};
use crate::text;

/// `needs: [a, b]`, `needs: a`, or `needs: { a: passed, b: [passed, skipped] }`.
pub(super) fn needs(entry: &Entry, step: &str, mistakes: &mut Mistakes) -> Option<Needs> {
    let mut edges: Vec<Located<(String, Accept)>> = Vec::new();
    let mut add = |id: &str, place: &Place, accept: Accept, mistakes: &mut Mistakes| {
        if id == step {
            mistakes.push(
                Diagnostic::error(
                    codes::MENTIONS_ITSELF,
                    place.clone(),
                    format!("step `{step}` cannot need itself"),
                )
                .hint(without(entry, step)),
            );
        } else if edges.iter().any(|edge| edge.value.0 == id) {
            mistakes.push(
                Diagnostic::error(
                    codes::DUPLICATE_KEY,
                    place.clone(),
                    format!("`{}` is needed twice", text::clean_line(id, 60)),
                )
                .hint("once is enough"),
            );
        } else {
            edges.push(Located {
                place: place.clone(),
                value: (id.to_owned(), accept),
            });
        }
    };
    match &entry.value.node {
        YamlNode::Text(id) => add(id, &entry.value.place, Accept::PASSED, mistakes),
        YamlNode::List(items) => {
            for item in items {
                if let Some(id) = scalars::text(item, "each item of `needs`", mistakes) {
                    add(id, &item.place, Accept::PASSED, mistakes);
                }
            }
        }
        YamlNode::Map(entries) => {
            for edge in entries {
                if let Some(accept) = accept(&edge.value, &edge.key.name, mistakes) {
                    add(&edge.key.name, &edge.key.place, accept, mistakes);
                }
            }
        }
        YamlNode::Null
        | YamlNode::Bool(_)
        | YamlNode::Number(_)
        | YamlNode::HugeNumber
        | YamlNode::Braces => {
            wrong_shape(
                &entry.value,
                "`needs`",
                "a list of steps or a map",
                mistakes,
            );
            return None;
        }
    }
    Some(Needs {
        place: entry.key.place.clone(),
        edges,
    })
}

/// What to write in the stead of needs that name the step itself.
fn without(entry: &Entry, step: &str) -> String {
    let others: Vec<String> = match &entry.value.node {
        YamlNode::List(items) => items
            .iter()
            .map(|item| item.written().to_owned())
            .filter(|id| id != step)
            .collect(),
        YamlNode::Map(entries) => entries
            .iter()
            .filter(|edge| edge.key.name != step)
            .map(|edge| format!("{}: {}", edge.key.name, edge.value.written()))
            .collect(),
        _ => Vec::new(),
    };
    let others = text::clean_line(&others.join(", "), 80);
    match &entry.value.node {
        _ if others.is_empty() => "remove `needs`".to_owned(),
        YamlNode::Map(_) => format!("write `needs: {{ {others} }}`"),
        _ => format!("write `needs: [{others}]`"),
    }
}

fn accept(yaml: &Yaml, id: &str, mistakes: &mut Mistakes) -> Option<Accept> {
    let what = format!("the outcome of `{}`", text::clean_line(id, 60));
    let what = what.as_str();
    let any = [
        (Accept::PASSED, "passed"),
        (Accept::FAILED, "failed"),
        (Accept::ANY, "any"),
    ];
    if let YamlNode::Text(word) = &yaml.node {
        if let Some(outcome) = outcome(word)
            && !any.iter().any(|(_, known)| known == word)
        {
            return Some(Accept::only(outcome));
        }
        return scalars::word(yaml, &any, what, mistakes);
    }
    let items = list(yaml, what, mistakes)?;
    if items.is_empty() {
        mistakes.push(
            Diagnostic::error(
                codes::EMPTY,
                yaml.place.clone(),
                "no outcome is named, and so the step could never run",
            )
            .hint("write `any` when every outcome will do"),
        );
        return None;
    }
    let words: Vec<(StepOutcome, &'static str)> = StepOutcome::ALL
        .into_iter()
        .map(|outcome| (outcome, outcome.as_str()))
        .collect();
    let mut accept: Option<Accept> = None;
    for item in items {
        // In a list each word is the outcome itself: `[passed]` is not satisfied by `skipped`.
        let only = Accept::only(scalars::word(item, &words, what, mistakes)?);
        accept = Some(accept.map_or(only, |before| before.or(only)));
    }
    accept
}

fn outcome(word: &str) -> Option<StepOutcome> {
    StepOutcome::ALL
        .into_iter()
        .find(|outcome| outcome.as_str() == word)
}
