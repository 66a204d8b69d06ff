//! `for_each`: doing a step once for each item of a list or map.

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::{ForEach, Located, OnFailure};
use super::super::tree::{Entry, Yaml, YamlNode};
use super::fields::Fields;
use super::{scalars, values};
use crate::diagnostic::Diagnostic;
use crate::template::Expression;
use crate::text;

/// As many items as a step can have at the most.
const ITEMS_MAX: u64 = 1_000;

const WORDS: [(OnFailure, &str); 2] =
    [(OnFailure::Continue, "continue"), (OnFailure::Stop, "stop")];

/// `for_each: inputs.projects`, or a map that says more.
pub(super) fn for_each(entry: &Entry, mistakes: &mut Mistakes) -> Option<ForEach> {
    let place = entry.key.place.clone();
    if !matches!(entry.value.node, YamlNode::Map(_)) {
        return Some(ForEach {
            place,
            items: items(&entry.value, "`for_each`", mistakes)
                .or_else(|| stand_in(&entry.value))?,
            key: None,
            max_parallel: None,
            on_failure: OnFailure::default(),
        });
    }
    let mut fields = Fields::open(&entry.value, "`for_each`", mistakes)?;
    let found = fields
        .require("in", &entry.key.place, mistakes)
        .and_then(|e| items(&e.value, "`in`", mistakes));
    let key = fields
        .take("key")
        .and_then(|e| values::expression(&e.value, "`key`", mistakes));
    let max_parallel = fields
        .take("max_parallel")
        .and_then(|e| values::count(&e.value, 1..=ITEMS_MAX, "`max_parallel`", mistakes));
    let on_failure = fields
        .take("on_failure")
        .and_then(|e| scalars::word(&e.value, &WORDS, "`on_failure`", mistakes))
        .unwrap_or_default();
    fields.finish(mistakes);
    Some(ForEach {
        place,
        items: found.or_else(|| stand_in(&entry.value))?,
        key,
        max_parallel,
        on_failure,
    })
}

/// What is wrong with the items was told. The step has some all the same, so that `item` is no second mistake.
fn stand_in(yaml: &Yaml) -> Option<Located<Expression>> {
    Some(Located {
        place: yaml.place.clone(),
        value: Expression::parse("[]").ok()?,
    })
}

/// What gives the items; a list that stands there as YAML is shown as the expression that it would be.
fn items(yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<Located<Expression>> {
    let (YamlNode::List(_) | YamlNode::Map(_)) = &yaml.node else {
        return values::expression(yaml, what, mistakes);
    };
    let diagnostic = Diagnostic::error(
        codes::WRONG_SHAPE,
        yaml.place.clone(),
        format!(
            "{what} must be an expression that gives a list or a map, and this is {} itself",
            yaml.kind()
        ),
    );
    mistakes.push(match written(yaml) {
        Some(list) => diagnostic.hint(format!("write it as an expression: `\"{list}\"`")),
        None => diagnostic.hint("give the value a name under `vars`, and write `vars.NAME` here"),
    });
    None
}

/// A short list of plain values as an expression.
fn written(yaml: &Yaml) -> Option<String> {
    let YamlNode::List(items) = &yaml.node else {
        return None;
    };
    let one = |item: &Yaml| match &item.node {
        YamlNode::Text(text) if !text.contains(['\'', '"', '\\', '{']) => {
            Some(format!("'{}'", text::clean_line(text, 40)))
        }
        YamlNode::Number(number) => Some(number.to_string()),
        YamlNode::Text(_)
        | YamlNode::Bool(_)
        | YamlNode::Null
        | YamlNode::HugeNumber
        | YamlNode::Braces
        | YamlNode::List(_)
        | YamlNode::Map(_) => None,
    };
    let items: Vec<String> = items.iter().map(one).collect::<Option<_>>()?;
    (1..=5)
        .contains(&items.len())
        .then(|| format!("[{}]", items.join(", ")))
}
