//! The API's three ways to write a time, read into one.
//!
//! Duty: text with a space (or any RFC 3339), `{seconds, nanos}`, and epoch seconds as text or number.
//! Invariant: what is unset (null, empty, 0, 1970) is none, and what is no time is an error; nothing
//! panics. It must not ask what time it is.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

/// The last second of the year 9999, which databases use for "never".
const END_OF_9999: i64 = 253_402_300_799;

/// Reads a time; none when it is unset.
pub fn parse(value: &Value) -> Result<Option<Timestamp>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => of_text(text.trim()),
        Value::Number(number) => match number.as_i64() {
            Some(seconds) => of_parts(seconds, 0),
            None => Err(format!("{number} is no number of seconds")),
        },
        Value::Object(map) => {
            let part = |name: &str| match map.get(name) {
                None | Some(Value::Null) => Ok(0),
                Some(Value::Number(number)) => number
                    .as_i64()
                    .ok_or_else(|| format!("its `{name}` is {number}")),
                Some(Value::String(text)) => text
                    .parse::<i64>()
                    .map_err(|_| format!("its `{name}` is no whole number")),
                Some(other) => Err(format!("its `{name}` is {}", super::fields::kind_of(other))),
            };
            of_parts(part("seconds")?, part("nanos")?)
        }
        Value::Bool(_) | Value::Array(_) => Err(format!("it is {}", super::fields::kind_of(value))),
    }
}

/// A time for the normalised answer: RFC 3339 in UTC, or null.
pub fn to_value(time: Option<Timestamp>) -> Value {
    time.map_or(Value::Null, |time| json!(time.to_string()))
}

fn of_parts(seconds: i64, nanos: i64) -> Result<Option<Timestamp>, String> {
    let nanos = i32::try_from(nanos)
        .ok()
        .filter(|nanos| (0..1_000_000_000).contains(nanos))
        .ok_or_else(|| format!("{nanos} nanoseconds are more than a second or less than none"))?;
    if seconds == 0 {
        return Ok(None);
    }
    match Timestamp::new(seconds, nanos) {
        Ok(time) => Ok(Some(time)),
        Err(_) if (0..=END_OF_9999).contains(&seconds) => Ok(Some(Timestamp::MAX)),
        Err(_) => Err(format!("{seconds} seconds are out of range")),
    }
}

fn of_text(text: &str) -> Result<Option<Timestamp>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return of_parts(seconds, 0);
    }
    let time = match text.parse::<Timestamp>() {
        Ok(time) => time,
        Err(_) => of_civil(text)
            .ok_or_else(|| format!("`{}` cannot be read", crate::text::clean_line(text, 40)))?,
    };
    Ok(Some(time).filter(|time| time.as_second() != 0))
}

/// A time without an offset is UTC here; one in the last hours of 9999 has no time stamp of its own.
fn of_civil(text: &str) -> Option<Timestamp> {
    let civil: DateTime = text.strip_suffix(['Z', 'z']).unwrap_or(text).parse().ok()?;
    match TimeZone::UTC.to_timestamp(civil) {
        Ok(time) => Some(time),
        // Only the last hours of 9999 lie beyond; the first of -9999 are before.
        Err(_) => (civil.year() > 0).then_some(Timestamp::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_one() {
        for (value, expected) in [
            (
                json!("2026-11-24 01:05:13.066388Z"),
                "2026-11-24T01:05:13.066388Z",
            ),
            (json!("2026-11-24T01:05:13Z"), "2026-11-24T01:05:13Z"),
            (json!("2026-11-24T02:05:13+01:00"), "2026-11-24T01:05:13Z"),
            (json!("2026-11-24 01:05:13"), "2026-11-24T01:05:13Z"),
            (
                json!({"seconds": 1_795_482_313, "nanos": 66_388_000}),
                "2026-11-24T01:05:13.066388Z",
            ),
            (json!({"seconds": "1795482313"}), "2026-11-24T01:05:13Z"),
            (json!("1795482313"), "2026-11-24T01:05:13Z"),
            (json!(1_795_482_313), "2026-11-24T01:05:13Z"),
            (
                json!("9999-12-31 23:59:59.000000Z"),
                "9999-12-30T22:00:00.999999999Z",
            ),
            (json!(END_OF_9999), "9999-12-30T22:00:00.999999999Z"),
        ] {
            let got = parse(&value).map(to_value);
            assert_eq!(got, Ok(json!(expected)), "{value}");
        }
    }

    #[test]
    fn unset_is_none() {
        for value in [
            json!(null),
            json!(""),
            json!("0"),
            json!(0),
            json!({}),
            json!({"seconds": 0, "nanos": 0}),
            json!("1970-01-01 00:00:00.000000Z"),
            json!("1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(&value), Ok(None), "{value}");
        }
    }

    #[test]
    fn what_is_no_time_is_an_error() {
        for value in [
            json!(true),
            json!([]),
            json!("yesterday"),
            json!("2026-13-24 01:05:13Z"),
            json!(1.5),
            json!(u64::MAX),
            json!(1_571_083_003_000_000_i64),
            json!({"seconds": 1, "nanos": 1_000_000_000}),
            json!({"seconds": 1, "nanos": -1}),
            json!({"seconds": 1, "nanos": i64::MAX}),
            json!({"seconds": i64::MIN}),
            json!({"seconds": {}}),
        ] {
            assert!(parse(&value).is_err(), "{value}: {:?}", parse(&value));
        }
    }
}
