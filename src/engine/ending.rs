//! How a run ends: pure functions over how its steps ended.

use serde_json::{Value, json};

use crate::event::{Failure, FailureKind, StepEnded};
use crate::outcome::{RunOutcome, StepOutcome};

/// Why a run is to stop before all its steps had their turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// A person asked.
    Canceled { by: String },
    /// The deadline of the run passed.
    Deadline { after: String },
    /// The time of a step that uses a playbook is over.
    PartDeadline { step: String, after: String },
    /// The time that `finally` has of its own is over.
    FinallyDeadline { after: String },
    /// A step failed, and `on_failure` is `stop`.
    Failure { step: String },
    /// Another run holds the concurrency group: nothing is begun.
    Busy { held: String, skipped: bool },
}

impl Stop {
    /// How a step ends that is not begun any more.
    pub(super) fn step_outcome(&self) -> StepOutcome {
        match self {
            Self::Busy { skipped: true, .. } => StepOutcome::Skipped,
            Self::Canceled { .. }
            | Self::Deadline { .. }
            | Self::PartDeadline { .. }
            | Self::FinallyDeadline { .. }
            | Self::Failure { .. }
            | Self::Busy { skipped: false, .. } => StepOutcome::Canceled,
        }
    }

    /// Why a step was given up, in words.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Canceled { by } => format!("the run was canceled by {by}"),
            Self::Deadline { after } => format!("the deadline of the run passed after {after}"),
            Self::PartDeadline { step, after } => {
                format!("the time of `{step}` was over after {after}")
            }
            Self::FinallyDeadline { after } => {
                format!("the time of `finally` was over after {after}")
            }
            Self::Failure { step } => {
                format!("not started: `{step}` failed, and `on_failure` is `stop`")
            }
            Self::Busy { held, .. } => held.clone(),
        }
    }
}

/// How a step ended, and whether a failure of it counts for its playbook.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted<'a> {
    pub(super) told: &'a StepEnded,
    pub(super) may_fail: bool,
}

/// The outcome of a run, or of a playbook that a step uses, why, and the class of what went wrong. What
/// stopped `finally` counts only when all was well before; `unknown` are the steps that a person must look
/// after.
pub(super) fn verdict<'a>(
    stop: Option<&Stop>,
    finally_stop: Option<&Stop>,
    steps: impl Iterator<Item = Counted<'a>>,
    unknown: &[&str],
) -> (RunOutcome, Option<String>, Option<FailureKind>) {
    if !unknown.is_empty() {
        let why = format!(
            "what {} did could not be found out: a person must look",
            names(unknown)
        );
        return (
            RunOutcome::Unknown,
            Some(why),
            Some(FailureKind::FateUnknown),
        );
    }
    if let Some(stopped) = stop.and_then(stopped) {
        return stopped;
    }
    let failed: Vec<&StepEnded> = steps
        .filter(|step| step.told.outcome == StepOutcome::Failed && !step.may_fail)
        .map(|step| step.told)
        .collect();
    let names_failed: Vec<&str> = failed.iter().map(|told| told.step.as_str()).collect();
    if names_failed.is_empty() {
        return finally_stop
            .and_then(stopped)
            .unwrap_or((RunOutcome::Passed, None, None));
    }
    let worst = failed
        .iter()
        .filter_map(|told| told.error.as_ref())
        .map(class)
        .max_by_key(|kind| weight(*kind))
        .unwrap_or(FailureKind::StepFailed);
    (
        RunOutcome::Failed,
        Some(format!("{} failed", names(&names_failed))),
        Some(worst),
    )
}

/// The outcome of a run that was stopped; none when it only starts nothing new.
fn stopped(stop: &Stop) -> Option<(RunOutcome, Option<String>, Option<FailureKind>)> {
    let (outcome, kind) = match stop {
        Stop::Canceled { .. } => (RunOutcome::Canceled, FailureKind::Canceled),
        Stop::Deadline { .. } | Stop::PartDeadline { .. } | Stop::FinallyDeadline { .. } => {
            (RunOutcome::Deadline, FailureKind::Deadline)
        }
        Stop::Busy { skipped: true, .. } => return Some((RunOutcome::Passed, None, None)),
        Stop::Busy { skipped: false, .. } => (RunOutcome::Failed, FailureKind::Locked),
        Stop::Failure { .. } => return None,
    };
    Some((outcome, Some(stop.why()), Some(kind)))
}

/// The class that a failure gives the run. That another server is away or wants another token says nothing
/// of Semaphore: the step failed, and that is all.
fn class(error: &Failure) -> FailureKind {
    if error.elsewhere {
        FailureKind::StepFailed
    } else {
        error.kind
    }
}

/// Which failure names the run when several steps failed: the rank of the exit codes.
fn weight(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Bug => 6,
        FailureKind::File => 5,
        FailureKind::FateUnknown => 4,
        FailureKind::Unauthorized | FailureKind::Permission => 3,
        FailureKind::Network => 2,
        FailureKind::Deadline => 1,
        FailureKind::Timeout
        | FailureKind::RateLimited
        | FailureKind::Server
        | FailureKind::AuthOutage
        | FailureKind::NotFound
        | FailureKind::Refused
        | FailureKind::QueueFull
        | FailureKind::NotPassed
        | FailureKind::InvalidAnswer
        | FailureKind::Limit
        | FailureKind::PipelineFailed
        | FailureKind::PipelineStopped
        | FailureKind::PromotionFailed
        | FailureKind::Assert
        | FailureKind::Check
        | FailureKind::Fail
        | FailureKind::Extract
        | FailureKind::Template
        | FailureKind::Parameter
        | FailureKind::Rejected
        | FailureKind::Canceled
        | FailureKind::Locked
        | FailureKind::StepFailed => 0,
    }
}

/// `run.failed`: what went wrong, for `finally`.
pub(super) fn failed_list<'a>(steps: impl Iterator<Item = &'a StepEnded>) -> Value {
    steps
        .filter(|step| match step.outcome {
            StepOutcome::Failed => !step.allowed_to_fail,
            // `allow_failure` does not cover what nobody knows.
            StepOutcome::Unknown => true,
            StepOutcome::Passed
            | StepOutcome::Skipped
            | StepOutcome::Blocked
            | StepOutcome::Canceled => false,
        })
        .map(|step| {
            json!({
                "step": step.step, "why": step.why,
                "pipeline_id": step.outputs.get("pipeline_id"),
                "url": step.links.first().map(|link| link.url.clone()),
            })
        })
        .collect()
}

/// Names in backticks with commas and `and`; many are counted.
pub(super) fn names(list: &[&str]) -> String {
    let quoted: Vec<String> = list
        .iter()
        .take(3)
        .map(|name| format!("`{name}`"))
        .collect();
    match (list.len(), quoted.split_last()) {
        (n, _) if n > 3 => format!("{} and {} more", quoted.join(", "), n - 3),
        (_, Some((last, []))) => last.clone(),
        (_, Some((last, rest))) => format!("{} and {last}", rest.join(", ")),
        (_, None) => String::new(),
    }
}
