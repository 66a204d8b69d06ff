//! A map whose keys are known: each is taken by its name, and what is left over is a mistake.

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::tree::{Entry, Yaml, YamlNode};
use super::super::unquoted;
use super::habits;
use crate::diagnostic::{Diagnostic, Place};
use crate::template::Key;
use crate::text;

/// The entries of a map that is being read.
pub(super) struct Fields<'y> {
    place: Place,
    what: String,
    left: Vec<Option<&'y Entry>>,
    asked: Vec<&'static str>,
}

impl<'y> Fields<'y> {
    /// Opens a map; `what` names it in messages, such as `step `build``.
    pub(super) fn open(yaml: &'y Yaml, what: &str, mistakes: &mut Mistakes) -> Option<Self> {
        let entries = map(yaml, what, mistakes)?;
        Some(Self {
            place: yaml.place.clone(),
            what: what.to_owned(),
            left: entries.iter().map(Some).collect(),
            asked: Vec::new(),
        })
    }

    /// Where the map begins.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Takes the entry of this name.
    pub(super) fn take(&mut self, name: &'static str) -> Option<&'y Entry> {
        self.asked.push(name);
        self.left
            .iter_mut()
            .find(|slot| slot.is_some_and(|entry| entry.key.name == name))
            .and_then(Option::take)
    }

    /// Takes the entry of this name, which must be there. `at` is where its absence is shown.
    pub(super) fn require(
        &mut self,
        name: &'static str,
        at: &Place,
        mistakes: &mut Mistakes,
    ) -> Option<&'y Entry> {
        let found = self.take(name);
        if found.is_none() && !self.has_lookalike(name) {
            mistakes.push(
                Diagnostic::error(
                    codes::MISSING_KEY,
                    at.clone(),
                    format!("{} needs `{name}`", self.what),
                )
                .hint(format!("add `{name}: …`")),
            );
        }
        found
    }

    /// Whether a misspelt form of the name is still there: then that is the mistake, and not that the
    /// name is missing.
    pub(super) fn has_lookalike(&self, name: &'static str) -> bool {
        self.left.iter().flatten().any(|entry| {
            let written = &entry.key.name;
            !self.asked.contains(&written.as_str())
                && (plain(written) == name || crate::diagnostic::nearest(written, [name]).is_some())
        })
    }

    /// What was not taken yet.
    pub(super) fn rest(&self) -> impl Iterator<Item = &'y Entry> + '_ {
        self.left.iter().flatten().copied()
    }

    /// Takes every entry that the test picks.
    pub(super) fn take_where(&mut self, test: impl Fn(&Entry) -> bool) -> Vec<&'y Entry> {
        self.left
            .iter_mut()
            .filter(|slot| slot.is_some_and(&test))
            .filter_map(Option::take)
            .collect()
    }

    /// Whatever is left is not known.
    pub(super) fn finish(self, mistakes: &mut Mistakes) {
        for entry in self.left.iter().flatten() {
            unknown_key(&entry.key, &self.what, &self.asked, mistakes);
        }
    }
}

/// The entries of a map, or a mistake.
pub(super) fn map<'y>(yaml: &'y Yaml, what: &str, mistakes: &mut Mistakes) -> Option<&'y [Entry]> {
    if let YamlNode::Map(entries) = &yaml.node {
        return Some(entries);
    }
    wrong_shape(yaml, what, "a map", mistakes);
    None
}

/// The items of a list, or a mistake.
pub(super) fn list<'y>(yaml: &'y Yaml, what: &str, mistakes: &mut Mistakes) -> Option<&'y [Yaml]> {
    if let YamlNode::List(items) = &yaml.node {
        return Some(items);
    }
    wrong_shape(yaml, what, "a list", mistakes);
    None
}

/// Something of another kind stands there.
pub(crate) fn wrong_shape(yaml: &Yaml, what: &str, wanted: &str, mistakes: &mut Mistakes) {
    mistakes.push(match yaml.node {
        YamlNode::Braces => unquoted::unquoted(yaml.place.clone()),
        YamlNode::Null => Diagnostic::error(
            codes::EMPTY,
            yaml.place.clone(),
            format!("{what} is empty, and {wanted} was expected"),
        )
        .hint("give it a value, or leave the key out"),
        YamlNode::Bool(_)
        | YamlNode::Number(_)
        | YamlNode::HugeNumber
        | YamlNode::Text(_)
        | YamlNode::List(_)
        | YamlNode::Map(_) => {
            let diagnostic = Diagnostic::error(
                codes::WRONG_SHAPE,
                yaml.place.clone(),
                format!("{what} must be {wanted}, and this is {}", yaml.kind()),
            );
            match (&yaml.node, wanted) {
                (YamlNode::Text(text), "a list") => {
                    diagnostic.hint(format!("write `[{}]`", text::clean_line(text, 60)))
                }
                (YamlNode::Number(number), "a list") => {
                    diagnostic.hint(format!("write `[{number}]`"))
                }
                (YamlNode::Text(text), "a map") => match glued(text) {
                    Some((key, value)) => diagnostic
                        .hint(format!(
                            "a blank stands after the colon: write `{key}: {value}`"
                        ))
                        .fix(format!("{key}: {value}")),
                    None => diagnostic,
                },
                _ => match habits::shape(what, yaml) {
                    Some(hint) => diagnostic.hint(hint),
                    None => diagnostic,
                },
            }
        }
    });
}

/// `sleep:1s`: a key and a value that YAML reads as one text.
fn glued(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let plain = !value.is_empty() && !value.contains(['\n', '`']) && value.len() < 100;
    (is_key && plain && !value.starts_with('/')).then_some((key, value))
}

/// A key that nobody asked for.
pub(crate) fn unknown_key(key: &Key, what: &str, known: &[&str], mistakes: &mut Mistakes) {
    if key.name.is_empty() {
        return;
    }
    let simple = plain(&key.name);
    let diagnostic = if simple != key.name && known.contains(&simple.as_str()) {
        Diagnostic::error(
            codes::LOOKALIKE_KEY,
            key.place.clone(),
            format!(
                "this key looks like `{simple}` and is not: {}",
                odd(&key.name)
            ),
        )
        .hint(format!("type `{simple}` anew"))
        .fix(simple)
    } else {
        let shown = text::clean_line(&key.name, 60);
        let diagnostic = Diagnostic::error(
            codes::UNKNOWN_KEY,
            key.place.clone(),
            format!("{what} has no key `{shown}`"),
        );
        let near = || crate::diagnostic::nearest(&key.name, known.iter().copied());
        match (
            habits::called(&key.name, known),
            habits::needless(&key.name, known),
        ) {
            (Some(ours), _) => diagnostic
                .hint(format!("it is called `{ours}` here"))
                .fix(ours),
            (None, Some(why)) => diagnostic.hint(why),
            (None, None) => match near() {
                Some(near) => diagnostic.nearest(&key.name, [near]).fix(near),
                None => diagnostic.hint(allowed(known)),
            },
        }
    };
    mistakes.push(diagnostic);
}

fn allowed(known: &[&str]) -> String {
    let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    format!("its keys are {}", names.join(", "))
}

/// A name without what cannot be seen, its look-alikes made Latin.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter_map(|c| match c {
            '\u{200b}'..='\u{200f}'
            | '\u{2060}'
            | '\u{feff}'
            | '\u{ad}'
            | '\u{202a}'..='\u{202e}' => None,
            '\u{a0}' | ' ' => None,
            'а' | 'ɑ' => Some('a'),
            'с' | 'ϲ' => Some('c'),
            'ԁ' => Some('d'),
            'е' | 'ҽ' => Some('e'),
            'һ' => Some('h'),
            'і' | 'ı' | 'ӏ' => Some('i'),
            'ј' => Some('j'),
            'ո' => Some('n'),
            'о' | 'ο' | 'օ' => Some('o'),
            'р' | 'ρ' => Some('p'),
            'ԛ' => Some('q'),
            'ѕ' => Some('s'),
            'υ' | 'ս' => Some('u'),
            'ѵ' | 'ν' => Some('v'),
            'ԝ' => Some('w'),
            'х' | 'χ' => Some('x'),
            'у' | 'γ' => Some('y'),
            '‐' | '‑' | '–' | '—' => Some('-'),
            other => Some(other),
        })
        .collect()
}

/// The first character of a name that is not what it looks like.
fn odd(name: &str) -> String {
    name.chars()
        .enumerate()
        .find(|(_, c)| !c.is_ascii_graphic())
        .map_or_else(
            || "it is spelled otherwise".to_owned(),
            |(at, c)| format!("its character {} is U+{:04X}", at + 1, u32::from(c)),
        )
}
