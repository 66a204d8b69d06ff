//! What the store remembers of failures, as the effects ask for it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::effects::History;
use crate::store::Store;
use crate::triage::Past;

/// The failures of earlier runs, in a store.
pub struct Remembered {
    store: Arc<dyn Store>,
    run: String,
}

impl Remembered {
    /// What the store remembers, for a run that asks.
    pub fn new(store: Arc<dyn Store>, run: impl Into<String>) -> Self {
        Self {
            store,
            run: run.into(),
        }
    }
}

impl History for Remembered {
    fn failures(&self, project_id: &str, signature: &str, since: Timestamp) -> Vec<Past> {
        // A store that cannot be read is told of elsewhere: here it remembers nothing.
        self.store
            .failures(&self.run, (project_id, signature), since)
            .unwrap_or_default()
    }
}
