//! The words of a trace: what OpenTelemetry calls how a run and a step ended, and what is worth a note.

use jiff::Timestamp;

use super::spans::{Attribute, Attributes, Note};
use crate::event::{Event, FailureKind, StepEnded};
use crate::outcome::{RunOutcome, StepOutcome};

/// `cicd.pipeline.result`.
pub(super) fn result_of_run(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Passed => "success",
        RunOutcome::Failed => "failure",
        RunOutcome::Canceled => "cancellation",
        RunOutcome::Deadline => "timeout",
        RunOutcome::Unknown => "error",
    }
}

/// `cicd.pipeline.task.run.result`: a failure is what the pipeline did, an error what kept us from knowing.
pub(super) fn result_of_step(ended: &StepEnded) -> &'static str {
    match ended.outcome {
        StepOutcome::Passed => "success",
        StepOutcome::Skipped | StepOutcome::Blocked => "skip",
        StepOutcome::Canceled => "cancellation",
        StepOutcome::Unknown => "error",
        StepOutcome::Failed => match ended.error.as_ref().map(|error| error.kind) {
            Some(FailureKind::Deadline) => "timeout",
            Some(FailureKind::PipelineStopped | FailureKind::Canceled) => "cancellation",
            Some(
                FailureKind::Network
                | FailureKind::Timeout
                | FailureKind::RateLimited
                | FailureKind::Server
                | FailureKind::AuthOutage
                | FailureKind::Unauthorized
                | FailureKind::Permission
                | FailureKind::InvalidAnswer
                | FailureKind::File
                | FailureKind::Bug,
            ) => "error",
            Some(_) | None => "failure",
        },
    }
}

/// The page of a step.
pub(super) fn links(ended: &StepEnded) -> Option<(&'static str, Attribute)> {
    let link = ended.links.first()?;
    let url = Attribute::Text(link.url.clone());
    Some(("cicd.pipeline.task.run.url.full", url))
}

/// What is worth a note on the span of the run.
pub(super) fn note(event: &Event, at: Timestamp) -> Option<Note> {
    let text = |text: &str| Attribute::Text(text.to_owned());
    let (name, attributes): (&'static str, Attributes) = match event {
        Event::StepEnded(ended) if ended.outcome == StepOutcome::Skipped => {
            ("step_skipped", because(ended))
        }
        Event::StepEnded(ended) if ended.outcome == StepOutcome::Blocked => {
            ("step_blocked", because(ended))
        }
        Event::Asked { step, .. } => ("asked", vec![("cicd.pipeline.task.name", text(step))]),
        Event::Answered { step, approved, .. } => (
            "answered",
            vec![
                ("cicd.pipeline.task.name", text(step)),
                ("runner.approved", Attribute::Flag(*approved)),
            ],
        ),
        Event::CancelRequested { .. } => ("cancel_requested", Vec::new()),
        Event::Parked { reason, .. } => ("parked", vec![("runner.reason", text(reason))]),
        Event::Resumed { .. } => ("resumed", Vec::new()),
        Event::RoundStarted { round, .. } => {
            let round = Attribute::Number((*round).into());
            ("round_started", vec![("runner.round", round)])
        }
        Event::FinallyStarted { .. } => ("finally_started", Vec::new()),
        Event::GroupBusy { group, .. } => ("group_busy", vec![("runner.group", text(group))]),
        Event::GroupTaken { group } => ("group_taken", vec![("runner.group", text(group))]),
        Event::Warned { message, .. } => ("warning", vec![("runner.message", text(message))]),
        Event::LimitHit { limit, message, .. } => (
            "limit_hit",
            vec![
                ("runner.limit", text(limit)),
                ("runner.message", text(message)),
            ],
        ),
        _ => return None,
    };
    Some(Note {
        at,
        name,
        attributes,
    })
}

fn because(ended: &StepEnded) -> Attributes {
    let why = ended.why.clone().unwrap_or_default();
    vec![
        (
            "cicd.pipeline.task.name",
            Attribute::Text(ended.step.clone()),
        ),
        ("runner.why", Attribute::Text(why)),
    ]
}
