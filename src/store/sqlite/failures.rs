//! What is remembered of failures: where each was seen, and whether the same commit passed all the same.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::fault::Fault;
use super::journal::signed;
use super::runs::time;
use crate::store::StoreError;
use crate::store::history::remembered_as;
use crate::store::lessons::{Lesson, SIGHTINGS_MAX, Sighting};
use crate::triage::Past;

/// Notes what an event taught.
pub(super) fn learn(
    transaction: &Transaction<'_>,
    run: &str,
    lessons: &[Lesson<'_>],
) -> Result<(), Fault> {
    if lessons.is_empty() {
        return Ok(());
    }
    let simulated = is_simulated(transaction, run)?;
    for lesson in lessons {
        match lesson {
            Lesson::Failed(sighting) => note(transaction, sighting, simulated)?,
            Lesson::Passed(build) => {
                transaction
                    .prepare_cached(
                        "UPDATE failures SET passed = 1
                         WHERE project = ? AND commit_sha = ? AND file = ?",
                    )?
                    .execute(params![
                        remembered_as(build.project, simulated),
                        build.commit,
                        build.file
                    ])?;
            }
        }
    }
    Ok(())
}

fn note(transaction: &Transaction<'_>, seen: &Sighting<'_>, simulated: bool) -> Result<(), Fault> {
    let project = remembered_as(seen.build.project, simulated);
    transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO failures
             (project, signature, pipeline, branch, commit_sha, file, at, passed)
             VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        )?
        .execute(params![
            project,
            seen.signature,
            seen.pipeline,
            seen.branch,
            seen.build.commit,
            seen.build.file,
            seen.at.as_microsecond()
        ])?;
    transaction
        .prepare_cached(
            "DELETE FROM failures WHERE project = ?1 AND signature = ?2 AND number <=
             (SELECT number FROM failures WHERE project = ?1 AND signature = ?2
              ORDER BY number DESC LIMIT 1 OFFSET ?3)",
        )?
        .execute(params![
            project,
            seen.signature,
            signed(SIGHTINGS_MAX as u64)
        ])?;
    Ok(())
}

/// Where a failure was seen since a time, newest first.
pub(super) fn failures(
    connection: &Connection,
    run: &str,
    (project, signature): (&str, &str),
    since: Timestamp,
) -> Result<Vec<Past>, Fault> {
    let project = remembered_as(project, is_simulated(connection, run)?);
    let mut statement = connection.prepare_cached(
        "SELECT pipeline, branch, at, passed FROM failures
         WHERE project = ? AND signature = ? AND at >= ? ORDER BY number DESC",
    )?;
    let mut rows = statement.query(params![project, signature, since.as_microsecond()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Past {
            pipeline_id: row.get(0)?,
            branch: row.get(1)?,
            at: time(row.get(2)?, signature)?,
            passed_later: row.get(3)?,
        });
    }
    Ok(found)
}

/// Forgets what was seen before a time.
pub(super) fn forget(transaction: &Transaction<'_>, before: Timestamp) -> Result<(), Fault> {
    transaction.execute(
        "DELETE FROM failures WHERE at < ?",
        [before.as_microsecond()],
    )?;
    Ok(())
}

/// What a simulation showed says nothing about Semaphore.
fn is_simulated(connection: &Connection, run: &str) -> Result<bool, Fault> {
    let known: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT name, remembered_as FROM runs WHERE id = ?")?
        .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((name, remembered)) = known else {
        return Err(StoreError::not_found(run).into());
    };
    Ok(remembered.is_some_and(|remembered| remembered == remembered_as(&name, true)))
}
