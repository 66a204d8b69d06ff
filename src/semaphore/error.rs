//! What the client could not find out or was not allowed to do, as one kind of error.
//!
//! Duty: from a status and the words of one of five servers to a class, a message in our words, and a
//! hint. Invariants: no error holds a token or an address of a log, and a class says only what the
//! answer shows (a 401 is a bad token only when the authorisation itself says so). It must not retry
//! nor decide whether to.

use std::time::Duration;

use jiff::Timestamp;

use super::dialect::{Dialect, Refusal};
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
            message: format!("no answer from `{host}`: {}", error.message),
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

/// What an answer means that is no success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// The class.
    pub class: Class,
    /// In our words.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Meaning {
    fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            hint: None,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What a status with these words means here.
pub fn meaning(operation: Operation, status: u16, refusal: &Refusal, host: &str) -> Meaning {
    match status {
        400..=499 if operation == Operation::FetchSignedLog => of_storage(status, refusal),
        401 => of_401(operation, refusal, host),
        403 => of_403(refusal),
        404 => of_404(operation, refusal, host),
        429 => Meaning::new(
            Class::RateLimited,
            format!("`{host}` asks to be asked less often"),
        ),
        300..=399 => Meaning::new(
            Class::Redirected,
            format!("`{host}` answered {status}, a redirect, which is not followed"),
        )
        .hint("give the address of the organization itself, with https"),
        400 | 422 => of_400(operation, status, refusal),
        501 => Meaning::new(Class::Refused, said(operation, status, refusal)),
        500..=599 => of_500(operation, status, refusal),
        405..=499 => Meaning::new(Class::Refused, said(operation, status, refusal)),
        _ => Meaning::new(
            Class::InvalidAnswer,
            format!("`{host}` answered {operation} with the odd status {status}"),
        ),
    }
}

/// The server's own words, or the bare status when it has none.
fn said(operation: Operation, status: u16, refusal: &Refusal) -> String {
    match refusal.dialect {
        Dialect::Empty => format!("{operation} was answered {status} without a word"),
        Dialect::Html => format!("{operation} was answered {status} with a web page"),
        Dialect::Text | Dialect::JsonString | Dialect::JsonObject => {
            format!("{operation} was answered {status}: {}", refusal.words)
        }
    }
}

fn of_401(operation: Operation, refusal: &Refusal, host: &str) -> Meaning {
    // Only the bare word is the authorisation; the projects say it in JSON and mean a permission.
    let of_authorisation = matches!(
        refusal.dialect,
        Dialect::Empty | Dialect::Text | Dialect::Html
    ) && !refusal.has("permission denied");
    if of_authorisation {
        Meaning::new(Class::Unauthorized, format!("`{host}` does not accept the API token")).hint(
            "check the token, and that its user belongs to the organization; a new token may be refused \
             for up to 5 minutes",
        )
    } else {
        let subject = operation.subject();
        Meaning::new(
            Class::Permission,
            format!(
                "the API token may not see the {subject} ({operation}: {})",
                refusal.words
            ),
        )
        .hint(format!(
            "its user needs permission to view the project of the {subject}"
        ))
    }
}

/// Where the server sent us for a log: its refusals say nothing about the organization or the token.
fn of_storage(status: u16, refusal: &Refusal) -> Meaning {
    let class = match status {
        401 | 403 => Class::Permission,
        404 | 410 => Class::NotFound,
        429 => Class::RateLimited,
        _ => Class::Refused,
    };
    let words = match refusal.words.as_str() {
        "" => "without a word".to_owned(),
        words => format!("`{words}`"),
    };
    Meaning::new(
        class,
        format!("where the log is kept it was answered {status}, {words}"),
    )
    .hint("the address of a log is valid for minutes only: fetch it again")
}

fn of_403(refusal: &Refusal) -> Meaning {
    if refusal.dialect == Dialect::Empty {
        Meaning::new(
            Class::AuthOutage,
            "the authorisation service of Semaphore did not answer (403 without a word)",
        )
        .hint("this passes; ask again")
    } else if refusal.dialect == Dialect::Html {
        Meaning::new(Class::Permission, "403 with a web page")
            .hint("something between this machine and Semaphore may have answered")
    } else {
        Meaning::new(Class::Permission, format!("not allowed: {}", refusal.words))
            .hint("the organization may not have this feature")
    }
}

fn of_404(operation: Operation, refusal: &Refusal, host: &str) -> Meaning {
    let subject = operation.subject();
    let bare = refusal.is("not found") || refusal.dialect == Dialect::Empty;
    if refusal.dialect == Dialect::Text && !bare && refusal.has("ip ") {
        return Meaning::new(
            Class::Permission,
            format!("`{host}` refuses this machine: {}", refusal.words),
        )
        .hint("the organization lists the addresses that may connect");
    }
    if refusal.is("oops") || refusal.dialect == Dialect::Html {
        return Meaning::new(
            Class::NotFound,
            format!("`{host}` does not know the address of {operation}"),
        )
        .hint(format!(
            "is `{host}` the host of an organization on Semaphore?"
        ));
    }
    if bare {
        return Meaning::new(Class::NotFound, format!("the {subject} was not found on `{host}`")).hint(
            format!(
                "Semaphore answers the same when the id is unknown, when the token may not see it, and when \
                 there is no organization `{host}`"
            ),
        );
    }
    Meaning::new(Class::NotFound, refusal.words.clone())
}

fn of_400(operation: Operation, status: u16, refusal: &Refusal) -> Meaning {
    if refusal.has("limit of queuing pipelines reached")
        || refusal.code.as_deref() == Some("RESOURCE_EXHAUSTED")
    {
        return Meaning::new(
            Class::QueueFull,
            "the queue of the pipeline is full; nothing was started",
        )
        .hint("older pipelines of the same queue must end first");
    }
    if refusal.has("requires override confirmation") {
        return Meaning::new(
            Class::NotPassed,
            "Semaphore does not see the pipeline as passed, so it was not promoted",
        )
        .hint("right after its end this passes within seconds; to promote a pipeline that did not pass, say `override: true`");
    }
    if refusal.has("client is outdated") {
        return Meaning::new(Class::Refused, said(operation, status, refusal))
            .hint("a newer version of runner is needed");
    }
    if operation == Operation::TriggerPromotion && refusal.has("target for switch") {
        return Meaning::new(Class::Refused, "the pipeline has no promotion of this name")
            .hint("names are exact, upper and lower case included; they stand under `promotions` in the pipeline file");
    }
    Meaning::new(Class::Refused, said(operation, status, refusal))
}

fn of_500(operation: Operation, status: u16, refusal: &Refusal) -> Meaning {
    let meaning = Meaning::new(Class::Server, said(operation, status, refusal));
    match (operation, status) {
        (Operation::TriggerPromotion, 500) => meaning.hint(
            "Semaphore says the same for its own trouble and for wrong parameters: check the names of the \
             parameters, the required ones, and the options that are allowed; and that the pipeline has \
             promotions",
        ),
        (Operation::ListPromotions, 500) => {
            meaning.hint("a pipeline without promotions, or one that is still initializing, is answered so")
        }
        (Operation::RunWorkflow, 500) => {
            meaning.hint("the workflow may have started all the same: look for it before it is run again")
        }
        _ => meaning,
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
    use crate::secret::Redactor;

    fn class(operation: Operation, status: u16, body: &str) -> Class {
        let refusal = Refusal::read(body.as_bytes(), &Redactor::new());
        meaning(operation, status, &refusal, "acme.semaphoreci.com").class
    }

    #[test]
    fn every_refusal_means_something_here() {
        use Operation as O;
        for (operation, status, body, expected) in [
            (
                O::DescribePipeline,
                401,
                "Unauthorized",
                Class::Unauthorized,
            ),
            (O::DescribePipeline, 401, "", Class::Unauthorized),
            (O::FetchLog, 401, "Permission denied", Class::Permission),
            (
                O::DescribeProject,
                401,
                "{\"message\":\"Unauthorized\"}",
                Class::Permission,
            ),
            (O::DescribePipeline, 403, "", Class::AuthOutage),
            (
                O::DescribePipeline,
                403,
                "The feature is not enabled",
                Class::Permission,
            ),
            (O::DescribePipeline, 404, "Not Found", Class::NotFound),
            (
                O::DescribePipeline,
                404,
                "Your IP 1.2.3.4 is not on the list\nask",
                Class::Permission,
            ),
            (
                O::RunWorkflow,
                400,
                "\"Limit of queuing pipelines reached\"",
                Class::QueueFull,
            ),
            (
                O::RerunWorkflow,
                400,
                "{\"code\":\"RESOURCE_EXHAUSTED\",\"message\":\"Limit of queuing pipelines reached\"}",
                Class::QueueFull,
            ),
            (
                O::TriggerPromotion,
                400,
                "\"Triggering target when pipeline is not passed requires override confirmation.\"",
                Class::NotPassed,
            ),
            (O::RunWorkflow, 400, "Malformed request: x", Class::Refused),
            (O::RunWorkflow, 409, "", Class::Refused),
            (O::StopJob, 501, "{\"code\":12}", Class::Refused),
            (O::RunWorkflow, 429, "", Class::RateLimited),
            (O::RunWorkflow, 301, "", Class::Redirected),
            (
                O::RunWorkflow,
                504,
                "upstream request timeout",
                Class::Server,
            ),
            (O::RunWorkflow, 204, "", Class::InvalidAnswer),
            (O::RunWorkflow, 700, "", Class::InvalidAnswer),
            (O::FetchSignedLog, 401, "Unauthorized", Class::Permission),
            (
                O::FetchSignedLog,
                404,
                "Logs for x not found",
                Class::NotFound,
            ),
            (O::FetchSignedLog, 403, "", Class::Permission),
        ] {
            assert_eq!(
                class(operation, status, body),
                expected,
                "{operation} {status} {body}"
            );
        }
    }

    #[test]
    fn a_bare_404_names_the_host_and_a_500_of_a_promotion_its_parameters() {
        let refusal = Refusal::read(b"Not Found", &Redactor::new());
        let not_found = meaning(Operation::DescribePipeline, 404, &refusal, "acme.test");
        assert_eq!(
            not_found.message,
            "the pipeline was not found on `acme.test`"
        );
        assert!(
            not_found
                .hint
                .unwrap()
                .contains("there is no organization `acme.test`")
        );
        let refusal = Refusal::read(b"\"Internal error\"", &Redactor::new());
        let promotion = meaning(Operation::TriggerPromotion, 500, &refusal, "acme.test");
        for word in ["names of the", "required ones", "options"] {
            assert!(promotion.hint.as_deref().unwrap().contains(word), "{word}");
        }
    }

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
