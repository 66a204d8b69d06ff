//! Single values: text, booleans, numbers, durations, words, names.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::super::mistakes::Mistakes;
use super::super::places::{fixed_line, with_quotes};
use super::super::tree::{Yaml, YamlNode};
use super::super::{codes, unquoted};
use super::fields::{plain, wrong_shape};
use super::habits;
use crate::diagnostic::{Diagnostic, Place};
use crate::template::Key;
use crate::{duration, text};

/// Text; never a number or boolean that only looks like it.
pub(crate) fn text<'y>(yaml: &'y Yaml, what: &str, mistakes: &mut Mistakes) -> Option<&'y str> {
    match &yaml.node {
        YamlNode::Text(text) => return Some(text),
        YamlNode::Bool(_) | YamlNode::Number(_) | YamlNode::HugeNumber => {
            mistakes.push(not_text(yaml, what));
        }
        YamlNode::Null | YamlNode::Braces | YamlNode::List(_) | YamlNode::Map(_) => {
            wrong_shape(yaml, what, "text", mistakes);
        }
    }
    None
}

/// A number or boolean where text is wanted.
pub(super) fn not_text(yaml: &Yaml, what: &str) -> Diagnostic {
    let written = yaml.written();
    let quoted = format!("\"{written}\"");
    Diagnostic::error(
        codes::NOT_TEXT,
        yaml.place.clone(),
        format!(
            "{what} must be text, and `{}` is {}",
            text::clean_line(written, 40),
            yaml.kind()
        ),
    )
    .hint(format!("quote it: `{}`", fixed_line(&yaml.place, &quoted)))
    .fix(quoted)
}

/// `true` or `false`.
pub(crate) fn boolean(yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<bool> {
    match &yaml.node {
        YamlNode::Bool(value) => return Some(*value),
        YamlNode::Text(text) => mistakes.push(not_boolean(yaml, text, what)),
        YamlNode::Null
        | YamlNode::Number(_)
        | YamlNode::HugeNumber
        | YamlNode::Braces
        | YamlNode::List(_)
        | YamlNode::Map(_) => wrong_shape(yaml, what, "`true` or `false`", mistakes),
    }
    None
}

/// Text where a boolean is wanted; YAML 1.1 had more words for them.
pub(super) fn not_boolean(yaml: &Yaml, text: &str, what: &str) -> Diagnostic {
    let meant = match text.to_lowercase().as_str() {
        "yes" | "on" | "y" | "true" => Some("true"),
        "no" | "off" | "n" | "false" => Some("false"),
        _ => None,
    };
    let whole = with_quotes(&yaml.place);
    let diagnostic = Diagnostic::error(
        codes::NOT_BOOLEAN,
        whole.clone(),
        format!(
            "{what} must be `true` or `false`, and `{}` is text",
            text::clean_line(text, 40)
        ),
    );
    match meant {
        Some(word) => diagnostic
            .hint(format!("write `{}`", fixed_line(&whole, word)))
            .fix(word),
        None => diagnostic,
    }
}

/// A whole number in a range.
pub(crate) fn integer(
    yaml: &Yaml,
    range: RangeInclusive<u64>,
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<u64> {
    let wanted = format!("a whole number from {} to {}", range.start(), range.end());
    match &yaml.node {
        YamlNode::Number(number) if number.as_u64().is_some_and(|n| range.contains(&n)) => {
            return number.as_u64();
        }
        _ => mistakes.push(not_number(yaml, &wanted, what)?),
    }
    None
}

/// A number in a range.
pub(super) fn number(
    yaml: &Yaml,
    range: RangeInclusive<f64>,
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<f64> {
    let wanted = format!("a number from {} to {}", range.start(), range.end());
    match &yaml.node {
        YamlNode::Number(number) if number.as_f64().is_some_and(|n| range.contains(&n)) => {
            return number.as_f64();
        }
        _ => mistakes.push(not_number(yaml, &wanted, what)?),
    }
    None
}

/// Anything but the number that is wanted.
pub(super) fn not_number(yaml: &Yaml, wanted: &str, what: &str) -> Option<Diagnostic> {
    if let YamlNode::Braces = yaml.node {
        return Some(unquoted::unquoted(yaml.place.clone()));
    }
    let whole = with_quotes(&yaml.place);
    let written = text::clean_line(yaml.written(), 40);
    let message = match yaml.node {
        YamlNode::Number(_) => format!("{what} must be {wanted}, and `{written}` is not"),
        YamlNode::HugeNumber => format!("{what} must be {wanted}, and `{written}` is too large"),
        YamlNode::Null
        | YamlNode::Bool(_)
        | YamlNode::Text(_)
        | YamlNode::Braces
        | YamlNode::List(_)
        | YamlNode::Map(_) => format!("{what} must be {wanted}, and this is {}", yaml.kind()),
    };
    let diagnostic = Diagnostic::error(codes::NOT_NUMBER, whole.clone(), message);
    Some(match &yaml.node {
        YamlNode::Text(text) => match meant_number(text) {
            Some(number) => diagnostic
                .hint(format!("write `{}`", fixed_line(&whole, &number)))
                .fix(number),
            None => diagnostic,
        },
        _ => diagnostic,
    })
}

/// The number that a text looks like: without quotes, leading zeros and underscores.
fn meant_number(text: &str) -> Option<String> {
    let plain = text.trim().replace('_', "");
    let short = plain.trim_start_matches('0');
    let number = match short.bytes().next() {
        Some(first) if first.is_ascii_digit() => short,
        _ => plain.as_str(),
    };
    let parsed: f64 = number.parse().ok()?;
    parsed.is_finite().then(|| number.to_owned())
}

/// A duration with its unit.
pub(crate) fn duration(yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<Duration> {
    if let YamlNode::Text(text) = &yaml.node {
        match duration::parse(text) {
            Ok(found) => return Some(found),
            Err(error) => mistakes.push(no_duration(yaml, text, &error, what)),
        }
        return None;
    }
    not_duration(yaml, what, mistakes);
    None
}

/// Text that is no duration where one is wanted.
pub(super) fn no_duration(
    yaml: &Yaml,
    text: &str,
    error: &duration::DurationError,
    what: &str,
) -> Diagnostic {
    let message = match error {
        duration::DurationError::BareNumber(number) => format!(
            "{what} must be a duration, and `{}` has no unit",
            text::clean_line(number, 40)
        ),
        other => format!("{what}: {other}"),
    };
    let diagnostic = Diagnostic::error(codes::NOT_DURATION, yaml.place.clone(), message);
    match (duration::meant(text), error) {
        (Some(meant), duration::DurationError::BareNumber(_)) => diagnostic
            .hint(format!(
                "for seconds write `{}`; the units are `d`, `h`, `m`, `s` and `ms`",
                fixed_line(&yaml.place, &meant)
            ))
            .fix(meant),
        (Some(meant), _) => diagnostic
            .hint(format!("write `{}`", fixed_line(&yaml.place, &meant)))
            .fix(meant),
        (None, duration::DurationError::Negative) => diagnostic.hint("remove the `-`"),
        (None, _) => diagnostic.hint("the units are `d`, `h`, `m`, `s` and `ms`"),
    }
}

/// A bare number as so many seconds; parts of one as milliseconds.
fn with_unit(written: &str) -> Option<String> {
    if let Some(whole) = duration::meant(written) {
        return Some(whole);
    }
    let seconds: f64 = written.parse().ok()?;
    let ms = (seconds * 1_000.0).round();
    let text = format!("{ms}ms");
    (ms > 0.0 && duration::parse(&text).is_ok()).then_some(text)
}

/// Something that is no text where a duration is wanted.
pub(super) fn not_duration(yaml: &Yaml, what: &str, mistakes: &mut Mistakes) {
    match &yaml.node {
        YamlNode::Number(_) | YamlNode::HugeNumber => {
            let written = yaml.written();
            let shown = text::clean_line(written, 40);
            let message = format!("{what} must be a duration, and `{shown}` has no unit");
            let diagnostic = Diagnostic::error(codes::NOT_DURATION, yaml.place.clone(), message);
            mistakes.push(match with_unit(written) {
                Some(fixed) => diagnostic
                    .hint(format!(
                        "for seconds write `{}`; the units are `d`, `h`, `m`, `s` and `ms`",
                        fixed_line(&yaml.place, &fixed)
                    ))
                    .fix(fixed),
                None => diagnostic.hint("the units are `d`, `h`, `m`, `s` and `ms`"),
            });
        }
        YamlNode::Null
        | YamlNode::Bool(_)
        | YamlNode::Text(_)
        | YamlNode::Braces
        | YamlNode::List(_)
        | YamlNode::Map(_) => wrong_shape(yaml, what, "a duration like `15m`", mistakes),
    }
}

/// One of some words.
pub(super) fn word<T: Copy>(
    yaml: &Yaml,
    words: &[(T, &'static str)],
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<T> {
    let text = text(yaml, what, mistakes)?;
    let found = words.iter().find(|(_, word)| *word == text);
    if found.is_none() {
        let names: Vec<&str> = words.iter().map(|(_, word)| *word).collect();
        mistakes.push(wrong_word(yaml, text, &names, what));
    }
    found.map(|(value, _)| *value)
}

/// A word that is none of those that are possible.
pub(crate) fn wrong_word(yaml: &Yaml, text: &str, words: &[&str], what: &str) -> Diagnostic {
    let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let diagnostic = Diagnostic::error(
        codes::WRONG_WORD,
        yaml.place.clone(),
        format!(
            "{what} must be {}, and this is `{}`",
            one_of(&listed),
            text::clean_line(text, 40)
        ),
    );
    if let Some(ours) = habits::called(text, words) {
        return diagnostic
            .hint(format!("it is called `{ours}` here"))
            .fix(ours);
    }
    match crate::diagnostic::nearest(text, words.iter().copied()) {
        Some(near) => diagnostic.nearest(text, [near]).fix(near),
        None => diagnostic,
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn one_of(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Whether a text has the form of names: `[a-z][a-z0-9_]*`.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.len() <= NAME_BYTES_MAX
}

/// Names stand in every report and file name.
const NAME_BYTES_MAX: usize = 100;

/// A key that is a name.
pub(super) fn name(key: &Key, what: &str, mistakes: &mut Mistakes) -> bool {
    if is_name(&key.name) {
        return true;
    }
    if key.name.is_empty() && !key.place.span.is_empty() {
        // It is no text at all, and that was told.
        return false;
    }
    mistakes.push(bad_name(&key.name, key.place.clone(), what));
    false
}

fn bad_name(written: &str, place: Place, what: &str) -> Diagnostic {
    let shown = text::clean_line(written, 60);
    let diagnostic = Diagnostic::error(
        codes::BAD_NAME,
        place,
        format!("`{shown}` is not a name for {what}"),
    );
    let mut proposed = String::new();
    for c in plain(written).chars() {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_lowercase() || c.is_ascii_digit() => proposed.push(c),
            '-' | '_' | ' ' | '.' | '/' if !proposed.ends_with('_') => proposed.push('_'),
            _ => {}
        }
    }
    let proposed = proposed.trim_matches('_');
    if is_name(proposed) {
        diagnostic
            .hint(format!(
                "names are small letters, digits and `_`: write `{proposed}`"
            ))
            .fix(proposed)
    } else {
        diagnostic.hint("names begin with a small letter; then come small letters, digits and `_`")
    }
}
