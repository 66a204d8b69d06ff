//! The filters that are ours.
//!
//! Each takes and gives plain values. None reads anything but its arguments.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, State, Value};
use sha2::Digest as _;

use super::environment::refuse;
use super::json;

/// Everything but letters, digits and `-._~`, as RFC 3986 calls unreserved.
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The cost of a number of bytes that were read or made, in fuel.
fn charge(state: &State<'_, '_>, bytes: usize) -> Result<(), Error> {
    state.consume_fuel(u64::try_from(bytes / 16).unwrap_or(u64::MAX))
}

/// Seconds as people write a duration.
pub(super) fn duration(seconds: &Value) -> Result<String, Error> {
    let number = number(seconds, "duration")?;
    Duration::try_from_secs_f64(number)
        .map(crate::duration::show)
        .map_err(|_| refuse(format!("`duration` cannot show `{seconds}` seconds")))
}

/// A time as seconds since 1970, so that times can be compared.
pub(super) fn time(when: &Value) -> Result<Value, Error> {
    if when.is_number() {
        return Ok(Value::from(number(when, "time")?));
    }
    let text = text(when, "time")?.trim();
    if let Ok(seconds) = text.parse::<f64>()
        && seconds.is_finite()
    {
        return Ok(Value::from(seconds));
    }
    let stamp: jiff::Timestamp = text.parse().map_err(|_| {
        let shown: String = text.chars().take(40).collect();
        refuse(format!(
            "`time` cannot read `{shown}`: write a time like `2026-11-24T18:31:20Z`, or seconds since 1970"
        ))
    })?;
    Ok(Value::from(stamp.as_duration().as_secs_f64()))
}

/// The items as one text. Each stands as it would in a template, and an undefined one is an error,
/// where the engine's own filter would write `True` and nothing at all.
pub(super) fn join(
    state: &State<'_, '_>,
    items: &Value,
    joiner: Option<&str>,
    options: Kwargs,
) -> Result<String, Error> {
    defined(items)?;
    let attribute: Option<&str> = options.get("attribute")?;
    options.assert_all_used()?;
    let mut joined = String::new();
    let characters = items.as_str().map(|text| {
        let each = text.chars().map(Value::from);
        Value::from(each.collect::<Vec<_>>())
    });
    let items = characters.as_ref().unwrap_or(items).try_iter()?;
    for (at, item) in items.checked().enumerate() {
        let item = item?;
        let item = match attribute {
            Some(name) => item.get_attr(name)?,
            None => item,
        };
        let text = json::text(&made(&item)?);
        let joiner = joiner.filter(|_| at > 0).unwrap_or_default();
        charge(state, 32 + text.len() + joiner.len())?;
        joined.push_str(joiner);
        joined.push_str(&text);
    }
    Ok(joined)
}

/// A value as it would stand in a template.
pub(super) fn string(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let text = json::text(&made(value)?);
    charge(state, text.len())?;
    Ok(text)
}

/// JSON without blanks.
pub(super) fn tojson(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let made = made(value)?;
    let text = made.to_string();
    charge(state, text.len())?;
    Ok(text)
}

/// The value that a JSON text holds.
pub(super) fn fromjson(state: &State<'_, '_>, source: &Value) -> Result<Value, Error> {
    let text = text(source, "fromjson")?;
    charge(state, text.len().saturating_mul(4))?;
    let made: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        refuse(format!(
            "`fromjson` was given text that is not JSON: {error}"
        ))
    })?;
    Ok(json::to_value(&made))
}

/// Base64 of a text.
pub(super) fn b64encode(state: &State<'_, '_>, source: &Value) -> Result<String, Error> {
    let text = text(source, "b64encode")?;
    charge(state, text.len())?;
    Ok(STANDARD.encode(text))
}

/// The text of base64.
pub(super) fn b64decode(state: &State<'_, '_>, source: &Value) -> Result<String, Error> {
    let text = text(source, "b64decode")?;
    charge(state, text.len())?;
    let bytes = STANDARD
        .decode(text.trim())
        .map_err(|_| refuse("`b64decode` was given text that is not base64"))?;
    String::from_utf8(bytes).map_err(|_| refuse("what `b64decode` found is not UTF-8 text"))
}

/// A text, or a map as a query, so that it can stand in a URL.
pub(super) fn urlencode(state: &State<'_, '_>, source: &Value) -> Result<String, Error> {
    let encoded = |value: &Value| -> Result<String, Error> {
        let text = scalar(value, "urlencode")?;
        charge(state, text.len().saturating_mul(3))?;
        Ok(percent_encoding::utf8_percent_encode(&text, UNRESERVED).to_string())
    };
    if source.kind() != ValueKind::Map {
        return encoded(source);
    }
    let mut pairs = Vec::new();
    for key in source.try_iter()? {
        let value = source.get_item(&key)?;
        pairs.push(format!("{}={}", encoded(&key)?, encoded(&value)?));
    }
    Ok(pairs.join("&"))
}

/// The SHA-256 of a text, in hexadecimal digits.
pub(super) fn sha256(state: &State<'_, '_>, source: &Value) -> Result<String, Error> {
    use std::fmt::Write as _;
    let text = text(source, "sha256")?;
    charge(state, text.len().saturating_mul(4))?;
    let mut shown = String::with_capacity(64);
    for byte in sha2::Sha256::digest(text.as_bytes()) {
        write!(shown, "{byte:02x}")?;
    }
    Ok(shown)
}

fn made(value: &Value) -> Result<serde_json::Value, Error> {
    json::from_value(value).map_err(|fault| match fault {
        json::Fault::Undefined => Error::from(minijinja::ErrorKind::UndefinedError),
        other => refuse(other.words()),
    })
}

fn text<'a>(value: &'a Value, filter: &str) -> Result<&'a str, Error> {
    defined(value)?;
    value.as_str().ok_or_else(|| {
        let kind = value.kind();
        refuse(format!("`{filter}` takes a text, and this is a {kind}"))
    })
}

fn scalar(value: &Value, filter: &str) -> Result<String, Error> {
    defined(value)?;
    match value.kind() {
        ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(json::text(&made(value)?)),
        other => Err(refuse(format!(
            "`{filter}` takes a text, number or boolean, and this is a {other}"
        ))),
    }
}

fn number(value: &Value, filter: &str) -> Result<f64, Error> {
    defined(value)?;
    if !value.is_number() {
        let kind = value.kind();
        return Err(refuse(format!(
            "`{filter}` takes a number of seconds, and this is a {kind}"
        )));
    }
    f64::try_from(value.clone())
        .ok()
        .filter(|n| n.is_finite())
        .ok_or_else(|| refuse(format!("`{filter}` cannot use the number `{value}`")))
}

/// Filters that look at a value themselves must refuse undefined themselves.
fn defined(value: &Value) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(minijinja::ErrorKind::UndefinedError));
    }
    Ok(())
}
