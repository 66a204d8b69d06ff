//! The tables, and which version of them a file has.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, TransactionBehavior};

use super::fault::Fault;
use crate::store::error::{StoreError, StoreErrorKind};

/// Stands in the header of the file: `runr`.
const APPLICATION_ID: i64 = 0x7275_6e72;
/// The version of the tables below. A file with a larger one is refused, one with a smaller one is
/// brought up to it.
pub(super) const VERSION: i64 = 1 + CHANGES.len() as i64;

/// The tables as they were first. They never change: what has changed since stands in [`CHANGES`], and a new
/// file goes the same way as an old one.
///
/// Times are microseconds since 1970. `events` of a run is the number of its last event and `chain` the
/// checksum of that event; `commits` counts the transactions that changed the run.
const TABLES: &str = "
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    playbook TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    header TEXT NOT NULL,
    checksum TEXT NOT NULL,
    events INTEGER NOT NULL,
    chain TEXT NOT NULL,
    commits INTEGER NOT NULL,
    parked TEXT,
    outcome TEXT,
    ended_at INTEGER
) STRICT;
CREATE INDEX runs_by_age ON runs (created_at);
CREATE TABLE events (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    json TEXT NOT NULL,
    checksum TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) STRICT;
CREATE TABLE intents (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL,
    step TEXT NOT NULL,
    call INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    json TEXT NOT NULL,
    checksum TEXT NOT NULL,
    UNIQUE (run, step, call, attempt)
) STRICT;
CREATE TABLE observations (
    run TEXT NOT NULL,
    step TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (run, step)
) STRICT;
CREATE TABLE inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL,
    json TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT;
CREATE INDEX inbox_by_run ON inbox (run, number);
CREATE TABLE history (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    step TEXT NOT NULL,
    outcome TEXT NOT NULL,
    duration_ms INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_step ON history (name, step, number);
";

/// What each version has changed, from the second on. `remembered_as` is the name that a run's steps are
/// remembered by; runs of before have none, and are remembered by the name of the playbook.
const CHANGES: [&str; 3] = [
    "
ALTER TABLE runs ADD COLUMN remembered_as TEXT;
ALTER TABLE history ADD COLUMN failure TEXT;
ALTER TABLE history ADD COLUMN queued_ms INTEGER;
ALTER TABLE history ADD COLUMN ran_ms INTEGER;
",
    "
CREATE TABLE failures (
    number INTEGER PRIMARY KEY,
    project TEXT NOT NULL,
    signature TEXT NOT NULL,
    pipeline TEXT NOT NULL,
    branch TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    file TEXT NOT NULL,
    at INTEGER NOT NULL,
    passed INTEGER NOT NULL,
    UNIQUE (project, signature, pipeline)
) STRICT;
CREATE INDEX failures_by_build ON failures (project, commit_sha, file);
",
    "
ALTER TABLE runs ADD COLUMN api_usage TEXT;
",
];

/// Looks at a file before anything is written to it; then makes the tables when it is empty.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), Fault> {
    let version = check(connection)?;
    configure(connection)?;
    if version < VERSION {
        change(connection)?;
    }
    Ok(())
}

/// The version of the file, 0 when it is empty; an error when it is not ours to use.
fn check(connection: &Connection) -> Result<i64, Fault> {
    let application = pragma(connection, "application_id")?;
    let version = pragma(connection, "user_version")?;
    let objects: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))?;
    if (application, version, objects) == (0, 0, 0) {
        return Ok(0);
    }
    if application != APPLICATION_ID || version < 1 {
        return Err(StoreError::damaged("the run store (`runs.db` is no store of runner)").into());
    }
    if version > VERSION {
        return Err(StoreError::new(
            StoreErrorKind::NewerVersion,
            format!("the state folder was written by a newer version of runner (store version {version}, this one knows {VERSION})"),
        )
        .hint("use the newer runner, or another folder with `--state-dir`")
        .into());
    }
    Ok(version)
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, Fault> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

/// How the connection works: what is committed is synced, and the schema of the file is not trusted.
fn configure(connection: &Connection) -> Result<(), Fault> {
    // Without it a statement is prepared anew whenever its values change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(())
}

/// Makes the tables, or brings those of an older version up to this one: whole or not at all.
fn change(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have been faster, even one of a newer version.
    let version = pragma(&transaction, "user_version")?;
    if version == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    }
    for (change, makes) in CHANGES.iter().zip(2..) {
        if version < makes {
            transaction.execute_batch(change)?;
            transaction.pragma_update(None, "user_version", makes)?;
        }
    }
    transaction.commit()?;
    Ok(())
}
