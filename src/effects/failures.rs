//! From an error of the client to a failure of a call.

use std::time::Duration;

use crate::event::{Failure, FailureKind, Fate};
use crate::ids::{Id, NotAnId};
use crate::semaphore;

/// What an error of the client is to a run.
pub(super) fn of_error(error: semaphore::Error) -> Failure {
    use semaphore::Class;
    let kind = match error.class {
        Class::Unauthorized => FailureKind::Unauthorized,
        Class::Permission => FailureKind::Permission,
        Class::NotFound => FailureKind::NotFound,
        Class::Refused => FailureKind::Refused,
        Class::QueueFull => FailureKind::QueueFull,
        Class::NotPassed => FailureKind::NotPassed,
        Class::RateLimited => FailureKind::RateLimited,
        Class::AuthOutage => FailureKind::AuthOutage,
        Class::Server => FailureKind::Server,
        Class::Network => FailureKind::Network,
        Class::Timeout => FailureKind::Timeout,
        Class::InvalidAnswer | Class::Redirected => FailureKind::InvalidAnswer,
    };
    let fate = match error.fate {
        semaphore::Fate::NotSent => Fate::NotSent,
        semaphore::Fate::NotDone => Fate::NotDone,
        semaphore::Fate::Unknown => Fate::Unknown,
    };
    let millis = |after: Duration| u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    Failure {
        kind,
        message: error.message,
        hint: error.hint,
        status: error.status,
        fate,
        retry_after_ms: error.retry_after.map(millis),
        candidates: Vec::new(),
        response: None,
        elsewhere: false,
    }
}

/// An id that a call was given; what is none is refused before anything is sent.
pub(super) fn id(text: &str) -> Result<Id, Failure> {
    Id::parse(text)
        .map_err(|error: NotAnId| Failure::new(FailureKind::Parameter, error.to_string()))
}

/// The time of a step is over while something was awaited.
pub(super) fn out_of_time(
    what: &str,
    last: &str,
    trouble: Option<&str>,
    after: Duration,
) -> Failure {
    let mut message = format!("{what} after {}", crate::duration::show(after));
    if !last.is_empty() {
        message.push_str(": last seen ");
        message.push_str(last);
    }
    if let Some(trouble) = trouble {
        message.push_str("; the last error was: ");
        message.push_str(trouble);
    }
    Failure::new(FailureKind::Deadline, message).hint("`timeout` gives a step more time")
}
