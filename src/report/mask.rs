//! The last gate of everything that leaves as JSON: secrets masked, nothing that drives a terminal.
//!
//! The words of our own shapes and their numbers stay as they are, so that a masked report still fits
//! its schema; free values (inputs, outputs) are masked whole, names and numbers too.

use std::io;

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter, PrettyFormatter, Serializer};

use crate::secret::Redactor;

/// Under these names stand values of the user's own making.
const FREE: [&str; 2] = ["inputs", "outputs"];
/// Under these names stand maps whose keys are not ours.
const NAMED: [&str; 2] = ["steps", "by_endpoint"];

/// A document of ours as a value, with every secret masked.
pub fn masked(document: &impl Serialize, redactor: &Redactor) -> Value {
    let value = serde_json::to_value(document).unwrap_or(Value::Null);
    if redactor.is_empty() {
        return value;
    }
    mask(value, redactor)
}

fn mask(value: Value, redactor: &Redactor) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.text(&text)),
        Value::Array(items) => items.into_iter().map(|item| mask(item, redactor)).collect(),
        Value::Object(map) => map
            .into_iter()
            .map(|(name, item)| {
                let item = match &item {
                    _ if FREE.contains(&name.as_str()) => redactor.value(&item),
                    Value::Object(named) if NAMED.contains(&name.as_str()) => named
                        .iter()
                        .map(|(key, item)| (redactor.text(key), mask(item.clone(), redactor)))
                        .collect(),
                    _ => mask(item, redactor),
                };
                (name, item)
            })
            .collect(),
        other @ (Value::Number(_) | Value::Bool(_) | Value::Null) => other,
    }
}

/// On several lines, for files and people; ends with a newline.
pub fn json_pretty(value: &Value) -> String {
    let mut text = write(value, Harmless(PrettyFormatter::new()));
    text.push('\n');
    text
}

/// On one line; ends with a newline.
pub fn json_line(value: &Value) -> String {
    let mut text = write(value, Harmless(CompactFormatter));
    text.push('\n');
    text
}

fn write<F: Formatter>(value: &Value, formatter: F) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, formatter);
    // Writing a `Value` to memory cannot fail; an empty text would be seen by every reader.
    if value.serialize(&mut serializer).is_err() {
        return String::new();
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes what may drive a terminal as `\uXXXX`: the same JSON, and safe to look at.
struct Harmless<F>(F);

fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

impl<F: Formatter> Formatter for Harmless<F> {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(is_harmful) {
            let (before, from) = rest.split_at(at);
            writer.write_all(before.as_bytes())?;
            let mut chars = from.chars();
            if let Some(c) = chars.next() {
                let mut units = [0_u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = chars.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_drives_a_terminal_is_escaped_and_comes_back() {
        let value = json!({"a": "x\u{9b}31m\u{202e}y\u{7f}\u{1b}[0m\u{feff}"});
        for text in [json_line(&value), json_pretty(&value)] {
            assert!(text.chars().all(|c| c == '\n' || !is_harmful(c)), "{text}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn our_own_numbers_stay_and_free_ones_are_masked() {
        let redactor = Redactor::new();
        redactor.learn("123456");
        let document = json!({
            "duration_ms": 123456,
            "message": "pin 123456",
            "outputs": {"pin": 123456, "123456": true},
            "steps": {"123456": {"why": null}},
        });
        assert_eq!(
            masked(&document, &redactor),
            json!({
                "duration_ms": 123456,
                "message": "pin ***",
                "outputs": {"pin": "***", "***": true},
                "steps": {"***": {"why": null}},
            })
        );
    }
}
