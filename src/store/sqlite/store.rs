//! The store itself: connections, transactions, and which table answers which question.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::fault::Fault;
use super::folder::StateFolder;
use super::{anchor, failures, inbox, journal, runs, schema};
use crate::event::{EffectKey, Intent, Observation, Recorded};
use crate::secret::Redactor;
use crate::store::contract::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::lock::{Holder, LockFolder, LockGuard, Subject};
use crate::store::model::{
    InboxMessage, ListFilter, OwnerInfo, PastStep, Posted, RunHeader, RunState, RunSummary, Usage,
    check_run_id,
};
use crate::triage::Past;

/// How long SQLite itself waits for another writer, and how often we ask it to.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
const BUSY_TRIES_MAX: u32 = 3;
/// More statements than there are.
const STATEMENTS_CACHED: usize = 64;

/// Runs in `runs.db` of the state folder.
pub struct SqliteStore {
    folder: StateFolder,
    locks: LockFolder,
    redactor: Redactor,
    state: Mutex<State>,
}

struct State {
    /// Commits are synced.
    durable: Connection,
    /// Commits are not synced: for what may be lost. Opened when it is first needed.
    lossy: Option<Connection>,
    /// The number of the last message that was given out, of each run.
    given_out: BTreeMap<String, u64>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqliteStore({})", self.folder.database().display())
    }
}

impl SqliteStore {
    /// Opens the store of a state folder, and makes what is missing of it.
    pub fn open(state_folder: &Path) -> Result<Self, StoreError> {
        let folder = StateFolder::prepare(state_folder)?;
        let path = folder.database();
        let mut durable = patiently(|| connect(&path)).map_err(|fault| fault.at(&path))?;
        patiently(|| schema::prepare(&mut durable)).map_err(|fault| fault.at(&path))?;
        Ok(Self {
            locks: LockFolder::new(folder.locks()),
            folder,
            redactor: Redactor::new(),
            state: Mutex::new(State {
                durable,
                lossy: None,
                given_out: BTreeMap::new(),
            }),
        })
    }

    /// The same with a guard that masks what it knows to be secret in whatever is written.
    #[must_use]
    pub fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// The file of all runs.
    pub fn path(&self) -> PathBuf {
        self.folder.database()
    }

    /// The folder of a run below the state folder; it goes when the run is pruned.
    pub fn run_folder(&self, run: &str) -> Result<PathBuf, StoreError> {
        check_run_id(run)?;
        Ok(self.folder.run(run))
    }

    /// Looks through the whole file for damage. Slow: for `doctor`, and when something is odd.
    pub fn check(&self) -> Result<(), StoreError> {
        let report: String = self.read(|connection| {
            Ok(connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?)
        })?;
        if report == "ok" {
            return Ok(());
        }
        let shown = crate::text::clean_line(&report, 200);
        let path = self.path();
        Err(StoreError::damaged(format!(
            "the run store `{}` ({shown})",
            path.display()
        )))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while it was held rolled its transaction back: the state is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(
        &self,
        ask: impl FnOnce(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let answer = (|| {
            // One transaction, so that all statements see the same moment.
            let transaction = state.durable.transaction()?;
            ask(&transaction)
        })();
        answer.map_err(|fault: Fault| fault.at(&self.path()))
    }

    fn write<T>(
        &self,
        change: impl Fn(&Transaction<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        patiently(|| in_transaction(&mut state.durable, &change))
            .map_err(|fault| fault.at(&self.path()))
    }

    /// For what may be lost: no sync, and no patience.
    fn write_lossily(
        &self,
        change: impl Fn(&Transaction<'_>) -> Result<(), Fault>,
    ) -> Result<(), StoreError> {
        let path = self.path();
        let mut state = self.state();
        let written = (|| {
            let connection = match &mut state.lossy {
                Some(connection) => connection,
                none => none.insert(connect_lossily(&path)?),
            };
            in_transaction(connection, &change)
        })();
        written.map_err(|fault| fault.at(&path))
    }

    /// Commits what `change` writes to the journal of a run, and notes the number of the commit.
    fn commit(
        &self,
        run: &str,
        change: impl Fn(&Transaction<'_>) -> Result<u64, Fault>,
    ) -> Result<(), StoreError> {
        check_run_id(run).map_err(|_| StoreError::not_found(run))?;
        let commits = self
            .write(change)
            .map_err(|error| self.not_lost(run, error))?;
        anchor::write(&self.folder.run(run), run, commits);
        Ok(())
    }

    /// A run that has an anchor but is not in the database was lost: to start it anew would repeat it.
    fn not_lost(&self, run: &str, error: StoreError) -> StoreError {
        let lost = error.kind == StoreErrorKind::NotFound
            && anchor::read(&self.folder.run(run), run).is_some();
        if lost {
            StoreError::damaged(format!("run `{run}` (it is gone from the run store)"))
        } else {
            error
        }
    }

    fn with_owner(&self, mut summary: RunSummary) -> Result<RunSummary, StoreError> {
        if summary.state != RunState::Ended
            && let Holder::Somebody(owner) = self.locks.holder(&Subject::run(&summary.id))?
        {
            summary.state = RunState::Running;
            summary.parked = None;
            summary.owner = owner;
        }
        Ok(summary)
    }

    fn prune_one(&self, run: &str) -> Result<(), StoreError> {
        // Its anchor goes first, or a crash in between would leave a run that looks lost.
        self.folder.remove_run(run)?;
        self.write(|transaction| journal::remove(transaction, run))?;
        self.locks.remove(&Subject::run(run));
        Ok(())
    }
}

impl Store for SqliteStore {
    fn create_run(&self, header: &RunHeader) -> Result<(), StoreError> {
        check_run_id(&header.id)?;
        let lost = self.not_lost(&header.id, StoreError::not_found(&header.id));
        self.folder.make_run(&header.id)?;
        self.write(|transaction| {
            runs::create(transaction, &self.redactor, header)?;
            match lost.kind {
                StoreErrorKind::NotFound => Ok(()),
                _ => Err(lost.clone().into()),
            }
        })?;
        anchor::write(&self.folder.run(&header.id), &header.id, 0);
        Ok(())
    }

    fn append(&self, run: &str, events: &[Recorded]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        self.commit(run, |transaction| {
            journal::append(transaction, &self.redactor, run, events)
        })
    }

    fn write_intent(
        &self,
        run: &str,
        intent: &Intent,
        pending: &[Recorded],
    ) -> Result<(), StoreError> {
        self.commit(run, |transaction| {
            let commits = journal::append(transaction, &self.redactor, run, pending)?;
            journal::write_intent(transaction, run, intent)?;
            Ok(commits)
        })
    }

    fn open_intents(&self, run: &str) -> Result<Vec<Intent>, StoreError> {
        self.read(|connection| journal::intents(connection, run, None))
    }

    fn intent(&self, run: &str, key: &EffectKey) -> Result<Option<Intent>, StoreError> {
        let found = self.read(|connection| journal::intents(connection, run, Some(key)))?;
        Ok(found.into_iter().next())
    }

    fn load(&self, run: &str) -> Result<Vec<Recorded>, StoreError> {
        check_run_id(run).map_err(|_| StoreError::not_found(run))?;
        // Read before the database: what is committed meanwhile cannot look like a loss.
        let noted = anchor::read(&self.folder.run(run), run);
        self.read(|connection| journal::load(connection, run, noted))
            .map_err(|error| self.not_lost(run, error))
    }

    fn header(&self, run: &str) -> Result<RunHeader, StoreError> {
        check_run_id(run).map_err(|_| StoreError::not_found(run))?;
        self.read(|connection| runs::header(connection, run))
            .map_err(|error| self.not_lost(run, error))
    }

    fn list(&self, filter: &ListFilter) -> Result<Vec<RunSummary>, StoreError> {
        let all = self.read(|connection| runs::list(connection, filter.name.as_deref()))?;
        let mut found = Vec::new();
        for summary in all {
            if filter.runs_max.is_some_and(|max| found.len() >= max) {
                break;
            }
            let summary = self.with_owner(summary)?;
            if filter.state.is_none_or(|state| state == summary.state) {
                found.push(summary);
            }
        }
        Ok(found)
    }

    fn find(&self, prefix: &str) -> Result<String, StoreError> {
        self.read(|connection| runs::find(connection, prefix))
    }

    fn put_observation(&self, run: &str, observation: &Observation) {
        // What is lost here is only what a person would have seen.
        let _ = self.write_lossily(|transaction| {
            inbox::observe(transaction, &self.redactor, run, observation)
        });
    }

    fn observations(&self, run: &str) -> Result<Vec<Observation>, StoreError> {
        self.read(|connection| inbox::observations(connection, run))
    }

    fn put_usage(&self, run: &str, usage: &Usage) {
        let _ = self.write_lossily(|transaction| runs::put_usage(transaction, run, usage));
    }

    fn usage(&self, run: &str) -> Result<Usage, StoreError> {
        self.read(|connection| runs::usage(connection, run))
    }

    fn post(&self, run: &str, message: &InboxMessage) -> Result<(), StoreError> {
        self.write(|transaction| inbox::post(transaction, &self.redactor, run, message))
    }

    fn take(&self, run: &str) -> Result<Vec<Posted>, StoreError> {
        let seen = self.state().given_out.get(run).copied().unwrap_or(0);
        let posted = self.read(|connection| inbox::after(connection, run, seen))?;
        if let Some(last) = posted.last() {
            self.state().given_out.insert(run.to_owned(), last.number);
        }
        Ok(posted)
    }

    fn settle(&self, run: &str, up_to: u64) -> Result<(), StoreError> {
        // Lost in a crash, it means that the messages come again: that is what they must bear anyway.
        self.write_lossily(|transaction| inbox::settle(transaction, run, up_to))
    }

    fn acquire(&self, run: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError> {
        check_run_id(run)?;
        self.locks.acquire(&Subject::run(run), owner)
    }

    fn acquire_group(&self, group: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError> {
        self.locks.acquire(&Subject::group(group), owner)
    }

    fn owner(&self, run: &str) -> Result<Option<OwnerInfo>, StoreError> {
        check_run_id(run)?;
        Ok(match self.locks.holder(&Subject::run(run))? {
            Holder::Nobody => None,
            Holder::Somebody(owner) => owner,
        })
    }

    fn history(&self, name: &str, step: &str) -> Result<Vec<PastStep>, StoreError> {
        self.read(|connection| runs::history(connection, name, step))
    }

    fn histories(&self, name: &str) -> Result<BTreeMap<String, Vec<PastStep>>, StoreError> {
        self.read(|connection| runs::histories(connection, name))
    }

    fn failures(
        &self,
        run: &str,
        failure: (&str, &str),
        since: Timestamp,
    ) -> Result<Vec<Past>, StoreError> {
        self.read(|connection| failures::failures(connection, run, failure, since))
    }

    fn prune(&self, ended_before: Timestamp) -> Result<Vec<String>, StoreError> {
        let candidates = self.read(|connection| runs::ended_before(connection, ended_before))?;
        let mut pruned = Vec::new();
        for run in candidates {
            check_run_id(&run).map_err(|_| StoreError::damaged("the id of a run"))?;
            let nobody = OwnerInfo {
                pid: std::process::id(),
                host: String::new(),
                since: ended_before,
                run: run.clone(),
            };
            // Somebody who looks at it closely keeps it for now.
            let Ok(_guard) = self.acquire(&run, &nobody) else {
                continue;
            };
            // Somebody may have opened a new round of it since the list was read.
            if !self.read(|connection| runs::has_ended_before(connection, &run, ended_before))? {
                continue;
            }
            self.prune_one(&run)?;
            pruned.push(run);
        }
        self.write(|transaction| {
            journal::forget(transaction, ended_before)?;
            failures::forget(transaction, ended_before)
        })?;
        Ok(pruned)
    }
}

fn connect(path: &Path) -> Result<Connection, Fault> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    Ok(connection)
}

fn connect_lossily(path: &Path) -> Result<Connection, Fault> {
    let connection = connect(path)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.busy_timeout(Duration::from_millis(200))?;
    Ok(connection)
}

fn in_transaction<T>(
    connection: &mut Connection,
    change: impl Fn(&Transaction<'_>) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let value = change(&transaction)?;
    transaction.commit()?;
    Ok(value)
}

/// Tries again while another process is writing, but not for ever.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    for _ in 1..BUSY_TRIES_MAX {
        match attempt() {
            Err(fault) if fault.is_busy() => {}
            done => return done,
        }
    }
    attempt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::event::Event;

    fn store(dir: &Path) -> SqliteStore {
        let store = SqliteStore::open(dir).unwrap();
        let header = RunHeader {
            id: "r1".into(),
            name: "release".into(),
            created_at: Timestamp::UNIX_EPOCH,
            playbook: "release.yml".into(),
            sources: Vec::new(),
            digest: String::new(),
            inputs: indexmap::IndexMap::new(),
            env: indexmap::IndexMap::new(),
            settings: serde_json::Value::Null,
            files_dir: String::new(),
        };
        store.create_run(&header).unwrap();
        store
    }

    fn event(seq: u64, bytes: usize) -> Recorded {
        let message = "x".repeat(bytes);
        Recorded {
            seq,
            at: Moment::start(Timestamp::UNIX_EPOCH),
            event: Event::Warned {
                step: None,
                message,
            },
        }
    }

    #[test]
    fn a_full_disk_loses_nothing_that_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        store.append("r1", &[event(1, 10)]).unwrap();
        let pages = |max: u32| {
            let sql = format!("PRAGMA max_page_count = {max}");
            let ask = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
            store.state().durable.query_row(&sql, (), ask).unwrap();
        };
        pages(1); // SQLite takes the pages that there are.
        let full = store.append("r1", &[event(2, 10), event(3, 100_000)]);
        assert_eq!(full.unwrap_err().kind, StoreErrorKind::Full);
        assert_eq!(store.load("r1").unwrap(), [event(1, 10)]);
        pages(1_000_000);
        store.append("r1", &[event(2, 100_000)]).unwrap();
        assert_eq!(store.load("r1").unwrap().len(), 2);
    }

    #[test]
    fn a_store_that_stays_busy_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let (store, other) = (store(dir.path()), SqliteStore::open(dir.path()).unwrap());
        for store in [&store, &other] {
            store.state().durable.busy_timeout(Duration::ZERO).unwrap();
        }
        let mut hanging = other.state();
        let transaction = hanging
            .durable
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        let busy = store.append("r1", &[event(1, 10)]);
        assert_eq!(busy.unwrap_err().kind, StoreErrorKind::Busy);
        assert!(store.load("r1").unwrap().is_empty(), "reading goes on");
        drop(transaction);
        store.append("r1", &[event(1, 10)]).unwrap();
    }
}
