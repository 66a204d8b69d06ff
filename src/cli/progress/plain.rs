//! Progress as lines of a log: one per change, and a sign of life when nothing changes.
//!
//! Pure. A line is whole in itself: whoever finds it with `grep` knows which step it is about.

use jiff::Timestamp;

use crate::cli::screen::{Screen, Tone};
use crate::cli::words;
use crate::event::{
    EffectKey, Event, Failure, Observation, Recorded, Resolution, RunCreated, Seen,
};
use crate::report::{RunState, RunView, StepState, StepView};
use crate::store::Estimates;

/// A cause is cut to this.
const CAUSE_CHARACTERS_MAX: usize = 300;
/// So many running steps are named in a sign of life.
const STEPS_NAMED: usize = 3;

/// A line with its time (UTC).
pub(super) fn stamped(at: Timestamp, line: &str) -> String {
    let time = at.to_string();
    let clock = time
        .split_once('T')
        .and_then(|(_, clock)| clock.get(..8))
        .unwrap_or("00:00:00");
    format!("{clock}Z {line}")
}

/// The line of an event, given what is known with it; none when it changes nothing that people follow.
pub fn event_line(view: &RunView, recorded: &Recorded, screen: &Screen<'_>) -> Option<String> {
    words_of(view, &recorded.event, screen).map(|line| screen.fit(&line))
}

pub(super) fn words_of(view: &RunView, event: &Event, screen: &Screen<'_>) -> Option<String> {
    let name = |foreign: &str| screen.line(foreign, words::NAME_CHARACTERS_MAX);
    let cause = |foreign: &str| screen.line(foreign, CAUSE_CHARACTERS_MAX);
    match event {
        Event::RunCreated(created) => Some(created_line(view, created, screen)),
        // Who holds a group is told by a warning.
        Event::StepAdded(_)
        | Event::TimerFired { .. }
        | Event::RoundRequested { .. }
        | Event::GroupBusy { .. } => None,
        Event::Asked { .. }
        | Event::Answered { .. }
        | Event::CancelRequested { .. }
        | Event::PlanChanged { .. }
        | Event::GroupTaken { .. }
        | Event::Resolved { .. }
        | Event::RoundStarted { .. } => operation_words(view, event, screen),
        Event::StepStarted { step, .. } => Some(format!("{}: started", name(step))),
        Event::CallStarted { key, writes, .. } => {
            // Reads come by the dozen; a write is why the step is there.
            (*writes || key.attempt > 1).then(|| call_line(view, key, screen))?
        }
        Event::CallEnded { key, outcome } => outcome
            .result
            .is_ok()
            .then(|| made_line(view, key, screen))?,
        Event::CallRetried {
            key,
            failure,
            delay_ms,
        } => Some(retry_line(key, failure, *delay_ms, screen)),
        Event::Parked { reason, .. } => Some(format!("parked: {}", cause(reason))),
        Event::Resumed { session } => Some(format!(
            "{}: resumed for the {} time",
            words::run_words(view, screen),
            ordinal(*session)
        )),
        Event::StepEnded(ended) => {
            let step = view.steps.get(&ended.step)?;
            Some(words::ended_line(&ended.step, step, screen))
        }
        Event::FinallyStarted { outcome } => Some(format!(
            "finally: begins, the run would end as {}",
            outcome.as_str()
        )),
        Event::RunEnded(ended) => Some(format!(
            "{}: {} after {}, {}",
            words::run_words(view, screen),
            ended.outcome.as_str(),
            words::lasted(view.active_ms(Timestamp::UNIX_EPOCH)),
            words::counts(view)
        )),
        Event::Warned { step, message } => {
            let head = screen.paint(Tone::Look, "warning:");
            Some(format!("{head} {}{}", about(step, screen), cause(message)))
        }
        Event::LimitHit {
            step,
            limit,
            message,
        } => {
            let head = screen.paint(Tone::Look, "warning:");
            let (about, limit) = (about(step, screen), name(limit));
            Some(format!("{head} {about}limit `{limit}`: {}", cause(message)))
        }
    }
}

/// What people and other runs did to the run.
fn operation_words(view: &RunView, event: &Event, screen: &Screen<'_>) -> Option<String> {
    let name = |foreign: &str| screen.line(foreign, words::NAME_CHARACTERS_MAX);
    let cause = |foreign: &str| screen.line(foreign, CAUSE_CHARACTERS_MAX);
    match event {
        Event::Asked { step, message } => Some(format!(
            "{}: waits for `runner approve {} {}` (or `--reject`): {}",
            name(step),
            name(view.id()),
            name(step),
            cause(message)
        )),
        Event::Answered { step, approved, by } => {
            let answer = if *approved { "approved" } else { "rejected" };
            Some(format!("{}: {answer} by {}", name(step), name(by)))
        }
        Event::CancelRequested { by } => Some(format!("stopping: asked by {}", name(by))),
        Event::PlanChanged { name: file, by, .. } => Some(format!(
            "{}: goes on with the changed {}, asked by {}",
            words::run_words(view, screen),
            name(file),
            name(by)
        )),
        Event::GroupTaken { group } => Some(format!("concurrency group {}: taken", name(group))),
        Event::Resolved {
            step,
            resolution,
            by,
        } => Some(match resolution {
            Resolution::Is(id) => format!("{}: {} says it is {}", name(step), name(by), name(id)),
            Resolution::NotSent => format!("{}: {} says it was not sent", name(step), name(by)),
        }),
        Event::RoundStarted { round, steps, .. } => Some(format!(
            "{}: round {round}, {} of {} steps are done again",
            words::run_words(view, screen),
            steps.len(),
            view.steps.len()
        )),
        _ => None,
    }
}

fn about(step: &Option<String>, screen: &Screen<'_>) -> String {
    step.as_ref().map_or_else(String::new, |step| {
        format!("{}: ", screen.line(step, words::NAME_CHARACTERS_MAX))
    })
}

fn ordinal(n: u32) -> String {
    match n {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        3 => "third".to_owned(),
        n => format!("{n}th"),
    }
}

fn created_line(view: &RunView, created: &RunCreated, screen: &Screen<'_>) -> String {
    let steps = match created.steps.len() {
        1 => "1 step".to_owned(),
        n => format!("{n} steps"),
    };
    let started = view.started_at.map_or_else(String::new, |started| {
        format!(", started {}", seconds(started))
    });
    format!(
        "{}: {steps} of {}, deadline {}{started}",
        words::run_words(view, screen),
        screen.line(&created.path, words::NAME_CHARACTERS_MAX),
        seconds(created.deadline)
    )
}

/// A time to the second.
fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

fn call_line(view: &RunView, key: &EffectKey, screen: &Screen<'_>) -> Option<String> {
    let call = view.steps.get(&key.step)?.calls.get(&key.call)?;
    let step = screen.line(&key.step, words::NAME_CHARACTERS_MAX);
    let tried = if key.attempt > 1 {
        format!(", try {}", key.attempt)
    } else {
        String::new()
    };
    Some(format!(
        "{step}: {}{tried}",
        words::call_about(call, screen)
    ))
}

/// What a write made: its ids and its page, as soon as they are known.
fn made_line(view: &RunView, key: &EffectKey, screen: &Screen<'_>) -> Option<String> {
    let call = view.steps.get(&key.step)?.calls.get(&key.call)?;
    if !call.writes || call.ids.is_empty() {
        return None;
    }
    let mut parts: Vec<String> = call
        .ids
        .iter()
        .map(|(name, id)| {
            let (name, id) = (screen.words(name), screen.words(id));
            format!("{name} {id}")
        })
        .collect();
    parts.extend(call.url.as_ref().map(|url| screen.words(url)));
    let step = screen.line(&key.step, words::NAME_CHARACTERS_MAX);
    Some(format!("{step}: {}", parts.join(", ")))
}

fn retry_line(key: &EffectKey, failure: &Failure, delay_ms: u64, screen: &Screen<'_>) -> String {
    format!(
        "{}: {}, trying again in {}",
        screen.line(&key.step, words::NAME_CHARACTERS_MAX),
        screen.line(&failure.message, CAUSE_CHARACTERS_MAX),
        words::lasted(delay_ms)
    )
}

/// The line of an observation that shows a change against what was seen before.
pub fn observation_line(
    before: Option<&StepView>,
    observation: &Observation,
    screen: &Screen<'_>,
) -> Option<String> {
    let before = before.filter(|step| step.state == StepState::Running)?;
    let step = screen.line(&observation.step, words::NAME_CHARACTERS_MAX);
    match &observation.seen {
        Seen::Trouble { message } => {
            let new = before.trouble.as_ref() != Some(message);
            new.then(|| format!("{step}: {}", screen.line(message, CAUSE_CHARACTERS_MAX)))
        }
        Seen::Pipeline { .. } => {
            let last = before.seen.as_ref().map(|seen| followed(&seen.seen));
            let changed =
                last.as_ref() != Some(&followed(&observation.seen)) || before.trouble.is_some();
            changed.then(|| {
                let mut after = before.clone();
                after.trouble = None;
                after.seen = Some(observation.clone());
                let doing = words::doing(&after, None, observation.at, screen);
                screen.fit(&format!("{step}: {doing}"))
            })
        }
        // The bytes of a log come in a thousand pieces; its end is an event.
        Seen::Log { job, .. } => {
            let same = matches!(
                before.seen.as_ref().map(|seen| &seen.seen),
                Some(Seen::Log { job: last, .. }) if last == job
            );
            let job = screen.line(job, words::NAME_CHARACTERS_MAX);
            (!same).then(|| format!("{step}: log of `{job}`"))
        }
    }
}

/// The pipeline, its state, its blocks, its failed jobs.
type Followed<'a> = (&'a str, &'a str, Option<(u32, u32)>, &'a [String]);

/// What makes two observations differ for people: not their times.
fn followed(seen: &Seen) -> Option<Followed<'_>> {
    match seen {
        Seen::Pipeline {
            pipeline_id,
            state,
            blocks,
            failed_jobs,
            ..
        } => Some((pipeline_id, state, *blocks, failed_jobs)),
        Seen::Trouble { .. } | Seen::Log { .. } => None,
    }
}

/// What is said when nothing has changed for a while; none when the run is not worked on.
pub fn sign_of_life(
    view: &RunView,
    now: Timestamp,
    estimates: &Estimates,
    screen: &Screen<'_>,
) -> Option<String> {
    if view.state != RunState::Running {
        return None;
    }
    let running: Vec<(&String, &StepView)> = view
        .steps
        .iter()
        .filter(|(_, step)| step.state == StepState::Running)
        .collect();
    let mut parts: Vec<String> = running
        .iter()
        .take(STEPS_NAMED)
        .map(|(id, step)| {
            let doing = words::doing(step, estimates.get(id), now, screen);
            format!("{}: {doing}", screen.line(id, words::NAME_CHARACTERS_MAX))
        })
        .collect();
    let more = running.len().saturating_sub(STEPS_NAMED);
    if more > 0 {
        parts.push(format!("{more} more running"));
    }
    if parts.is_empty() {
        parts.push("nothing runs at the moment".to_owned());
    }
    let left = view
        .created
        .as_ref()
        .and_then(|created| words::until(now, created.deadline));
    parts.extend(left.map(|left| format!("deadline in {left}")));
    Some(screen.fit(&format!("still here, {}", parts.join("; "))))
}
