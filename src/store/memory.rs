//! Runs in memory, for virtual time and for tests.
//!
//! Called inline, so that nothing but the paused clock passes time. Clones share the same runs;
//! [`MemoryStore::snapshot`] is a copy. Tests can make a commit fail, or let the process "die" before or
//! after any commit: from then on every call fails until [`MemoryStore::restart`].

mod held;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use self::held::{Inner, Run};
use super::contract::Store;
use super::error::{StoreError, StoreErrorKind};
use super::fold;
use super::lock::{LockGuard, MemoryLocks, Subject};
use super::model::{
    InboxMessage, ListFilter, OwnerInfo, PastStep, Posted, RunHeader, RunState, RunSummary, Usage,
    check_run_id,
};
use super::redaction;
use crate::event::{EffectKey, Intent, Observation, Recorded};
use crate::secret::Redactor;
use crate::triage::Past;

/// On which side of a commit the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashAt {
    /// Nothing of the commit is there afterwards.
    Before,
    /// The commit is there, but nobody was told.
    After,
}

/// Runs in memory.
#[derive(Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    locks: MemoryLocks,
    redactor: Redactor,
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MemoryStore({} commits)", self.commits())
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a guard that masks what it knows to be secret in whatever is written.
    #[must_use]
    pub fn with_redactor(mut self, redactor: Redactor) -> Self {
        self.redactor = redactor;
        self
    }

    /// How many commits were made or tried.
    pub fn commits(&self) -> u64 {
        self.inner().commits
    }

    /// Lets a commit fail (counted from 1 since the store was made); later ones work again.
    pub fn fail_commit(&self, number: u64, kind: StoreErrorKind) {
        self.inner().failures.insert(number, kind);
    }

    /// Lets the process die at a commit (counted from 1 since the store was made).
    pub fn crash_at_commit(&self, number: u64, side: CrashAt) {
        self.inner().crash = Some((number, side));
    }

    /// Lets the process die now.
    pub fn crash(&self) {
        self.inner().crashed = true;
    }

    /// Whether the process has died.
    pub fn has_crashed(&self) -> bool {
        self.inner().crashed
    }

    /// A new process: what was durable is there, locks are free, messages are given out again.
    pub fn restart(&self) {
        let mut inner = self.inner();
        inner.crashed = false;
        inner.crash = None;
        inner.given_out.clear();
        drop(inner);
        self.locks.free_all();
    }

    /// A copy of what is durable, with free locks and no faults to come.
    pub fn snapshot(&self) -> Self {
        let mut inner = self.inner().clone();
        inner.failures.clear();
        inner.crash = None;
        inner.crashed = false;
        inner.given_out.clear();
        Self {
            inner: Arc::new(Mutex::new(inner)),
            locks: MemoryLocks::default(),
            redactor: self.redactor.clone(),
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, ask: impl FnOnce(&Inner) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let inner = self.inner();
        if inner.crashed {
            return Err(dead());
        }
        ask(&inner)
    }

    /// `change` must check everything before it changes anything, so that an error leaves all as it was.
    fn write<T>(
        &self,
        change: impl FnOnce(&mut Inner) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut inner = self.inner();
        if inner.crashed {
            return Err(dead());
        }
        inner.commits += 1;
        let number = inner.commits;
        if let Some(kind) = inner.failures.remove(&number) {
            return Err(StoreError::new(
                kind,
                "the commit failed, as the test wants",
            ));
        }
        let dies = inner.crash.filter(|(at, _)| *at == number);
        if matches!(dies, Some((_, CrashAt::Before))) {
            inner.crashed = true;
            return Err(dead());
        }
        let value = change(&mut inner)?;
        if dies.is_some() {
            inner.crashed = true;
            return Err(dead());
        }
        Ok(value)
    }
}

fn dead() -> StoreError {
    StoreError::new(StoreErrorKind::Io, "the process is dead, as the test wants")
}

impl Store for MemoryStore {
    fn create_run(&self, header: &RunHeader) -> Result<(), StoreError> {
        check_run_id(&header.id)?;
        self.write(|inner| {
            if inner.runs.contains_key(&header.id) {
                return Err(StoreError::exists(&header.id));
            }
            let run = Run {
                header: redaction::header(&self.redactor, header).into_owned(),
                events: Vec::new(),
                intents: Vec::new(),
                observations: BTreeMap::new(),
                usage: Usage::default(),
                inbox: Vec::new(),
                parked: None,
                ended: None,
            };
            inner.runs.insert(header.id.clone(), run);
            Ok(())
        })
    }

    fn append(&self, run: &str, events: &[Recorded]) -> Result<(), StoreError> {
        if events.is_empty() {
            return Ok(());
        }
        self.write(|inner| inner.append(&self.redactor, run, events))
    }

    fn write_intent(
        &self,
        run: &str,
        intent: &Intent,
        pending: &[Recorded],
    ) -> Result<(), StoreError> {
        self.write(|inner| {
            if inner.run(run)?.ended.is_some() && !fold::reopens(pending) {
                return Err(StoreError::ended(run));
            }
            inner.append(&self.redactor, run, pending)?;
            if let Some(run) = inner.runs.get_mut(run) {
                run.intents.retain(|open| open.key != intent.key);
                run.intents.push(intent.clone());
            }
            Ok(())
        })
    }

    fn open_intents(&self, run: &str) -> Result<Vec<Intent>, StoreError> {
        self.read(|inner| {
            Ok(inner
                .runs
                .get(run)
                .map_or_else(Vec::new, |r| r.intents.clone()))
        })
    }

    fn intent(&self, run: &str, key: &EffectKey) -> Result<Option<Intent>, StoreError> {
        let open = self.open_intents(run)?;
        Ok(open.into_iter().find(|intent| intent.key == *key))
    }

    fn load(&self, run: &str) -> Result<Vec<Recorded>, StoreError> {
        self.read(|inner| Ok(inner.run(run)?.events.clone()))
    }

    fn header(&self, run: &str) -> Result<RunHeader, StoreError> {
        self.read(|inner| Ok(inner.run(run)?.header.clone()))
    }

    fn list(&self, filter: &ListFilter) -> Result<Vec<RunSummary>, StoreError> {
        self.read(|inner| {
            let of_name = |run: &&Run| filter.name.as_ref().is_none_or(|n| *n == run.header.name);
            let found = inner.newest_first().into_iter().filter(of_name);
            Ok(found
                .map(|run| self.summary(run))
                .filter(|summary| filter.state.is_none_or(|state| state == summary.state))
                .take(filter.runs_max.unwrap_or(usize::MAX))
                .collect())
        })
    }

    fn find(&self, prefix: &str) -> Result<String, StoreError> {
        self.read(|inner| {
            let all = inner.newest_first();
            let ids: Vec<String> = all
                .iter()
                .map(|run| run.header.id.clone())
                .filter(|id| !prefix.is_empty() && id.starts_with(prefix))
                .collect();
            match (prefix, ids.as_slice()) {
                ("last", _) => all
                    .first()
                    .map(|run| run.header.id.clone())
                    .ok_or_else(|| StoreError::not_found(prefix)),
                (_, []) => Err(StoreError::not_found(prefix)),
                (_, [only]) => Ok(only.clone()),
                (_, several) if several.iter().any(|id| id == prefix) => Ok(prefix.to_owned()),
                (_, _) => Err(StoreError::ambiguous(prefix, ids)),
            }
        })
    }

    fn put_observation(&self, run: &str, observation: &Observation) {
        let mut inner = self.inner();
        if inner.crashed {
            return;
        }
        if let Some(run) = inner.runs.get_mut(run) {
            let seen = redaction::observation(&self.redactor, observation).into_owned();
            run.observations.insert(seen.step.clone(), seen);
        }
    }

    fn observations(&self, run: &str) -> Result<Vec<Observation>, StoreError> {
        self.read(|inner| {
            Ok(inner
                .runs
                .get(run)
                .map_or_else(Vec::new, |run| run.observations.values().cloned().collect()))
        })
    }

    fn put_usage(&self, run: &str, usage: &Usage) {
        let mut inner = self.inner();
        if inner.crashed {
            return;
        }
        if let Some(run) = inner.runs.get_mut(run) {
            run.usage = usage.clone();
        }
    }

    fn usage(&self, run: &str) -> Result<Usage, StoreError> {
        self.read(|inner| {
            let run = inner.runs.get(run);
            Ok(run.map(|run| run.usage.clone()).unwrap_or_default())
        })
    }

    fn post(&self, run: &str, message: &InboxMessage) -> Result<(), StoreError> {
        self.write(|inner| {
            inner.reads(run, message)?;
            inner.messages += 1;
            let posted = Posted {
                number: inner.messages,
                message: redaction::message(&self.redactor, message).into_owned(),
            };
            if let Some(run) = inner.runs.get_mut(run) {
                run.inbox.push(posted);
            }
            Ok(())
        })
    }

    fn take(&self, run: &str) -> Result<Vec<Posted>, StoreError> {
        let seen = self.inner().given_out.get(run).copied().unwrap_or(0);
        let posted: Vec<Posted> = self.read(|inner| {
            let all = inner
                .runs
                .get(run)
                .map_or(&[][..], |run| run.inbox.as_slice());
            Ok(all.iter().filter(|p| p.number > seen).cloned().collect())
        })?;
        if let Some(last) = posted.last() {
            self.inner().given_out.insert(run.to_owned(), last.number);
        }
        Ok(posted)
    }

    fn settle(&self, run: &str, up_to: u64) -> Result<(), StoreError> {
        let mut inner = self.inner();
        if inner.crashed {
            return Err(dead());
        }
        if let Some(run) = inner.runs.get_mut(run) {
            run.inbox.retain(|posted| posted.number > up_to);
        }
        Ok(())
    }

    fn acquire(&self, run: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError> {
        check_run_id(run)?;
        self.read(|_| Ok(()))?;
        self.locks.acquire(&Subject::run(run), owner)
    }

    fn acquire_group(&self, group: &str, owner: &OwnerInfo) -> Result<LockGuard, StoreError> {
        self.read(|_| Ok(()))?;
        self.locks.acquire(&Subject::group(group), owner)
    }

    fn owner(&self, run: &str) -> Result<Option<OwnerInfo>, StoreError> {
        check_run_id(run)?;
        Ok(self.locks.holder(&Subject::run(run)))
    }

    fn history(&self, name: &str, step: &str) -> Result<Vec<PastStep>, StoreError> {
        self.read(|inner| {
            let key = (name.to_owned(), step.to_owned());
            Ok(inner
                .history
                .get(&key)
                .map_or_else(Vec::new, |all| all.iter().cloned().collect()))
        })
    }

    fn histories(&self, name: &str) -> Result<BTreeMap<String, Vec<PastStep>>, StoreError> {
        self.read(|inner| {
            let of_name = inner.history.iter().filter(|((of, _), _)| of == name);
            Ok(of_name
                .map(|((_, step), all)| (step.clone(), all.iter().cloned().collect()))
                .collect())
        })
    }

    fn failures(
        &self,
        run: &str,
        failure: (&str, &str),
        since: Timestamp,
    ) -> Result<Vec<Past>, StoreError> {
        self.read(|inner| {
            inner.run(run)?;
            Ok(inner.failures(run, failure, since))
        })
    }

    fn prune(&self, ended_before: Timestamp) -> Result<Vec<String>, StoreError> {
        self.write(|inner| {
            let old = |run: &Run| run.ended.is_some_and(|(_, at)| at < ended_before);
            let free = |id: &str| self.locks.holder(&Subject::run(id)).is_none();
            let pruned: Vec<String> = inner
                .runs
                .iter()
                .filter(|(id, run)| old(run) && free(id))
                .map(|(id, _)| id.clone())
                .collect();
            inner.runs.retain(|id, _| !pruned.contains(id));
            for all in inner.history.values_mut() {
                all.retain(|past| past.at >= ended_before);
            }
            inner.history.retain(|_, all| !all.is_empty());
            inner.red.retain(|failure| failure.seen.at >= ended_before);
            Ok(pruned)
        })
    }
}

impl MemoryStore {
    fn summary(&self, run: &Run) -> RunSummary {
        let owner = self.locks.holder(&Subject::run(&run.header.id));
        let state = match (&run.ended, &owner) {
            (Some(_), _) => RunState::Ended,
            (None, Some(_)) => RunState::Running,
            (None, None) => RunState::Parked,
        };
        RunSummary {
            id: run.header.id.clone(),
            name: run.header.name.clone(),
            playbook: run.header.playbook.clone(),
            state,
            outcome: run.ended.map(|(outcome, _)| outcome),
            parked: run.parked.clone().filter(|_| state == RunState::Parked),
            started_at: run.header.created_at,
            ended_at: run.ended.map(|(_, at)| at),
            owner: owner.filter(|_| state == RunState::Running),
        }
    }
}
