//! Durations with units, as people write them: `30s`, `15m`, `1h30m`, `2d`, `500ms`.
//!
//! A bare number is refused, for nobody can see whether it means seconds or minutes.

use std::time::Duration;

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number without its unit.
    #[error("a duration needs a unit: write `{0}s` for seconds or `{0}m` for minutes")]
    BareNumber(String),
    /// Below zero.
    #[error("a duration cannot be negative")]
    Negative,
    /// Over 10 years.
    #[error("a duration of more than ten years is not sensible")]
    TooLong,
    /// Not of the form at all.
    #[error("`{0}` is not a duration: write it like `30s`, `15m`, `1h30m` or `2d`")]
    Malformed(String),
}

const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
const LONGEST_MS: u64 = 10 * 366 * 86_400_000;

/// Reads a duration; the units stand from the largest to the smallest, each at most once.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    if trimmed.starts_with('-') {
        return Err(DurationError::Negative);
    }
    if !trimmed.is_empty() && trimmed.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(DurationError::BareNumber(trimmed.to_owned()));
    }
    let malformed = || DurationError::Malformed(trimmed.chars().take(40).collect());
    let mut rest = trimmed;
    let mut total: u64 = 0;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, tail) = rest.split_at(digits);
        let letters = tail.len()
            - tail
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .len();
        let (unit, tail) = tail.split_at(letters);
        let at = UNITS
            .iter()
            .position(|(name, _)| *name == unit)
            .ok_or_else(malformed)?;
        if at < next_unit {
            return Err(malformed());
        }
        next_unit = at + 1;
        let number: u64 = match number.parse() {
            Ok(n) => n,
            Err(_) if number.is_empty() => return Err(malformed()),
            Err(_) => return Err(DurationError::TooLong),
        };
        let factor = UNITS.get(at).map_or(1, |(_, ms)| *ms);
        total = number
            .checked_mul(factor)
            .and_then(|ms| total.checked_add(ms))
            .filter(|ms| *ms <= LONGEST_MS)
            .ok_or(DurationError::TooLong)?;
        rest = tail.trim_start();
    }
    if next_unit == 0 {
        return Err(malformed());
    }
    Ok(Duration::from_millis(total))
}

/// What a person most likely meant by a text that is no duration: `5 minutes` is `5m`, `90` is `90s`.
pub fn meant(text: &str) -> Option<String> {
    const WORDS: [(&str, &[&str]); 5] = [
        ("d", &["d", "day", "days"]),
        ("h", &["h", "hr", "hrs", "hour", "hours"]),
        ("m", &["m", "min", "mins", "minute", "minutes"]),
        ("s", &["", "s", "sec", "secs", "second", "seconds"]),
        ("ms", &["ms", "msec", "millis", "milliseconds"]),
    ];
    let text = text.trim().to_ascii_lowercase();
    let digits = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: u64 = text.get(..text.len() - digits.len())?.parse().ok()?;
    let word = digits.trim();
    let (unit, _) = WORDS.iter().find(|(_, words)| words.contains(&word))?;
    let meant = format!("{number}{unit}");
    parse(&meant).is_ok().then_some(meant)
}

/// A duration for people: at most two units, `0s` when it is shorter than a millisecond.
pub fn show(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (d, h, m) = (ms / 86_400_000, ms / 3_600_000 % 24, ms / 60_000 % 60);
    let (s, milli) = (ms / 1_000 % 60, ms % 1_000);
    let pair = |a: u64, ua: &str, b: u64, ub: &str| {
        if b == 0 {
            format!("{a}{ua}")
        } else {
            format!("{a}{ua}{b}{ub}")
        }
    };
    match (d, h, m, s) {
        (0, 0, 0, 0) if milli == 0 => "0s".to_owned(),
        (0, 0, 0, 0) => format!("{milli}ms"),
        (0, 0, 0, s) if s < 10 && milli >= 100 => format!("{s}.{}s", milli / 100),
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => pair(m, "m", s, "s"),
        (0, h, m, _) => pair(h, "h", m, "m"),
        (d, h, _, _) => pair(d, "d", h, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_guessed_when_it_is_plain() {
        let meant = |text| super::meant(text);
        assert_eq!(meant("5 minutes").as_deref(), Some("5m"));
        assert_eq!(meant("010").as_deref(), Some("10s"));
        assert_eq!(meant("2 Hours").as_deref(), Some("2h"));
        assert_eq!(meant("soon"), None);
        assert_eq!(meant("5 fortnights"), None);
    }

    #[test]
    fn durations_carry_their_units() {
        let ms = |t: &str| parse(t).map(|d| d.as_millis());
        assert_eq!(ms("30s"), Ok(30_000));
        assert_eq!(ms("1h30m"), Ok(5_400_000));
        assert_eq!(ms("2d"), Ok(172_800_000));
        assert_eq!(ms("500ms"), Ok(500));
        assert_eq!(ms("10"), Err(DurationError::BareNumber("10".into())));
        assert_eq!(ms("-5m"), Err(DurationError::Negative));
        assert_eq!(ms("30m1h"), Err(DurationError::Malformed("30m1h".into())));
        assert_eq!(ms("1M"), Err(DurationError::Malformed("1M".into())));
        assert_eq!(ms("99999999999999999999d"), Err(DurationError::TooLong));
        assert_eq!(ms(""), Err(DurationError::Malformed(String::new())));
    }

    #[test]
    fn durations_are_shown_short() {
        let shown = |ms| show(Duration::from_millis(ms));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(420), "420ms");
        assert_eq!(shown(4_200), "4.2s");
        assert_eq!(shown(252_000), "4m12s");
        assert_eq!(shown(5_400_000), "1h30m");
        assert_eq!(shown(180_000_000), "2d2h");
    }
}
