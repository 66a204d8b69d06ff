//! Whether a value fits the declaration of an input. Used for defaults when a playbook is read, and
//! for given values when inputs are bound.
//!
//! The value of a secret never stands in a message.

use serde_json::{Number, Value};

use super::model::{Input, InputType};
use crate::secret::SECRET_CHARACTERS_MIN;
use crate::{duration, text};

/// Why a value does not fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Misfit {
    /// It is of another type, or none of those that are possible: the words after `must be`.
    Wrong(String),
    /// A secret that is too short.
    ShortSecret,
}

impl Misfit {
    /// The message, with the name of the input.
    pub fn message(&self, name: &str) -> String {
        match self {
            Self::Wrong(why) => format!("input `{name}` {why}"),
            Self::ShortSecret => format!(
                "input `{name}` is a secret and must have at least {SECRET_CHARACTERS_MIN} characters"
            ),
        }
    }
}

/// The value as expressions see it (durations as seconds), or why it does not fit.
pub fn check(input: &Input, value: &Value) -> Result<Value, Misfit> {
    if let Some(allowed) = &input.allowed
        && !allowed.contains(value)
    {
        if input.secret {
            let why = "must be one of the values that its declaration lists";
            return Err(Misfit::Wrong(why.to_owned()));
        }
        let words: Vec<String> = allowed.iter().map(|v| format!("`{}`", plain(v))).collect();
        return Err(Misfit::Wrong(format!(
            "must be {}{}",
            words.join(" or "),
            shown(input, value)
        )));
    }
    let seen = typed(input, input.ty, value)?;
    match &seen {
        Value::String(text) => whole_text(input, text)?,
        Value::Array(items) => {
            if let Some(ty) = input.items {
                let items: Result<Vec<Value>, Misfit> = items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| {
                        typed(input, ty, item).map_err(|misfit| match misfit {
                            Misfit::Wrong(why) => Misfit::Wrong(format!("item {} {why}", at + 1)),
                            Misfit::ShortSecret => Misfit::ShortSecret,
                        })
                    })
                    .collect();
                return items.map(Value::Array);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {}
    }
    Ok(seen)
}

/// A value that was computed, in which a duration is a number of seconds already.
pub fn check_computed(input: &Input, value: &Value) -> Result<Value, Misfit> {
    let duration = |ty: Option<InputType>| ty == Some(InputType::Duration);
    if duration(Some(input.ty)) && is_seconds(value) {
        let possible = input.allowed.iter().flatten();
        let mut seconds = possible.map(|allowed| typed(input, InputType::Duration, allowed));
        let fits = input.allowed.is_none() || seconds.any(|allowed| allowed.as_ref() == Ok(value));
        return if fits {
            Ok(value.clone())
        } else {
            // The message names the values that are possible.
            check(input, value)
        };
    }
    if let (true, Value::Array(items)) = (duration(input.items), value)
        && input.allowed.is_none()
        && items.iter().all(is_seconds)
    {
        return Ok(value.clone());
    }
    check(input, value)
}

fn is_seconds(value: &Value) -> bool {
    value.as_f64().is_some_and(|seconds| seconds >= 0.0)
}

/// A text from the command line or the environment, read by the declared type.
pub fn parse(input: &Input, given: &str) -> Result<Value, Misfit> {
    let wrong = |wanted: &str| {
        let shown = shown(input, &Value::String(given.to_owned()));
        Misfit::Wrong(format!("must be {wanted}{shown}"))
    };
    let json = |fits: fn(&Value) -> bool| serde_json::from_str::<Value>(given).ok().filter(fits);
    let value = match input.ty {
        InputType::String | InputType::Duration => Value::String(given.to_owned()),
        InputType::Integer | InputType::Number => {
            json(Value::is_number).ok_or_else(|| wrong(word(input.ty)))?
        }
        InputType::Boolean => json(Value::is_boolean).ok_or_else(|| wrong("`true` or `false`"))?,
        InputType::List => {
            json(Value::is_array).ok_or_else(|| wrong("a list in JSON, like `[\"a\", \"b\"]`"))?
        }
        InputType::Object => {
            json(Value::is_object).ok_or_else(|| wrong("a map in JSON, like `{\"a\": 1}`"))?
        }
    };
    check(input, &value)
}

fn typed(input: &Input, ty: InputType, value: &Value) -> Result<Value, Misfit> {
    let fits = match (ty, value) {
        (InputType::Duration, Value::String(text)) => return seconds(input, text),
        (InputType::Integer, Value::Number(number)) => number.is_i64() || number.is_u64(),
        (InputType::String, Value::String(_))
        | (InputType::Number, Value::Number(_))
        | (InputType::Boolean, Value::Bool(_))
        | (InputType::List, Value::Array(_))
        | (InputType::Object, Value::Object(_)) => true,
        _ => false,
    };
    if fits {
        return Ok(value.clone());
    }
    let shown = match value {
        // Without this word `"5"` would look like the number that is wanted.
        Value::String(text) if !input.secret => {
            format!(", and `{}` is text", text::clean_line(text, 60))
        }
        _ => shown(input, value),
    };
    Err(Misfit::Wrong(format!("must be {}{shown}", word(ty))))
}

fn seconds(input: &Input, text: &str) -> Result<Value, Misfit> {
    let duration = duration::parse(text).map_err(|error| {
        Misfit::Wrong(if input.secret {
            "must be a duration".to_owned()
        } else {
            format!("must be a duration: {error}")
        })
    })?;
    let whole = duration.subsec_nanos() == 0;
    let number = if whole {
        Some(Number::from(duration.as_secs()))
    } else {
        Number::from_f64(duration.as_secs_f64())
    };
    Ok(number.map_or(Value::Null, Value::Number))
}

fn whole_text(input: &Input, text: &str) -> Result<(), Misfit> {
    if input.secret && text.chars().count() < SECRET_CHARACTERS_MIN {
        return Err(Misfit::ShortSecret);
    }
    let Some(pattern) = &input.pattern else {
        return Ok(());
    };
    // The pattern was compiled when the playbook was read.
    if regex(pattern).is_ok_and(|regex| regex.is_match(text)) {
        return Ok(());
    }
    Err(Misfit::Wrong(format!(
        "must match `{pattern}`{}",
        shown(input, &Value::String(text.to_owned()))
    )))
}

/// The regular expression that a whole text must match.
pub(crate) fn regex(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(1 << 20)
        .build()
}

/// `, and this is …`; nothing of a secret.
fn shown(input: &Input, value: &Value) -> String {
    if input.secret {
        return String::new();
    }
    format!(", and this is `{}`", text::clean_line(&plain(value), 60))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A type in words.
pub(crate) fn word(ty: InputType) -> &'static str {
    match ty {
        InputType::String => "text",
        InputType::Integer => "a whole number",
        InputType::Number => "a number",
        InputType::Boolean => "`true` or `false`",
        InputType::Duration => "a duration like `15m`",
        InputType::List => "a list",
        InputType::Object => "a map",
    }
}
