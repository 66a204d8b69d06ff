//! When a value is as it is wanted, and how values look in messages. Pure.

use serde_json::Value;

use crate::event::Failure;
use crate::simulator::fits;
use crate::text::clean_line;

/// Longer values are cut in messages.
const VALUE_CHARACTERS_MAX: usize = 300;

/// Whether a value is as it is wanted: texts may hold `*`, maps may hold more.
pub(super) fn like(wanted: &Value, got: &Value) -> bool {
    match (wanted, got) {
        (Value::String(wanted), Value::String(got)) => wanted == got || fits(wanted, got),
        (Value::Object(wanted), Value::Object(got)) => wanted
            .iter()
            .all(|(key, value)| got.get(key).is_some_and(|got| like(value, got))),
        (Value::Array(wanted), Value::Array(got)) => {
            wanted.len() == got.len() && wanted.iter().zip(got).all(|(w, g)| like(w, g))
        }
        (Value::Number(wanted), Value::Number(got)) => wanted.as_f64() == got.as_f64(),
        (wanted, got) => wanted == got,
    }
}

/// Whether a text holds a part, or fits it as a pattern.
pub(super) fn holds(text: Option<&str>, part: &str) -> bool {
    text.is_some_and(|text| text.contains(part) || (part.contains('*') && fits(part, text)))
}

/// Foreign words on one line.
pub(super) fn words(text: &str) -> String {
    clean_line(text, VALUE_CHARACTERS_MAX)
}

/// A word of ours.
pub(super) fn tick(word: &str) -> String {
    format!("`{word}`")
}

/// What is wanted of a text.
pub(super) fn has(text: &str) -> String {
    format!("something with \"{}\"", words(text))
}

/// A text that is there, or not.
pub(super) fn quoted(text: Option<&str>) -> String {
    text.map_or_else(
        || "there is none".to_owned(),
        |text| format!("\"{}\"", words(text)),
    )
}

/// A value on one line.
pub(super) fn json(value: &Value) -> String {
    words(&value.to_string())
}

/// An error on one line.
pub(super) fn shown(failure: &Failure) -> String {
    let status = failure
        .status
        .map_or_else(String::new, |status| format!(", status {status}"));
    format!("`{}`: {}{status}", failure.kind, words(&failure.message))
}

/// How often.
pub(super) fn times(number: u64) -> String {
    match number {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        n => format!("{n} times"),
    }
}
