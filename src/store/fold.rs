//! What a store reads out of the events it is given: the little that a list of runs, the intents and the
//! history must show. Pure, and the same for every store.

use std::time::Duration;

use jiff::Timestamp;

use super::error::StoreError;
use super::model::PastStep;
use crate::event::{EffectKey, Event, Recorded, StepEnded};
use crate::outcome::{RunOutcome, StepOutcome};

/// How many past runs of a step are kept.
pub(super) const HISTORY_MAX: usize = 20;

/// What an event changes beside being stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change<'a> {
    /// The intent of this call is closed.
    Closed(&'a EffectKey),
    /// The run is parked.
    Parked(&'a str),
    /// The run is worked on again.
    Resumed,
    /// The run had ended, and goes on.
    Reopened,
    /// A step is history.
    Past(&'a str, PastStep),
    /// The run ended.
    Ended(RunOutcome, Timestamp),
}

/// What an event changes, if anything.
pub(super) fn change(recorded: &Recorded) -> Option<Change<'_>> {
    match &recorded.event {
        Event::CallEnded { key, .. } => Some(Change::Closed(key)),
        Event::Parked { reason, .. } => Some(Change::Parked(reason)),
        Event::Resumed { .. } => Some(Change::Resumed),
        Event::RoundRequested { .. } => Some(Change::Reopened),
        Event::RunEnded(ended) => Some(Change::Ended(ended.outcome, recorded.at.wall)),
        Event::StepEnded(ended) => match ended.outcome {
            StepOutcome::Passed | StepOutcome::Failed => Some(Change::Past(
                &ended.step,
                PastStep {
                    outcome: ended.outcome,
                    failure: ended.error.as_ref().map(|error| error.kind),
                    duration_ms: ended.duration_ms,
                    queued_ms: seconds(ended, "queued_for"),
                    ran_ms: seconds(ended, "ran_for"),
                    at: recorded.at.wall,
                },
            )),
            StepOutcome::Skipped
            | StepOutcome::Blocked
            | StepOutcome::Canceled
            | StepOutcome::Unknown => None,
        },
        Event::RunCreated(_)
        | Event::StepAdded(_)
        | Event::StepStarted { .. }
        | Event::CallStarted { .. }
        | Event::CallRetried { .. }
        | Event::TimerFired { .. }
        | Event::Asked { .. }
        | Event::Answered { .. }
        | Event::CancelRequested { .. }
        | Event::Resolved { .. }
        | Event::PlanChanged { .. }
        | Event::RoundStarted { .. }
        | Event::GroupTaken { .. }
        | Event::GroupBusy { .. }
        | Event::FinallyStarted { .. }
        | Event::Warned { .. }
        | Event::LimitHit { .. } => None,
    }
}

/// An output of a step that is a number of seconds, in milliseconds. A step whose pipeline never ran has no
/// such time, and one that names its own output so has whatever it likes.
fn seconds(ended: &StepEnded, output: &str) -> Option<u64> {
    let seconds = ended.outputs.get(output)?.as_f64()?;
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    u64::try_from(duration.as_millis()).ok()
}

/// Whether events may be appended to a run that has ended: what a person found out about an unknown
/// write may, so may another version of the playbook (with steps that came and went), and a new round
/// may begin, which everything else must follow.
pub(super) fn may_follow_the_end(events: &[Recorded]) -> bool {
    let mut changed = false;
    for recorded in events {
        match recorded.event {
            Event::RoundRequested { .. } => return true,
            Event::Resolved { .. } => {}
            Event::PlanChanged { .. } => changed = true,
            Event::StepAdded(_) | Event::StepEnded(_) if changed => {}
            _ => return false,
        }
    }
    true
}

/// Whether events open a run again that had ended.
pub(super) fn reopens(events: &[Recorded]) -> bool {
    events
        .iter()
        .any(|recorded| matches!(recorded.event, Event::RoundRequested { .. }))
}

/// Whether events follow the `last` stored one without a gap.
pub(super) fn check_order(run: &str, last: u64, events: &[Recorded]) -> Result<(), StoreError> {
    for (event, expected) in events.iter().zip(last.saturating_add(1)..) {
        if event.seq != expected {
            return Err(StoreError::out_of_order(run, expected - 1, event.seq));
        }
    }
    Ok(())
}
