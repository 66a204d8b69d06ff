//! The parameter `project`, which may be an id or a name.

use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::ids::Id;

/// What the playbook gave.
#[derive(Debug, Clone)]
pub(super) struct ProjectParam(String);

impl ProjectParam {
    pub(super) fn of(params: &Params) -> Self {
        Self(params.text("project").to_owned())
    }

    /// The id, or the call that finds it.
    pub(super) fn known(&self) -> Result<String, Call> {
        match Id::parse(&self.0) {
            Ok(id) => Ok(id.to_string()),
            Err(_) => Err(Call::ResolveProject {
                name: self.0.clone(),
            }),
        }
    }
}
