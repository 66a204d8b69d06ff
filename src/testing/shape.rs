//! Shapes: what a test file may hold, described once as data.
//!
//! The same description checks files (all mistakes at once, with places and the nearest names) and makes
//! the JSON Schema. A file that fits can be read without asking again. It knows no meaning: whether a
//! name exists is asked later.

use crate::diagnostic::{Diagnostic, Place};
use crate::playbook::reading::{
    Entry, Yaml, boolean, duration, integer, text, unknown_key, wrong_shape, wrong_word,
};
use crate::playbook::{Mistakes, YamlNode, codes, literal};

/// The longest free name (of a case, of a job).
const NAME_CHARACTERS_MAX: usize = 200;

/// What a value may be.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// Text.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number from one to another.
    Whole(u64, u64),
    /// A duration with its unit.
    Duration,
    /// Anything.
    Any,
    /// One of some words.
    Words(&'static [&'static str]),
    /// A list of these.
    List(&'static Self),
    /// A map from free names to these.
    Named(&'static Self),
    /// A map with these keys.
    Map(&'static [Field]),
    /// Several forms, told apart by the kind of the value.
    Either(&'static [Self]),
    /// One of several things: its word alone, or a map from its word to what belongs to it.
    Choice(&'static [(&'static str, Option<Self>)]),
}

/// A key of a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    /// The key.
    pub(super) name: &'static str,
    /// What stands there.
    pub(super) shape: Shape,
    /// Whether it must be there.
    pub(super) required: bool,
    /// What it is, for people.
    pub(super) doc: &'static str,
}

/// A key that may be left out.
pub(super) const fn may(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field {
        name,
        shape,
        required: false,
        doc,
    }
}

/// A key that must be there.
pub(super) const fn must(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field {
        name,
        shape,
        required: true,
        doc,
    }
}

impl Shape {
    /// Tells everything in which a value differs from this shape; `what` names it in messages.
    pub(super) fn check(self, yaml: &Yaml, what: &str, mistakes: &mut Mistakes) {
        match self {
            Self::Text => drop(text(yaml, what, mistakes)),
            Self::Bool => drop(boolean(yaml, what, mistakes)),
            Self::Whole(from, to) => drop(integer(yaml, from..=to, what, mistakes)),
            Self::Duration => drop(duration(yaml, what, mistakes)),
            Self::Any => drop(literal(yaml, mistakes)),
            Self::Words(words) => {
                if let Some(text) = text(yaml, what, mistakes)
                    && !words.contains(&text)
                {
                    mistakes.push(wrong_word(yaml, text, words, what));
                }
            }
            Self::List(of) => match &yaml.node {
                YamlNode::List(items) => {
                    for (at, item) in items.iter().enumerate() {
                        of.check(item, &format!("item {} of {what}", at + 1), mistakes);
                    }
                }
                _ => wrong_shape(yaml, what, "a list", mistakes),
            },
            Self::Named(of) => match &yaml.node {
                YamlNode::Map(entries) => {
                    for entry in entries {
                        name_fits(entry, mistakes);
                        of.check(&entry.value, &quoted(&entry.key.name), mistakes);
                    }
                }
                _ => wrong_shape(yaml, what, "a map", mistakes),
            },
            Self::Map(fields) => check_map(fields, yaml, what, mistakes),
            Self::Either(shapes) => match shapes.iter().find(|shape| shape.takes(yaml)) {
                Some(shape) => shape.check(yaml, what, mistakes),
                None => {
                    let kinds: Vec<&str> = shapes.iter().map(|shape| shape.kind()).collect();
                    wrong_shape(yaml, what, &kinds.join(" or "), mistakes);
                }
            },
            Self::Choice(choices) => check_choice(choices, yaml, what, mistakes),
        }
    }

    /// Whether a value is of the kind of this shape.
    fn takes(self, yaml: &Yaml) -> bool {
        match (self, &yaml.node) {
            (Self::Text | Self::Duration | Self::Words(_), YamlNode::Text(_))
            | (Self::Bool, YamlNode::Bool(_))
            | (Self::Whole(..), YamlNode::Number(_) | YamlNode::HugeNumber)
            | (Self::List(_), YamlNode::List(_))
            | (Self::Named(_) | Self::Map(_), YamlNode::Map(_))
            | (Self::Choice(_), YamlNode::Text(_) | YamlNode::Map(_))
            | (Self::Any, _) => true,
            (Self::Either(shapes), _) => shapes.iter().any(|shape| shape.takes(yaml)),
            _ => false,
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bool => "`true` or `false`",
            Self::Whole(..) => "a number",
            Self::Duration => "a duration like `15m`",
            Self::Any => "a value",
            Self::Words(_) => "a word",
            Self::List(_) => "a list",
            Self::Named(_) | Self::Map(_) => "a map",
            Self::Either(_) | Self::Choice(_) => "a word or a map",
        }
    }
}

fn quoted(name: &str) -> String {
    format!("`{}`", crate::text::clean_line(name, 60))
}

fn name_fits(entry: &Entry, mistakes: &mut Mistakes) {
    let name = &entry.key.name;
    if name.trim().is_empty() && !entry.key.place.span.is_empty() {
        // It is no text at all, and that was told.
        return;
    }
    if name.trim().is_empty() || name.chars().count() > NAME_CHARACTERS_MAX {
        mistakes.push(
            Diagnostic::error(
                codes::BAD_NAME,
                entry.key.place.clone(),
                "this name is empty or too long",
            )
            .hint(format!("names have up to {NAME_CHARACTERS_MAX} characters")),
        );
    }
}

fn check_map(fields: &'static [Field], yaml: &Yaml, what: &str, mistakes: &mut Mistakes) {
    let YamlNode::Map(entries) = &yaml.node else {
        wrong_shape(yaml, what, "a map", mistakes);
        return;
    };
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    for entry in entries {
        match fields.iter().find(|field| field.name == entry.key.name) {
            Some(field) => field
                .shape
                .check(&entry.value, &quoted(field.name), mistakes),
            None => unknown_key(&entry.key, what, &known, mistakes),
        }
    }
    for field in fields.iter().filter(|field| field.required) {
        let there = entries.iter().any(|entry| entry.key.name == field.name);
        let misspelt = entries.iter().any(|entry| {
            !known.contains(&entry.key.name.as_str())
                && crate::diagnostic::nearest(&entry.key.name, [field.name]).is_some()
        });
        if !there && !misspelt {
            mistakes.push(missing(field, &yaml.place, what));
        }
    }
}

fn missing(field: &Field, place: &Place, what: &str) -> Diagnostic {
    Diagnostic::error(
        codes::MISSING_KEY,
        place.clone(),
        format!("{what} needs `{}`", field.name),
    )
    .hint(format!("add `{}: …`: {}", field.name, field.doc))
}

fn check_choice(
    choices: &'static [(&'static str, Option<Shape>)],
    yaml: &Yaml,
    what: &str,
    mistakes: &mut Mistakes,
) {
    let mut known: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    known.dedup();
    let alone = |word: &str| choices.iter().any(|(w, with)| *w == word && with.is_none());
    let with = |word: &str| {
        let shapes = choices.iter().filter(|(known, _)| *known == word);
        shapes.filter_map(|(_, with)| *with).next()
    };
    match &yaml.node {
        YamlNode::Text(word) if alone(word) => {}
        YamlNode::Text(word) => mistakes.push(if known.contains(&word.as_str()) {
            Diagnostic::error(
                codes::WRONG_SHAPE,
                yaml.place.clone(),
                format!("`{word}` needs something"),
            )
            .hint(format!("write `{word}: …`"))
        } else {
            wrong_word(yaml, word, &known, what)
        }),
        YamlNode::Map(entries) => {
            for entry in entries {
                match with(&entry.key.name) {
                    Some(shape) => {
                        shape.check(&entry.value, &quoted(&entry.key.name), mistakes);
                    }
                    None if alone(&entry.key.name) => mistakes.push(
                        Diagnostic::error(
                            codes::WRONG_SHAPE,
                            entry.key.place.clone(),
                            format!("`{}` stands alone", entry.key.name),
                        )
                        .hint(format!("write `{}` without a value", entry.key.name)),
                    ),
                    None => unknown_key(&entry.key, what, &known, mistakes),
                }
            }
            if entries.len() != 1 {
                mistakes.push(
                    Diagnostic::error(
                        codes::WRONG_SHAPE,
                        yaml.place.clone(),
                        format!("{what} is one thing, and {} are here", entries.len()),
                    )
                    .hint("write each as an item of its own"),
                );
            }
        }
        _ => wrong_shape(yaml, what, "a word or a map", mistakes),
    }
}

/// The entry of a key.
pub(super) fn get<'y>(yaml: &'y Yaml, name: &str) -> Option<&'y Entry> {
    entries(yaml).iter().find(|entry| entry.key.name == name)
}

/// The entries of a map; none of anything else.
pub(super) fn entries(yaml: &Yaml) -> &[Entry] {
    match &yaml.node {
        YamlNode::Map(entries) => entries,
        _ => &[],
    }
}

/// The items of a list; anything else is a list of one.
pub(super) fn items(yaml: &Yaml) -> Vec<&Yaml> {
    match &yaml.node {
        YamlNode::List(items) => items.iter().collect(),
        _ => vec![yaml],
    }
}

/// A text.
pub(super) fn as_text(yaml: &Yaml) -> Option<&str> {
    match &yaml.node {
        YamlNode::Text(text) => Some(text),
        _ => None,
    }
}

/// A whole number.
pub(super) fn as_whole(yaml: &Yaml) -> Option<u64> {
    match &yaml.node {
        YamlNode::Number(number) => number.as_u64(),
        _ => None,
    }
}

/// A duration.
pub(super) fn as_duration(yaml: &Yaml) -> Option<std::time::Duration> {
    crate::duration::parse(as_text(yaml)?).ok()
}
