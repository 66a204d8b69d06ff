//! `inputs`: the declarations of what a playbook is given.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::super::input_value::{self, Misfit};
use super::super::mistakes::Mistakes;
use super::super::model::{Input, InputType};
use super::super::tree::{Entry, Yaml, YamlNode};
use super::super::{codes, unquoted};
use super::fields::{self, Fields};
use super::{scalars, values};
use crate::diagnostic::Diagnostic;

/// All declarations; wrong ones are left out.
pub(super) fn inputs(yaml: &Yaml, mistakes: &mut Mistakes) -> IndexMap<String, Input> {
    let entries = fields::map(yaml, "`inputs`", mistakes).unwrap_or_default();
    let mut inputs = IndexMap::new();
    for entry in entries {
        if scalars::name(&entry.key, "an input", mistakes)
            && let Some(input) = input(entry, mistakes)
        {
            inputs.insert(entry.key.name.clone(), input);
        }
    }
    inputs
}

fn input(entry: &Entry, mistakes: &mut Mistakes) -> Option<Input> {
    let name = &entry.key.name;
    let what = format!("input `{name}`");
    let mut fields = Fields::open(&entry.value, &what, mistakes)?;
    let ty = fields
        .require("type", &entry.key.place, mistakes)
        .and_then(|e| input_type(&e.value, "`type`", mistakes));
    let text = |entry: Option<&Entry>, mistakes: &mut Mistakes| {
        let entry = entry?;
        let what = format!("`{}`", entry.key.name);
        scalars::text(&entry.value, &what, mistakes).map(str::to_owned)
    };
    let description = text(fields.take("description"), mistakes);
    let default = fields.take("default");
    let allowed = fields.take("enum");
    let pattern_entry = fields.take("pattern");
    let items_entry = fields.take("items");
    let flag = |entry: Option<&Entry>, mistakes: &mut Mistakes| {
        entry.and_then(|e| scalars::boolean(&e.value, &format!("`{}`", e.key.name), mistakes))
    };
    let optional = flag(fields.take("optional"), mistakes).unwrap_or_default();
    let secret = flag(fields.take("secret"), mistakes).unwrap_or_default();
    let env_entry = fields.take("env");
    fields.finish(mistakes);
    let pattern = text(pattern_entry, mistakes);
    let env = text(env_entry, mistakes);
    let items = items_entry.and_then(|e| input_type(&e.value, "`items`", mistakes));
    let mut input = Input {
        place: entry.key.place.clone(),
        ty: ty?,
        description,
        default: None,
        allowed: None,
        pattern,
        items,
        optional,
        secret,
        env,
    };
    declaration(
        &mut input,
        &[pattern_entry, items_entry, env_entry],
        mistakes,
    );
    if let Some(entry) = allowed {
        input.allowed = enumeration(&input, name, entry, mistakes);
    }
    if let Some(entry) = default {
        input.default = checked(&input, name, &entry.value, mistakes);
    }
    Some(input)
}

fn input_type(yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<InputType> {
    scalars::word(yaml, &InputType::ALL, what, mistakes)
}

/// What contradicts itself, by the places of `pattern`, `items` and `env`.
fn declaration(input: &mut Input, entries: &[Option<&Entry>; 3], mistakes: &mut Mistakes) {
    let [pattern, items, env] = entries;
    let mut contradiction = |entry: &Entry, message: &str, hint: &str| {
        mistakes.push(
            Diagnostic::error(codes::INPUT_DECLARATION, entry.key.place.clone(), message)
                .hint(hint),
        );
    };
    if let Some(entry) = pattern
        && input.ty != InputType::String
    {
        contradiction(
            entry,
            "only text can match a `pattern`",
            "write `type: string`",
        );
        input.pattern = None;
    }
    if let Some(entry) = items
        && input.ty != InputType::List
    {
        contradiction(entry, "only a list has `items`", "write `type: list`");
        input.items = None;
    }
    if let Some(entry) = env
        && !input.env.as_deref().is_none_or(is_variable)
    {
        contradiction(
            entry,
            "this is not the name of an environment variable",
            "such names hold letters, digits and `_`",
        );
    }
    if input.secret && input.ty != InputType::String {
        let place = input.place.clone();
        mistakes.push(
            Diagnostic::error(
                codes::INPUT_DECLARATION,
                place,
                "only text can be a `secret`",
            )
            .hint("write `type: string`"),
        );
    }
    if let Some(text) = &input.pattern
        && let Some(entry) = pattern
        && let Err(error) = input_value::regex(text)
    {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default();
        let why = why.trim_start_matches("error: ");
        mistakes.push(
            Diagnostic::error(
                codes::INPUT_PATTERN,
                entry.value.place.clone(),
                format!("this is not a regular expression: {why}"),
            )
            .hint("the syntax is that of Rust's `regex`; the whole text must match"),
        );
        input.pattern = None;
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn enumeration(
    input: &Input,
    name: &str,
    entry: &Entry,
    mistakes: &mut Mistakes,
) -> Option<Vec<Value>> {
    let items = fields::list(&entry.value, "`enum`", mistakes)?;
    if items.is_empty() {
        mistakes.push(
            Diagnostic::error(
                codes::EMPTY,
                entry.value.place.clone(),
                "`enum` is empty, and so no value would be possible",
            )
            .hint("list the possible values"),
        );
        return None;
    }
    let values: Vec<Option<Value>> = items
        .iter()
        .map(|item| checked(input, name, item, mistakes))
        .collect();
    values.into_iter().collect()
}

/// A literal of the file that must fit the declaration.
fn checked(input: &Input, name: &str, yaml: &Yaml, mistakes: &mut Mistakes) -> Option<Value> {
    if let YamlNode::Number(_) | YamlNode::HugeNumber | YamlNode::Bool(_) = yaml.node {
        if input.ty == InputType::String {
            mistakes.push(scalars::not_text(yaml, &format!("input `{name}`")));
            return None;
        }
        if input.ty == InputType::Duration {
            scalars::not_duration(yaml, &format!("input `{name}`"), mistakes);
            return None;
        }
    }
    if let (YamlNode::Text(text), InputType::Boolean) = (&yaml.node, input.ty) {
        mistakes.push(scalars::not_boolean(yaml, text, &format!("input `{name}`")));
        return None;
    }
    if let (YamlNode::Text(_), InputType::Integer | InputType::Number) = (&yaml.node, input.ty) {
        let wanted = input_value::word(input.ty);
        mistakes.extend(scalars::not_number(
            yaml,
            wanted,
            &format!("input `{name}`"),
        ));
        return None;
    }
    let value = literal(yaml, mistakes)?;
    if value.as_str().is_some_and(|text| text.contains("{{")) {
        mistakes.push(
            Diagnostic::error(
                codes::INPUT_DEFAULT,
                yaml.place.clone(),
                format!("input `{name}` has a template here, and values of a declaration are never filled in"),
            )
            .hint("compute it under `vars`, or make the input `optional` and say `default(…)` where it is read"),
        );
        return None;
    }
    match input_value::check(input, &value) {
        Ok(_) => Some(value),
        Err(misfit) => {
            let (code, hint) = match misfit {
                Misfit::ShortSecret => (
                    codes::SECRET_TOO_SHORT,
                    "a short secret would mask ordinary words; better give none here and name an `env`",
                ),
                Misfit::Wrong(_) => (
                    codes::INPUT_DEFAULT,
                    "a value in the declaration must fit it; values here are never templates",
                ),
            };
            mistakes
                .push(Diagnostic::error(code, yaml.place.clone(), misfit.message(name)).hint(hint));
            None
        }
    }
}

/// A value as it is, without templates.
pub(crate) fn literal(yaml: &Yaml, mistakes: &mut Mistakes) -> Option<Value> {
    Some(match &yaml.node {
        YamlNode::Null => Value::Null,
        YamlNode::Bool(value) => Value::Bool(*value),
        YamlNode::Number(number) => Value::Number(number.clone()),
        YamlNode::HugeNumber => {
            mistakes.push(values::huge(yaml));
            return None;
        }
        YamlNode::Text(text) => Value::String(text.clone()),
        YamlNode::Braces => {
            mistakes.push(unquoted::unquoted(yaml.place.clone()));
            return None;
        }
        YamlNode::List(items) => {
            let items: Vec<_> = items.iter().map(|item| literal(item, mistakes)).collect();
            Value::Array(items.into_iter().collect::<Option<_>>()?)
        }
        YamlNode::Map(entries) => {
            let items: Vec<_> = entries
                .iter()
                .map(|e| Some((e.key.name.clone(), literal(&e.value, mistakes)?)))
                .collect();
            Value::Object(items.into_iter().collect::<Option<Map<_, _>>>()?)
        }
    })
}
