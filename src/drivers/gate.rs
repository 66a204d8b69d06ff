//! The concurrency group of a run as its session holds it: taken before anything is begun, given back
//! when the session is over, taken again when the run is resumed.

use std::sync::Arc;

use crate::engine::Ev;
use crate::store::{LockGuard, OwnerInfo, Store, StoreError, StoreErrorKind};

/// The group of one run.
pub(super) struct Gate {
    store: Arc<dyn Store>,
    owner: OwnerInfo,
    wanted: Option<String>,
    /// Who holds it, as it was told last.
    told: Option<String>,
    guard: Option<LockGuard>,
}

impl Gate {
    pub(super) fn new(store: Arc<dyn Store>, owner: OwnerInfo) -> Self {
        Self {
            store,
            owner,
            wanted: None,
            told: None,
            guard: None,
        }
    }

    pub(super) fn set_owner(&mut self, owner: OwnerInfo) {
        self.owner = owner;
    }

    /// From now on a group is wanted.
    pub(super) fn want(&mut self, group: String) {
        self.wanted = Some(group);
    }

    /// It is not wanted any more.
    pub(super) fn give_up(&mut self) {
        self.wanted = None;
    }

    pub(super) fn waits(&self) -> bool {
        self.wanted.is_some()
    }

    /// Tries to take what is wanted; says what is new.
    pub(super) fn look(&mut self) -> Result<Option<Ev>, StoreError> {
        let Some(group) = self.wanted.clone() else {
            return Ok(None);
        };
        if self.guard.is_some() {
            self.wanted = None;
            return Ok(Some(Ev::GroupTaken { group }));
        }
        match self.store.acquire_group(&group, &self.owner) {
            Ok(guard) => {
                self.guard = Some(guard);
                self.wanted = None;
                Ok(Some(Ev::GroupTaken { group }))
            }
            Err(StoreError {
                kind: StoreErrorKind::Locked { by },
                ..
            }) => {
                let by = by.map_or_else(|| "another run".to_owned(), |by| by.to_string());
                if self.told.as_ref() == Some(&by) {
                    return Ok(None);
                }
                self.told = Some(by.clone());
                Ok(Some(Ev::GroupBusy { group, by }))
            }
            Err(error) => Err(error),
        }
    }
}
