//! The seam between the pure machine and those who do: commands out, facts in.

use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::call::Call;
use crate::event::{EffectKey, Event, Failure, Intent, Observation, Outcome, PlanFile, Resolution};

/// What the machine wants done.
#[derive(Debug, Clone, PartialEq)]
pub enum Cmd {
    /// Carry out a call and say how it ended.
    Call {
        /// Which.
        key: EffectKey,
        /// What.
        call: Call,
        /// When the step's time is over, on the run's active clock.
        deadline_active_ms: u64,
    },
    /// Say when it is time.
    Timer {
        /// Which.
        key: String,
        /// When.
        due: Due,
    },
    /// A call or timer is no longer wanted. Never said of a call that writes.
    Drop {
        /// The text of its key.
        key: String,
    },
    /// Take the concurrency group of the run, and say so; say who holds it while it cannot be had.
    Acquire {
        /// The group.
        group: String,
    },
    /// Stop working on the run: it can be resumed.
    Park {
        /// Why.
        failure: Failure,
    },
}

/// When a timer fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// By the wall clock.
    Wall(Timestamp),
    /// By the time that the run was really worked on, in milliseconds.
    Active(u64),
}

/// A fact from outside. Each has its [`Event`], under which it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Ev {
    /// A call ended.
    Ended {
        /// Which.
        key: EffectKey,
        /// How.
        outcome: Outcome,
    },
    /// A timer fired.
    Timer {
        /// Which.
        key: String,
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
    /// The run is to stop for good.
    Cancel {
        /// Who asks.
        by: String,
    },
    /// The runner stops working on the run.
    Parked {
        /// Why.
        reason: String,
        /// What the runner ends with.
        exit_code: u8,
    },
    /// A runner works on the run again.
    Resumed {
        /// How often, from 1.
        session: u32,
    },
    /// A person says what became of an unknown write.
    Resolved {
        /// The step.
        step: String,
        /// What was found.
        resolution: Resolution,
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
    /// The run goes on with another version of its playbook, which the machine knows by its digest.
    PlanChanged {
        /// The digest of the plan.
        digest: String,
        /// The name of the playbook's file.
        name: String,
        /// Its whole text.
        text: String,
        /// All its files, the playbook first, when it uses others.
        files: Vec<PlanFile>,
        /// Who asks.
        by: String,
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
}

impl From<Ev> for Event {
    fn from(ev: Ev) -> Self {
        match ev {
            Ev::Ended { key, outcome } => Self::CallEnded { key, outcome },
            Ev::Timer { key } => Self::TimerFired { key },
            Ev::Answered { step, approved, by } => Self::Answered { step, approved, by },
            Ev::Cancel { by } => Self::CancelRequested { by },
            Ev::Parked { reason, exit_code } => Self::Parked { reason, exit_code },
            Ev::Resumed { session } => Self::Resumed { session },
            Ev::Resolved {
                step,
                resolution,
                by,
            } => Self::Resolved {
                step,
                resolution,
                by,
            },
            Ev::RoundRequested { failed, by } => Self::RoundRequested { failed, by },
            Ev::PlanChanged {
                digest,
                name,
                text,
                files,
                by,
            } => Self::PlanChanged {
                digest,
                name,
                text,
                files,
                by,
            },
            Ev::GroupTaken { group } => Self::GroupTaken { group },
            Ev::GroupBusy { group, by } => Self::GroupBusy { group, by },
        }
    }
}

impl Ev {
    /// The fact that an event records; none for decisions.
    pub fn of(event: &Event) -> Option<Self> {
        Some(match event.clone() {
            Event::CallEnded { key, outcome } => Self::Ended { key, outcome },
            Event::TimerFired { key } => Self::Timer { key },
            Event::Answered { step, approved, by } => Self::Answered { step, approved, by },
            Event::CancelRequested { by } => Self::Cancel { by },
            Event::Parked { reason, exit_code } => Self::Parked { reason, exit_code },
            Event::Resumed { session } => Self::Resumed { session },
            Event::Resolved {
                step,
                resolution,
                by,
            } => Self::Resolved {
                step,
                resolution,
                by,
            },
            Event::RoundRequested { failed, by } => Self::RoundRequested { failed, by },
            Event::PlanChanged {
                digest,
                name,
                text,
                files,
                by,
            } => Self::PlanChanged {
                digest,
                name,
                text,
                files,
                by,
            },
            Event::GroupTaken { group } => Self::GroupTaken { group },
            Event::GroupBusy { group, by } => Self::GroupBusy { group, by },
            Event::RunCreated(_)
            | Event::StepAdded(_)
            | Event::StepStarted { .. }
            | Event::CallStarted { .. }
            | Event::CallRetried { .. }
            | Event::Asked { .. }
            | Event::StepEnded(_)
            | Event::RoundStarted { .. }
            | Event::FinallyStarted { .. }
            | Event::RunEnded(_)
            | Event::Warned { .. }
            | Event::LimitHit { .. } => return None,
        })
    }
}

/// What the machine made of one fact.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Turn {
    /// What is to be done, in order.
    pub commands: Vec<Cmd>,
    /// What happened, in order; the fact itself comes first.
    pub events: Vec<Event>,
}

/// A call as the effects get it.
pub struct CallRequest {
    /// Which.
    pub key: EffectKey,
    /// What.
    pub call: Call,
    /// How much time the step has left. Reads and waits end by then; writes end by their own time-outs,
    /// for a write that is given up half-way has an unknown fate.
    pub remaining: Duration,
    /// What an earlier try may have sent, and where to write down what is about to be sent.
    pub intents: Box<dyn Intents>,
    /// Where to tell what is seen on the way.
    pub observe: Box<dyn Fn(Observation) + Send + Sync>,
}

/// Doing: the only thing in a run that talks to the outside.
pub trait Effects: Send + Sync {
    /// Carries out one call, to its end.
    fn call(&self, request: CallRequest) -> BoxFuture<'static, Outcome>;
}

/// Why an intent could not be made durable: then nothing may be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct IntentError {
    /// What went wrong.
    pub message: String,
}

/// The notes about one write, given by the driver.
pub trait Intents: Send + Sync {
    /// What an earlier try, or an earlier session, was about to send for the same call.
    fn previous(&self) -> Option<Intent>;
    /// Makes the intent durable; nothing may be sent before this is done.
    fn open(&self, intent: Intent) -> BoxFuture<'_, Result<(), IntentError>>;
}
