//! What was last seen of the pipelines that are waited for, shared by all waits of the process.
//!
//! One look serves everybody who waits for the same pipeline; and when several wait in one project, one
//! list of that project serves them all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::ids::Id;
use crate::semaphore::wire::{Block, Pipeline, TopologyBlock};

/// What one look showed of a pipeline.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    /// When it was seen, on the run's clock.
    pub(super) at: Duration,
    /// The pipeline.
    pub(super) pipeline: Arc<Pipeline>,
    /// Its blocks, when they were asked for.
    pub(super) blocks: Option<Arc<Vec<Block>>>,
    /// The JSON, when it was described.
    pub(super) response: Option<Arc<Value>>,
}

#[derive(Debug, Default)]
struct Waited {
    waits: usize,
    project: Option<Id>,
    created_at: Option<Timestamp>,
    last: Option<Sighting>,
    topology: Option<Arc<Vec<TopologyBlock>>>,
}

/// The pipelines that are waited for.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    waited: Mutex<BTreeMap<Id, Waited>>,
    /// One look at a time in each project; the others then find what it saw.
    lanes: Mutex<BTreeMap<Option<Id>, Arc<tokio::sync::Mutex<()>>>>,
}

/// A wait that is counted as long as this lives.
pub(super) struct Waiting {
    sightings: Arc<Sightings>,
    pipeline: Id,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waited = self.sightings.lock();
        if let Some(entry) = waited.get_mut(&self.pipeline) {
            entry.waits = entry.waits.saturating_sub(1);
            if entry.waits == 0 {
                waited.remove(&self.pipeline);
            }
        }
    }
}

impl Sightings {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Waited>> {
        self.waited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a wait.
    pub(super) fn wait_for(self: &Arc<Self>, pipeline: &Id) -> Waiting {
        self.lock().entry(pipeline.clone()).or_default().waits += 1;
        Waiting {
            sightings: Arc::clone(self),
            pipeline: pipeline.clone(),
        }
    }

    /// Notes what was seen, if anybody waits for it.
    pub(super) fn note(&self, sighting: &Sighting) {
        if let Some(entry) = self.lock().get_mut(&sighting.pipeline.id) {
            entry.project.clone_from(&sighting.pipeline.project_id);
            entry.created_at = sighting.pipeline.times.created_at.or(entry.created_at);
            entry.last = Some(sighting.clone());
        }
    }

    /// Notes what the file says of the order of the blocks.
    pub(super) fn note_topology(&self, pipeline: &Id, topology: &Arc<Vec<TopologyBlock>>) {
        if let Some(entry) = self.lock().get_mut(pipeline) {
            entry.topology = Some(Arc::clone(topology));
        }
    }

    /// The order of the blocks, when it was asked for.
    pub(super) fn topology_of(&self, pipeline: &Id) -> Option<Arc<Vec<TopologyBlock>>> {
        self.lock().get(pipeline)?.topology.clone()
    }

    /// What was seen of a pipeline after a moment.
    pub(super) fn seen_after(&self, pipeline: &Id, moment: Option<Duration>) -> Option<Sighting> {
        let sighting = self.lock().get(pipeline)?.last.clone()?;
        match moment {
            Some(moment) if sighting.at <= moment => None,
            Some(_) | None => Some(sighting),
        }
    }

    /// The project of a pipeline, once it was seen.
    pub(super) fn project_of(&self, pipeline: &Id) -> Option<Id> {
        self.lock().get(pipeline)?.project.clone()
    }

    /// The lane of a project; pipelines of unknown projects share one.
    pub(super) fn lane(&self, project: Option<&Id>) -> Arc<tokio::sync::Mutex<()>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(project.cloned()).or_default())
    }

    /// How many pipelines are waited for, in a project or in projects that are not known yet; and when
    /// the oldest of them was made.
    pub(super) fn company(&self, project: &Id) -> (usize, Option<Timestamp>) {
        let waited = self.lock();
        let of_project = waited
            .values()
            .filter(|w| w.project.as_ref().is_none_or(|p| p == project));
        let oldest = waited
            .values()
            .filter(|w| w.project.as_ref() == Some(project))
            .filter_map(|w| w.created_at)
            .min();
        (of_project.count(), oldest)
    }
}
