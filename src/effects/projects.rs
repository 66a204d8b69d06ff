//! Projects by name: each name is asked for once in a session, however many steps want it at a time.
//!
//! Only what was found is kept: a name that was not found, or could not be asked for, is asked for again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::sync::OnceCell;

use super::dispatch::{Inner, answer};
use super::failures::of_error;
use crate::event::{Answer, Failure};

/// The projects that were asked for.
#[derive(Debug, Default)]
pub(super) struct Projects(Mutex<BTreeMap<String, Arc<OnceCell<Answer>>>>);

impl Projects {
    fn named(&self, name: &str) -> Arc<OnceCell<Answer>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(name.to_owned()).or_default())
    }
}

impl Inner {
    /// Gives `{"id", "name"}` of a project.
    pub(super) async fn resolve_project(&self, name: &str) -> Result<Answer, Failure> {
        let known = self.projects.named(name);
        let ask = async || {
            let project = self.client.project_by_name(name).await.map_err(of_error)?;
            let value = json!({"id": project.value.id, "name": project.value.name});
            Ok::<_, Failure>(answer(value, project.response))
        };
        known.get_or_try_init(ask).await.cloned()
    }
}
