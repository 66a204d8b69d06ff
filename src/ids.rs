//! Identifiers whose shape was checked once.
//!
//! A Semaphore id goes into URLs, file names and templates, so nothing but the UUID shape passes.
//! Tokens are derived, never random, so that a repeated request repeats its token.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A text that is no UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an id: ids look like `6cf4569c-f76c-4dea-b293-3e4282ba1153`")]
pub struct NotAnId(pub String);

/// The id of something on Semaphore: a workflow, a pipeline, a job, a project, a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id(String);

impl Id {
    /// Checks the shape (8-4-4-4-12 hexadecimal digits) and takes the text in lower case.
    pub fn parse(text: &str) -> Result<Self, NotAnId> {
        let shape = [8, 4, 4, 4, 12];
        let parts: Vec<&str> = text.split('-').collect();
        let fits = parts.len() == shape.len()
            && parts
                .iter()
                .zip(shape)
                .all(|(p, n)| p.len() == n && p.bytes().all(|b| b.is_ascii_hexdigit()));
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(NotAnId(crate::text::clean_line(text, 60)))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Id {
    type Error = NotAnId;
    fn try_from(text: String) -> Result<Self, NotAnId> {
        Self::parse(&text)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.0
    }
}

/// A text of the shape of a version 4 UUID that is a function of `parts` alone.
///
/// The salt of the run must be among the parts: a run id may be chosen again by a person, and request
/// tokens are unique over a whole installation of Semaphore (contract: rerun, idempotency).
pub fn derived_uuid(parts: &[&str]) -> String {
    let digest = hash(parts);
    let mut bytes = [0_u8; 16];
    for (to, from) in bytes.iter_mut().zip(digest) {
        *to = from;
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = to_hex(&bytes);
    let part = |range: std::ops::Range<usize>| hex.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

/// A number that is a function of `parts` alone, spread evenly: for jitter.
pub fn derived_number(parts: &[&str]) -> u64 {
    hash(parts)
        .iter()
        .take(8)
        .fold(0, |n, b| n << 8 | u64::from(*b))
}

/// The SHA-256 of `parts` in hexadecimal; each part is framed by its length.
pub fn digest(parts: &[&str]) -> String {
    to_hex(&hash(parts))
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

/// Bytes in hexadecimal.
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uuids_are_ids() {
        assert!(Id::parse("6CF4569C-f76c-4dea-b293-3e4282ba1153").is_ok());
        for bad in [
            "",
            "xyz",
            "../../x",
            "6cf4569c-f76c-4dea-b293-3e4282ba115",
            "6cf4569cxf76c-4dea-b293-3e4282ba1153",
        ] {
            assert!(Id::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn derived_uuids_repeat_and_have_the_shape_of_version_4() {
        let token = derived_uuid(&["salt", "deploy", "1"]);
        assert_eq!(token, derived_uuid(&["salt", "deploy", "1"]));
        assert_ne!(token, derived_uuid(&["salt", "deploy1", ""]));
        assert_eq!(token.as_bytes().get(14), Some(&b'4'));
        assert!(Id::parse(&token).is_ok());
    }
}
