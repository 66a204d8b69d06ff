//! A line of a log without what differs from one time to the next.
//!
//! Times, ids, durations, sizes, numbers and the made-up part of temporary paths each become one sign, so
//! that the same line of another run is the same text. One pass over the characters, then a few over the words.

use crate::text::{clean_line, cut};

/// What stands for anything that counts or names one time.
const SIGN: &str = "#";
/// A longer line is cut before anything else.
const LINE_CHARACTERS_MAX: usize = 2_000;
/// What is left of a line is cut to this.
const NORMAL_CHARACTERS_MAX: usize = 200;
/// A word of hexadecimal digits is an id from this length on, when a digit is among them.
const HEX_ID_MIN: usize = 7;
/// A longer word of letters and digits is an id.
const RANDOM_ID_MIN: usize = 20;
/// The folders below which names are made up, and how many names of each path are.
const TEMPORARY: [(&str, usize); 5] = [
    ("/private/var/folders/", 4),
    ("/var/folders/", 4),
    ("/private/tmp/", 1),
    ("/var/tmp/", 1),
    ("/tmp/", 1),
];
const UNITS: [&str; 34] = [
    "ns",
    "us",
    "µs",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "sec",
    "secs",
    "second",
    "seconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
    "b",
    "kb",
    "mb",
    "gb",
    "kib",
    "mib",
    "gib",
    "k",
    "byte",
    "bytes",
    "kbyte",
    "msec",
    "millis",
    "milliseconds",
];
/// Words that belong to a time when they stand beside a number.
const CALENDAR: [&str; 27] = [
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "AM", "PM", "am", "pm", "UTC", "GMT", "CET", "CEST",
];

/// The line without what differs from one time to the next; empty when nothing else is left.
pub fn normalised(line: &str) -> String {
    let line = clean_line(line, LINE_CHARACTERS_MAX);
    let line = without_temporary_names(&line);
    let mut words = words(&line);
    ids_of_five_parts(&mut words);
    for word in &mut words {
        if let Some(plain) = plain(word) {
            *word = plain;
        }
    }
    calendar(&mut words);
    let text = joined(&words);
    if text.chars().any(char::is_alphabetic) {
        cut(text.trim(), NORMAL_CHARACTERS_MAX)
    } else {
        String::new()
    }
}

/// `/tmp/tmp.x7Qa/src/a.rs` is `/tmp/*/src/a.rs`, wherever the folder for what is temporary is.
fn without_temporary_names(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((at, (folder, names))) = next_temporary(rest) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        out.push_str("/tmp/*");
        rest = from.get(folder.len()..).unwrap_or_default();
        for name in 1..=names {
            let end = rest.find(ends_a_name).unwrap_or(rest.len());
            rest = rest.get(end..).unwrap_or_default();
            match rest.strip_prefix('/') {
                Some(deeper) if name < names => rest = deeper,
                Some(_) | None => break,
            }
        }
    }
    out.push_str(rest);
    out
}

fn ends_a_name(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '/' | '"' | '\'' | '`' | ':' | ',' | ';' | ')' | ']' | '>'
        )
}

fn next_temporary(text: &str) -> Option<(usize, (&'static str, usize))> {
    TEMPORARY
        .into_iter()
        .filter_map(|(folder, names)| Some((text.find(folder)?, (folder, names))))
        .min_by_key(|(at, (folder, _))| (*at, std::cmp::Reverse(folder.len())))
}

/// Words, single signs and single blanks, in their order.
fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut in_word = false;
    for c in line.chars() {
        let part = c.is_alphanumeric() || c == '_';
        match words.last_mut() {
            Some(last) if part && in_word => last.push(c),
            Some(last) if c.is_whitespace() && last == " " => {}
            _ if c.is_whitespace() => words.push(" ".to_owned()),
            _ => words.push(c.to_string()),
        }
        in_word = part;
    }
    words
}

/// A UUID is one id, though its parts alone may look like words.
fn ids_of_five_parts(words: &mut Vec<String>) {
    const LENGTHS: [usize; 5] = [8, 4, 4, 4, 12];
    let mut out: Vec<String> = Vec::with_capacity(words.len());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let is_id = LENGTHS.iter().enumerate().all(|(n, length)| {
            let part = words.get(at + 2 * n);
            let dash = n == 0 || words.get(at + 2 * n - 1).is_some_and(|sign| sign == "-");
            dash && part.is_some_and(|part| part.len() == *length && is_hex(part))
        });
        if is_id {
            out.push(SIGN.to_owned());
            at += 9;
        } else {
            out.push(word.clone());
            at += 1;
        }
    }
    *words = out;
}

fn is_hex(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What a word is without its numbers; none when it has none.
fn plain(word: &str) -> Option<String> {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let hex = word.strip_prefix("0x").unwrap_or(word);
    let length = word.chars().count();
    let is_sign = is_hex(word) && length >= HEX_ID_MIN
        || word.starts_with("0x") && is_hex(hex)
        || length >= RANDOM_ID_MIN && word.chars().all(|c| c.is_ascii_alphanumeric())
        || is_quantity(word)
        || is_stamp(word, digits)
        || (runs_of_digits(word) > 1 && length >= 5 && word.chars().all(char::is_alphanumeric));
    if is_sign {
        return Some(SIGN.to_owned());
    }
    let mut out = String::new();
    for c in word.chars() {
        match c {
            c if !c.is_ascii_digit() => out.push(c),
            _ if out.ends_with(SIGN) => {}
            _ => out.push_str(SIGN),
        }
    }
    Some(out)
}

/// `12`, `350ms`, `1h30m`.
fn is_quantity(word: &str) -> bool {
    let mut rest = word;
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        if number.len() == rest.len() {
            return false;
        }
        let end = number.find(|c: char| c.is_ascii_digit());
        let (unit, after) = number.split_at(end.unwrap_or(number.len()));
        if !unit.is_empty() && !is_unit(unit) {
            return false;
        }
        rest = after;
    }
    true
}

fn is_unit(word: &str) -> bool {
    let lower = word.to_lowercase();
    UNITS.contains(&lower.as_str())
}

/// `20261124T120001Z`, and the parts of `2026-11-24T12:00:01Z` beside its signs.
fn is_stamp(word: &str, digits: usize) -> bool {
    digits >= 2
        && word
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, 'T' | 'Z'))
}

fn runs_of_digits(word: &str) -> usize {
    let mut before = false;
    let mut runs = 0;
    for c in word.chars() {
        let digit = c.is_ascii_digit();
        runs += usize::from(digit && !before);
        before = digit;
    }
    runs
}

/// The names of days and months go with the numbers that they stand beside.
fn calendar(words: &mut [String]) {
    let number = |words: &[String], at: Option<usize>| {
        at.and_then(|at| words.get(at))
            .is_some_and(|word| word == SIGN)
    };
    let is_blank = |words: &[String], at: usize| {
        words
            .get(at)
            .is_some_and(|word| matches!(word.as_str(), " " | "," | "-" | "/"))
    };
    let beside = |words: &[String], at: usize| {
        let next = if is_blank(words, at + 1) {
            at + 2
        } else {
            at + 1
        };
        let last = match at.checked_sub(1) {
            Some(before) if is_blank(words, before) => before.checked_sub(1),
            before => before,
        };
        number(words, Some(next)) || number(words, last)
    };
    for back in [true, false] {
        for step in 0..words.len() {
            let at = if back { words.len() - 1 - step } else { step };
            let known = words
                .get(at)
                .is_some_and(|word| CALENDAR.contains(&word.as_str()));
            if known
                && beside(words, at)
                && let Some(word) = words.get_mut(at)
            {
                SIGN.clone_into(word);
            }
        }
    }
}

/// The words as one text, in which signs that only marks or units part are one.
fn joined(words: &[String]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if word != SIGN {
            out.push_str(word);
            continue;
        }
        out.push_str(SIGN);
        at = past_number(words, at);
    }
    out
}

/// Where the words go on behind a number: `# . #`, `# : #`, `# #`, `# ms` and `# %` are one.
fn past_number(words: &[String], mut at: usize) -> usize {
    let word = |at: usize| words.get(at).map(String::as_str).unwrap_or_default();
    loop {
        let mark = matches!(word(at), "." | ":" | "," | "-" | "/" | "+" | "x" | " ");
        let more = matches!(word(at + 1), "+" | "-") && word(at) == " ";
        at = match (word(at), word(at + 1)) {
            (SIGN, _) => at + 1,
            ("%", _) => at + 1,
            (" ", unit) if is_unit(unit) && unit.len() > 1 => at + 2,
            (" ", "s") => at + 2,
            (_, SIGN) if mark => at + 2,
            (" ", _) if more && word(at + 2) == SIGN => at + 3,
            _ => return at,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_time_to_time_is_gone() {
        for (line, expected) in [
            (
                "2026-11-24T12:00:01.532Z ERROR no such table",
                "# ERROR no such table",
            ),
            ("[12:00:01] ERROR no such table", "[#] ERROR no such table"),
            (
                "Tue Nov 24 12:00:01 UTC 2026: rolled back",
                "#: rolled back",
            ),
            ("24 Nov 2026 rolled back", "# rolled back"),
            ("311 passed; 1 failed in 84.2s", "# passed; # failed in #"),
            (
                "took 1h30m, then 350ms, then 12 seconds",
                "took #, then #, then #",
            ),
            (
                "run 6cf4569c-f76c-4dea-b293-3e4282ba1153 failed",
                "run # failed",
            ),
            ("HEAD is now at 4f2a81c fix", "HEAD is now at # fix"),
            ("at 0x7ffe12ab in main", "at # in main"),
            ("connect 10.0.3.17:5432: refused", "connect #: refused"),
            ("\u{1b}[31merror\u{1b}[0m: bad", "error: bad"),
            ("/tmp/tmp.x7Qa/src/a.rs:12: bad", "/tmp/*/src/a.rs:#: bad"),
            (
                "open /var/folders/ab/c3d/T/x91/log: bad",
                "open /tmp/*/log: bad",
            ),
            ("'/tmp/go-build831' is gone", "'/tmp/*' is gone"),
            ("pod web-7d4b9c6f5-x2x9z is gone", "pod web-# is gone"),
            ("test_12 of shard-3 failed", "test_# of shard-# failed"),
            ("45% of 1.2 GiB (3 MB/s) read", "# of # (#/s) read"),
            ("\r10%\r20%\rerror: x", "error: x"),
            ("=== 12 ===", ""),
            ("", ""),
        ] {
            assert_eq!(normalised(line), expected, "{line:?}");
        }
    }

    #[test]
    fn what_says_what_went_wrong_stays() {
        for (one, other) in [
            ("expected `a`, got `b`", "expected `a`, got `c`"),
            ("error: no such table users", "error: no such table orders"),
            (
                "checkout::rounds_prices FAILED",
                "checkout::adds_tax FAILED",
            ),
            ("/srv/a.rs: bad", "/srv/b.rs: bad"),
        ] {
            assert_ne!(normalised(one), normalised(other));
        }
    }

    #[test]
    fn a_line_of_any_length_is_short_afterwards() {
        for line in [
            "/tmp/".repeat(100_000),
            "1a".repeat(500_000),
            "# ".repeat(500_000),
            "a".repeat(1_000_000),
        ] {
            assert!(normalised(&line).chars().count() <= NORMAL_CHARACTERS_MAX);
        }
    }
}
