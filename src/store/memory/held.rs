//! What a store in memory holds, and how events change it.

use std::collections::{BTreeMap, VecDeque};

use indexmap::IndexMap;
use jiff::Timestamp;

use super::CrashAt;
use crate::event::{Intent, Observation, Recorded};
use crate::outcome::RunOutcome;
use crate::secret::Redactor;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::fold::{self, Change, HISTORY_MAX};
use crate::store::history::remembered_as;
use crate::store::lessons::{Lesson, SIGHTINGS_MAX, lessons};
use crate::store::model::{InboxMessage, PastStep, Posted, RunHeader, Usage};
use crate::store::redaction;
use crate::triage::Past;

#[derive(Clone, Default)]
pub(super) struct Inner {
    /// In the order in which they were made.
    pub(super) runs: IndexMap<String, Run>,
    pub(super) history: BTreeMap<(String, String), VecDeque<PastStep>>,
    /// Oldest first.
    pub(super) red: Vec<Failure>,
    pub(super) messages: u64,
    pub(super) given_out: BTreeMap<String, u64>,
    pub(super) commits: u64,
    pub(super) failures: BTreeMap<u64, StoreErrorKind>,
    pub(super) crash: Option<(u64, CrashAt)>,
    pub(super) crashed: bool,
}

/// That a failure was seen.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) project: String,
    pub(super) signature: String,
    pub(super) commit: String,
    pub(super) file: String,
    pub(super) seen: Past,
}

#[derive(Clone)]
pub(super) struct Run {
    pub(super) header: RunHeader,
    pub(super) events: Vec<Recorded>,
    pub(super) intents: Vec<Intent>,
    pub(super) observations: BTreeMap<String, Observation>,
    pub(super) usage: Usage,
    pub(super) inbox: Vec<Posted>,
    pub(super) parked: Option<String>,
    pub(super) ended: Option<(RunOutcome, Timestamp)>,
}

impl Inner {
    pub(super) fn run(&self, id: &str) -> Result<&Run, StoreError> {
        self.runs.get(id).ok_or_else(|| StoreError::not_found(id))
    }

    /// Whether somebody will ever read a message to a run.
    pub(super) fn reads(&self, id: &str, message: &InboxMessage) -> Result<(), StoreError> {
        match self.run(id)?.ended {
            Some((outcome, _)) if !message.outlives(outcome) => Err(StoreError::ended(id)),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn append(
        &mut self,
        redactor: &Redactor,
        id: &str,
        events: &[Recorded],
    ) -> Result<(), StoreError> {
        let run = self
            .runs
            .get_mut(id)
            .ok_or_else(|| StoreError::not_found(id))?;
        if run.ended.is_some() && !fold::may_follow_the_end(events) {
            return Err(StoreError::ended(id));
        }
        fold::check_order(id, run.events.len() as u64, events)?;
        let mut past = Vec::new();
        let simulated = run.header.is_simulated();
        for event in events {
            let event = redaction::recorded(redactor, event).into_owned();
            for lesson in lessons(&event) {
                learn(&mut self.red, &lesson, simulated);
            }
            match fold::change(&event) {
                Some(Change::Closed(key)) => run.intents.retain(|intent| intent.key != *key),
                Some(Change::Parked(reason)) => run.parked = Some(reason.to_owned()),
                Some(Change::Resumed) => run.parked = None,
                Some(Change::Reopened) => run.ended = None,
                Some(Change::Past(step, how)) => past.push((step.to_owned(), how)),
                Some(Change::Ended(outcome, at)) => {
                    run.parked = None;
                    run.ended = Some((outcome, at));
                    if outcome != RunOutcome::Unknown {
                        run.inbox.clear();
                    }
                }
                None => {}
            }
            run.events.push(event);
        }
        let name = run.header.remembered_as();
        for (step, how) in past {
            let all = self.history.entry((name.clone(), step)).or_default();
            all.push_front(how);
            all.truncate(HISTORY_MAX);
        }
        Ok(())
    }

    pub(super) fn failures(&self, run: &str, failure: (&str, &str), since: Timestamp) -> Vec<Past> {
        let simulated = self
            .runs
            .get(run)
            .is_some_and(|run| run.header.is_simulated());
        let project = remembered_as(failure.0, simulated);
        let same = |f: &&Failure| f.project == project && f.signature == failure.1;
        let found = self.red.iter().rev().filter(same);
        found
            .filter(|f| f.seen.at >= since)
            .map(|f| f.seen.clone())
            .collect()
    }

    /// All ids, newest first.
    pub(super) fn newest_first(&self) -> Vec<&Run> {
        let mut all: Vec<&Run> = self.runs.values().rev().collect();
        all.sort_by_key(|run| std::cmp::Reverse(run.header.created_at));
        all
    }
}

fn learn(failures: &mut Vec<Failure>, lesson: &Lesson<'_>, simulated: bool) {
    match lesson {
        Lesson::Passed(build) => {
            let project = remembered_as(build.project, simulated);
            let same = |f: &&mut Failure| {
                f.project == project && f.commit == build.commit && f.file == build.file
            };
            for failure in failures.iter_mut().filter(same) {
                failure.seen.passed_later = true;
            }
        }
        Lesson::Failed(sighting) => {
            let failure = Failure {
                project: remembered_as(sighting.build.project, simulated),
                signature: sighting.signature.to_owned(),
                commit: sighting.build.commit.to_owned(),
                file: sighting.build.file.to_owned(),
                seen: Past {
                    pipeline_id: sighting.pipeline.to_owned(),
                    branch: sighting.branch.to_owned(),
                    at: sighting.at,
                    passed_later: false,
                },
            };
            let same =
                |f: &Failure| f.project == failure.project && f.signature == failure.signature;
            let known = |f: &Failure| same(f) && f.seen.pipeline_id == failure.seen.pipeline_id;
            if failures.iter().any(known) {
                return;
            }
            let oldest = failures.iter().position(same);
            let count = failures.iter().filter(|f| same(f)).count();
            if let (Some(oldest), SIGHTINGS_MAX..) = (oldest, count) {
                failures.remove(oldest);
            }
            failures.push(failure);
        }
    }
}
