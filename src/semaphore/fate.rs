//! Whether what a write asked for happened, as far as the answer tells.
//!
//! Duty: the one decision that everything about "never twice" rests on, as a pure function.
//! Invariant: whatever is not known to be definite is unknown. It must not look at words of the server.

use super::transport::Sent;

/// Whether what a call asked for may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The request never left, or never reached a server.
    NotSent,
    /// The server said no: nothing happened.
    NotDone,
    /// Nobody knows.
    Unknown,
}

/// What is known of the body of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// What the endpoint answers when all is well.
    Valid,
    /// Whole, but something else.
    Odd,
    /// Whole, and nothing in it.
    Empty,
    /// It broke off, or was too large.
    Cut,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// No answer.
    Nothing(Sent),
    /// An answer.
    Answer(u16, Body),
}

/// Decides a write: none when it was done.
pub fn of_write(seen: Seen) -> Option<Fate> {
    match seen {
        Seen::Nothing(Sent::NotSent) => Some(Fate::NotSent),
        Seen::Nothing(Sent::Maybe) => Some(Fate::Unknown),
        Seen::Answer(200..=299, Body::Valid) => None,
        Seen::Answer(_, Body::Cut) => Some(Fate::Unknown),
        Seen::Answer(400 | 401 | 404 | 422 | 429, _) => Some(Fate::NotDone),
        // An empty 403 is the ingress that could not ask who we are; what lies behind it is not known.
        Seen::Answer(403, Body::Valid | Body::Odd) => Some(Fate::NotDone),
        Seen::Answer(..) => Some(Fate::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_definite_is_decided() {
        let bodies = [Body::Valid, Body::Odd, Body::Empty, Body::Cut];
        let not_done = Some(Fate::NotDone);
        let unknown = Some(Fate::Unknown);
        let table: &[(u16, [Option<Fate>; 4])] = &[
            (200, [None, unknown, unknown, unknown]),
            (201, [None, unknown, unknown, unknown]),
            (204, [None, unknown, unknown, unknown]),
            (400, [not_done, not_done, not_done, unknown]),
            (401, [not_done, not_done, not_done, unknown]),
            (403, [not_done, not_done, unknown, unknown]),
            (404, [not_done, not_done, not_done, unknown]),
            (422, [not_done, not_done, not_done, unknown]),
            (429, [not_done, not_done, not_done, unknown]),
        ];
        for (status, expected) in table {
            for (body, expected) in bodies.iter().zip(expected) {
                assert_eq!(
                    of_write(Seen::Answer(*status, *body)),
                    *expected,
                    "{status} {body:?}"
                );
            }
        }
        for status in [
            0, 100, 199, 300, 301, 302, 304, 307, 308, 402, 405, 406, 407, 408, 409, 410, 415, 425,
            500, 501, 502, 503, 504, 599, 600, 999,
        ] {
            for body in bodies {
                assert_eq!(
                    of_write(Seen::Answer(status, body)),
                    unknown,
                    "{status} {body:?}"
                );
            }
        }
        assert_eq!(of_write(Seen::Nothing(Sent::NotSent)), Some(Fate::NotSent));
        assert_eq!(of_write(Seen::Nothing(Sent::Maybe)), unknown);
    }
}
