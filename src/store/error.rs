//! What can go wrong with a store, each with its name and what to do about it.

use super::model::OwnerInfo;

/// Why the store could not do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// The class.
    pub kind: StoreErrorKind,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The class of a [`StoreError`].
#[derive(Debug, Clone, PartialEq)]
pub enum StoreErrorKind {
    /// No room on the disk, or a quota is used up.
    Full,
    /// The state folder cannot be written to.
    ReadOnly,
    /// Another process kept the store busy for too long.
    Busy,
    /// Something stored is not what was written.
    Damaged {
        /// What, for people: `event 12 of run x`.
        what: String,
    },
    /// The store was written by a newer version of runner.
    NewerVersion,
    /// There is no such run.
    NotFound,
    /// There is such a run already.
    Exists,
    /// Several runs begin like this.
    Ambiguous {
        /// Their ids, newest first.
        ids: Vec<String>,
    },
    /// A living process holds the lock.
    Locked {
        /// Which, when it said so.
        by: Option<Box<OwnerInfo>>,
    },
    /// The run has ended.
    Ended,
    /// Events that do not follow those that are stored: somebody else wrote, or it is a bug.
    OutOfOrder,
    /// What was given cannot be the id of a run.
    InvalidId,
    /// Anything else of the operating system.
    Io,
}

impl StoreError {
    /// An error without a hint.
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hint: None,
        }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Something stored is not what was written.
    pub fn damaged(what: impl Into<String>) -> Self {
        let what = what.into();
        let message = format!("{what} is damaged");
        Self::new(StoreErrorKind::Damaged { what }, message).hint(
            "nothing was guessed: look on Semaphore at what the run did, and start a new run; \
             keep a copy of the state folder if you report this",
        )
    }

    /// There is no such run.
    pub fn not_found(run: &str) -> Self {
        let shown = crate::text::clean_line(run, 100);
        Self::new(
            StoreErrorKind::NotFound,
            format!("there is no run `{shown}`"),
        )
        .hint("`runner runs` lists the runs of the state folder")
    }

    /// There is such a run already.
    pub fn exists(run: &str) -> Self {
        Self::new(
            StoreErrorKind::Exists,
            format!("there is a run `{run}` already"),
        )
    }

    /// The run has ended.
    pub fn ended(run: &str) -> Self {
        Self::new(StoreErrorKind::Ended, format!("the run `{run}` has ended"))
    }

    /// Several runs begin like this.
    pub fn ambiguous(prefix: &str, ids: Vec<String>) -> Self {
        let shown = crate::text::clean_line(prefix, 60);
        let some: Vec<String> = ids.iter().take(5).map(|id| format!("`{id}`")).collect();
        let more = if ids.len() > some.len() { ", …" } else { "" };
        let hint = format!("give more of the id: {}{more}", some.join(", "));
        Self::new(
            StoreErrorKind::Ambiguous { ids },
            format!("several runs begin with `{shown}`"),
        )
        .hint(hint)
    }

    /// A living process holds the lock of `what` (a run, a concurrency group).
    pub fn locked(what: &str, by: Option<OwnerInfo>) -> Self {
        let holder = by
            .as_ref()
            .map_or_else(|| "another process".to_owned(), ToString::to_string);
        Self::new(
            StoreErrorKind::Locked {
                by: by.map(Box::new),
            },
            format!("{what} is held by {holder}"),
        )
        .hint("wait until it is done, or stop it; a dead process holds nothing")
    }

    /// Events that do not follow those that are stored.
    pub fn out_of_order(run: &str, stored: u64, given: u64) -> Self {
        Self::new(
            StoreErrorKind::OutOfOrder,
            format!("event {given} of run `{run}` does not follow event {stored}, the last that is stored"),
        )
        .hint("another process wrote to the run, or this is a bug in runner")
    }

    /// An error of the operating system, about a path.
    pub fn io(doing: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let message = format!("cannot {doing} `{}`: {error}", path.display());
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Self::new(StoreErrorKind::Full, message).hint(FULL_HINT)
            }
            ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
                Self::new(StoreErrorKind::ReadOnly, message).hint(READ_ONLY_HINT)
            }
            _ => Self::new(StoreErrorKind::Io, message)
                .hint("choose another state folder with `--state-dir`"),
        }
    }
}

/// What to do about a full disk.
pub(super) const FULL_HINT: &str = "make room, or choose another state folder with `--state-dir`; what was stored before is intact";
/// What to do about a folder that cannot be written to.
pub(super) const READ_ONLY_HINT: &str =
    "choose a state folder that you may write to with `--state-dir`";
