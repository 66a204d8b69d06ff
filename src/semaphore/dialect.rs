//! The bodies in which the API says no: five dialects, one reading.
//!
//! Duty: out of a JSON string, a JSON object, bare text, HTML or nothing, the words and which of the
//! five it was, for that tells which server spoke. Invariant: the words are clean, without secrets, and
//! short. It must not know what the words mean.

use serde_json::Value;

use crate::secret::Redactor;
use crate::text::{clean, cut};

/// Words of the server are kept up to here.
const WORDS_CHARACTERS_MAX: usize = 400;
/// More of a refusal is never looked at.
pub const REFUSAL_BYTES_MAX: u64 = 64 << 10;

/// Which of the servers behind the host spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Nothing: the ingress.
    Empty,
    /// Bare text: authorisation, or the ingress.
    Text,
    /// A JSON string: the API itself.
    JsonString,
    /// A JSON object: projects, jobs, reschedule.
    JsonObject,
    /// A page: the web interface, or something in between.
    Html,
}

/// What a refusal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which server spoke.
    pub dialect: Dialect,
    /// The words; empty when there are none.
    pub words: String,
    /// The code of a JSON object, as `RESOURCE_EXHAUSTED`.
    pub code: Option<String>,
}

impl Refusal {
    /// Reads a body.
    pub fn read(body: &[u8], redactor: &Redactor) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim();
        // Secrets are masked before anything is cut: half a secret is a secret.
        let tidy = |words: &str| {
            let flat = clean(words).replace(['\n', '\t'], " ");
            cut(redactor.text(flat.trim()).trim(), WORDS_CHARACTERS_MAX)
        };
        let refusal = |dialect, words: &str| Self {
            dialect,
            words: tidy(words),
            code: None,
        };
        if text.is_empty() {
            return refusal(Dialect::Empty, "");
        }
        if text.starts_with('<') {
            return refusal(Dialect::Html, "");
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::String(words)) => refusal(Dialect::JsonString, &words),
            Ok(Value::Object(map)) => {
                let words = ["message", "error"]
                    .iter()
                    .find_map(|key| map.get(*key).and_then(Value::as_str));
                Self {
                    code: map.get("code").and_then(Value::as_str).map(tidy),
                    ..refusal(Dialect::JsonObject, words.unwrap_or(text))
                }
            }
            Ok(_) | Err(_) => refusal(Dialect::Text, text),
        }
    }

    /// Whether the bare words, in any case, are these.
    pub fn is(&self, words: &str) -> bool {
        self.words.eq_ignore_ascii_case(words)
    }

    /// Whether the words hold these, in any case.
    pub fn has(&self, words: &str) -> bool {
        self.words
            .to_ascii_lowercase()
            .contains(&words.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_dialects_are_read() {
        let read = |body: &str| {
            let refusal = Refusal::read(body.as_bytes(), &Redactor::new());
            (refusal.dialect, refusal.words)
        };
        for (body, dialect, words) in [
            ("", Dialect::Empty, ""),
            (" \n", Dialect::Empty, ""),
            ("Not Found", Dialect::Text, "Not Found"),
            ("\"Internal error\"", Dialect::JsonString, "Internal error"),
            (
                "{\"message\":\"Not found\"}",
                Dialect::JsonObject,
                "Not found",
            ),
            (
                "{\"code\":5,\"message\":\"Job x not found\",\"details\":[]}",
                Dialect::JsonObject,
                "Job x not found",
            ),
            ("{\"error\":\"no\"}", Dialect::JsonObject, "no"),
            ("<html><body>404</body></html>", Dialect::Html, ""),
            ("[1]", Dialect::Text, "[1]"),
            ("a\u{1b}[31mb\nc", Dialect::Text, "ab c"),
        ] {
            assert_eq!(read(body), (dialect, words.to_owned()), "{body}");
        }
    }

    #[test]
    fn a_secret_at_the_cut_is_masked_first() {
        let redactor = Redactor::new();
        redactor.learn("token-0123456789");
        let body = format!("{}token-0123456789", "x".repeat(WORDS_CHARACTERS_MAX - 8));
        let refusal = Refusal::read(body.as_bytes(), &redactor);
        assert!(!refusal.words.contains("token"), "{}", refusal.words);
    }
}
