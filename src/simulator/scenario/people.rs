//! What other people do while the runner is at work: the colleague who reruns, promotes or pushes at
//! the wrong moment.

use indexmap::IndexMap;
use serde::Deserialize;

use super::model::{Span, default_file, default_reference};

/// One thing that somebody does once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    /// How long after the start of the simulation, or after `on`.
    pub at: Span,
    /// The first time that this happens is where `at` counts from.
    #[serde(default)]
    pub on: Option<Cue>,
    /// The id of the user.
    #[serde(default = "default_who")]
    pub who: String,
    /// What they do.
    #[serde(rename = "do")]
    pub deed: Deed,
}

fn default_who() -> String {
    "dddddddd-0000-4000-8000-00000000000d".to_owned()
}

/// Something to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cue {
    /// A workflow was started through the API.
    RunWorkflow,
    /// A pipeline began to run.
    PipelineRunning,
    /// A pipeline was done.
    PipelineDone,
    /// A promotion was triggered through the API.
    Promotion,
}

/// What somebody does. Each is about the newest of its kind in the project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// Starts a workflow.
    Start(Start),
    /// Reruns the newest workflow.
    Rerun(Target),
    /// Rebuilds the newest pipeline that did not pass.
    Rebuild(Target),
    /// Triggers a promotion of the newest pipeline that has it.
    Promote(Promote),
    /// Stops the newest workflow.
    Stop(Target),
    /// Pushes a commit.
    Push(Push),
}

/// A project.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name.
    pub project: String,
}

/// A workflow to start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The name of the project.
    pub project: String,
    /// The reference.
    #[serde(default = "default_reference")]
    pub reference: String,
    /// The commit; the reference's tip when not given.
    #[serde(default)]
    pub commit_sha: String,
    /// The file.
    #[serde(default = "default_file")]
    pub pipeline_file: String,
    /// Parameters of its pipeline.
    #[serde(default)]
    pub parameters: IndexMap<String, String>,
}

/// A promotion to trigger.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promote {
    /// The name of the project.
    pub project: String,
    /// The name of the promotion.
    pub name: String,
    /// Its parameters.
    #[serde(default)]
    pub parameters: IndexMap<String, String>,
    /// Whether a pipeline that did not pass is promoted too.
    #[serde(default, rename = "override")]
    pub overriding: bool,
}

/// A commit to push.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Push {
    /// The name of the project.
    pub project: String,
    /// The reference that moves.
    #[serde(default = "default_reference")]
    pub reference: String,
    /// The commit it moves to.
    pub commit: String,
}
