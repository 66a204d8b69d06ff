//! What SQLite says, in the words of the store.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::error::{FULL_HINT, READ_ONLY_HINT, StoreError, StoreErrorKind};

/// An error inside a transaction: SQLite's, or the store's own.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Fault {
    /// Whether somebody else was writing for too long.
    pub(super) fn is_busy(&self) -> bool {
        match self {
            Self::Sql(error) => is_busy(error),
            Self::Store(error) => error.kind == StoreErrorKind::Busy,
        }
    }

    /// The error of the store at `path`.
    pub(super) fn at(self, path: &Path) -> StoreError {
        match self {
            Self::Sql(error) => translate(&error, path),
            Self::Store(error) => error,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn translate(error: &rusqlite::Error, path: &Path) -> StoreError {
    let shown = path.display();
    let plain = |kind, message: String, hint: &str| StoreError::new(kind, message).hint(hint);
    let Some(code) = error.sqlite_error_code() else {
        // A value of another type than the schema says, a missing row: not what we wrote.
        return StoreError::damaged(format!("the run store `{shown}` ({error})"));
    };
    match code {
        ErrorCode::DiskFull => plain(
            StoreErrorKind::Full,
            format!("no room to write the run store `{shown}`"),
            FULL_HINT,
        ),
        ErrorCode::ReadOnly
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied => plain(
            StoreErrorKind::ReadOnly,
            format!("the run store `{shown}` cannot be written to"),
            READ_ONLY_HINT,
        ),
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed => plain(
            StoreErrorKind::Busy,
            format!("another process keeps the run store `{shown}` busy"),
            "try again, or look for a process that hangs with the file open",
        ),
        // `Unknown` is a statement that the schema refuses: a table of ours is gone.
        ErrorCode::DatabaseCorrupt
        | ErrorCode::NotADatabase
        | ErrorCode::SchemaChanged
        | ErrorCode::TypeMismatch
        | ErrorCode::ConstraintViolation
        | ErrorCode::Unknown => StoreError::damaged(format!("the run store `{shown}` ({error})")),
        _ => plain(
            StoreErrorKind::Io,
            format!("the run store `{shown}` cannot be used: {error}"),
            "choose another state folder with `--state-dir`",
        ),
    }
}
