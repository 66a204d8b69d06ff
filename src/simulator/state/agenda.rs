//! What will happen, by time.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::simulator::http::Request;

use super::places::Place;
use super::records::{Job, Pipeline};

/// Something that will happen.
#[derive(Debug, Clone)]
pub(crate) enum Due {
    /// A pipeline's file was read.
    Initialized(Place<Pipeline>),
    /// A pipeline enters its queue.
    Queuing(Place<Pipeline>),
    /// A pipeline may run when it is its turn.
    Ready(Place<Pipeline>),
    /// A job gets its agent.
    JobStarts(Place<Job>),
    /// A job is over.
    JobEnds(Place<Job>),
    /// The stop of a pipeline is noticed.
    StopNoticed(Place<Pipeline>),
    /// The stop of a job is noticed.
    JobStopNoticed(Place<Job>),
    /// A pipeline ends, whatever its jobs do.
    ForcedEnd(Place<Pipeline>),
    /// The promotions of a pipeline learn how it ended.
    Told(Place<Pipeline>),
    /// The event of a promotion is settled: pipeline, event.
    Settled(Place<Pipeline>, usize),
    /// Somebody of the scenario does something.
    Visit(usize),
    /// The server acts on a request that it has long answered.
    Late(Box<Request>),
}

/// All that will happen, in the order of time, and of arrival at the same time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agenda {
    entries: BTreeMap<(Timestamp, u64), Due>,
    count: u64,
}

impl Agenda {
    /// Adds an entry.
    pub(crate) fn add(&mut self, at: Timestamp, due: Due) {
        self.count += 1;
        self.entries.insert((at, self.count), due);
    }

    /// Takes the first entry that is due.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Due)> {
        let entry = self.entries.first_entry()?;
        let (at, _) = *entry.key();
        (at <= now).then(|| (at, entry.remove()))
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.entries.keys().next().map(|(at, _)| *at)
    }
}
