//! The parameters of a step after its templates were filled in, checked against the catalog.
//!
//! What the file alone shows was checked at load; what comes out of templates is checked here, before
//! anything is sent.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::call::Since;
use crate::catalog::{Action, Shape, Type};
use crate::event::{Failure, FailureKind};
use crate::ids::Id;
use crate::template::{Scope, Tree};
use crate::{duration, size, text};

/// Resolved parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Params(pub(super) Map<String, Value>);

impl Params {
    /// Fills the templates in and checks the types. All mistakes are in the one failure.
    pub(super) fn resolve(
        action: &Action,
        given: &IndexMap<String, Tree>,
        scope: &Scope,
    ) -> Result<Self, Failure> {
        let mut values = Map::new();
        let mut mistakes = Vec::new();
        for (name, tree) in given {
            match tree.render(scope) {
                Err(error) => {
                    let mut failure = Failure::new(FailureKind::Template, error.to_string());
                    failure.hint = error.error.hint;
                    return Err(failure);
                }
                Ok(None) => {}
                Ok(Some(value)) => {
                    let param = action.params.iter().find(|p| p.name == name);
                    let mistake = match param {
                        Some(param) => mismatch(param.ty, &value),
                        None => None,
                    };
                    match mistake {
                        Some(mistake) => {
                            mistakes.push(format!("{}: `{name}` {mistake}", tree.place));
                        }
                        None => {
                            values.insert(name.clone(), value);
                        }
                    }
                }
            }
        }
        if action.shape != Shape::Names {
            for param in action.params.iter().filter(|p| p.required) {
                if given.contains_key(param.name)
                    && !values.contains_key(param.name)
                    && mistakes.is_empty()
                {
                    mistakes.push(format!(
                        "`{}` is required, but came out as none",
                        param.name
                    ));
                }
            }
        }
        if mistakes.is_empty() {
            Ok(Self(values))
        } else {
            Err(Failure::new(FailureKind::Parameter, mistakes.join("; ")))
        }
    }

    /// A text; empty when it is not there.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text that may be missing.
    pub(super) fn optional(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// `true` or `false`, with what holds when it is not given.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    /// A duration: text with its unit, or a number of seconds that an expression gave.
    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        self.0.get(name).and_then(read_duration)
    }

    /// A moment in the past: a time, or a duration that counts back from now.
    pub(super) fn since(&self, name: &str) -> Option<Since> {
        let value = self.0.get(name)?;
        if let Some(at) = value.as_str().and_then(|text| text.parse().ok()) {
            return Some(Since::At(at));
        }
        let ago = read_duration(value)?;
        Some(Since::AgoMs(
            u64::try_from(ago.as_millis()).unwrap_or(u64::MAX),
        ))
    }

    /// A map of texts.
    pub(super) fn texts(&self, name: &str) -> IndexMap<String, String> {
        let map = self.0.get(name).and_then(Value::as_object);
        map.into_iter()
            .flatten()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect()
    }
}

/// A duration as a template can give it.
pub(super) fn read_duration(value: &Value) -> Option<Duration> {
    match value {
        Value::String(text) => duration::parse(text).ok(),
        Value::Number(seconds) => Duration::try_from_secs_f64(seconds.as_f64()?).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What is wrong with a value of a type, as the end of a sentence that begins with its name.
fn mismatch(ty: Type, value: &Value) -> Option<String> {
    let shown = || text::clean_line(&value.to_string(), 60);
    match (ty, value) {
        (Type::Any | Type::Expressions, _) => None,
        (Type::Text, Value::String(_)) => None,
        (Type::Text, Value::Number(_) | Value::Bool(_)) => Some(format!(
            "must be text, but is {}: write it in quotes or use `| string`",
            shown()
        )),
        (Type::Id, Value::String(id)) => Id::parse(id).err().map(|e| format!("is no id: {e}")),
        (Type::IdOrName, Value::String(name)) if is_name(name) => None,
        (Type::IdOrName, Value::String(_)) => {
            Some(format!("is neither an id nor a name: {}", shown()))
        }
        (Type::Integer, Value::Number(n)) if n.is_u64() || n.is_i64() => None,
        (Type::Number, Value::Number(_)) | (Type::Boolean, Value::Bool(_)) => None,
        (Type::Duration, Value::String(text)) => duration::parse(text)
            .err()
            .map(|e| format!("is no duration: {e}")),
        (Type::Duration, Value::Number(_)) if read_duration(value).is_some() => None,
        (Type::Since, Value::Number(_)) if read_duration(value).is_some() => None,
        (Type::Since, Value::String(text)) => {
            let fits = duration::parse(text).is_ok() || text.parse::<jiff::Timestamp>().is_ok();
            (!fits).then(|| format!("is neither a duration nor a time: {}", shown()))
        }
        (Type::Size, Value::String(text)) => {
            size::parse(text).err().map(|e| format!("is no size: {e}"))
        }
        (Type::OneOf(words), Value::String(word)) if words.contains(&word.as_str()) => None,
        (Type::OneOf(words), _) => Some(format!(
            "must be one of `{}`, but is {}",
            words.join("`, `"),
            shown()
        )),
        (Type::List(item), Value::Array(items)) => {
            items.iter().find_map(|value| mismatch(*item, value))
        }
        (Type::Map(item), Value::Object(map)) => map.iter().find_map(|(key, value)| {
            mismatch(*item, value).map(|m| format!("at `{}` {m}", text::clean_line(key, 60)))
        }),
        (ty, _) => Some(format!("must be {}, but is {}", words(ty), shown())),
    }
}

/// A name that may go into a path: not empty, without control characters and slashes.
fn is_name(name: &str) -> bool {
    !name.trim().is_empty()
        && name.len() <= 200
        && !matches!(name, "." | "..")
        && !name
            .chars()
            .any(|c| c.is_control() || c == '/' || c == '\\')
}

fn words(ty: Type) -> &'static str {
    match ty {
        Type::Text => "text",
        Type::Id => "an id",
        Type::IdOrName => "an id or a name",
        Type::Integer => "a whole number",
        Type::Number => "a number",
        Type::Boolean => "`true` or `false`",
        Type::Duration => "a duration",
        Type::Since => "a duration or a time",
        Type::Size => "a size",
        Type::OneOf(_) => "one of some words",
        Type::List(_) => "a list",
        Type::Map(_) => "a map",
        Type::Expressions => "expressions",
        Type::Any => "a value",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_checked_against_the_catalog() {
        let cases = [
            (Type::Text, json!("x"), true),
            (Type::Text, json!(1), false),
            (
                Type::Id,
                json!("6cf4569c-f76c-4dea-b293-3e4282ba1153"),
                true,
            ),
            (Type::Id, json!(""), false),
            (Type::IdOrName, json!("web"), true),
            (Type::IdOrName, json!("../x"), false),
            (Type::Duration, json!("5m"), true),
            (Type::Duration, json!(5), true),
            (Type::Duration, json!("5"), false),
            (Type::Since, json!("2h"), true),
            (Type::Since, json!(7200), true),
            (Type::Since, json!("2026-11-24T08:00:00Z"), true),
            (Type::Since, json!("yesterday"), false),
            (Type::OneOf(&["failed", "all"]), json!("some"), false),
            (Type::Map(&Type::Text), json!({"A": "1"}), true),
            (Type::Map(&Type::Text), json!({"A": 1}), false),
            (Type::Boolean, json!("true"), false),
        ];
        for (ty, value, fits) in cases {
            assert_eq!(mismatch(ty, &value).is_none(), fits, "{ty:?} {value}");
        }
    }
}
