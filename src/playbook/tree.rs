//! YAML text to a tree with places. The one file that knows the YAML crate's values.
//!
//! The tree is what the file says and no more: nothing is required, nothing is unknown. What the crate
//! guesses differently from YAML 1.2 is switched off here, so that `no` stays text and `0755` too.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;
use serde_saphyr::options::{AliasLimits, DuplicateKeyPolicy, NonFiniteFloatPolicy};
use serde_saphyr::{Location, Options, Spanned};

use super::limits::Limits;
use super::mistakes::Mistakes;
use super::{codes, syntax, unquoted};
use crate::diagnostic::{Diagnostic, Place, Source};
use crate::template::Key;
use crate::text;

/// A value of a file with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Yaml {
    /// Where it stands; for text the text itself, without its quotes.
    pub(crate) place: Place,
    /// The value.
    pub(crate) node: YamlNode,
}

/// What a [`Yaml`] may be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum YamlNode {
    /// Nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number that JSON can hold.
    Number(Number),
    /// A number that is too large or too exact to be held; the text is in the file.
    HugeNumber,
    /// Text.
    Text(String),
    /// `{{ x }}` without quotes, which YAML reads as a map.
    Braces,
    /// A list.
    List(Vec<Yaml>),
    /// A map, in the order of the file.
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: Key,
    /// The value.
    pub(crate) value: Yaml,
}

impl Yaml {
    /// What it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self.node {
            YamlNode::Null => "nothing",
            YamlNode::Bool(_) => "a boolean",
            YamlNode::Number(_) | YamlNode::HugeNumber => "a number",
            YamlNode::Text(_) => "text",
            YamlNode::Braces => "a template without quotes",
            YamlNode::List(_) => "a list",
            YamlNode::Map(_) => "a map",
        }
    }

    /// The value as the file writes it.
    pub(crate) fn written(&self) -> &str {
        self.place
            .source
            .text
            .get(self.place.span.clone())
            .unwrap_or_default()
    }
}

/// Reads a text; nothing is given when it is no YAML at all.
pub(crate) fn parse(
    source: &Arc<Source>,
    limits: &Limits,
    mistakes: &mut Mistakes,
) -> Option<Yaml> {
    if source.text.len() > limits.file_bytes_max {
        mistakes.push(syntax::too_large(source, limits));
        return None;
    }
    // What only lacks its quotes is told and read as if it had them, so that the rest is told as well.
    let mut read = Arc::clone(source);
    for left in (0..rounds(source)).rev() {
        match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&read.text, options(limits)) {
            Ok(raw) => return convert(source, raw, limits, mistakes),
            Err(error) => {
                let found = syntax::explain(&read, limits, &error);
                let maskable = unquoted::can_be_masked(&found) && left > 0;
                let span = found.place.as_ref().map(|place| place.span.clone());
                mistakes.push(unquoted::moved(found, source));
                let span = span.filter(|_| maskable)?;
                read = Source::new(source.name.clone(), unquoted::masked(&read.text, &span)?);
                mistakes.mask(span);
            }
        }
    }
    None
}

/// How often a text is read at the most: a large one less often than a small one.
fn rounds(source: &Source) -> usize {
    (ROUNDS_BYTES_MAX / source.text.len().max(1)).clamp(1, ROUNDS_MAX)
}

/// So many values without quotes are told, and as many bytes are read for it.
const ROUNDS_MAX: usize = 20;
const ROUNDS_BYTES_MAX: usize = 512 * 1024;

fn convert(
    source: &Arc<Source>,
    raw: Spanned<Raw>,
    limits: &Limits,
    mistakes: &mut Mistakes,
) -> Option<Yaml> {
    let mut nodes_left = limits.nodes_max;
    let yaml = Conversion {
        source,
        mistakes,
        nodes_left: &mut nodes_left,
    }
    .value(raw);
    if nodes_left == 0 {
        mistakes.push(syntax::too_many_values(source, limits));
        return None;
    }
    Some(yaml)
}

fn options(limits: &Limits) -> Options {
    let mut alias_limits = AliasLimits::default();
    alias_limits.max_total_replayed_events = limits.nodes_max;
    serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // Found by ourselves, so that all of them are told and not only the first.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        reject_unsupported_tags: true,
        non_finite_float_policy: NonFiniteFloatPolicy::AsString,
        with_snippet: false,
        alias_limits: alias_limits,
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(limits.file_bytes_max),
            max_events: limits.nodes_max.saturating_mul(4),
            max_nodes: limits.nodes_max,
            max_depth: limits.depth_max,
            max_aliases: limits.aliases_max,
            max_anchors: limits.aliases_max,
            max_merge_keys: limits.aliases_max,
            max_recorded_anchor_events: limits.nodes_max,
            enforce_alias_anchor_ratio: false,
        },
    }
}

/// A value as the crate gives it.
enum Raw {
    Null,
    Bool(bool),
    Number(Number),
    Float(f64),
    Text(String),
    List(Vec<Spanned<Self>>),
    Map(Vec<(Spanned<Self>, Spanned<Self>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

struct Conversion<'a> {
    source: &'a Arc<Source>,
    mistakes: &'a mut Mistakes,
    nodes_left: &'a mut usize,
}

impl Conversion<'_> {
    fn value(&mut self, raw: Spanned<Raw>) -> Yaml {
        *self.nodes_left = self.nodes_left.saturating_sub(1);
        let place = self.place(&raw.defined);
        let node = match raw.value {
            Raw::Null => YamlNode::Null,
            Raw::Bool(value) => YamlNode::Bool(value),
            Raw::Number(number) => YamlNode::Number(number),
            Raw::Float(value) => return self.float(place, value),
            Raw::Text(text) => return text_node(place, text),
            Raw::List(items) => YamlNode::List(items.into_iter().map(|i| self.value(i)).collect()),
            Raw::Map(entries) => return self.map(place, entries),
        };
        Yaml { place, node }
    }

    fn place(&self, location: &Location) -> Place {
        let span = location.span();
        let at = |n: Option<u64>| usize::try_from(n.unwrap_or_default()).unwrap_or_default();
        let start = at(span.byte_offset()).min(self.source.text.len());
        let end = start
            .saturating_add(at(span.byte_len()))
            .min(self.source.text.len());
        Place {
            source: Arc::clone(self.source),
            line: usize::try_from(location.line()).unwrap_or(1).max(1),
            column: usize::try_from(location.column()).unwrap_or(1).max(1),
            span: start..end,
        }
    }

    /// A whole number that does not fit comes as a float that is only near it.
    fn float(&self, place: Place, value: f64) -> Yaml {
        let yaml = Yaml {
            place,
            node: YamlNode::HugeNumber,
        };
        let digits_only = yaml
            .written()
            .trim_start_matches(['-', '+'])
            .bytes()
            .all(|b| b.is_ascii_digit());
        match Number::from_f64(value) {
            Some(number) if !digits_only => Yaml {
                node: YamlNode::Number(number),
                ..yaml
            },
            Some(_) | None => yaml,
        }
    }

    fn map(&mut self, place: Place, entries: Vec<(Spanned<Raw>, Spanned<Raw>)>) -> Yaml {
        if let [(key, value)] = entries.as_slice()
            && matches!(key.value, Raw::Map(_))
            && matches!(value.value, Raw::Null)
            && let Some(place) = braces(&place)
        {
            return Yaml {
                place,
                node: YamlNode::Braces,
            };
        }
        let mut map: Vec<Entry> = Vec::with_capacity(entries.len());
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            let key = self.key(key);
            let value = self.value(value);
            let first = seen.get(&key.name).and_then(|at| map.get(*at));
            if let Some(first) = first.filter(|first| !first.key.name.is_empty()) {
                let twice = stands_twice(&key, &first.key);
                self.mistakes.push(twice);
                continue;
            }
            seen.insert(key.name.clone(), map.len());
            map.push(Entry { key, value });
        }
        Yaml {
            place,
            node: YamlNode::Map(map),
        }
    }

    fn key(&mut self, raw: Spanned<Raw>) -> Key {
        let yaml = self.value(raw);
        let name = match &yaml.node {
            YamlNode::Text(text) => text.clone(),
            YamlNode::List(_) | YamlNode::Map(_) | YamlNode::Braces => {
                self.mistakes.push(
                    Diagnostic::error(
                        codes::KEY_NOT_TEXT,
                        yaml.place.clone(),
                        format!("a key must be text, and this is {}", yaml.kind()),
                    )
                    .hint("keys are never templates: write the name itself"),
                );
                String::new()
            }
            YamlNode::Null | YamlNode::Bool(_) | YamlNode::Number(_) | YamlNode::HugeNumber => {
                let written = yaml.written().to_owned();
                self.mistakes.push(
                    Diagnostic::error(
                        codes::KEY_NOT_TEXT,
                        yaml.place.clone(),
                        format!("a key must be text, and `{written}` is {}", yaml.kind()),
                    )
                    .hint(format!("quote it: `\"{written}\":`"))
                    .fix(format!("\"{written}\"")),
                );
                written
            }
        };
        Key {
            name,
            place: yaml.place,
        }
    }
}

fn stands_twice(key: &Key, first: &Key) -> Diagnostic {
    Diagnostic::error(
        codes::DUPLICATE_KEY,
        key.place.clone(),
        format!(
            "`{}` stands twice in this map",
            text::clean_line(&key.name, 60)
        ),
    )
    .label(first.place.clone(), "the first one stands here")
    .hint("keep one of them: the other would be silently lost")
}

/// Text: its place is the text itself, without its quotes and without the line end after a block.
fn text_node(mut place: Place, text: String) -> Yaml {
    let written = place
        .source
        .text
        .get(place.span.clone())
        .unwrap_or_default();
    let quoted = written.len() >= 2
        && (written.starts_with('"') && written.ends_with('"')
            || written.starts_with('\'') && written.ends_with('\''));
    if quoted {
        place.span = place.span.start + 1..place.span.end - 1;
        place.column += 1;
    } else {
        // What overflows as a number arrives as the text `.inf`, whatever the file says.
        if matches!(text.as_str(), ".inf" | "-.inf" | ".nan") {
            return Yaml {
                place,
                node: YamlNode::HugeNumber,
            };
        }
        let blank = written.len() - written.trim_end().len();
        place.span.end -= blank;
    }
    Yaml {
        place,
        node: YamlNode::Text(text),
    }
}

/// The place of a whole `{{ ... }}` that begins here.
fn braces(start: &Place) -> Option<Place> {
    let rest = start.source.text.get(start.span.start..)?;
    let line = rest.lines().next()?;
    if !line.starts_with("{{") {
        return None;
    }
    let end = line.find("}}")? + 2;
    Some(start.within(0..end))
}
