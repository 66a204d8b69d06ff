//! What happened in a run, line by line, each with its virtual time.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::ran::Ran;
use crate::clock::millis_between;
use crate::event::{Event, Recorded};
use crate::text::clean_line;

/// The longest timeline that is shown whole; of a longer one the part around what matters.
const LINES_MAX: usize = 40;
const WORDS_CHARACTERS_MAX: usize = 160;

/// A line of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How long after the start.
    pub after: Duration,
    /// The step, when it is about one.
    pub step: Option<String>,
    /// What happened.
    pub words: String,
}

/// What happened; when it is long, what happened to some steps and around it.
pub(super) fn timeline(ran: &Ran, about: &BTreeSet<String>) -> Vec<Line> {
    let start = ran.events.first().map(|recorded| recorded.at.wall);
    let mut lines: Vec<Line> = ran
        .events
        .iter()
        .filter_map(|recorded| line(recorded, start?))
        .collect();
    for killed in &ran.killed {
        let at = lines.iter().position(|line| line.after > *killed);
        lines.insert(
            at.unwrap_or(lines.len()),
            Line {
                after: *killed,
                step: None,
                words: "the runner was killed, and resumed".to_owned(),
            },
        );
    }
    if lines.len() <= LINES_MAX {
        return lines;
    }
    let matters = |line: &Line| match &line.step {
        Some(step) => about.contains(step),
        None => true,
    };
    let mut keep: BTreeSet<usize> = BTreeSet::new();
    for (at, line) in lines.iter().enumerate() {
        if matters(line) {
            keep.extend(at.saturating_sub(1)..=at + 1);
        }
    }
    if keep.is_empty() {
        keep.extend(lines.len() - LINES_MAX..lines.len());
    }
    let skip = keep.len().saturating_sub(LINES_MAX);
    let kept: BTreeSet<usize> = keep.into_iter().skip(skip).collect();
    lines
        .into_iter()
        .enumerate()
        .filter(|(at, _)| kept.contains(at))
        .map(|(_, line)| line)
        .collect()
}

fn line(recorded: &Recorded, start: Timestamp) -> Option<Line> {
    let (step, words) = match &recorded.event {
        Event::StepStarted { step, .. } => (Some(step), "starts".to_owned()),
        Event::CallStarted {
            key,
            call,
            about,
            writes: true,
        } => (Some(&key.step), format!("`{call}`: {about}")),
        Event::CallRetried {
            key,
            failure,
            delay_ms,
        } => {
            let wait = crate::duration::show(Duration::from_millis(*delay_ms));
            let words = format!("goes wrong ({}), again in {wait}", failure.message);
            (Some(&key.step), words)
        }
        Event::CallEnded { key, outcome } => match &outcome.result {
            Ok(_) => return None,
            Err(failure) => (
                Some(&key.step),
                format!("a call fails: {}", failure.message),
            ),
        },
        Event::Answered { step, approved, by } => {
            let answer = if *approved { "yes" } else { "no" };
            (Some(step), format!("{by} says {answer}"))
        }
        Event::CancelRequested { by } => (None, format!("{by} cancels the run")),
        Event::Parked { reason, .. } => (None, format!("the run is parked: {reason}")),
        Event::StepEnded(ended) => {
            let why = ended.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            (Some(&ended.step), format!("{}{why}", ended.outcome))
        }
        Event::FinallyStarted { .. } => (None, "`finally` begins".to_owned()),
        Event::RunEnded(ended) => {
            let why = ended.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            (None, format!("the run ends: {}{why}", ended.outcome))
        }
        Event::Warned { step, message } | Event::LimitHit { step, message, .. } => {
            (step.as_ref(), message.clone())
        }
        _ => return None,
    };
    Some(Line {
        after: Duration::from_millis(millis_between(start, recorded.at.wall)),
        step: step.cloned(),
        words: clean_line(&words, WORDS_CHARACTERS_MAX),
    })
}
