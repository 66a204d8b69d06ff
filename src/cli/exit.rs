//! The one table of exit codes.
//!
//! Scripts rely on it, so a code keeps its meaning for ever; `docs/exit-codes.md` holds the same table,
//! and a test compares them. Whatever ends the process asks here for its code.

use std::process::ExitCode;

use crate::event::FailureKind;
use crate::outcome::RunOutcome;
use crate::store::StoreErrorKind;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Exit {
    /// The run passed, or the command did what it was asked.
    Passed,
    /// The run ended red.
    Red,
    /// The command line or the settings are wrong.
    Usage,
    /// The playbook or its inputs are wrong.
    Invalid,
    /// No token, a wrong one, or one that may not do this.
    Unauthorized,
    /// The fate of a write could not be found out.
    Unknown,
    /// A deadline passed.
    Deadline,
    /// Semaphore could not be reached.
    Unreachable,
    /// Another run holds the lock.
    Locked,
    /// State or a report could not be written or read.
    NotWritten,
    /// A bug in runner.
    Bug,
    /// The run was parked.
    Parked,
    /// The run was parked by SIGHUP.
    Hangup,
    /// The run was parked by SIGINT.
    Interrupt,
    /// The run was parked by SIGTERM.
    Terminate,
}

/// A row of the table.
struct Row {
    exit: Exit,
    code: u8,
    meaning: &'static str,
}

const fn row(exit: Exit, code: u8, meaning: &'static str) -> Row {
    Row {
        exit,
        code,
        meaning,
    }
}

/// The table, by code.
const TABLE: [Row; 15] = [
    row(
        Exit::Passed,
        0,
        "the run passed, or the command did what it was asked",
    ),
    row(
        Exit::Red,
        1,
        "the run ended red: a step failed that was not allowed to, or the run was canceled; or a test failed",
    ),
    row(
        Exit::Usage,
        2,
        "usage: the command line or the settings are wrong, or there is no such run",
    ),
    row(
        Exit::Invalid,
        3,
        "the playbook or its inputs are invalid: nothing was sent",
    ),
    row(
        Exit::Unauthorized,
        4,
        "not authorised: the token is missing or wrong, or may not do this",
    ),
    row(
        Exit::Unknown,
        5,
        "the outcome of a write is unknown: a person must look at the candidates in the report",
    ),
    row(Exit::Deadline, 6, "a deadline passed"),
    row(
        Exit::Unreachable,
        7,
        "Semaphore was not reachable, or did not answer usably, for longer than the retry budget",
    ),
    row(Exit::Locked, 8, "another run holds the lock"),
    row(
        Exit::NotWritten,
        9,
        "the state or a report could not be written or read",
    ),
    row(Exit::Bug, 70, "a bug in runner: please report it"),
    row(
        Exit::Parked,
        75,
        "the run was parked: `runner resume` goes on with it",
    ),
    row(
        Exit::Hangup,
        129,
        "interrupted by SIGHUP: the run was parked",
    ),
    row(
        Exit::Interrupt,
        130,
        "interrupted by SIGINT: the run was parked",
    ),
    row(
        Exit::Terminate,
        143,
        "interrupted by SIGTERM: the run was parked",
    ),
];

/// Which one counts when several hold: the first in this order. Those that are missing end a process on
/// their own.
const PRECEDENCE: [Exit; 7] = [
    Exit::Bug,
    Exit::NotWritten,
    Exit::Unknown,
    Exit::Unauthorized,
    Exit::Unreachable,
    Exit::Deadline,
    Exit::Red,
];

impl Exit {
    /// The code.
    pub fn code(self) -> u8 {
        self.row().map_or(70, |row| row.code)
    }

    /// What it means, in words.
    pub fn meaning(self) -> &'static str {
        self.row().map_or("", |row| row.meaning)
    }

    /// The exit of a code, when it is one of ours.
    pub fn from_code(code: u8) -> Option<Self> {
        TABLE
            .iter()
            .find(|row| row.code == code)
            .map(|row| row.exit)
    }

    /// The one that counts of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        if other.rank() < self.rank() {
            other
        } else {
            self
        }
    }

    /// How a run ended: `failure` is the class of what went wrong.
    pub fn of_run(outcome: RunOutcome, failure: Option<FailureKind>) -> Self {
        let base = match outcome {
            RunOutcome::Passed => return Self::Passed,
            RunOutcome::Failed | RunOutcome::Canceled => Self::Red,
            RunOutcome::Unknown => Self::Unknown,
            RunOutcome::Deadline => Self::Deadline,
        };
        // Nothing was begun: whoever holds the group is why.
        if failure == Some(FailureKind::Locked) {
            return Self::Locked;
        }
        failure.map_or(base, |kind| base.or(Self::of_failure(kind)))
    }

    /// What a failure means when it ends the whole run or command.
    pub fn of_failure(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Unauthorized | FailureKind::Permission => Self::Unauthorized,
            FailureKind::Network
            | FailureKind::Timeout
            | FailureKind::RateLimited
            | FailureKind::Server
            | FailureKind::AuthOutage => Self::Unreachable,
            FailureKind::FateUnknown => Self::Unknown,
            FailureKind::Deadline => Self::Deadline,
            FailureKind::File => Self::NotWritten,
            FailureKind::Bug => Self::Bug,
            FailureKind::Locked => Self::Locked,
            FailureKind::NotFound
            | FailureKind::Refused
            | FailureKind::QueueFull
            | FailureKind::NotPassed
            | FailureKind::InvalidAnswer
            | FailureKind::Limit
            | FailureKind::PipelineFailed
            | FailureKind::PipelineStopped
            | FailureKind::PromotionFailed
            | FailureKind::Assert
            | FailureKind::Check
            | FailureKind::Fail
            | FailureKind::Extract
            | FailureKind::Template
            | FailureKind::Parameter
            | FailureKind::Rejected
            | FailureKind::Canceled
            | FailureKind::StepFailed => Self::Red,
        }
    }

    /// What an error of the store means for the command.
    pub fn of_store(kind: &StoreErrorKind) -> Self {
        match kind {
            StoreErrorKind::Locked { .. } => Self::Locked,
            StoreErrorKind::NotFound
            | StoreErrorKind::Ambiguous { .. }
            | StoreErrorKind::InvalidId
            | StoreErrorKind::Exists
            | StoreErrorKind::Ended => Self::Usage,
            StoreErrorKind::Full
            | StoreErrorKind::ReadOnly
            | StoreErrorKind::Busy
            | StoreErrorKind::Damaged { .. }
            | StoreErrorKind::NewerVersion
            | StoreErrorKind::OutOfOrder
            | StoreErrorKind::Io => Self::NotWritten,
        }
    }

    /// The table as `docs/exit-codes.md` holds it.
    pub fn markdown() -> String {
        let mut out = String::from("| code | meaning |\n|---|---|\n");
        for row in &TABLE {
            out.push_str(&["| ", &row.code.to_string(), " | ", row.meaning, " |\n"].concat());
        }
        out
    }

    /// The order of precedence as `docs/exit-codes.md` says it.
    pub fn precedence() -> String {
        PRECEDENCE.map(|exit| exit.code().to_string()).join(", ")
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.exit == self)
    }

    fn rank(self) -> usize {
        let place = PRECEDENCE.iter().position(|exit| *exit == self);
        place.unwrap_or(match self {
            Self::Passed => usize::MAX,
            _ => PRECEDENCE.len(),
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_holds_the_table() {
        let document = include_str!("../../docs/exit-codes.md");
        assert!(document.contains(&Exit::markdown()), "{}", Exit::markdown());
        assert!(
            document.contains(&Exit::precedence()),
            "{}",
            Exit::precedence()
        );
    }

    #[test]
    fn every_exit_has_one_row() {
        for row in &TABLE {
            assert_eq!(row.exit.code(), row.code);
            assert_eq!(Exit::from_code(row.code), Some(row.exit));
        }
        assert!(TABLE.is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(Exit::from_code(42), None);
    }

    #[test]
    fn when_several_hold_the_worst_counts() {
        let cases = [
            (Exit::Red, Exit::NotWritten, 9),
            (Exit::NotWritten, Exit::Unknown, 9),
            (Exit::Bug, Exit::NotWritten, 70),
            (Exit::Unknown, Exit::Unauthorized, 5),
            (Exit::Unreachable, Exit::Unauthorized, 4),
            (Exit::Deadline, Exit::Unreachable, 7),
            (Exit::Red, Exit::Deadline, 6),
            (Exit::Passed, Exit::Parked, 75),
            (Exit::Terminate, Exit::NotWritten, 9),
            (Exit::Passed, Exit::Passed, 0),
        ];
        for (a, b, code) in cases {
            assert_eq!(a.or(b).code(), code, "{a:?} {b:?}");
            assert_eq!(b.or(a).code(), code, "{b:?} {a:?}");
        }
    }

    #[test]
    fn runs_end_with_the_code_of_what_went_wrong() {
        use FailureKind as F;
        use RunOutcome as O;
        let cases = [
            (O::Passed, None, 0),
            (O::Failed, Some(F::StepFailed), 1),
            (O::Failed, Some(F::PipelineFailed), 1),
            (O::Failed, Some(F::Permission), 4),
            (O::Failed, Some(F::Unauthorized), 4),
            (O::Failed, Some(F::Network), 7),
            (O::Failed, Some(F::File), 9),
            (O::Failed, Some(F::Bug), 70),
            (O::Failed, None, 1),
            (O::Canceled, Some(F::Canceled), 1),
            (O::Unknown, Some(F::FateUnknown), 5),
            (O::Unknown, Some(F::StepFailed), 5),
            (O::Deadline, Some(F::Deadline), 6),
            (O::Deadline, Some(F::Network), 7),
        ];
        for (outcome, failure, code) in cases {
            assert_eq!(
                Exit::of_run(outcome, failure).code(),
                code,
                "{outcome} {failure:?}"
            );
        }
    }
}
