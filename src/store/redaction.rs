//! The last guard before text is written: a store is given redacted events, and masks once more what it
//! knows to be secret. Only foreign text is touched, never what a replay needs (ids of steps, numbers of
//! calls, words of our own), so that a secret that happens to be such a word does not break a run.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::event::{
    Answer, Event, Failure, FileWritten, Link, Observation, Outcome, Recorded, Seen, StepInfo,
};
use crate::secret::Redactor;

use super::model::{InboxMessage, RunHeader, StoredInput};

/// The event as it may be written.
pub(super) fn recorded<'a>(redactor: &Redactor, recorded: &'a Recorded) -> Cow<'a, Recorded> {
    if redactor.is_empty() {
        return Cow::Borrowed(recorded);
    }
    let mut masked = recorded.clone();
    event(redactor, &mut masked.event);
    Cow::Owned(masked)
}

/// The header as it may be written. The sources are left as they are: they are files that lie open
/// anyway, and the plan is made of them again.
pub(super) fn header<'a>(redactor: &Redactor, header: &'a RunHeader) -> Cow<'a, RunHeader> {
    if redactor.is_empty() {
        return Cow::Borrowed(header);
    }
    let mut masked = header.clone();
    for input in masked.inputs.values_mut().chain(masked.env.values_mut()) {
        if let StoredInput::Value(value) = input {
            *value = redactor.value(value);
        }
    }
    masked.settings = redactor.value(&masked.settings);
    Cow::Owned(masked)
}

/// The observation as it may be written.
pub(super) fn observation<'a>(redactor: &Redactor, seen: &'a Observation) -> Cow<'a, Observation> {
    if redactor.is_empty() {
        return Cow::Borrowed(seen);
    }
    let mut masked = seen.clone();
    match &mut masked.seen {
        Seen::Pipeline {
            name,
            next_blocks,
            failed_jobs,
            url,
            ..
        } => {
            text(redactor, name);
            let blocks = next_blocks.iter_mut();
            blocks.for_each(|block| text(redactor, block));
            text(redactor, url);
            failed_jobs.iter_mut().for_each(|job| text(redactor, job));
        }
        Seen::Trouble { message } => text(redactor, message),
        Seen::Log { job, .. } => text(redactor, job),
    }
    Cow::Owned(masked)
}

/// The message as it may be written.
pub(super) fn message<'a>(redactor: &Redactor, posted: &'a InboxMessage) -> Cow<'a, InboxMessage> {
    if redactor.is_empty() {
        return Cow::Borrowed(posted);
    }
    let mut masked = posted.clone();
    match &mut masked {
        InboxMessage::Cancel { by }
        | InboxMessage::Answer { by, .. }
        | InboxMessage::Resolve { by, .. } => text(redactor, by),
    }
    Cow::Owned(masked)
}

fn event(redactor: &Redactor, event: &mut Event) {
    match event {
        Event::RunCreated(created) => {
            for value in created.inputs.values_mut() {
                *value = redactor.value(value);
            }
            text(redactor, &mut created.url);
            created.steps.iter_mut().for_each(|s| step(redactor, s));
        }
        Event::StepAdded(info) => step(redactor, info),
        Event::CallStarted { about, .. } => text(redactor, about),
        Event::Asked { message, .. } => text(redactor, message),
        Event::CallEnded { outcome: ended, .. } => outcome(redactor, ended),
        Event::CallRetried { failure: wrong, .. } => failure(redactor, wrong),
        Event::Answered { by, .. }
        | Event::CancelRequested { by }
        | Event::Resolved { by, .. }
        | Event::RoundRequested { by, .. }
        | Event::PlanChanged { by, .. }
        | Event::GroupBusy { by, .. } => text(redactor, by),
        Event::Parked { reason, .. } => text(redactor, reason),
        Event::StepEnded(ended) => {
            optional(redactor, &mut ended.why);
            if let Some(error) = &mut ended.error {
                failure(redactor, error);
            }
            map(redactor, &mut ended.outputs);
            links(redactor, &mut ended.links);
            files(redactor, &mut ended.files);
            for value in &mut ended.reruns {
                *value = redactor.value(value);
            }
        }
        Event::RunEnded(ended) => {
            optional(redactor, &mut ended.why);
            map(redactor, &mut ended.outputs);
        }
        Event::Warned { message, .. } | Event::LimitHit { message, .. } => {
            text(redactor, message);
        }
        Event::StepStarted { because, .. } => optional(redactor, because),
        Event::TimerFired { .. }
        | Event::Resumed { .. }
        | Event::RoundStarted { .. }
        | Event::GroupTaken { .. }
        | Event::FinallyStarted { .. } => {}
    }
}

fn step(redactor: &Redactor, info: &mut StepInfo) {
    optional(redactor, &mut info.description);
}

fn outcome(redactor: &Redactor, outcome: &mut Outcome) {
    match &mut outcome.result {
        Ok(answer) => answered(redactor, answer),
        Err(wrong) => failure(redactor, wrong),
    }
}

fn answered(redactor: &Redactor, answer: &mut Answer) {
    answer.value = redactor.value(&answer.value);
    if let Some(response) = &mut answer.response {
        *response = redactor.value(response);
    }
    files(redactor, &mut answer.files);
    for (_, words) in &mut answer.limits {
        text(redactor, words);
    }
}

fn failure(redactor: &Redactor, failure: &mut Failure) {
    text(redactor, &mut failure.message);
    optional(redactor, &mut failure.hint);
    for candidate in &mut failure.candidates {
        text(redactor, &mut candidate.about);
    }
    if let Some(response) = &mut failure.response {
        **response = redactor.value(response);
    }
}

fn map(redactor: &Redactor, values: &mut Map<String, Value>) {
    for value in values.values_mut() {
        *value = redactor.value(value);
    }
}

fn links(redactor: &Redactor, links: &mut [Link]) {
    for link in links {
        text(redactor, &mut link.url);
    }
}

fn files(redactor: &Redactor, files: &mut [FileWritten]) {
    for file in files {
        text(redactor, &mut file.path);
    }
}

fn optional(redactor: &Redactor, words: &mut Option<String>) {
    if let Some(words) = words {
        text(redactor, words);
    }
}

fn text(redactor: &Redactor, words: &mut String) {
    if redactor.finds_in(words) {
        *words = redactor.text(words);
    }
}
