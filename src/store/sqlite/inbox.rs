//! What passes between a run's owner and the others: messages to it, and what it is seen doing.

use rusqlite::{Connection, Transaction, params};

use super::fault::Fault;
use super::journal::{from_json, signed, standing, to_json, unsigned};
use crate::event::Observation;
use crate::secret::Redactor;
use crate::store::error::StoreError;
use crate::store::model::{InboxMessage, Posted};
use crate::store::{checksum, redaction};

/// Leaves a message.
pub(super) fn post(
    transaction: &Transaction<'_>,
    redactor: &Redactor,
    run: &str,
    message: &InboxMessage,
) -> Result<(), Fault> {
    // A run that has ended reads no messages: the caller must hear that.
    let ended = standing(transaction, run)?.outcome;
    if ended.is_some_and(|outcome| !message.outlives(outcome)) {
        return Err(StoreError::ended(run).into());
    }
    let message = redaction::message(redactor, message);
    let json = to_json(message.as_ref())?;
    let seal = checksum::seal("message", run, &json);
    transaction.execute(
        "INSERT INTO inbox (run, json, checksum) VALUES (?, ?, ?)",
        params![run, json, seal],
    )?;
    Ok(())
}

/// The messages after one number, oldest first.
pub(super) fn after(connection: &Connection, run: &str, number: u64) -> Result<Vec<Posted>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT number, json, checksum FROM inbox WHERE run = ? AND number > ? ORDER BY number",
    )?;
    let mut rows = statement.query(params![run, signed(number)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let (number, json, seal): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let what = format!("message {number} to run `{run}`");
        if checksum::seal("message", run, &json) != seal {
            return Err(StoreError::damaged(what).into());
        }
        found.push(Posted {
            number: unsigned(number, run)?,
            message: from_json(&json, &what)?,
        });
    }
    Ok(found)
}

/// Removes the messages up to a number.
pub(super) fn settle(connection: &Connection, run: &str, up_to: u64) -> Result<(), Fault> {
    connection
        .prepare_cached("DELETE FROM inbox WHERE run = ? AND number <= ?")?
        .execute(params![run, signed(up_to)])?;
    Ok(())
}

/// Keeps what a step is seen doing.
pub(super) fn observe(
    connection: &Connection,
    redactor: &Redactor,
    run: &str,
    observation: &Observation,
) -> Result<(), Fault> {
    let observation = redaction::observation(redactor, observation);
    let json = to_json(observation.as_ref())?;
    connection
        .prepare_cached("INSERT OR REPLACE INTO observations (run, step, json) VALUES (?, ?, ?)")?
        .execute(params![run, observation.step, json])?;
    Ok(())
}

/// What the steps were last seen doing. One that cannot be read is left out: it is for people only.
pub(super) fn observations(connection: &Connection, run: &str) -> Result<Vec<Observation>, Fault> {
    let mut statement =
        connection.prepare_cached("SELECT json FROM observations WHERE run = ? ORDER BY step")?;
    let texts: Vec<String> = statement
        .query_map([run], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    Ok(texts
        .iter()
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect())
}
