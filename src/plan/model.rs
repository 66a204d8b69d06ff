//! A plan: what the machine runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use crate::catalog::Action;
use crate::diagnostic::{Place, Source};
use crate::outcome::Accept;
use crate::playbook::{
    Concurrency, Extract, ForEach, Input, Located, OnFailure, OnInterrupt, Rerun, Retry, Timeout,
    Until,
};
use crate::template::{Expression, Tree};

/// Everything that a run needs to know of its playbooks. Holds no input values and no secrets.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The name of the playbook.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// All files it was made of, the playbook itself first.
    pub sources: Vec<Arc<Source>>,
    /// The identity of the plan: changes whenever the meaning of a file changes.
    pub digest: String,
    /// The inputs.
    pub inputs: IndexMap<String, Input>,
    /// Values computed once at the start.
    pub vars: IndexMap<String, Tree>,
    /// Which runs must not overlap.
    pub concurrency: Option<Concurrency>,
    /// The deadline of the whole run; 24 hours when none is given.
    pub timeout: Option<Tree>,
    /// The time that `finally` has of its own.
    pub finally_timeout: Duration,
    /// What a failed step does to the others.
    pub on_failure: OnFailure,
    /// What happens on Semaphore when the runner is told to stop.
    pub on_interrupt: OnInterrupt,
    /// The steps in the order of the file, those under `finally` last.
    pub steps: Vec<PlanStep>,
    /// What the run gives.
    pub outputs: IndexMap<String, Tree>,
}

/// When a step has its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// With the others.
    Main,
    /// After all the others.
    Finally,
}

/// An edge of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Need {
    /// The index of the needed step in [`Plan::steps`].
    pub step: usize,
    /// Which of its outcomes will do.
    pub accept: Accept,
}

/// A step, ready to run.
#[derive(Debug, Clone)]
pub struct PlanStep {
    /// Its id, unique in the plan.
    pub id: String,
    /// When it has its time.
    pub phase: Phase,
    /// Where its id stands.
    pub place: Place,
    /// What it is for.
    pub description: Option<String>,
    /// Its edges, from `needs` or else from what it mentions.
    pub needs: Vec<Need>,
    /// The steps that its templates and expressions read, by index.
    pub reads: BTreeSet<usize>,
    /// Whether it runs at all.
    pub when: Option<Located<Expression>>,
    /// How calls that go wrong are tried again: the step's own, else the playbook's, else ours.
    pub retry: Retry,
    /// Whether it is done again when its pipeline ended badly.
    pub rerun: Option<Rerun>,
    /// Whether it is asked again until something holds.
    pub until: Option<Until>,
    /// Its total time; none means the action's default (an hour, or the rest of the run).
    pub timeout: Option<Timeout>,
    /// The default of the playbook for its total time.
    pub default_timeout: Option<Duration>,
    /// Whether it may fail without failing the run.
    pub allow_failure: bool,
    /// What is taken out of its response.
    pub extract: IndexMap<String, Extract>,
    /// What must hold after the action.
    pub asserts: Vec<Located<Expression>>,
    /// What takes it back, as a step of its own called `STEP/undo`; it may read `this`, its step's record.
    pub undo: Option<Box<Self>>,
    /// What it is done for, once for each.
    pub for_each: Option<ForEach>,
    /// The plan of the playbook that it uses, when its action is `use`.
    pub used: Option<Arc<Plan>>,
    /// What it does.
    pub action: &'static Action,
    /// With what.
    pub params: IndexMap<String, Tree>,
}

/// The values of the inputs of one run, checked against their declarations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BoundInputs {
    /// The values, durations as seconds; optional ones that are missing are not here.
    pub values: IndexMap<String, Value>,
    /// The names of those that are secret.
    pub secrets: Vec<String>,
    /// The values of the environment variables that inputs of used playbooks name, as they were when the run
    /// began.
    pub env: IndexMap<String, String>,
}
