//! Which Semaphore is meant: the address of the server and the token.
//!
//! Duty: to turn what the command line found (flags, environment, the official CLI's file) into an
//! [`Endpoint`] that cannot be wrong, or to say what is missing. Invariant: an endpoint is https, or
//! http to this very machine, and has neither path nor user. It must not read files or the environment.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::contexts::Context;
use crate::secret::Secret;
use crate::text::clean_line;

/// The three ways to say which Semaphore is meant.
pub const THREE_WAYS: &str = "give `--url` and `--token-file`, or set `SEMAPHORE_ORGANIZATION_URL` and \
`SEMAPHORE_API_TOKEN`, or connect the official CLI (`sem connect`), which writes `~/.sem.yaml`";

/// What is wrong with the connection that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Nobody said where.
    #[error("the address of Semaphore is missing")]
    UrlMissing,
    /// Nobody said who.
    #[error("the API token is missing")]
    TokenMissing,
    /// An address that is none.
    #[error("`{url}` is no address of a Semaphore organization: {reason}")]
    Url {
        /// The address, cleaned; without its user part.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A token that no header can carry.
    #[error("the API token {0}")]
    Token(&'static str),
    /// The official CLI's file.
    #[error("{0}")]
    Contexts(#[from] super::contexts::ContextsError),
}

impl ConfigError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::UrlMissing | Self::TokenMissing => THREE_WAYS.to_owned(),
            Self::Url { .. } => "write it like `https://myorg.semaphoreci.com`".to_owned(),
            Self::Token(_) => "copy it again from the page of your account on Semaphore".to_owned(),
            Self::Contexts(error) => error.hint(),
        }
    }
}

/// The origin of a server: scheme, host and port, nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    https: bool,
    /// As it stands in an address: IPv6 in brackets.
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// Reads the address of an organization.
    pub fn parse(url: &str) -> Result<Self, ConfigError> {
        let trimmed = url.trim();
        let refuse = |reason: &str| ConfigError::Url {
            url: shown(trimmed),
            reason: reason.to_owned(),
        };
        if trimmed.is_empty() {
            return Err(ConfigError::UrlMissing);
        }
        if !trimmed.contains("://") {
            return Err(refuse("it has no `https://` in front"));
        }
        if authority_of(trimmed).contains('@') {
            return Err(refuse("it holds a user name or password"));
        }
        if trimmed.contains(['?', '#']) {
            return Err(refuse("it has more than a host"));
        }
        let uri: http::Uri = trimmed.parse().map_err(|_| refuse("it cannot be read"))?;
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| refuse("it has no host"))?;
        let https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_loopback(host) => false,
            Some("http") => {
                return Err(refuse(
                    "plain http would show the token to everybody on the way",
                ));
            }
            Some(_) | None => return Err(refuse("it is not https")),
        };
        if !matches!(uri.path(), "" | "/") {
            return Err(refuse(
                "it has a path; the host alone names the organization",
            ));
        }
        Ok(Self {
            https,
            host: host.to_ascii_lowercase(),
            port: uri.port_u16(),
        })
    }

    /// The host, with its port when it is not the usual one: for messages.
    pub fn host(&self) -> String {
        match self.port {
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }

    /// The address without a slash at its end.
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}", self.host())
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// Whether the connection is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }
}

/// A server and the token for it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Where.
    pub origin: Origin,
    /// Who.
    pub token: Secret,
}

/// What was found about the connection, in the order in which it counts.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    /// From a flag or the environment.
    pub url: Option<String>,
    /// From a file or the environment.
    pub token: Option<Secret>,
    /// From the official CLI's file.
    pub context: Option<Context>,
}

impl Endpoint {
    /// An endpoint from an address and a token.
    pub fn new(url: &str, token: Secret) -> Result<Self, ConfigError> {
        Ok(Self {
            origin: Origin::parse(url)?,
            token: checked(token)?,
        })
    }

    /// An endpoint from what was found; what is given by itself counts before the context. The token of
    /// a context goes to the host of that context alone.
    pub fn from_pieces(pieces: Pieces) -> Result<Self, ConfigError> {
        let of_context = pieces.context.as_ref().map(Context::url);
        let url = pieces.url.or_else(|| of_context.clone());
        let origin = Origin::parse(&url.ok_or(ConfigError::UrlMissing)?)?;
        let same_host = match of_context {
            Some(url) => Origin::parse(&url).is_ok_and(|of_context| of_context == origin),
            None => false,
        };
        let of_context = pieces.context.filter(|_| same_host).map(|c| c.token);
        let token = pieces.token.or(of_context);
        Ok(Self {
            origin,
            token: checked(token.ok_or(ConfigError::TokenMissing)?)?,
        })
    }
}

fn checked(token: Secret) -> Result<Secret, ConfigError> {
    let text = token.expose().trim();
    if text.is_empty() {
        return Err(ConfigError::TokenMissing);
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(ConfigError::Token(
            "holds a space, a line break or a character that is not ASCII",
        ));
    }
    Ok(Secret::new(text))
}

/// Whether a host is this machine, so that nobody on the way can listen.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

fn authority_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

/// An address for a message: whatever stands before an `@` may be a password.
fn shown(url: &str) -> String {
    let tail = url.rsplit('@').next().unwrap_or_default();
    if tail.len() == url.len() {
        clean_line(url.split(['?', '#']).next().unwrap_or_default(), 120)
    } else {
        format!("…@{}", clean_line(tail, 120))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for (url, expected) in [
            (
                "https://acme.semaphoreci.com",
                Some("https://acme.semaphoreci.com"),
            ),
            (
                "https://ACME.semaphoreci.com/",
                Some("https://acme.semaphoreci.com"),
            ),
            (" https://acme.test:8443 ", Some("https://acme.test:8443")),
            ("http://127.0.0.1:4000", Some("http://127.0.0.1:4000")),
            ("http://localhost:1", Some("http://localhost:1")),
            ("http://[::1]:80", Some("http://[::1]:80")),
            ("http://acme.semaphoreci.com", None),
            ("http://127.0.0.1.evil.test", None),
            ("http://localhost.evil.test", None),
            ("ftp://acme.test", None),
            ("acme.semaphoreci.com", None),
            ("https://acme.test/api/v1alpha", None),
            ("https://acme.test?x=1", None),
            ("https://me:secret@acme.test", None),
            ("https://", None),
            ("", None),
            ("https://a b", None),
        ] {
            let got = Origin::parse(url).map(|origin| origin.url()).ok();
            assert_eq!(got.as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_refused_address_does_not_show_its_password() {
        let error = Origin::parse("https://me:hunter2@acme.test").unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("hunter2"), "{text}");
        assert!(error.to_string().contains("user name"), "{error}");
    }

    #[test]
    fn what_is_missing_is_named_with_the_three_ways() {
        let nothing = Endpoint::from_pieces(Pieces::default()).unwrap_err();
        assert_eq!(nothing, ConfigError::UrlMissing);
        let no_token = Endpoint::from_pieces(Pieces {
            url: Some("https://acme.test".into()),
            ..Pieces::default()
        })
        .unwrap_err();
        assert_eq!(no_token, ConfigError::TokenMissing);
        for way in ["--token-file", "SEMAPHORE_API_TOKEN", "~/.sem.yaml"] {
            assert!(no_token.hint().contains(way), "{way}");
        }
    }

    #[test]
    fn the_token_of_a_context_goes_to_its_host_alone() {
        let pieces = |url: &str| Pieces {
            url: Some(url.to_owned()),
            token: None,
            context: Some(Context {
                name: "acme".into(),
                host: "acme.test".into(),
                token: Secret::new("token-of-acme"),
            }),
        };
        assert!(Endpoint::from_pieces(pieces("https://acme.test")).is_ok());
        let other = Endpoint::from_pieces(pieces("https://evil.test"));
        assert_eq!(other.unwrap_err(), ConfigError::TokenMissing);
    }

    #[test]
    fn a_token_fits_into_a_header() {
        let token = |text: &str| Endpoint::new("https://acme.test", Secret::new(text));
        assert_eq!(token(" abc123\n").unwrap().token.expose(), "abc123");
        assert!(token("abc\r\nx: y").is_err());
        assert!(token("  ").is_err());
    }
}
