//! Runs as a whole: headers, the list, finding one, history, pruning.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::journal::{from_json, signed, to_json, unsigned};
use crate::outcome::{RunOutcome, StepOutcome};
use crate::secret::Redactor;
use crate::store::error::StoreError;
use crate::store::fold::HISTORY_MAX;
use crate::store::model::{PastStep, RunHeader, RunState, RunSummary, Usage};
use crate::store::{checksum, redaction};

/// Makes a run.
pub(super) fn create(
    transaction: &Transaction<'_>,
    redactor: &Redactor,
    header: &RunHeader,
) -> Result<(), Fault> {
    let known: Option<i64> = transaction
        .query_row(
            "SELECT number FROM runs WHERE id = ?",
            [&header.id],
            |row| row.get(0),
        )
        .optional()?;
    if known.is_some() {
        return Err(StoreError::exists(&header.id).into());
    }
    let header = redaction::header(redactor, header);
    let json = to_json(header.as_ref())?;
    transaction.execute(
        "INSERT INTO runs
         (id, name, playbook, created_at, header, checksum, remembered_as, events, chain, commits)
         VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', 0)",
        params![
            header.id,
            header.name,
            header.playbook,
            header.created_at.as_microsecond(),
            json,
            checksum::seal("header", &header.id, &json),
            header.remembered_as(),
        ],
    )?;
    Ok(())
}

/// The header of a run.
pub(super) fn header(connection: &Connection, run: &str) -> Result<RunHeader, Fault> {
    let row: Option<(String, String)> = connection
        .query_row(
            "SELECT header, checksum FROM runs WHERE id = ?",
            [run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let (json, seal) = row.ok_or_else(|| StoreError::not_found(run))?;
    let what = format!("the header of run `{run}`");
    if checksum::seal("header", run, &json) != seal {
        return Err(StoreError::damaged(what).into());
    }
    Ok(from_json(&json, &what)?)
}

/// Keeps how much a run has asked of Semaphore.
pub(super) fn put_usage(
    transaction: &Transaction<'_>,
    run: &str,
    usage: &Usage,
) -> Result<(), Fault> {
    transaction.execute(
        "UPDATE runs SET api_usage = ? WHERE id = ?",
        params![to_json(usage)?, run],
    )?;
    Ok(())
}

/// How much a run has asked of Semaphore. What cannot be read is not known: it is for people only.
pub(super) fn usage(connection: &Connection, run: &str) -> Result<Usage, Fault> {
    let json: Option<Option<String>> = connection
        .query_row("SELECT api_usage FROM runs WHERE id = ?", [run], |row| {
            row.get(0)
        })
        .optional()?;
    let read = json.flatten().map(|json| serde_json::from_str(&json).ok());
    Ok(read.flatten().unwrap_or_default())
}

/// All runs, newest first, without their owners.
pub(super) fn list(connection: &Connection, name: Option<&str>) -> Result<Vec<RunSummary>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, playbook, created_at, parked, outcome, ended_at FROM runs
         WHERE ?1 IS NULL OR name = ?1 ORDER BY created_at DESC, number DESC",
    )?;
    let mut rows = statement.query([name])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(summary(row)?);
    }
    Ok(found)
}

fn summary(row: &Row<'_>) -> Result<RunSummary, Fault> {
    let id: String = row.get(0)?;
    let outcome: Option<String> = row.get(5)?;
    let ended_at: Option<i64> = row.get(6)?;
    let outcome = outcome.map(|o| word::<RunOutcome>(&o, &id)).transpose()?;
    Ok(RunSummary {
        name: row.get(1)?,
        playbook: row.get(2)?,
        state: match outcome {
            Some(_) => RunState::Ended,
            None => RunState::Parked,
        },
        outcome,
        parked: row.get(4)?,
        started_at: time(row.get(3)?, &id)?,
        ended_at: ended_at.map(|at| time(at, &id)).transpose()?,
        owner: None,
        id,
    })
}

/// The one run that is meant.
pub(super) fn find(connection: &Connection, prefix: &str) -> Result<String, Fault> {
    if prefix == "last" {
        let newest: Option<String> = connection
            .query_row(
                "SELECT id FROM runs ORDER BY created_at DESC, number DESC LIMIT 1",
                (),
                |row| row.get(0),
            )
            .optional()?;
        return Ok(newest.ok_or_else(|| StoreError::not_found(prefix))?);
    }
    if prefix.is_empty() {
        return Err(StoreError::not_found(prefix).into());
    }
    let mut statement = connection.prepare_cached(
        "SELECT id FROM runs WHERE substr(id, 1, length(?1)) = ?1
         ORDER BY created_at DESC, number DESC",
    )?;
    let mut ids: Vec<String> = statement
        .query_map([prefix], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if ids.iter().any(|id| id == prefix) {
        return Ok(prefix.to_owned());
    }
    match ids.pop() {
        None => Err(StoreError::not_found(prefix).into()),
        Some(only) if ids.is_empty() => Ok(only),
        Some(oldest) => {
            ids.push(oldest);
            Err(StoreError::ambiguous(prefix, ids).into())
        }
    }
}

/// How a step went before, newest first.
pub(super) fn history(
    connection: &Connection,
    name: &str,
    step: &str,
) -> Result<Vec<PastStep>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT outcome, failure, duration_ms, queued_ms, ran_ms, at FROM history
         WHERE name = ? AND step = ? ORDER BY number DESC LIMIT ?",
    )?;
    let mut rows = statement.query(params![name, step, signed(HISTORY_MAX as u64)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(past_step(row, name)?);
    }
    Ok(found)
}

/// How all steps went before, each newest first.
pub(super) fn histories(
    connection: &Connection,
    name: &str,
) -> Result<BTreeMap<String, Vec<PastStep>>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT outcome, failure, duration_ms, queued_ms, ran_ms, at, step FROM history
         WHERE name = ? ORDER BY number DESC",
    )?;
    let mut rows = statement.query([name])?;
    let mut found: BTreeMap<String, Vec<PastStep>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let past = past_step(row, name)?;
        found.entry(row.get(6)?).or_default().push(past);
    }
    Ok(found)
}

fn past_step(row: &Row<'_>, name: &str) -> Result<PastStep, Fault> {
    let (outcome, failure): (String, Option<String>) = (row.get(0)?, row.get(1)?);
    let number = |at: usize| -> Result<Option<u64>, Fault> {
        let number: Option<i64> = row.get(at)?;
        Ok(number.map(|number| unsigned(number, name)).transpose()?)
    };
    Ok(PastStep {
        outcome: word::<StepOutcome>(&outcome, name)?,
        // A class that only a newer version knows is no reason to give up the durations.
        failure: failure.and_then(|kind| word(&kind, name).ok()),
        duration_ms: unsigned(row.get(2)?, name)?,
        queued_ms: number(3)?,
        ran_ms: number(4)?,
        at: time(row.get(5)?, name)?,
    })
}

/// The ids of the runs that ended before a time, oldest first.
pub(super) fn ended_before(connection: &Connection, time: Timestamp) -> Result<Vec<String>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM runs WHERE outcome IS NOT NULL AND ended_at < ? ORDER BY number",
    )?;
    let ids = statement
        .query_map([time.as_microsecond()], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(ids)
}

/// Whether a run has ended before a time: asked again once its lock is held.
pub(super) fn has_ended_before(
    connection: &Connection,
    run: &str,
    time: Timestamp,
) -> Result<bool, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT 1 FROM runs WHERE id = ? AND outcome IS NOT NULL AND ended_at < ?",
    )?;
    Ok(statement.exists((run, time.as_microsecond()))?)
}

pub(super) fn word<T: DeserializeOwned>(word: &str, of: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::from(word))
        .map_err(|_| StoreError::damaged(format!("an outcome of `{of}`")))
}

pub(super) fn time(microseconds: i64, of: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| StoreError::damaged(format!("a time of `{of}`")))
}
