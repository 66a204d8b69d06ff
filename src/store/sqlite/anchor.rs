//! A small file in each run's folder that says how many commits the run has had.
//!
//! SQLite takes a damaged tail of its log for transactions that never were, and a copy of the database
//! put back in place for the truth. Both would silently forget what a run has done. The anchor is written
//! after each commit and not synced: so it may lag after a loss of power, but it is never ahead of what
//! was committed, and when it is ahead of the database, the database has lost something.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::store::{checksum, lock};

const NAME: &str = "commits";
const BYTES_MAX: u64 = 200;

/// Notes the number of commits of a run. An error is none: the commit itself is durable.
pub(super) fn write(folder: &Path, run: &str, commits: u64) {
    let number = format!("{commits:020}");
    let seal = checksum::seal("commits", run, &number);
    let _ = lock::open_private(&path(folder))
        .and_then(|mut file| file.write_all(format!("{number} {seal}\n").as_bytes()));
}

/// The number that was noted; none when there is no anchor, or it is not whole.
pub(super) fn read(folder: &Path, run: &str) -> Option<u64> {
    let mut text = String::new();
    std::fs::File::open(path(folder))
        .and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text))
        .ok()?;
    let (number, seal) = text.trim_end().split_once(' ')?;
    if checksum::seal("commits", run, number) != seal {
        return None;
    }
    number.parse().ok()
}

fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}
