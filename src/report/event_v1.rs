//! One event per line, version 1: frozen.
//!
//! What `--output events` writes. Small on purpose: what happened, to which step, how it ended. Answers
//! of calls stay inside. Additions are allowed, and readers skip events that they do not know.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::json::{candidates_v1, error_v1, files_v1, links_v1, run_word, step_word, time_v1};
use super::v1;
use crate::clock::millis_between;
use crate::event::{
    EffectKey, Event as Inner, Observation, Recorded, Resolution, RunCreated, Seen as InnerSeen,
    StepEnded, StepInfo,
};

/// A line of `--output events`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(title = "Event of a run of runner, version 1")]
pub struct Line {
    /// The version of this format: 1.
    #[schemars(extend("const" = 1))]
    pub v: u8,
    /// The number of the event within the run, from 1, without gaps. What was `observed` is no event of
    /// the run: it has the number of the last one before it, 0 when there was none.
    pub seq: u64,
    /// When (RFC 3339, UTC).
    #[schemars(extend("format" = "date-time"))]
    pub at: String,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run was made. Always the first event.
    RunCreated {
        /// The id of the run.
        id: String,
        /// The name of the playbook.
        name: String,
        /// The playbook.
        playbook: v1::Playbook,
        /// The inputs; secret ones as `***`.
        inputs: IndexMap<String, Value>,
        /// The steps of the plan, in its order.
        plan: Vec<Planned>,
        /// The deadline of the run (RFC 3339, UTC).
        #[schemars(extend("format" = "date-time"))]
        deadline: String,
    },
    /// A step was added at run time.
    StepAdded(Planned),
    /// A step began.
    StepStarted {
        /// The step.
        step: String,
        /// The condition that held, with its values; absent when it has no `when`.
        #[serde(skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// A call is about to be carried out.
    CallStarted {
        /// Which.
        #[serde(flatten)]
        which: Which,
        /// The word of the call.
        call: String,
        /// What it is about, for people.
        about: String,
        /// Whether it changes something.
        writes: bool,
    },
    /// A call ended.
    CallEnded {
        /// Which.
        #[serde(flatten)]
        which: Which,
        /// How many milliseconds it took.
        duration_ms: u64,
        /// How many requests it took.
        requests: u32,
        /// What went wrong; null when nothing did.
        error: Option<v1::Error>,
    },
    /// A call that went wrong will be tried again.
    CallRetried {
        /// Which went wrong.
        #[serde(flatten)]
        which: Which,
        /// In how many milliseconds it is tried again.
        delay_ms: u64,
        /// What went wrong.
        error: v1::Error,
    },
    /// A timer fired.
    TimerFired {},
    /// A step waits for a person's yes.
    Asked {
        /// The step.
        step: String,
        /// What is asked.
        message: String,
    },
    /// Somebody answered what a step waits for.
    Answered {
        /// The step.
        step: String,
        /// Yes or no.
        approved: bool,
        /// Who.
        by: String,
    },
    /// The run is told to stop for good.
    CancelRequested {
        /// Who or what asks.
        by: String,
    },
    /// The runner stopped working on the run; it can be resumed.
    Parked {
        /// Why.
        reason: String,
        /// The code that the runner ends with.
        exit_code: u8,
    },
    /// A runner works on the run again.
    Resumed {
        /// How often it was resumed.
        session: u32,
    },
    /// A person said what became of a write whose fate was unknown.
    Resolved {
        /// The step.
        step: String,
        /// The id of what it made; null when it was never sent.
        made: Option<String>,
        /// Who.
        by: String,
    },
    /// A run that has ended is to be gone on with.
    RoundRequested {
        /// Whether what failed is done again too.
        failed: bool,
        /// Who asks.
        by: String,
    },
    /// The run goes on with another version of its playbook.
    PlanChanged {
        /// The playbook.
        playbook: v1::Playbook,
        /// Who asks.
        by: String,
    },
    /// A new round of a run that had ended: these steps are done again.
    RoundStarted {
        /// Which round, from 2.
        round: u32,
        /// The steps that have not ended any more.
        steps: Vec<String>,
        /// The deadline of the round (RFC 3339, UTC).
        #[schemars(extend("format" = "date-time"))]
        deadline: String,
    },
    /// The run holds its concurrency group.
    GroupTaken {
        /// The group.
        group: String,
    },
    /// Another run holds the concurrency group.
    GroupBusy {
        /// The group.
        group: String,
        /// Who holds it, in words.
        by: String,
    },
    /// A step ended.
    StepEnded(Box<Ended>),
    /// Everything but `finally` has ended.
    FinallyStarted {
        /// How the run would end without `finally`.
        outcome: v1::RunOutcome,
    },
    /// The run ended. Always the last event, until a new round is asked for.
    RunEnded {
        /// How.
        outcome: v1::RunOutcome,
        /// Why, in words; null when it passed.
        why: Option<String>,
        /// The class of what went wrong; null when it passed.
        kind: Option<String>,
        /// The outputs of the playbook.
        outputs: Map<String, Value>,
    },
    /// Something that people should know.
    Warned(v1::Warning),
    /// A limit bit.
    LimitHit(v1::LimitHit),
    /// A running step was seen doing something: for people, and told only while it happens.
    Observed {
        /// The step.
        step: String,
        /// What was seen.
        #[serde(flatten)]
        seen: Seen,
    },
}

/// What can be seen of a running step.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub enum Seen {
    /// A pipeline that is waited for.
    Pipeline {
        /// Its id.
        pipeline_id: String,
        /// Its name.
        name: String,
        /// Its state, lower case.
        state: String,
        /// For how many milliseconds it was queued; null when it is not known.
        queued_ms: Option<u64>,
        /// For how many milliseconds it has run; null when it does not run.
        running_ms: Option<u64>,
        /// How many blocks are done; null when it is not known.
        blocks_done: Option<u32>,
        /// How many blocks it has; null when it is not known.
        blocks: Option<u32>,
        /// The blocks that come next; empty when it is not known.
        next_blocks: Vec<String>,
        /// The jobs that have failed so far.
        failed_jobs: Vec<String>,
        /// The page of it.
        url: String,
    },
    /// Something goes wrong at the moment, and is tried again.
    Trouble {
        /// What.
        message: String,
    },
    /// A log that is being fetched.
    Log {
        /// The job.
        job: String,
        /// How much of it has come.
        bytes: u64,
    },
}

/// A step of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Planned {
    /// Its id.
    pub step: String,
    /// The name of its action.
    pub action: String,
    /// Its description.
    pub description: Option<String>,
    /// What it needs: the ids of steps and the outcomes that will do.
    pub needs: IndexMap<String, String>,
    /// Whether it stands under `finally`.
    pub finally: bool,
    /// The step that it takes back; absent unless it is an undo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The step that it is a part of: an item of its fan-out, or a step of the playbook that it uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A try of a call.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Which {
    /// The step.
    pub step: String,
    /// The number of the call within the step, from 1.
    pub number: u32,
    /// Which try of it, from 1.
    pub attempt: u32,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Ended {
    /// The step.
    pub step: String,
    /// How.
    pub outcome: v1::StepOutcome,
    /// Why, in words; null when it passed.
    pub why: Option<String>,
    /// The error; null when it did not fail.
    pub error: Option<v1::Error>,
    /// For how many milliseconds it was tried.
    pub duration_ms: u64,
    /// Its outputs.
    pub outputs: Map<String, Value>,
    /// Where to look.
    pub links: Vec<v1::Link>,
    /// What it wrote to disk.
    pub files: Vec<v1::File>,
    /// What an unknown write may have made; absent unless the outcome is `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidates: Option<Vec<v1::Candidate>>,
}

impl From<&Recorded> for Line {
    fn from(recorded: &Recorded) -> Self {
        Self {
            v: 1,
            seq: recorded.seq,
            at: time_v1(recorded.at.wall),
            event: event(&recorded.event),
        }
    }
}

impl Line {
    /// The line of an observation that came after the event of this number.
    pub fn observed(observation: &Observation, seq: u64) -> Self {
        Self {
            v: 1,
            seq,
            at: time_v1(observation.at),
            event: Event::Observed {
                step: observation.step.clone(),
                seen: seen(&observation.seen),
            },
        }
    }
}

fn seen(seen: &InnerSeen) -> Seen {
    match seen.clone() {
        InnerSeen::Pipeline {
            pipeline_id,
            name,
            state,
            queued_ms,
            running_ms,
            blocks,
            next_blocks,
            failed_jobs,
            url,
        } => Seen::Pipeline {
            pipeline_id,
            name,
            state,
            queued_ms,
            running_ms,
            blocks_done: blocks.map(|(done, _)| done),
            blocks: blocks.map(|(_, all)| all),
            next_blocks,
            failed_jobs,
            url,
        },
        InnerSeen::Trouble { message } => Seen::Trouble { message },
        InnerSeen::Log { job, bytes } => Seen::Log { job, bytes },
    }
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each event of a closed set, and each only copies"
)]
fn event(event: &Inner) -> Event {
    match event {
        Inner::RunCreated(created) => run_created(created),
        Inner::StepAdded(info) => Event::StepAdded(planned(info)),
        Inner::StepStarted { step, because } => Event::StepStarted {
            step: step.clone(),
            because: because.clone(),
        },
        Inner::CallStarted {
            key,
            call,
            about,
            writes,
        } => Event::CallStarted {
            which: which(key),
            call: call.clone(),
            about: about.clone(),
            writes: *writes,
        },
        Inner::CallEnded { key, outcome } => Event::CallEnded {
            which: which(key),
            duration_ms: millis_between(outcome.started_at, outcome.ended_at),
            requests: outcome.requests,
            error: outcome.result.as_ref().err().map(error_v1),
        },
        Inner::CallRetried {
            key,
            failure,
            delay_ms,
        } => Event::CallRetried {
            which: which(key),
            delay_ms: *delay_ms,
            error: error_v1(failure),
        },
        Inner::TimerFired { .. } => Event::TimerFired {},
        Inner::Asked { step, message } => Event::Asked {
            step: step.clone(),
            message: message.clone(),
        },
        Inner::Answered { step, approved, by } => Event::Answered {
            step: step.clone(),
            approved: *approved,
            by: by.clone(),
        },
        Inner::CancelRequested { by } => Event::CancelRequested { by: by.clone() },
        Inner::Parked { reason, exit_code } => Event::Parked {
            reason: reason.clone(),
            exit_code: *exit_code,
        },
        Inner::Resumed { session } => Event::Resumed { session: *session },
        Inner::Resolved {
            step,
            resolution,
            by,
        } => Event::Resolved {
            step: step.clone(),
            made: match resolution {
                Resolution::Is(id) => Some(id.clone()),
                Resolution::NotSent => None,
            },
            by: by.clone(),
        },
        Inner::RoundRequested { failed, by } => Event::RoundRequested {
            failed: *failed,
            by: by.clone(),
        },
        Inner::PlanChanged {
            digest, name, by, ..
        } => Event::PlanChanged {
            playbook: v1::Playbook {
                path: name.clone(),
                digest: digest.clone(),
            },
            by: by.clone(),
        },
        Inner::RoundStarted {
            round,
            steps,
            deadline,
        } => Event::RoundStarted {
            round: *round,
            steps: steps.clone(),
            deadline: time_v1(*deadline),
        },
        Inner::GroupTaken { group } => Event::GroupTaken {
            group: group.clone(),
        },
        Inner::GroupBusy { group, by } => Event::GroupBusy {
            group: group.clone(),
            by: by.clone(),
        },
        Inner::StepEnded(ended) => Event::StepEnded(Box::new(step_ended(ended))),
        Inner::FinallyStarted { outcome } => Event::FinallyStarted {
            outcome: run_word(*outcome),
        },
        Inner::RunEnded(ended) => Event::RunEnded {
            outcome: run_word(ended.outcome),
            why: ended.why.clone(),
            kind: ended.failure.map(|kind| kind.as_str().to_owned()),
            outputs: ended.outputs.clone(),
        },
        Inner::Warned { step, message } => Event::Warned(v1::Warning {
            step: step.clone(),
            message: message.clone(),
        }),
        Inner::LimitHit {
            step,
            limit,
            message,
        } => Event::LimitHit(v1::LimitHit {
            step: step.clone(),
            limit: limit.clone(),
            message: message.clone(),
        }),
    }
}

fn run_created(created: &RunCreated) -> Event {
    Event::RunCreated {
        id: created.id.clone(),
        name: created.name.clone(),
        playbook: v1::Playbook {
            path: created.path.clone(),
            digest: created.digest.clone(),
        },
        inputs: created.inputs.clone(),
        plan: created.steps.iter().map(planned).collect(),
        deadline: time_v1(created.deadline),
    }
}

fn planned(info: &StepInfo) -> Planned {
    Planned {
        step: info.id.clone(),
        action: info.action.clone(),
        description: info.description.clone(),
        needs: info.needs.iter().cloned().collect(),
        finally: info.finally,
        undoes: info.undoes.clone(),
        parent: info.parent.clone(),
    }
}

fn which(key: &EffectKey) -> Which {
    Which {
        step: key.step.clone(),
        number: key.call,
        attempt: key.attempt,
    }
}

fn step_ended(ended: &StepEnded) -> Ended {
    Ended {
        step: ended.step.clone(),
        outcome: step_word(ended.outcome),
        why: ended.why.clone(),
        error: ended.error.as_ref().map(error_v1),
        duration_ms: ended.duration_ms,
        outputs: ended.outputs.clone(),
        links: links_v1(&ended.links),
        files: files_v1(&ended.files),
        candidates: candidates_v1(ended),
    }
}
