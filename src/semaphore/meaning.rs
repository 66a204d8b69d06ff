//! What a refusal means: from a status and the words of one of five servers to a class.
//!
//! Duty: a class, a message in our words and a hint for every answer that is no success. Invariant: a
//! class says only what the answer shows: a 401 is a bad token only when the authorisation itself says
//! so, and a bare 404 names the host, for it may be wrong. It must not look at bodies of successes.

use super::dialect::{Dialect, Refusal};
use super::error::Class;
use super::operation::Operation;

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
        .hint(match subject {
            "project" => "its user needs permission to view the project".to_owned(),
            other => format!("its user needs permission to view the project of the {other}"),
        })
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
    if refusal.dialect == Dialect::Text
        && !bare
        && refusal.words.split(' ').any(|word| word == "IP")
    {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Redactor;

    fn check(expected: Class, cases: &[(Operation, u16, &str)]) {
        for (operation, status, body) in cases {
            let refusal = Refusal::read(body.as_bytes(), &Redactor::new());
            let got = meaning(*operation, *status, &refusal, "acme.semaphoreci.com");
            assert_eq!(got.class, expected, "{operation} {status} {body}");
        }
    }

    #[test]
    fn what_the_token_may_not_do_is_told_from_a_wrong_token_and_from_an_outage() {
        use Operation as O;
        let wrong = [
            (O::DescribePipeline, 401, "Unauthorized"),
            (O::RunWorkflow, 401, ""),
        ];
        check(Class::Unauthorized, &wrong);
        let permission = [
            (O::FetchLog, 401, "Permission denied"),
            (O::DescribeProject, 401, "{\"message\":\"Unauthorized\"}"),
            (O::DescribePipeline, 403, "The feature is not enabled"),
            (
                O::DescribePipeline,
                404,
                "Your IP 1.2.3.4 is not on the list\nask",
            ),
            (O::FetchSignedLog, 401, "Unauthorized"),
            (O::FetchSignedLog, 403, ""),
        ];
        check(Class::Permission, &permission);
        check(Class::AuthOutage, &[(O::DescribePipeline, 403, "")]);
        let not_found = [
            (O::DescribePipeline, 404, "Not Found"),
            (
                O::DescribeJob,
                404,
                "{\"code\":5,\"message\":\"Job x not found\"}",
            ),
            (O::DescribeJob, 404, "<html>404</html>"),
            (O::FetchSignedLog, 404, "Logs for x not found"),
        ];
        check(Class::NotFound, &not_found);
    }

    #[test]
    fn what_may_be_asked_again_is_told_from_what_may_not() {
        use Operation as O;
        let full = [
            (
                O::RunWorkflow,
                400,
                "\"Limit of queuing pipelines reached\"",
            ),
            (
                O::RerunWorkflow,
                400,
                "{\"code\":\"RESOURCE_EXHAUSTED\",\"message\":\"x\"}",
            ),
        ];
        check(Class::QueueFull, &full);
        let words =
            "\"Triggering target when pipeline is not passed requires override confirmation.\"";
        check(Class::NotPassed, &[(O::TriggerPromotion, 400, words)]);
        let refused = [
            (O::RunWorkflow, 400, "Malformed request: x"),
            (O::RunWorkflow, 409, ""),
            (O::StopJob, 501, "{\"code\":12}"),
        ];
        check(Class::Refused, &refused);
        check(
            Class::RateLimited,
            &[(O::RunWorkflow, 429, ""), (O::FetchSignedLog, 429, "")],
        );
        check(Class::Redirected, &[(O::RunWorkflow, 301, "")]);
        let server = [
            (O::RunWorkflow, 500, "\"Internal error\""),
            (O::ListTasks, 504, "upstream"),
        ];
        check(Class::Server, &server);
        check(
            Class::InvalidAnswer,
            &[(O::RunWorkflow, 100, ""), (O::RunWorkflow, 700, "")],
        );
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
}
