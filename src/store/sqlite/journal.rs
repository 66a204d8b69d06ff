//! Events and intents: the part that makes a run able to go on.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::failures;
use super::fault::Fault;
use crate::event::{EffectKey, Intent, Recorded};
use crate::outcome::RunOutcome;
use crate::secret::Redactor;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::fold::{self, Change, HISTORY_MAX};
use crate::store::lessons::lessons;
use crate::store::model::PastStep;
use crate::store::{checksum, redaction};

/// Where a run's journal stands.
pub(super) struct Standing {
    /// The name that its steps are remembered by.
    remembered_as: String,
    /// The number of the last event.
    events: u64,
    /// Its checksum.
    chain: String,
    /// How many transactions have changed the run.
    pub(super) commits: u64,
    /// How the run ended, when it has.
    pub(super) outcome: Option<RunOutcome>,
}

/// Where the journal of a run stands.
pub(super) fn standing(connection: &Connection, run: &str) -> Result<Standing, Fault> {
    let row = connection
        .prepare_cached("SELECT coalesce(remembered_as, name), events, chain, commits, outcome FROM runs WHERE id = ?")?
        .query_row([run], |row| {
            Ok((
                row.get(0)?,
                row.get::<_, i64>(1)?,
                row.get(2)?,
                row.get::<_, i64>(3)?,
                row.get::<_, Option<String>>(4)?,
            ))
        })
        .optional()?;
    let Some((remembered_as, events, chain, commits, outcome)) = row else {
        return Err(StoreError::not_found(run).into());
    };
    let outcome = outcome
        .map(|word| super::runs::word::<RunOutcome>(&word, run))
        .transpose()?;
    Ok(Standing {
        remembered_as,
        outcome,
        events: unsigned(events, run)?,
        chain,
        commits: unsigned(commits, run)?,
    })
}

/// Appends events, and gives the number of the commit.
pub(super) fn append(
    transaction: &Transaction<'_>,
    redactor: &Redactor,
    run: &str,
    events: &[Recorded],
) -> Result<u64, Fault> {
    let mut standing = standing(transaction, run)?;
    if standing.outcome.is_some() && !fold::may_follow_the_end(events) {
        return Err(StoreError::ended(run).into());
    }
    fold::check_order(run, standing.events, events)?;
    let mut insert = transaction
        .prepare_cached("INSERT INTO events (run, seq, json, checksum) VALUES (?, ?, ?, ?)")?;
    for event in events {
        let event = redaction::recorded(redactor, event);
        let json = to_json(event.as_ref())?;
        standing.chain = checksum::link(run, event.seq, &json, &standing.chain);
        standing.events = event.seq;
        insert.execute(params![run, signed(event.seq), json, standing.chain])?;
        if let Some(change) = fold::change(&event) {
            apply(transaction, run, &standing.remembered_as, &change)?;
        }
        failures::learn(transaction, run, &lessons(&event))?;
    }
    standing.commits += 1;
    transaction
        .prepare_cached("UPDATE runs SET events = ?, chain = ?, commits = ? WHERE id = ?")?
        .execute(params![
            signed(standing.events),
            standing.chain,
            signed(standing.commits),
            run
        ])?;
    Ok(standing.commits)
}

fn apply(
    transaction: &Transaction<'_>,
    run: &str,
    name: &str,
    change: &Change<'_>,
) -> Result<(), Fault> {
    match change {
        Change::Closed(key) => {
            transaction
                .prepare_cached(
                    "DELETE FROM intents WHERE run = ? AND step = ? AND call = ? AND attempt = ?",
                )?
                .execute(params![run, key.step, key.call, key.attempt])?;
        }
        Change::Parked(reason) => {
            transaction
                .prepare_cached("UPDATE runs SET parked = ? WHERE id = ?")?
                .execute(params![reason, run])?;
        }
        Change::Resumed => {
            transaction
                .prepare_cached("UPDATE runs SET parked = NULL WHERE id = ?")?
                .execute([run])?;
        }
        Change::Reopened => {
            transaction
                .prepare_cached("UPDATE runs SET outcome = NULL, ended_at = NULL WHERE id = ?")?
                .execute([run])?;
        }
        Change::Past(step, past) => remember(transaction, name, step, past)?,
        Change::Ended(outcome, at) => {
            transaction
                .prepare_cached(
                    "UPDATE runs SET parked = NULL, outcome = ?, ended_at = ? WHERE id = ?",
                )?
                .execute(params![outcome.as_str(), at.as_microsecond(), run])?;
            if *outcome != RunOutcome::Unknown {
                transaction
                    .prepare_cached("DELETE FROM inbox WHERE run = ?")?
                    .execute([run])?;
            }
        }
    }
    Ok(())
}

/// Adds to the history of a step, and forgets what is too old.
fn remember(
    transaction: &Transaction<'_>,
    name: &str,
    step: &str,
    past: &PastStep,
) -> Result<(), Fault> {
    transaction
        .prepare_cached(
            "INSERT INTO history (name, step, outcome, failure, duration_ms, queued_ms, ran_ms, at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            name,
            step,
            past.outcome.as_str(),
            past.failure.map(|kind| kind.as_str()),
            signed(past.duration_ms),
            past.queued_ms.map(signed),
            past.ran_ms.map(signed),
            past.at.as_microsecond()
        ])?;
    transaction
        .prepare_cached(
            "DELETE FROM history WHERE name = ?1 AND step = ?2 AND number <=
             (SELECT number FROM history WHERE name = ?1 AND step = ?2
              ORDER BY number DESC LIMIT 1 OFFSET ?3)",
        )?
        .execute(params![name, step, signed(HISTORY_MAX as u64)])?;
    Ok(())
}

/// Writes an intent; one of the same key is replaced.
pub(super) fn write_intent(
    transaction: &Transaction<'_>,
    run: &str,
    intent: &Intent,
) -> Result<(), Fault> {
    if standing(transaction, run)?.outcome.is_some() {
        return Err(StoreError::ended(run).into());
    }
    let json = to_json(intent)?;
    let seal = checksum::seal("intent", run, &json);
    let key = &intent.key;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO intents (run, step, call, attempt, json, checksum)
             VALUES (?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![run, key.step, key.call, key.attempt, json, seal])?;
    Ok(())
}

/// The open intents of a run, or that of one call.
pub(super) fn intents(
    connection: &Connection,
    run: &str,
    key: Option<&EffectKey>,
) -> Result<Vec<Intent>, Fault> {
    let mut statement = connection
        .prepare_cached("SELECT json, checksum FROM intents WHERE run = ? ORDER BY number")?;
    let mut rows = statement.query([run])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (json, seal): (String, String) = (row.get(0)?, row.get(1)?);
        if checksum::seal("intent", run, &json) != seal {
            return Err(StoreError::damaged(format!("an intent of run `{run}`")).into());
        }
        let intent: Intent = from_json(&json, &format!("an intent of run `{run}`"))?;
        if key.is_none_or(|key| *key == intent.key) {
            found.push(intent);
        }
    }
    Ok(found)
}

/// All events of a run, each held against the chain of checksums; `noted` is the number of commits that
/// are known to have been made.
pub(super) fn load(
    connection: &Connection,
    run: &str,
    noted: Option<u64>,
) -> Result<Vec<Recorded>, Fault> {
    let damaged = |what: String| Fault::from(StoreError::damaged(what));
    let row = connection
        .prepare_cached("SELECT events, chain, commits FROM runs WHERE id = ?")?
        .query_row([run], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, i64>(2)?,
            ))
        })
        .optional()?;
    let Some((last, end_of_chain, commits)) = row else {
        return Err(StoreError::not_found(run).into());
    };
    let (last, commits) = (unsigned(last, run)?, unsigned(commits, run)?);
    if noted.is_some_and(|noted| noted > commits) {
        return Err(damaged(format!(
            "the journal of run `{run}` (what was written after event {last} is gone)"
        )));
    }
    let mut statement = connection
        .prepare_cached("SELECT seq, json, checksum FROM events WHERE run = ? ORDER BY seq")?;
    let mut rows = statement.query([run])?;
    let mut events: Vec<Recorded> = Vec::new();
    let mut chain = String::new();
    for expected in 1..=last {
        let row = rows
            .next()?
            .ok_or_else(|| damaged(format!("event {expected} of run `{run}` (it is gone)")))?;
        let (seq, json, seal): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let what = || format!("event {expected} of run `{run}`");
        if seq != signed(expected) {
            return Err(damaged(format!("{} (it is gone)", what())));
        }
        chain = checksum::link(run, expected, &json, &chain);
        if chain != seal {
            return Err(damaged(what()));
        }
        let event: Recorded = from_json(&json, &what())?;
        if event.seq != expected {
            return Err(damaged(what()));
        }
        events.push(event);
    }
    if rows.next()?.is_some() || chain != end_of_chain {
        return Err(damaged(format!(
            "the journal of run `{run}` (its end is not event {last})"
        )));
    }
    Ok(events)
}

/// Forgets how steps went before a time.
pub(super) fn forget(transaction: &Transaction<'_>, before: Timestamp) -> Result<(), Fault> {
    transaction.execute(
        "DELETE FROM history WHERE at < ?",
        [before.as_microsecond()],
    )?;
    Ok(())
}

/// Forgets a run wholly, but not what it taught about durations.
pub(super) fn remove(transaction: &Transaction<'_>, run: &str) -> Result<(), Fault> {
    for table in ["events", "intents", "observations", "inbox"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE run = ?"), [run])?;
    }
    transaction.execute("DELETE FROM runs WHERE id = ?", [run])?;
    Ok(())
}

/// What we write is always JSON; that it is not is a bug, and not worth a panic.
pub(super) fn to_json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| {
        StoreError::new(
            StoreErrorKind::Io,
            format!("cannot be written as JSON: {error}"),
        )
        .hint("this is a bug in runner: please report it")
    })
}

/// A text whose checksum is right, but which this version cannot read, was written by a newer one.
pub(super) fn from_json<T: serde::de::DeserializeOwned>(
    json: &str,
    what: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| {
        StoreError::new(
            StoreErrorKind::NewerVersion,
            format!("{what} cannot be read by this version of runner: {error}"),
        )
        .hint("use the version of runner that wrote it, or a newer one")
    })
}

/// SQLite's integers are signed.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// What we wrote was not negative.
pub(super) fn unsigned(number: i64, run: &str) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::damaged(format!("a number of run `{run}`")))
}
