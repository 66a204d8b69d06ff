//! The words for where a step or a run stands, said the same way on every screen.
//!
//! Pure: a view, `now` and a screen in, text out. Times come from events and `now` alone.

use std::time::Duration;

use jiff::Timestamp;

use super::screen::{Screen, Tone};
use crate::clock::millis_between;
use crate::duration;
use crate::event::{Observation, Seen};
use crate::outcome::StepOutcome;
use crate::report::{CallView, RunView, StepState, StepView};
use crate::size;
use crate::store::Estimate;
pub use crate::text::shell_word;

/// Ids and names are cut to this.
pub const NAME_CHARACTERS_MAX: usize = 80;
/// A cause is cut to this where a line must do.
const CAUSE_CHARACTERS_MAX: usize = 300;
/// What is done faster than this needs no estimate.
const USUAL_MS_MIN: u64 = 10_000;
/// So many failed jobs are named, the others counted.
const FAILED_JOBS_NAMED: usize = 3;

/// A duration in whole seconds, for lines that change as one looks.
pub fn ticking(ms: u64) -> String {
    duration::show(Duration::from_secs(ms / 1_000))
}

/// A duration that does not change any more.
pub fn lasted(ms: u64) -> String {
    duration::show(Duration::from_millis(ms))
}

/// How long until a time; none when it has passed.
pub fn until(now: Timestamp, then: Timestamp) -> Option<String> {
    (then > now).then(|| ticking(millis_between(now, then)))
}

/// The mark and the tone of a state. The word stands beside the mark wherever it is shown.
pub fn mark(state: StepState) -> (&'static str, Tone) {
    match state {
        StepState::Pending => ("·", Tone::Faint),
        StepState::Running => ("▸", Tone::Strong),
        StepState::Ended(StepOutcome::Passed) => ("✓", Tone::Good),
        StepState::Ended(StepOutcome::Failed) => ("✗", Tone::Bad),
        StepState::Ended(StepOutcome::Skipped | StepOutcome::Blocked) => ("-", Tone::Faint),
        StepState::Ended(StepOutcome::Canceled) => ("■", Tone::Look),
        StepState::Ended(StepOutcome::Unknown) => ("?", Tone::Bad),
    }
}

/// What a running step is doing, the most important first: `running 4m12s of about 9m, failed: unit, 3 of 5
/// blocks done, queued for 5s`.
pub fn doing(
    step: &StepView,
    estimate: Option<&Estimate>,
    now: Timestamp,
    screen: &Screen<'_>,
) -> String {
    let elapsed_ms = step.duration_ms(now);
    let elapsed = ticking(elapsed_ms);
    let mut parts = match (&step.seen, step.current_call()) {
        (Some(seen), _) => seen_parts(seen, estimate, (now, elapsed_ms), screen),
        (None, Some(call)) => {
            let elapsed = of_about(elapsed_ms, estimate.map(|e| e.duration_ms));
            vec![call_words(call, now, &elapsed, screen)]
        }
        (None, None) if step.asked.is_some() && step.answered.is_none() => {
            vec![format!("waits for an approval for {elapsed}")]
        }
        (None, None) => vec![format!(
            "running {}",
            of_about(elapsed_ms, estimate.map(|e| e.duration_ms))
        )],
    };
    if let Some(trouble) = &step.trouble {
        parts.insert(1, screen.line(trouble, CAUSE_CHARACTERS_MAX));
    }
    parts.join(", ")
}

/// `4m12s of about 9m`, or `12m, usually 9m` when it takes longer than that; the time alone when nothing is
/// known that is worth saying.
fn of_about(ms: u64, usually: Option<u64>) -> String {
    let time = ticking(ms);
    match usually {
        Some(usually) if usually >= USUAL_MS_MIN && ms <= usually => {
            format!("{time} of about {}", about(usually))
        }
        Some(usually) if usually >= USUAL_MS_MIN => format!("{time}, usually {}", about(usually)),
        Some(_) | None => time,
    }
}

/// A duration that nobody knows exactly: two digits are enough.
pub fn about(ms: u64) -> String {
    let step = match ms / 1_000 {
        0..60 => 5,
        60..600 => 30,
        600..7_200 => 60,
        _ => 600,
    };
    let seconds = (ms / 1_000).saturating_add(step / 2) / step * step;
    duration::show(Duration::from_secs(seconds.max(step)))
}

/// `then Deploy`.
fn next_words(next: &[String], screen: &Screen<'_>) -> Option<String> {
    let names: Vec<String> = next
        .iter()
        .map(|name| screen.line(name, NAME_CHARACTERS_MAX))
        .collect();
    (!names.is_empty()).then(|| format!("then {}", names.join(", ")))
}

fn seen_parts(
    seen: &Observation,
    estimate: Option<&Estimate>,
    (now, elapsed_ms): (Timestamp, u64),
    screen: &Screen<'_>,
) -> Vec<String> {
    let elapsed = ticking(elapsed_ms);
    let since = millis_between(seen.at, now);
    match &seen.seen {
        Seen::Pipeline {
            state,
            queued_ms,
            running_ms,
            blocks,
            next_blocks,
            failed_jobs,
            ..
        } => {
            let state = screen.line(state, NAME_CHARACTERS_MAX);
            let mut parts = Vec::new();
            parts.push(match (running_ms, queued_ms) {
                (Some(ran), _) => {
                    let time = of_about(ran.saturating_add(since), estimate.and_then(|e| e.ran_ms));
                    format!("{state} {time}")
                }
                (None, Some(queued)) => {
                    let queued = queued.saturating_add(since);
                    // It is worth saying only when it takes long.
                    let usually = estimate.and_then(|e| e.queued_ms).filter(|ms| queued > *ms);
                    let word = if state == "queuing" { "queued" } else { &state };
                    format!("{word} for {}", of_about(queued, usually))
                }
                (None, None) => format!("{state} {elapsed}"),
            });
            parts.extend(failed_words(failed_jobs, screen));
            parts.extend(blocks.map(|(done, all)| format!("{done} of {all} blocks done")));
            parts.extend(next_words(next_blocks, screen));
            let queued = running_ms.and(*queued_ms);
            parts.extend(queued.map(|ms| format!("queued for {}", ticking(ms))));
            parts
        }
        Seen::Log { job, bytes } => vec![
            format!("log of `{}`", screen.line(job, NAME_CHARACTERS_MAX)),
            format!("{} so far", size::show(*bytes)),
        ],
        Seen::Trouble { message } => vec![
            format!("running {elapsed}"),
            screen.line(message, CAUSE_CHARACTERS_MAX),
        ],
    }
}

/// `failed: unit, lint and 2 more`; none when no job has failed.
pub fn failed_words(jobs: &[String], screen: &Screen<'_>) -> Option<String> {
    if jobs.is_empty() {
        return None;
    }
    let named: Vec<String> = jobs
        .iter()
        .take(FAILED_JOBS_NAMED)
        .map(|job| screen.line(job, NAME_CHARACTERS_MAX))
        .collect();
    let more = jobs.len().saturating_sub(FAILED_JOBS_NAMED);
    let rest = if more == 0 {
        String::new()
    } else {
        format!(" and {more} more")
    };
    Some(format!("failed: {}{rest}", named.join(", ")))
}

/// What a call is about, for people; its word where nobody said.
pub fn call_about(call: &CallView, screen: &Screen<'_>) -> String {
    let about = if call.about.is_empty() {
        &call.word
    } else {
        &call.about
    };
    screen.line(about, CAUSE_CHARACTERS_MAX)
}

fn call_words(call: &CallView, now: Timestamp, elapsed: &str, screen: &Screen<'_>) -> String {
    let about = call_about(call, screen);
    let Some((number, last)) = call.tries.last() else {
        return format!("{about}, {elapsed}");
    };
    let waits = last.again_at.map(|again| {
        let wait = until(now, again).unwrap_or_else(|| "a moment".to_owned());
        let cause = last.failure.as_ref().map_or_else(String::new, |failure| {
            format!(
                " after: {}",
                screen.line(&failure.message, CAUSE_CHARACTERS_MAX)
            )
        });
        format!("{about}, {elapsed}, try {} in {wait}{cause}", number + 1)
    });
    match waits {
        Some(words) => words,
        None if *number > 1 => format!("{about}, {elapsed}, try {number}"),
        None => format!("{about}, {elapsed}"),
    }
}

/// A step that ended, in one line: `✗ failed  tests  4m12s: the pipeline ended as failed`.
pub fn ended_line(id: &str, step: &StepView, screen: &Screen<'_>) -> String {
    let (mark, tone) = mark(step.state);
    let head = screen.paint(tone, &format!("{mark} {}", step.word()));
    let mut line = format!("{head}  {}", screen.line(id, NAME_CHARACTERS_MAX));
    if step.started_at.is_some() {
        line.push_str("  ");
        line.push_str(&lasted(step.duration_ms(Timestamp::UNIX_EPOCH)));
    }
    if let Some(why) = why(step, screen) {
        line.push_str(": ");
        line.push_str(&why);
    }
    line
}

/// Why a step ended as it did, in one line; none when it passed or has not ended.
pub fn why(step: &StepView, screen: &Screen<'_>) -> Option<String> {
    let ended = step.ended.as_ref()?;
    let words = ended
        .why
        .as_ref()
        .or_else(|| ended.error.as_ref().map(|error| &error.message))?;
    let mut words = screen.line(words, CAUSE_CHARACTERS_MAX);
    if ended.allowed_to_fail && ended.outcome == StepOutcome::Failed {
        words.push_str(" (allowed to fail)");
    }
    Some(words)
}

/// How many steps stand where: `3 passed, 1 failed, 2 pending`, in the order of the documentation.
pub fn counts(view: &RunView) -> String {
    let ended = StepOutcome::ALL.map(StepState::Ended);
    let states = ended
        .into_iter()
        .chain([StepState::Running, StepState::Pending]);
    let parts: Vec<String> = states
        .filter_map(|state| {
            let mut of_it = view.steps.values().filter(|step| step.state == state);
            let word = of_it.clone().next()?.word();
            Some(format!("{} {word}", of_it.by_ref().count()))
        })
        .collect();
    if parts.is_empty() {
        "no steps".to_owned()
    } else {
        parts.join(", ")
    }
}

/// The name and the id of a run: `release (run 7f3a)`.
pub fn run_words(view: &RunView, screen: &Screen<'_>) -> String {
    let id = screen.line(view.id(), NAME_CHARACTERS_MAX);
    let name = screen.line(view.name(), NAME_CHARACTERS_MAX);
    match (name.is_empty(), id.is_empty()) {
        (true, true) => "run".to_owned(),
        (true, false) => format!("run {id}"),
        (false, true) => name,
        (false, false) => format!("{name} (run {id})"),
    }
}
