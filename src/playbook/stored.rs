//! The playbooks of a run, from the texts that were kept with it: no disk is looked at.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::files::{Files, not_found, shown};
use crate::diagnostic::{Diagnostic, Source};

/// A text that was kept, and which of the others it calls what.
#[derive(Debug, Clone)]
pub struct StoredFile {
    /// The text.
    pub source: Arc<Source>,
    /// What it calls the others: what is written, and the name of the source.
    pub uses: BTreeMap<String, String>,
}

/// The texts of a run.
#[derive(Debug, Clone, Default)]
pub struct StoredFiles {
    all: Vec<StoredFile>,
}

impl StoredFiles {
    /// These texts.
    pub fn new(all: Vec<StoredFile>) -> Self {
        Self { all }
    }

    fn find(&self, name: &str) -> Option<&StoredFile> {
        self.all.iter().find(|kept| kept.source.name == name)
    }
}

impl Files for StoredFiles {
    fn open(&self, from: &Source, written: &str) -> Result<Arc<Source>, Box<Diagnostic>> {
        self.find(&from.name)
            .and_then(|from| from.uses.get(written))
            .and_then(|name| self.find(name))
            .map(|found| Arc::clone(&found.source))
            .ok_or_else(|| {
                not_found(
                    format!("`{}` was not kept with the run", shown(written)),
                    None,
                )
            })
    }
}
