//! What the client could not find out or was not allowed to do, as one kind of error.
//!
//! Duty: the error of every function of the client, and the few things that are read from headers.
//! Invariant: no error holds a token or an address of a log. It must not retry nor decide whether to;
//! what an answer means is said in `meaning.rs`.

use std::time::Duration;

use jiff::Timestamp;

pub use super::fate::Fate;
use super::operation::Operation;
use super::transport::{Kind, Sent, TransportError, Trouble};

/// The longest time that a server can make us wait.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(5 * 60);

/// The class of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The token is missing or wrong.
    Unauthorized,
    /// The token may not do this.
    Permission,
    /// Not there, or not visible to this token.
    NotFound,
    /// Any other no of the server.
    Refused,
    /// The queue is full: nothing was started, and it may be asked again.
    QueueFull,
    /// Semaphore does not see the pipeline as passed (yet).
    NotPassed,
    /// 429.
    RateLimited,
    /// 403 with an empty body: the authorisation service is in trouble.
    AuthOutage,
    /// 5xx.
    Server,
    /// No connection, or it broke.
    Network,
    /// No answer in time.
    Timeout,
    /// An answer that could not be understood.
    InvalidAnswer,
    /// A redirect, which is not followed.
    Redirected,
}

/// An error of the client.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What was asked.
    pub operation: Operation,
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// The class.
    pub class: Class,
    /// Whether what was asked may have happened.
    pub fate: Fate,
    /// The server's own words: clean and short, empty when there are none.
    pub server_words: String,
    /// What happened, in our words.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// When the server wants to be asked again, at most [`RETRY_AFTER_MAX`].
    pub retry_after: Option<Duration>,
    /// The server's clock.
    pub server_date: Option<Timestamp>,
}

impl Error {
    /// An error without an answer.
    pub(super) fn of_transport(operation: Operation, error: TransportError, host: &str) -> Self {
        let class = match error.kind {
            Trouble::Timeout => Class::Timeout,
            Trouble::BodyTooLarge => Class::InvalidAnswer,
            Trouble::Dns | Trouble::Connect | Trouble::Tls | Trouble::Reset | Trouble::Other => {
                Class::Network
            }
        };
        let hint = match error.kind {
            Trouble::Dns => Some(format!("is `{host}` the host of your organization?")),
            Trouble::Tls => Some(
                "an installation with a certificate authority of its own needs `http.ca_file`"
                    .to_owned(),
            ),
            Trouble::Connect => Some(format!("is `{host}` reachable from this machine?")),
            Trouble::Timeout | Trouble::Reset | Trouble::BodyTooLarge | Trouble::Other => None,
        };
        let fate = match (operation.kind(), error.sent) {
            (_, Sent::NotSent) => Fate::NotSent,
            (Kind::Read, Sent::Maybe) => Fate::NotDone,
            (Kind::Write, Sent::Maybe) => Fate::Unknown,
        };
        Self {
            operation,
            status: None,
            class,
            fate,
            server_words: String::new(),
            message: match error.kind {
                Trouble::BodyTooLarge => {
                    format!("the answer of `{host}` was not taken: {}", error.message)
                }
                _ => format!("no answer from `{host}`: {}", error.message),
            },
            hint,
            retry_after: None,
            server_date: None,
        }
    }

    /// Something that is refused here, before anything is sent.
    pub(super) fn refused_here(
        operation: Operation,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            operation,
            status: None,
            class: Class::Refused,
            fate: Fate::NotSent,
            server_words: String::new(),
            message: message.into(),
            hint: Some(hint.into()),
            retry_after: None,
            server_date: None,
        }
    }
}

/// Reads `Retry-After`: seconds, or a date, which counts from the server's own clock.
pub fn retry_after(value: &str, server_date: Option<Timestamp>) -> Option<Duration> {
    let value = value.trim();
    let wait = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        RETRY_AFTER_MAX
    } else {
        let until = http_date(value)?.duration_since(server_date?);
        Duration::try_from(until).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Reads a date of HTTP: `Tue, 24 Nov 2026 01:05:13 GMT`.
pub fn http_date(value: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(value.trim())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date_and_never_long() {
        let date = http_date("Tue, 24 Nov 2026 01:05:13 GMT");
        assert_eq!(date.unwrap().to_string(), "2026-11-24T01:05:13Z");
        for (value, with_date, expected) in [
            ("7", true, Some(7)),
            ("0", false, Some(0)),
            ("86400", true, Some(300)),
            ("99999999999999999999999", true, Some(300)),
            ("Tue, 24 Nov 2026 01:05:43 GMT", true, Some(30)),
            ("Tue, 24 Nov 2026 01:05:43 GMT", false, None),
            ("Tue, 24 Nov 2026 01:00:00 GMT", true, Some(0)),
            ("Tue, 24 Nov 2099 01:00:00 GMT", true, Some(300)),
            ("-3", true, None),
            ("soon", true, None),
            ("", true, None),
        ] {
            let got = retry_after(value, date.filter(|_| with_date));
            assert_eq!(got, expected.map(Duration::from_secs), "{value}");
        }
    }
}
