//! The gate that foreign text passes on its way into a report for people: masked, harmless, then cut.
//!
//! What comes out is plain text. Each format escapes it once more for its own syntax; nothing here
//! knows a format.

use std::fmt::Write as _;

use serde_json::Value;

use crate::secret::Redactor;
use crate::text;

/// A longer address is no link that anybody follows.
const URL_CHARACTERS_MAX: usize = 2_000;

/// Masks and cleans.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gate<'a>(&'a Redactor);

impl<'a> Gate<'a> {
    pub(super) fn new(redactor: &'a Redactor) -> Self {
        Self(redactor)
    }

    /// Text of several lines.
    pub(super) fn block(&self, foreign: &str) -> String {
        // Cleaning joins what control characters had torn apart, so a secret may show only then.
        let cleaned = text::clean(&self.0.text(foreign));
        let masked = self.0.text(&cleaned);
        // No characters at all, and not allowed in XML.
        masked.replace(['\u{fffe}', '\u{ffff}'], "")
    }

    /// One line of at most so many characters.
    pub(super) fn line(&self, foreign: &str, characters_max: usize) -> String {
        let flat = self.block(foreign).replace(['\n', '\t'], " ");
        text::cut(flat.trim(), characters_max)
    }

    /// A value: text as it is, anything else as JSON.
    pub(super) fn value(&self, value: &Value, characters_max: usize) -> String {
        match value.as_str() {
            Some(text) => self.line(text, characters_max),
            // Masked before it becomes text: a number may be a secret.
            None => self.line(&self.0.value(value).to_string(), characters_max),
        }
    }

    /// An address that may be followed: nothing but `http` and `https`, and no character that ends an
    /// attribute or a link in any format.
    pub(super) fn url(&self, foreign: &str) -> Option<String> {
        let address = self.line(foreign, URL_CHARACTERS_MAX);
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&*+,;=%".contains(&b);
        let mut url = String::with_capacity(address.len());
        for byte in address.bytes() {
            if plain(byte) {
                url.push(char::from(byte));
            } else {
                // Writing to memory cannot fail.
                let _ = write!(url, "%{byte:02X}");
            }
        }
        let lower = url.to_ascii_lowercase();
        let host = lower
            .strip_prefix("https://")
            .or_else(|| lower.strip_prefix("http://"))?;
        let begins = |c: char| c.is_ascii_alphanumeric() || c == '[';
        host.starts_with(begins).then_some(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_that_can_be_followed_are_links() {
        let redactor = Redactor::new();
        let gate = Gate::new(&redactor);
        for (foreign, url) in [
            (
                "https://acme.test/a?b=c#d",
                Some("https://acme.test/a?b=c#d"),
            ),
            ("HTTP://acme.test", Some("HTTP://acme.test")),
            (
                "https://a.test/)<\"'> x",
                Some("https://a.test/%29%3C%22%27%3E%20x"),
            ),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("//acme.test", None),
            ("https://", None),
            ("java\u{0}script:alert(1)", None),
        ] {
            assert_eq!(gate.url(foreign).as_deref(), url, "{foreign}");
        }
    }

    #[test]
    fn numbers_that_are_secrets_are_masked() {
        let redactor = Redactor::new();
        redactor.learn("12345678");
        let gate = Gate::new(&redactor);
        assert_eq!(
            gate.value(&serde_json::json!({"a": 12345678}), 80),
            r#"{"a":"***"}"#
        );
    }
}
