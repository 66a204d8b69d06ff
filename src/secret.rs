//! Secret values and the redactor that everything leaving the process goes through.
//!
//! A secret is found again by its value, in the forms in which it can travel: as it is, JSON-escaped,
//! percent-encoded, base64 (whatever stands before it), hexadecimal, reversed, and any ten characters
//! of it in a row. What is found becomes `***`. Redact before cutting: half a secret is a secret.

use std::collections::HashSet;
use std::sync::{Arc, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};

/// What stands in the place of a secret.
pub const MASK: &str = "***";
/// A shorter secret would mask ordinary words.
pub const SECRET_CHARACTERS_MIN: usize = 6;
/// So many characters of a secret in a row are masked even without the rest.
const PIECE_CHARACTERS: usize = 10;

/// A secret value: it prints as `***` and is wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value, for the one place that must send it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

#[derive(Default)]
struct Known {
    /// Whole forms, longest first.
    forms: Vec<Vec<u8>>,
    /// All pieces of `PIECE_CHARACTERS` bytes of every form that is long enough.
    pieces: HashSet<Vec<u8>>,
    /// With which two bytes a form or piece begins: what begins otherwise is passed over at once.
    beginnings: Beginnings,
}

/// A set of pairs of bytes.
struct Beginnings(Box<[u64; 1024]>);

impl Default for Beginnings {
    fn default() -> Self {
        Self(Box::new([0; 1024]))
    }
}

impl Beginnings {
    fn slot(first: u8, second: u8) -> (usize, u64) {
        let pair = usize::from(first) << 8 | usize::from(second);
        (pair / 64, 1 << (pair % 64))
    }

    fn add(&mut self, text: &[u8]) {
        if let [first, second, ..] = text {
            let (word, bit) = Self::slot(*first, *second);
            if let Some(bits) = self.0.get_mut(word) {
                *bits |= bit;
            }
        }
    }

    fn has(&self, first: u8, second: u8) -> bool {
        let (word, bit) = Self::slot(first, second);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

/// Masks all known secrets in whatever passes through it. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor {
    known: Arc<RwLock<Known>>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Redactor")
    }
}

impl Redactor {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns a secret value in all the forms in which it can travel; one that is too short to be told
    /// from ordinary text is not learnt (inputs refuse those).
    pub fn learn(&self, secret: &str) {
        if secret.chars().count() < SECRET_CHARACTERS_MIN {
            return;
        }
        let Ok(mut known) = self.known.write() else {
            return;
        };
        for form in forms(secret) {
            let bytes = form.into_bytes();
            known.beginnings.add(&bytes);
            for piece in bytes.windows(PIECE_CHARACTERS) {
                known.beginnings.add(piece);
                known.pieces.insert(piece.to_vec());
            }
            if !known.forms.contains(&bytes) {
                known.forms.push(bytes);
            }
        }
        known
            .forms
            .sort_by_key(|form| std::cmp::Reverse(form.len()));
    }

    /// Whether nothing was learnt.
    pub fn is_empty(&self) -> bool {
        self.known
            .read()
            .map_or(true, |known| known.forms.is_empty())
    }

    /// Whether a text holds a secret in any form.
    pub fn finds_in(&self, text: &str) -> bool {
        self.known
            .read()
            .is_ok_and(|known| !marks(&known, text.as_bytes()).is_empty())
    }

    /// The text with every secret masked.
    pub fn text(&self, text: &str) -> String {
        let Ok(known) = self.known.read() else {
            return MASK.to_owned();
        };
        let marks = marks(&known, text.as_bytes());
        if marks.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut from = 0;
        for (start, end) in marks {
            out.push_str(text.get(from..floor(text, start)).unwrap_or_default());
            out.push_str(MASK);
            from = ceil(text, end);
        }
        out.push_str(text.get(from..).unwrap_or_default());
        out
    }

    /// A JSON value with every secret masked, in keys too.
    pub fn value(&self, value: &serde_json::Value) -> serde_json::Value {
        use serde_json::Value;
        if self.is_empty() {
            return value.clone();
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(key, item)| (self.text(key), self.value(item)))
                    .collect(),
            ),
            Value::Number(number) if self.finds_in(&number.to_string()) => MASK.into(),
            Value::Number(_) | Value::Bool(_) | Value::Null => value.clone(),
        }
    }
}

fn floor(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// The byte ranges to mask: sorted, not touching.
fn marks(known: &Known, text: &[u8]) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    if known.forms.is_empty() {
        return found;
    }
    let short: Vec<&Vec<u8>> = known
        .forms
        .iter()
        .filter(|form| form.len() < PIECE_CHARACTERS)
        .collect();
    for (at, pair) in text.windows(2).enumerate() {
        let [first, second] = pair else { continue };
        if !known.beginnings.has(*first, *second) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        for form in short.iter().filter(|form| rest.starts_with(form)) {
            found.push((at, at + form.len()));
        }
        if rest
            .get(..PIECE_CHARACTERS)
            .is_some_and(|piece| known.pieces.contains(piece))
        {
            found.push((at, at + PIECE_CHARACTERS));
        }
    }
    found.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for (start, end) in found {
        match merged.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            Some(_) | None => merged.push((start, end)),
        }
    }
    merged
}

/// The forms in which a secret can travel.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let hex = crate::ids::to_hex(bytes);
    let json = serde_json::to_string(secret).unwrap_or_default();
    let percent = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC)
        .to_string();
    let mut forms = vec![
        secret.to_owned(),
        json.trim_matches('"').to_owned(),
        percent.to_lowercase(),
        percent.replace("%20", "+"),
        percent
            .replace("%2D", "-")
            .replace("%2E", ".")
            .replace("%5F", "_")
            .replace("%7E", "~"),
        percent,
        hex.to_uppercase(),
        hex,
        secret.chars().rev().collect(),
        secret.to_uppercase(),
        secret.to_lowercase(),
    ];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        // Base64 looks different at each of the three offsets; the characters that mix with what
        // stands before or after are left out.
        for offset in 0..3 {
            let mut shifted = vec![0_u8; offset];
            shifted.extend_from_slice(bytes);
            let text = engine.encode(&shifted);
            let lead = [0, 2, 3][offset];
            let tail = if shifted.len().is_multiple_of(3) {
                0
            } else {
                1
            };
            let cut = text
                .get(lead..text.len().saturating_sub(tail))
                .unwrap_or_default();
            forms.push(cut.to_owned());
        }
    }
    forms.retain(|form| form.len() >= SECRET_CHARACTERS_MIN);
    forms.sort();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_masked() {
        let redactor = Redactor::new();
        let secret = "s3cr3t/\"tok en\"-42";
        redactor.learn(secret);
        let b64 = base64::engine::general_purpose::STANDARD.encode(format!("user:{secret}!"));
        let text = format!(
            "plain {secret} json {} hex {} b64 {b64} back {} piece {}",
            serde_json::to_string(secret).unwrap(),
            crate::ids::to_hex(secret.as_bytes()),
            secret.chars().rev().collect::<String>(),
            &secret[3..14],
        );
        let masked = redactor.text(&text);
        assert!(!redactor.finds_in(&masked), "{masked}");
        assert!(masked.starts_with("plain *** json"), "{masked}");
    }

    #[test]
    fn base64_is_masked_whatever_stands_before_it() {
        let redactor = Redactor::new();
        redactor.learn("correct-horse-battery");
        for before in ["", "a", "ab", "abc"] {
            let encoded = base64::engine::general_purpose::STANDARD
                .encode(format!("{before}correct-horse-battery:tail"));
            assert!(redactor.text(&encoded).contains(MASK), "{before}");
        }
    }

    #[test]
    fn other_text_is_left_alone() {
        let redactor = Redactor::new();
        redactor.learn("correct-horse-battery");
        assert_eq!(redactor.text("horse is corre"), "horse is corre");
    }
}
