//! Why steps stand where they stand, version 1: what `runner explain --json` prints.
//!
//! Additions are allowed. Words in it are for people, and are the same ones as in the report.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::v1;

/// What `runner explain --json` prints.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "of", rename_all = "lowercase")]
#[schemars(title = "Explanation of a run or a playbook of runner, version 1")]
pub enum Explanation {
    /// A run.
    Run(Box<Run>),
    /// A playbook that has not run.
    Playbook(Playbook),
}

/// Why the steps of a run stand where they stand.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Run {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub explain: u8,
    /// The id of the run.
    pub id: String,
    /// The name of the playbook.
    pub name: String,
    /// How it ended, or where it stands.
    pub outcome: v1::RunOutcome,
    /// Why, in words; null when it passed.
    pub why: Option<String>,
    /// What the whole run waits for; null when it does not wait as a whole.
    pub waits_for: Option<Wait>,
    /// For how many milliseconds it was worked on.
    pub duration_ms: u64,
    /// The steps by their id: all of them, or the one that was asked for and those it hangs on.
    pub steps: IndexMap<String, Step>,
    /// The steps that the length of the run comes from, first step first.
    pub critical_path: Vec<Stretch>,
}

/// Why a step stands where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Step {
    /// The name of its action.
    pub action: String,
    /// How it ended, or where it stands.
    pub outcome: v1::StepOutcome,
    /// Why it ended so, in words; null when it passed or has not ended.
    pub why: Option<String>,
    /// What to do about it; null when nobody knows.
    pub hint: Option<String>,
    /// Whether it stands under `finally`.
    pub finally: bool,
    /// The step that it takes back; null when it is no undo.
    pub undoes: Option<String>,
    /// The step that it is a part of (an item, or a step of a used playbook); null when it is none.
    pub part_of: Option<String>,
    /// What it needs.
    pub needs: Vec<Need>,
    /// Its condition; null when it has none, or was not asked.
    pub condition: Option<Condition>,
    /// What it did, call by call.
    pub calls: Vec<Call>,
    /// The pipelines that were done again because they ended badly.
    pub reruns: Vec<v1::Rerun>,
    /// What it waits for; null when it waits for nothing.
    pub waits_for: Option<Wait>,
    /// Why its pipeline ended red; null when it did not.
    pub triage: Option<v1::Triage>,
    /// The steps in which the cause lies when it is made of others: parts, or parts of those.
    pub causes: Vec<String>,
    /// Where its time went.
    pub time: Time,
    /// The steps that were not run because of it.
    pub stopped: Vec<String>,
}

/// A step that another one needs.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Need {
    /// The step.
    pub step: String,
    /// The outcomes that will do.
    pub accepts: String,
    /// How it ended, or where it stands.
    pub outcome: v1::StepOutcome,
    /// Whether that will do; null while it has not ended.
    pub met: Option<bool>,
}

/// A condition that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Condition {
    /// Whether it held.
    pub held: bool,
    /// The expression with the values that made it so.
    pub words: String,
}

/// A call and its tries.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Call {
    /// The word of the call.
    pub call: String,
    /// What it was about.
    pub about: String,
    /// Whether it changes something.
    pub writes: bool,
    /// How often it was tried.
    pub tries: u64,
    /// How many milliseconds its tries took together.
    pub duration_ms: u64,
    /// What went wrong, try by try.
    pub went_wrong: Vec<v1::Error>,
    /// Whether its last try has ended.
    pub ended: bool,
}

/// Where the time of a step went, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Time {
    /// From its beginning to its end, or until now.
    pub duration_ms: u64,
    /// Until its last pipeline, when others were done again before.
    pub earlier_ms: u64,
    /// Its pipeline in the queue; null when it waited for none.
    pub queued_ms: Option<u64>,
    /// Its pipeline running; null when it waited for none.
    pub ran_ms: Option<u64>,
    /// Between a try that went wrong and the next one.
    pub between_tries_ms: u64,
}

/// A step of the critical path.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Stretch {
    /// The step.
    pub step: String,
    /// Where its time went.
    #[serde(flatten)]
    pub time: Time,
}

/// What a step, or a run, waits for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Wait {
    /// Steps that it needs.
    Needs {
        /// The steps.
        steps: Vec<String>,
    },
    /// All the others: it stands under `finally`.
    Others {},
    /// Its parts: items, or steps of the playbook that it uses.
    Parts {
        /// Those that have not ended.
        steps: Vec<String>,
    },
    /// Its turn.
    Turn {},
    /// Nothing from outside: it is at work.
    Work {},
    /// A person's yes.
    Person {
        /// What is asked.
        message: String,
    },
    /// The end of a call.
    Call {
        /// What it is about.
        about: String,
        /// Which try it is.
        attempt: u32,
        /// What goes wrong at the moment; null when nothing does.
        trouble: Option<String>,
    },
    /// The next try of a call.
    Retry {
        /// What the call is about.
        about: String,
        /// When (RFC 3339, UTC).
        #[schemars(extend("format" = "date-time"))]
        at: String,
        /// What went wrong.
        error: v1::Error,
    },
    /// A pipeline, as it was seen last.
    Pipeline {
        /// Its id.
        pipeline_id: String,
        /// Its name.
        name: String,
        /// Its state.
        state: String,
        /// The jobs that have failed so far.
        failed_jobs: Vec<String>,
        /// Blocks that are done; null when they are not known.
        blocks_done: Option<u32>,
        /// All blocks; null when they are not known.
        blocks: Option<u32>,
        /// The page of it.
        url: String,
        /// When it was seen (RFC 3339, UTC).
        #[schemars(extend("format" = "date-time"))]
        seen_at: String,
        /// What goes wrong at the moment; null when nothing does.
        trouble: Option<String>,
    },
    /// The concurrency group of the run.
    Group {
        /// The group.
        group: String,
        /// Who holds it, in words.
        by: String,
    },
    /// A runner: nobody works on the run.
    Runner {
        /// Why it was parked.
        reason: String,
    },
}

/// Why the steps of a playbook would run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Playbook {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub explain: u8,
    /// The name of the playbook.
    pub name: String,
    /// Its path as it was given.
    pub path: String,
    /// The digest of the plan.
    pub digest: String,
    /// The steps by their id: all of them, or the one that was asked for and those it hangs on.
    pub steps: IndexMap<String, Planned>,
}

/// Why a step would run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Planned {
    /// The name of its action.
    pub action: String,
    /// What it is for; null when the playbook does not say it.
    pub description: Option<String>,
    /// Whether it stands under `finally`.
    pub finally: bool,
    /// What it needs, and why.
    pub needs: Vec<Edge>,
    /// The condition that decides whether it runs; null when it has none.
    pub condition: Option<String>,
    /// What it is done for, once for each; null when it is done once.
    pub for_each: Option<String>,
    /// When its pipeline is done again; null when it never is.
    pub rerun: Option<String>,
    /// What must hold afterwards.
    pub asserts: Vec<String>,
    /// Whether it may fail without failing the run.
    pub allow_failure: bool,
    /// Whether something takes it back when the run fails.
    pub undo: bool,
    /// The steps that wait for it.
    pub needed_by: Vec<String>,
}

/// An edge between two steps.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Edge {
    /// The step that is needed.
    pub step: String,
    /// The outcomes that will do.
    pub accepts: String,
    /// Whether `needs` says it; else a mention alone makes it.
    pub named: bool,
    /// The places that mention it: `tests.promote.pipeline` says `steps.tests.pipeline_id`.
    pub mentions: Vec<Mention>,
}

/// A place that mentions a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Mention {
    /// What it says.
    pub text: String,
    /// Where: file, line and column.
    pub place: String,
}
