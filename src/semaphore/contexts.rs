//! The file of the official CLI, `~/.sem.yaml`: hosts and tokens by the name of a context.
//!
//! Duty: to read its text tolerantly (keys in any case, unknown keys ignored). Invariant: no error
//! shows a token. It must not open the file itself.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use crate::secret::Secret;
use crate::text::clean_line;

/// One context: an organization and the token for it.
#[derive(Debug, Clone)]
pub struct Context {
    /// Its name, as in the file.
    pub name: String,
    /// The bare host.
    pub host: String,
    /// The token.
    pub token: Secret,
}

impl Context {
    /// The address of the organization.
    pub fn url(&self) -> String {
        if self.host.contains("://") {
            self.host.clone()
        } else {
            format!("https://{}", self.host)
        }
    }
}

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextsError {
    /// Not YAML, or not of the shape.
    #[error("`~/.sem.yaml` cannot be read (line {line})")]
    Malformed {
        /// Where.
        line: u64,
    },
    /// No context was named, and none is active.
    #[error("`~/.sem.yaml` names no `active-context`")]
    NoneActive,
    /// A name that is not there.
    #[error("`~/.sem.yaml` has no context `{name}`; it has {known}")]
    Unknown {
        /// The name.
        name: String,
        /// Those that are there.
        known: String,
    },
    /// A context without one of its two parts.
    #[error("the context `{name}` of `~/.sem.yaml` has no `{key}`")]
    Incomplete {
        /// The context.
        name: String,
        /// What is missing.
        key: &'static str,
    },
}

impl ContextsError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } | Self::NoneActive => {
                "choose one with `--context NAME`, or connect with `sem connect`".to_owned()
            }
            Self::Malformed { .. } | Self::Incomplete { .. } => {
                format!(
                    "connect again with `sem connect`, or {}",
                    super::config::THREE_WAYS
                )
            }
        }
    }
}

/// Finds a context in the text of the file: the one that is named, or else the active one.
pub fn find(text: &str, name: Option<&str>) -> Result<Context, ContextsError> {
    let file: File = if text.trim().is_empty() {
        File::default()
    } else {
        // The error of the parser is not shown: it may quote the line with the token.
        serde_saphyr::from_str(text).map_err(|error| ContextsError::Malformed {
            line: error.location().map_or(1, |location| location.line()),
        })?
    };
    let wanted = match name {
        Some(name) => name.to_owned(),
        None => file
            .active
            .filter(|name| !name.is_empty())
            .ok_or(ContextsError::NoneActive)?,
    };
    let found = file
        .contexts
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(&wanted));
    let Some((name, raw)) = found else {
        return Err(ContextsError::Unknown {
            name: clean_line(&wanted, 80),
            known: known_names(&file.contexts),
        });
    };
    let name = clean_line(name, 80);
    let part = |value: &Option<String>, key| {
        value
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
            .ok_or(ContextsError::Incomplete {
                name: name.clone(),
                key,
            })
    };
    Ok(Context {
        host: part(&raw.host, "host")?,
        token: Secret::new(part(&raw.token, "auth.token")?),
        name: name.clone(),
    })
}

fn known_names(contexts: &[(String, RawContext)]) -> String {
    if contexts.is_empty() {
        return "none".to_owned();
    }
    let names: Vec<String> = contexts
        .iter()
        .take(10)
        .map(|(name, _)| format!("`{}`", clean_line(name, 80)))
        .collect();
    names.join(", ")
}

#[derive(Default)]
struct File {
    active: Option<String>,
    contexts: Vec<(String, RawContext)>,
}

#[derive(Default)]
struct RawContext {
    host: Option<String>,
    token: Option<String>,
}

/// A mapping whose keys are read in any case, each by `Self::take`.
trait Keyed: Default {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;
}

struct KeyedVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Keyed> Visitor<'de> for KeyedVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut value = T::default();
        while let Some(key) = map.next_key::<String>()? {
            value.take(&key, &mut map)?;
        }
        Ok(value)
    }
}

fn keyed<'de, T: Keyed, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(KeyedVisitor(std::marker::PhantomData))
}

impl Keyed for File {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key.to_ascii_lowercase().as_str() {
            "active-context" => self.active = map.next_value()?,
            "contexts" => self.contexts = map.next_value::<Contexts>()?.0,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

#[derive(Default)]
struct Contexts(Vec<(String, RawContext)>);

impl Keyed for Contexts {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        self.0.push((key.to_owned(), map.next_value()?));
        Ok(())
    }
}

impl Keyed for RawContext {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key.to_ascii_lowercase().as_str() {
            "host" => self.host = map.next_value()?,
            "auth" => self.token = map.next_value::<Auth>()?.0,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

#[derive(Default)]
struct Auth(Option<String>);

impl Keyed for Auth {
    fn take<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key.to_ascii_lowercase().as_str() {
            "token" => self.0 = map.next_value()?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for File {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed(deserializer)
    }
}

impl<'de> Deserialize<'de> for Contexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed(deserializer)
    }
}

impl<'de> Deserialize<'de> for RawContext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed(deserializer)
    }
}

impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: &str = "active-context: acme_semaphoreci_com\ncontexts:\n  acme_semaphoreci_com:\n    \
        auth: {token: \"tok-of-acme\"}\n    host: acme.semaphoreci.com\n  Other_Test:\n    AUTH:\n      \
        Token: 0123456\n    Host: other.test\neditor: vim\n";

    #[test]
    fn the_active_context_counts_unless_one_is_named() {
        let active = find(TWO, None).unwrap();
        assert_eq!(active.url(), "https://acme.semaphoreci.com");
        assert_eq!(active.token.expose(), "tok-of-acme");
        let named = find(TWO, Some("other_test")).unwrap();
        assert_eq!(named.host, "other.test");
        assert_eq!(named.token.expose(), "0123456", "digits stay as written");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_token() {
        let cases = [
            ("", None, "names no `active-context`"),
            ("active-context: ''", None, "names no `active-context`"),
            (
                TWO,
                Some("nope"),
                "has no context `nope`; it has `acme_semaphoreci_com`, `Other_Test`",
            ),
            (
                "contexts:\n  a:\n    host: x",
                Some("a"),
                "has no `auth.token`",
            ),
            (
                "contexts:\n  a:\n    auth: {token: tok-secret}",
                Some("a"),
                "has no `host`",
            ),
            (
                "contexts:\n  a:\n    auth: tok-secret\n",
                Some("a"),
                "cannot be read (line",
            ),
            (
                "contexts:\n  a: {auth: {token: tok-secret}\n",
                Some("a"),
                "cannot be read (line",
            ),
        ];
        for (text, name, expected) in cases {
            let error = find(text, name).unwrap_err();
            let shown = format!("{error} {error:?} {}", error.hint());
            assert!(shown.contains(expected), "{text}: {shown}");
            assert!(!shown.contains("tok-secret"), "{shown}");
        }
    }
}
