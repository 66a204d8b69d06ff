//! Everything that can happen to a run.
//!
//! Events are of two classes. *Facts* (`Event::is_fact`) came from outside: how a call ended, that a
//! timer fired, that somebody asked to stop. *Decisions* are what the machine made of them. A run is
//! replayed by giving the facts to a new machine, which then makes the same decisions again.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::call::{EffectKey, Failure, FailureKind, Outcome};
use crate::clock::Moment;
use crate::outcome::{RunOutcome, StepOutcome};

/// An event as it is recorded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Its number within the run, from 1, without gaps.
    pub seq: u64,
    /// When.
    pub at: Moment,
    /// What.
    pub event: Event,
}

/// Everything that can happen to a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The run was made. Always the first event.
    RunCreated(RunCreated),
    /// A step was added at run time: an item of a fan-out, a step of a used playbook, an undo.
    StepAdded(StepInfo),
    /// The needs of a step are met and its `when` holds: it begins.
    StepStarted {
        /// The step.
        step: String,
        /// The condition that held, with its values; none when it has no `when`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        because: Option<String>,
    },
    /// A call is about to be carried out.
    CallStarted {
        /// Which call.
        key: EffectKey,
        /// The word of the call (`trigger_promotion`).
        call: String,
        /// What it is about, for people.
        about: String,
        /// Whether it changes something on Semaphore or elsewhere.
        writes: bool,
    },
    /// Fact: how a call ended.
    CallEnded {
        /// Which call.
        key: EffectKey,
        /// How.
        outcome: Outcome,
    },
    /// A call that went wrong will be tried again.
    CallRetried {
        /// The call that went wrong.
        key: EffectKey,
        /// What went wrong.
        failure: Failure,
        /// When it is tried again, counted from now.
        delay_ms: u64,
    },
    /// Fact: a timer of the machine fired.
    TimerFired {
        /// Which.
        key: String,
    },
    /// A step waits for a person's yes.
    Asked {
        /// The step.
        step: String,
        /// What is asked.
        message: String,
    },
    /// Fact: somebody answered what a step waits for.
    Answered {
        /// The step.
        step: String,
        /// Yes or no.
        approved: bool,
        /// Who.
        by: String,
    },
    /// Fact: the run is told to stop for good.
    CancelRequested {
        /// Who or what asks.
        by: String,
    },
    /// Fact: the runner stopped working on the run; it can be resumed.
    Parked {
        /// Why (`SIGTERM`, `--park 20m`, `Semaphore not reachable`).
        reason: String,
        /// The exit code that the runner ends with.
        exit_code: u8,
    },
    /// Fact: a runner works on the run again.
    Resumed {
        /// How often it was resumed, from 1.
        session: u32,
    },
    /// Fact: a person says what became of a write whose fate could not be found out.
    Resolved {
        /// The step.
        step: String,
        /// What was found.
        resolution: Resolution,
        /// Who.
        by: String,
    },
    /// Fact: a run that has ended is to be gone on with.
    RoundRequested {
        /// Whether what failed is done again too.
        failed: bool,
        /// Who asks.
        by: String,
    },
    /// A new round of a run that had ended: these steps are done again.
    RoundStarted {
        /// Which round, from 2.
        round: u32,
        /// The steps that have not ended any more.
        steps: Vec<String>,
        /// The deadline of the round.
        deadline: Timestamp,
    },
    /// Fact: the run goes on with another version of its playbook.
    PlanChanged {
        /// The digest of the plan.
        digest: String,
        /// The name of the playbook's file.
        name: String,
        /// Its whole text.
        text: String,
        /// All its files, the playbook first, when it uses others.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        files: Vec<PlanFile>,
        /// Who asks.
        by: String,
    },
    /// Fact: the run holds its concurrency group.
    GroupTaken {
        /// The group.
        group: String,
    },
    /// Fact: another run holds the concurrency group.
    GroupBusy {
        /// The group.
        group: String,
        /// Who holds it, in words.
        by: String,
    },
    /// A step ended.
    StepEnded(StepEnded),
    /// Everything but `finally` has ended.
    FinallyStarted {
        /// How the run would end without `finally`.
        outcome: RunOutcome,
    },
    /// The run ended. Always the last event, until a new round is asked for.
    RunEnded(RunEnded),
    /// Something that people should know.
    Warned {
        /// The step, when it is about one.
        step: Option<String>,
        /// What.
        message: String,
    },
    /// A limit bit.
    LimitHit {
        /// The step, when it is about one.
        step: Option<String>,
        /// The name of the limit (`log_bytes_max`).
        limit: String,
        /// What was cut or refused.
        message: String,
    },
}

impl Event {
    /// Whether it came from outside the machine, and so is replayed.
    pub fn is_fact(&self) -> bool {
        match self {
            Self::CallEnded { .. }
            | Self::TimerFired { .. }
            | Self::Answered { .. }
            | Self::CancelRequested { .. }
            | Self::Parked { .. }
            | Self::Resumed { .. }
            | Self::Resolved { .. }
            | Self::RoundRequested { .. }
            | Self::PlanChanged { .. }
            | Self::GroupTaken { .. }
            | Self::GroupBusy { .. } => true,
            Self::RunCreated(_)
            | Self::StepAdded(_)
            | Self::StepStarted { .. }
            | Self::CallStarted { .. }
            | Self::CallRetried { .. }
            | Self::Asked { .. }
            | Self::StepEnded(_)
            | Self::RoundStarted { .. }
            | Self::FinallyStarted { .. }
            | Self::RunEnded(_)
            | Self::Warned { .. }
            | Self::LimitHit { .. } => false,
        }
    }
}

/// What a person found out about an unknown write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// It arrived, and this is what it made.
    Is(String),
    /// It never arrived.
    NotSent,
}

/// What a run is, as its first event tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCreated {
    /// The id of the run.
    pub id: String,
    /// The name of the playbook.
    pub name: String,
    /// The path of the playbook, as it was given.
    pub path: String,
    /// The digest of the plan.
    pub digest: String,
    /// The random number of the run, from which tokens and jitter are derived.
    pub salt: String,
    /// The version of the runner.
    pub runner: String,
    /// The inputs; secret ones as `***`.
    pub inputs: IndexMap<String, Value>,
    /// The names of the secret inputs.
    pub secrets: Vec<String>,
    /// The address of the Semaphore job around us, or empty.
    pub url: String,
    /// The steps that the plan has, in its order.
    pub steps: Vec<StepInfo>,
    /// The deadline of the whole run.
    pub deadline: Timestamp,
}

/// What a step is, for those who look on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepInfo {
    /// Its id (`deploy`, `nightly[web]`, `release/build`).
    pub id: String,
    /// The name of its action.
    pub action: String,
    /// Its description.
    pub description: Option<String>,
    /// What it needs: step and accepted outcomes.
    pub needs: Vec<(String, String)>,
    /// Whether it stands under `finally`.
    pub finally: bool,
    /// The step that it takes back, when it is an undo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The step that it is a part of: an item of its fan-out, or a step of the playbook that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepEnded {
    /// The step.
    pub step: String,
    /// How.
    pub outcome: StepOutcome,
    /// Why, in words; none when it passed.
    pub why: Option<String>,
    /// The error, when it failed.
    pub error: Option<Failure>,
    /// Whether a failure of it does not fail the run.
    pub allowed_to_fail: bool,
    /// The outputs of the action, the extracted names among them.
    pub outputs: serde_json::Map<String, Value>,
    /// Where to look.
    pub links: Vec<Link>,
    /// What was written to disk.
    pub files: Vec<FileWritten>,
    /// The pipelines that were done again because they ended badly.
    pub reruns: Vec<Value>,
    /// How long it was tried.
    pub duration_ms: u64,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunEnded {
    /// How.
    pub outcome: RunOutcome,
    /// Why, in words; none when it passed.
    pub why: Option<String>,
    /// The class of what went wrong, for the exit code; none when it passed.
    pub failure: Option<FailureKind>,
    /// The outputs of the playbook.
    pub outputs: serde_json::Map<String, Value>,
}

/// A page on Semaphore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Link {
    /// What it leads to (`workflow`, `pipeline`, `job`).
    pub to: String,
    /// The address.
    pub url: String,
}

/// A file that a step wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileWritten {
    /// Where.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// The SHA-256 of its content.
    pub sha256: String,
    /// Whether a limit cut it.
    pub cut: bool,
}

/// A file that a plan was made of. Its text is kept as it is, or the plan would be another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    /// Its name.
    pub name: String,
    /// Its whole text.
    pub text: String,
    /// What it calls the others that it uses: what is written, and the name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub uses: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::super::Fate;
    use super::*;

    #[test]
    fn events_come_back_as_they_were_written() {
        let event = Event::CallEnded {
            key: EffectKey {
                step: "build".into(),
                call: 1,
                attempt: 2,
            },
            outcome: Outcome {
                started_at: Timestamp::UNIX_EPOCH,
                ended_at: Timestamp::UNIX_EPOCH,
                requests: 1,
                repeated: false,
                result: Err(Failure::new(FailureKind::Server, "500").fate(Fate::Unknown)),
            },
        };
        let text = serde_json::to_string(&event).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        assert!(event.is_fact());
    }
}
