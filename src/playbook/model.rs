//! A playbook as its file says it, every part with its place.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use crate::catalog::Action;
use crate::diagnostic::{Place, Source};
use crate::outcome::Accept;
use crate::template::{Expression, JsonPath, Take, Tree};

/// Something with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    /// Where it stands.
    pub place: Place,
    /// What stands there.
    pub value: T,
}

/// A whole playbook.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// The file.
    pub source: Arc<Source>,
    /// Its name; the file's stem when it has none.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its inputs, in the order of the file.
    pub inputs: IndexMap<String, Input>,
    /// Values computed once at the start, in the order of the file.
    pub vars: IndexMap<String, Tree>,
    /// Which runs must not overlap.
    pub concurrency: Option<Concurrency>,
    /// The deadline of the whole run.
    pub timeout: Option<Tree>,
    /// The time that `finally` has of its own.
    pub finally_timeout: Option<Duration>,
    /// What a failed step does to the others.
    pub on_failure: OnFailure,
    /// What happens on Semaphore when the runner is told to stop.
    pub on_interrupt: OnInterrupt,
    /// What holds for steps that do not say otherwise.
    pub defaults: Defaults,
    /// The steps, in the order of the file.
    pub steps: IndexMap<String, Step>,
    /// The steps under `finally`.
    pub finally: IndexMap<String, Step>,
    /// What the run gives.
    pub outputs: IndexMap<String, Tree>,
    /// What its steps use, by what they call it.
    pub used: IndexMap<String, Arc<Self>>,
    /// The keys that only the playbook that is applied may have, when they are here.
    pub at_the_top: Vec<Located<&'static str>>,
    /// What the file names but says wrongly: ids of steps, and `inputs.x` and `vars.x`. A mention of
    /// them is no mistake of its own.
    pub broken: Vec<String>,
    /// Whether everything that the file says is here. If not, it must not become a plan.
    pub complete: bool,
}

/// An input.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Where it is declared.
    pub place: Place,
    /// Its type.
    pub ty: InputType,
    /// What it is.
    pub description: Option<String>,
    /// Its value when none is given.
    pub default: Option<Value>,
    /// The values it may have.
    pub allowed: Option<Vec<Value>>,
    /// What the whole text must match.
    pub pattern: Option<String>,
    /// The type of the items of a list.
    pub items: Option<InputType>,
    /// Whether it may be missing.
    pub optional: bool,
    /// Whether its value is a secret.
    pub secret: bool,
    /// The environment variable it is read from.
    pub env: Option<String>,
}

/// The type of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputType {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A duration with its unit; in expressions a number of seconds.
    Duration,
    /// A list.
    List,
    /// A map.
    Object,
}

impl InputType {
    /// All, with the words of the language.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::String, "string"),
        (Self::Integer, "integer"),
        (Self::Number, "number"),
        (Self::Boolean, "boolean"),
        (Self::Duration, "duration"),
        (Self::List, "list"),
        (Self::Object, "object"),
    ];
}

/// Which runs must not overlap.
#[derive(Debug, Clone, PartialEq)]
pub struct Concurrency {
    /// The name of the group.
    pub group: Tree,
    /// What to do when the group is taken.
    pub on_conflict: OnConflict,
}

/// What to do when a concurrency group is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// Wait until it is free.
    #[default]
    Wait,
    /// End with an error.
    Fail,
    /// Do nothing, and pass.
    Skip,
}

/// What a failed step does to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnFailure {
    /// Independent branches go on.
    #[default]
    Continue,
    /// Nothing new is started.
    Stop,
}

/// What happens on Semaphore when the runner is told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInterrupt {
    /// Nothing.
    #[default]
    Leave,
    /// What the run started is stopped.
    Stop,
}

/// What holds for steps that do not say otherwise.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Defaults {
    /// The total time of a step.
    pub timeout: Option<Duration>,
    /// How often and how fast calls are tried again.
    pub retry: Option<Retry>,
}

/// How often and how fast a call that went wrong is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How often it is tried, the first time included. Counts answers only.
    pub attempts: u32,
    /// The first delay.
    pub first: Duration,
    /// By how much each delay is longer than the one before.
    pub factor: f64,
    /// The longest delay.
    pub max: Duration,
    /// How much of the delay is random: 0 none, 1 all of it.
    pub jitter: f64,
    /// After what it is tried again.
    pub on: Vec<RetryOn>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            first: Duration::from_secs(1),
            factor: 2.0,
            max: Duration::from_secs(30),
            jitter: 0.2,
            on: vec![RetryOn::Network, RetryOn::RateLimited, RetryOn::Server],
        }
    }
}

/// After what a call is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryOn {
    /// `network`: no connection, a broken line, no answer in time.
    Network,
    /// `429`.
    RateLimited,
    /// `5xx`.
    Server,
}

/// Doing again what ended badly.
#[derive(Debug, Clone, PartialEq)]
pub struct Rerun {
    /// How often at the most.
    pub max: Tree,
    /// How much of it.
    pub scope: RerunScope,
    /// Whether it is worth it; without this all but what a person stopped.
    pub when: Option<Located<Expression>>,
}

/// How much is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RerunScope {
    /// What did not pass of the pipeline.
    Failed,
    /// All, in the way the step began.
    All,
}

/// Asking again until the answer is as wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Until {
    /// What must hold.
    pub that: Vec<Located<Expression>>,
    /// How long to wait before it is asked again.
    pub poll: Duration,
}

/// The words of `needs`.
#[derive(Debug, Clone, PartialEq)]
pub struct Needs {
    /// Where it stands.
    pub place: Place,
    /// Which steps, and which of their outcomes.
    pub edges: Vec<Located<(String, Accept)>>,
}

/// What is taken out of a response.
#[derive(Debug, Clone, PartialEq)]
pub struct Extract {
    /// Where it stands.
    pub place: Place,
    /// The path.
    pub path: JsonPath,
    /// How many matches are wanted.
    pub take: Take,
}

/// The total time of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeout {
    /// A duration as text, or a template that gives one.
    pub value: Tree,
}

/// An action with its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation {
    /// Where the name of the action stands.
    pub place: Place,
    /// The action.
    pub action: &'static Action,
    /// The parameters that were given, in the order of the file.
    pub params: IndexMap<String, Tree>,
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its id.
    pub id: String,
    /// Where its id stands.
    pub place: Place,
    /// What it is for.
    pub description: Option<String>,
    /// The needs that it names itself.
    pub needs: Option<Needs>,
    /// Whether it runs at all.
    pub when: Option<Located<Expression>>,
    /// How calls that go wrong are tried again.
    pub retry: Option<Retry>,
    /// Whether it is done again when its pipeline ended badly.
    pub rerun: Option<Rerun>,
    /// Whether it is asked again until something holds.
    pub until: Option<Until>,
    /// Its total time.
    pub timeout: Option<Timeout>,
    /// Whether it may fail without failing the run.
    pub allow_failure: bool,
    /// What is taken out of its response.
    pub extract: IndexMap<String, Extract>,
    /// What must hold after the action.
    pub asserts: Vec<Located<Expression>>,
    /// What takes it back, as a step of its own called `STEP/undo`.
    pub undo: Option<Box<Self>>,
    /// What it is done for, once for each.
    pub for_each: Option<ForEach>,
    /// What it does.
    pub action: Invocation,
}

/// Doing a step once for each item of a list or map.
#[derive(Debug, Clone, PartialEq)]
pub struct ForEach {
    /// Where it stands.
    pub place: Place,
    /// What gives the list or map.
    pub items: Located<Expression>,
    /// What gives the key of an item; when not given, the item itself if that is short and tells it apart, else its
    /// place in the list, or its key in the map.
    pub key: Option<Located<Expression>>,
    /// How many items are done at once at the most; all, when not given.
    pub max_parallel: Option<Tree>,
    /// Whether the items after one that failed are done.
    pub on_failure: OnFailure,
}

impl Step {
    /// What it calls the playbook that it uses.
    pub fn used(&self) -> Option<&Tree> {
        let params = &self.action.params;
        params
            .get("playbook")
            .filter(|_| self.action.action.name == "use")
    }

    /// Everything of it that is filled in before its action begins.
    pub fn trees(&self) -> impl Iterator<Item = &Tree> {
        let timeout = self.timeout.iter().map(|timeout| &timeout.value);
        self.action.params.values().chain(timeout)
    }
}
