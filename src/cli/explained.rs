//! `runner explain` as text.
//!
//! Pure: an explanation in, text out. Everything foreign passes the screen.

use std::collections::BTreeSet;

use super::causes::{heading, triage_lines, within};
use super::screen::{Screen, columns, pad, wrap};
use super::summary::join;
use super::words::{self, lasted, shell_word};
use crate::outcome::StepOutcome;
use crate::report::StepState;
use crate::report::explain_v1::{Call, Need, Run, Step, Time, Wait};
use crate::report::v1;

/// A tree of needs is told down to here.
const DEPTH_MAX: usize = 6;
/// So many calls are told, the others counted.
const CALLS_MAX: usize = 12;
const INDENT: &str = "  ";

/// A whole run: why each step stands where it stands, and where the time went.
pub fn run(run: &Run, owner: Option<&str>, screen: &Screen<'_>) -> String {
    let id = screen.line(&run.id, words::NAME_CHARACTERS_MAX);
    let mut head = vec![heading(
        &format!("{} (run {id})", name(&run.name, screen)),
        screen,
    )];
    let why = run.why.as_ref();
    let why = why.map_or_else(String::new, |why| format!(": {}", screen.words(why)));
    let state = format!("{}{why}", run_word(run.outcome));
    head.extend(screen.wrapped(&state, INDENT, "    "));
    head.extend(owner.map(|owner| format!("{INDENT}{}", screen.words(owner))));
    if let Some(wait @ Wait::Group { .. }) = &run.waits_for {
        head.extend(screen.wrapped(&wait_words(wait, screen), INDENT, "    "));
    }
    let mut next = Vec::new();
    if !id.is_empty() {
        let run = shell_word(&id);
        next.push(format!("to look closer: runner explain {run} STEP"));
    }
    join(vec![head, steps(run, screen), path(run, screen), next])
}

fn steps(run: &Run, screen: &Screen<'_>) -> Vec<String> {
    let ids: Vec<String> = run.steps.keys().map(|id| name(id, screen)).collect();
    let width = ids.iter().map(|id| columns(id)).max().unwrap_or(0);
    let width = width.min(screen.width() * 2 / 5);
    let mut lines = Vec::new();
    for (id, step) in ids.iter().zip(run.steps.values()) {
        let (mark, tone) = words::mark(state_of(step.outcome));
        let state = pad(&format!("{mark} {}", word(step.outcome)), 10);
        let head = format!(
            "{INDENT}{}  {}  ",
            pad(id, width),
            screen.paint(tone, &state)
        );
        let room = screen.width().saturating_sub(width + 16);
        let reason = reason(step, screen);
        let mut reason = wrap(&reason, room.max(24)).into_iter();
        lines.push(format!("{head}{}", reason.next().unwrap_or_default()));
        let blank = " ".repeat(width + 16);
        lines.extend(reason.map(|line| format!("{blank}{line}")));
    }
    if !lines.is_empty() {
        lines.insert(0, heading("why each step stands where it stands:", screen));
    }
    lines
}

/// Why a step stands where it stands, in one sentence.
fn reason(step: &Step, screen: &Screen<'_>) -> String {
    if let Some(why) = &step.why {
        return screen.words(why);
    }
    match &step.waits_for {
        Some(wait) => wait_words(wait, screen),
        None => began(step, screen),
    }
}

/// Why a step began.
fn began(step: &Step, screen: &Screen<'_>) -> String {
    let needs: Vec<String> = step
        .needs
        .iter()
        .map(|need| format!("`{}` {}", name(&need.step, screen), how(need.outcome)))
        .collect();
    let part = step.part_of.as_ref();
    let part = part.map(|of| format!("ran as a part of `{}`", name(of, screen)));
    let mut words = match (needs.is_empty(), step.finally) {
        (true, _) if part.is_some() => part.unwrap_or_default(),
        (true, true) => "ran at the end, as all under `finally`".to_owned(),
        (true, false) if step.undoes.is_some() => "ran to take its step back".to_owned(),
        (true, false) => "ran at once: it needs nothing".to_owned(),
        (false, _) => format!("ran since {}", needs.join(", ")),
    };
    if let Some(condition) = &step.condition {
        words.push_str("; its condition held: ");
        words.push_str(&screen.words(&condition.words));
    }
    words
}

fn how(outcome: v1::StepOutcome) -> String {
    match outcome {
        v1::StepOutcome::Passed | v1::StepOutcome::Failed => word(outcome).to_owned(),
        v1::StepOutcome::Unknown | v1::StepOutcome::Pending | v1::StepOutcome::Running => {
            format!("is {}", word(outcome))
        }
        v1::StepOutcome::Skipped | v1::StepOutcome::Blocked | v1::StepOutcome::Canceled => {
            format!("was {}", word(outcome))
        }
    }
}

/// What is waited for.
fn wait_words(wait: &Wait, screen: &Screen<'_>) -> String {
    let names = |steps: &[String]| {
        let names: Vec<String> = steps
            .iter()
            .map(|step| format!("`{}`", name(step, screen)))
            .collect();
        names.join(", ")
    };
    let trouble = |trouble: &Option<String>| {
        trouble.as_ref().map_or_else(String::new, |trouble| {
            format!(", and at the moment: {}", screen.words(trouble))
        })
    };
    match wait {
        Wait::Needs { steps } => format!("waits for {}", names(steps)),
        Wait::Others {} => "waits for all the others: it stands under `finally`".to_owned(),
        Wait::Parts { steps } => format!("waits for its parts: {}", names(steps)),
        Wait::Work {} => "is at work".to_owned(),
        Wait::Turn {} => "waits for its turn".to_owned(),
        Wait::Person { message } => {
            format!("waits for a person's yes: {}", screen.words(message))
        }
        Wait::Call {
            about,
            attempt,
            trouble: now,
        } => {
            let attempt = if *attempt > 1 {
                format!(", try {attempt}")
            } else {
                String::new()
            };
            format!("waits for {}{attempt}{}", screen.words(about), trouble(now))
        }
        Wait::Retry { about, at, error } => format!(
            "waits until {at} to try again: {} ({})",
            screen.words(about),
            screen.words(&error.message)
        ),
        Wait::Pipeline { .. } => pipeline_words(wait, screen),
        Wait::Group { group, by } => format!(
            "waits for the concurrency group `{}`, which is held by {}",
            name(group, screen),
            screen.words(by)
        ),
        Wait::Runner { reason } => {
            format!(
                "waits to be resumed; it was parked: {}",
                screen.words(reason)
            )
        }
    }
}

/// A pipeline as it was seen last.
fn pipeline_words(wait: &Wait, screen: &Screen<'_>) -> String {
    let Wait::Pipeline {
        pipeline_id,
        name: title,
        state,
        failed_jobs,
        blocks_done,
        blocks,
        seen_at,
        trouble,
        ..
    } = wait
    else {
        return String::new();
    };
    let title = if title.is_empty() { pipeline_id } else { title };
    let mut parts = vec![format!(
        "waits for the pipeline `{}`, which was {} at {seen_at}",
        name(title, screen),
        name(state, screen)
    )];
    let counted = blocks_done.zip(*blocks);
    parts.extend(counted.map(|(done, all)| format!("{done} of {all} blocks done")));
    parts.extend(words::failed_words(failed_jobs, screen));
    let trouble = trouble.as_ref();
    parts.extend(trouble.map(|words| format!("and at the moment: {}", screen.words(words))));
    parts.join(", ")
}

fn path(run: &Run, screen: &Screen<'_>) -> Vec<String> {
    if run.critical_path.is_empty() {
        return Vec::new();
    }
    let title = format!("where the {} went:", lasted(run.duration_ms));
    let ids: Vec<String> = (run.critical_path.iter())
        .map(|stretch| name(&stretch.step, screen))
        .collect();
    let width = ids.iter().map(|id| columns(id)).max().unwrap_or(0);
    let mut lines = vec![heading(&title, screen)];
    for (id, stretch) in ids.iter().zip(&run.critical_path) {
        let took = lasted(stretch.time.duration_ms);
        let line = format!("{INDENT}{}  {took}{}", pad(id, width), split(stretch.time));
        lines.push(screen.fit(&line));
    }
    lines
}

/// `: 20m in pipelines that were done again, 12s in the queue, 4m running, 8s between tries`.
fn split(time: Time) -> String {
    let some = |ms: u64| (ms > 0).then_some(ms);
    let (earlier, between) = (some(time.earlier_ms), some(time.between_tries_ms));
    let parts: Vec<String> = [
        (earlier, "in pipelines that were done again"),
        (time.queued_ms, "in the queue"),
        (time.ran_ms, "running"),
        (between, "between tries"),
    ]
    .into_iter()
    .filter_map(|(ms, what)| Some(format!("{} {what}", lasted(ms?))))
    .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    }
}

/// One step, and what it hangs on.
pub fn step(run: &Run, id: &str, screen: &Screen<'_>) -> String {
    let Some(step) = run.steps.get(id) else {
        return String::new();
    };
    let mut head = headline(id, step, screen);
    if let Some(why) = &step.why {
        head.extend(labelled("why", &screen.words(why), screen));
    }
    if let Some(hint) = &step.hint {
        head.extend(labelled("hint", &screen.words(hint), screen));
    }
    if let Some(wait) = &step.waits_for {
        head.extend(labelled("now", &wait_words(wait, screen), screen));
    }
    if let (Some(wait), true) = (&run.waits_for, step.waits_for.is_some()) {
        head.extend(labelled("the run", &wait_words(wait, screen), screen));
    }
    let stopped: Vec<String> = step.stopped.iter().map(|id| name(id, screen)).collect();
    let mut because = Vec::new();
    if !stopped.is_empty() {
        let line = format!("not run because of it: {}", stopped.join(", "));
        because.extend(screen.wrapped(&line, "", INDENT));
    }
    let why_of = |id: &'_ String| run.steps.get(id).and_then(|step| step.why.as_deref());
    let causes = step.causes.iter().map(|id| (id.as_str(), why_of(id)));
    let mut causes = within(causes, INDENT, screen);
    if !causes.is_empty() {
        causes.insert(0, heading("the cause lies in:", screen));
    }
    let triage = step.triage.as_ref().map(|triage| {
        let mut lines = vec![heading("why its pipeline ended red:", screen)];
        lines.extend(triage_lines(triage, INDENT, screen));
        lines
    });
    join(vec![
        head,
        needs_tree(run, step, screen),
        condition(step, screen),
        did(step, screen),
        causes,
        triage.unwrap_or_default(),
        because,
    ])
}

fn headline(id: &str, step: &Step, screen: &Screen<'_>) -> Vec<String> {
    let (mark, tone) = words::mark(state_of(step.outcome));
    let after = match step.outcome {
        v1::StepOutcome::Pending | v1::StepOutcome::Skipped | v1::StepOutcome::Blocked => {
            String::new()
        }
        v1::StepOutcome::Running => format!(" for {}", lasted(step.time.duration_ms)),
        _ => format!(" after {}", lasted(step.time.duration_ms)),
    };
    let line = format!(
        "{mark} {} ({}) {}{after}{}",
        name(id, screen),
        name(&step.action, screen),
        word(step.outcome),
        split(step.time)
    );
    screen
        .wrapped(&line, "", INDENT)
        .iter()
        .map(|line| screen.paint(tone, line))
        .collect()
}

fn labelled(label: &str, words: &str, screen: &Screen<'_>) -> Vec<String> {
    screen.wrapped(&format!("{label}: {words}"), INDENT, "    ")
}

fn needs_tree(run: &Run, step: &Step, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(whole) = &step.part_of {
        lines.push(format!("it is a part of `{}`", name(whole, screen)));
    }
    if step.needs.is_empty() {
        if lines.is_empty() {
            lines.push(match step.finally {
                true => "it needs nothing, and runs at the end".to_owned(),
                false => "it needs nothing".to_owned(),
            });
        }
        return lines;
    }
    lines.push(heading("needs:", screen));
    let mut told = BTreeSet::new();
    branch(run, step, (1, &mut told), screen, &mut lines);
    lines
}

fn branch(
    run: &Run,
    step: &Step,
    (depth, told): (usize, &mut BTreeSet<String>),
    screen: &Screen<'_>,
    lines: &mut Vec<String>,
) {
    for need in &step.needs {
        let needed = run.steps.get(&need.step);
        let again = !told.insert(need.step.clone());
        lines.extend(need_line(need, needed, (depth, again), screen));
        match needed {
            Some(needed) if !again && depth < DEPTH_MAX => {
                branch(run, needed, (depth + 1, told), screen, lines);
            }
            Some(_) | None => {}
        }
    }
}

/// `✗ tests: failed (wanted: passed): the pipeline failed`.
fn need_line(
    need: &Need,
    needed: Option<&Step>,
    (depth, again): (usize, bool),
    screen: &Screen<'_>,
) -> Vec<String> {
    let (mark, tone) = words::mark(state_of(need.outcome));
    let met = match need.met {
        Some(true) => "",
        Some(false) => ", which will not do",
        None => ", not yet known",
    };
    let reason = match (needed, again) {
        (_, true) => " (told above)".to_owned(),
        (Some(needed), false) => format!(": {}", reason(needed, screen)),
        (None, false) => String::new(),
    };
    let line = format!(
        "{mark} {} {} (wanted: {}{met}){reason}",
        name(&need.step, screen),
        word(need.outcome),
        screen.words(&need.accepts),
    );
    let indent = INDENT.repeat(depth);
    let deeper = format!("{indent}    ");
    screen
        .wrapped(&line, &indent, &deeper)
        .iter()
        .enumerate()
        .map(|(at, line)| match at {
            0 => screen.paint(tone, line),
            _ => line.clone(),
        })
        .collect()
}

/// Why it was skipped says already that its condition did not hold.
fn condition(step: &Step, screen: &Screen<'_>) -> Vec<String> {
    match &step.condition {
        Some(condition) if condition.held => {
            let words = screen.words(&condition.words);
            screen.wrapped(&format!("its condition held: {words}"), "", INDENT)
        }
        Some(_) | None => Vec::new(),
    }
}

fn did(step: &Step, screen: &Screen<'_>) -> Vec<String> {
    let mut lines: Vec<String> = step
        .calls
        .iter()
        .take(CALLS_MAX)
        .flat_map(|call| call_lines(call, screen))
        .collect();
    let more = step.calls.len().saturating_sub(CALLS_MAX);
    if more > 0 {
        lines.push(format!("{INDENT}and {more} more calls"));
    }
    for rerun in &step.reruns {
        let text = |text: &Option<String>| text.as_deref().map(|text| name(text, screen));
        let pipeline = text(&rerun.pipeline_id).unwrap_or_default();
        let result = text(&rerun.result).unwrap_or_default();
        let notes: Vec<String> = [text(&rerun.reason), text(&rerun.triage)]
            .into_iter()
            .flatten()
            .filter(|note| !note.is_empty())
            .collect();
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" ({})", notes.join(", "))
        };
        lines.push(format!(
            "{INDENT}ran pipeline {pipeline} again, which had ended as {result}{notes}"
        ));
    }
    if !lines.is_empty() {
        lines.insert(0, heading("did:", screen));
    }
    lines
}

fn call_lines(call: &Call, screen: &Screen<'_>) -> Vec<String> {
    let about = if call.about.is_empty() {
        &call.call
    } else {
        &call.about
    };
    let kind = if call.writes { ", a write" } else { "" };
    let tries = if call.tries > 1 {
        format!(", {} tries", call.tries)
    } else {
        String::new()
    };
    let open = if call.ended { "" } else { ", not ended" };
    let line = format!(
        "{}: {} ({}{kind}{tries}{open})",
        name(&call.call, screen),
        screen.words(about),
        lasted(call.duration_ms)
    );
    let mut lines = screen.wrapped(&line, INDENT, "    ");
    for error in &call.went_wrong {
        let line = format!(
            "went wrong: {} ({})",
            screen.words(&error.message),
            error.kind
        );
        lines.extend(screen.wrapped(&line, "    ", "      "));
    }
    lines
}

fn name(foreign: &str, screen: &Screen<'_>) -> String {
    screen.line(foreign, words::NAME_CHARACTERS_MAX)
}

fn state_of(outcome: v1::StepOutcome) -> StepState {
    match outcome {
        v1::StepOutcome::Pending => StepState::Pending,
        v1::StepOutcome::Running => StepState::Running,
        v1::StepOutcome::Passed => StepState::Ended(StepOutcome::Passed),
        v1::StepOutcome::Failed => StepState::Ended(StepOutcome::Failed),
        v1::StepOutcome::Skipped => StepState::Ended(StepOutcome::Skipped),
        v1::StepOutcome::Blocked => StepState::Ended(StepOutcome::Blocked),
        v1::StepOutcome::Canceled => StepState::Ended(StepOutcome::Canceled),
        v1::StepOutcome::Unknown => StepState::Ended(StepOutcome::Unknown),
    }
}

fn word(outcome: v1::StepOutcome) -> &'static str {
    match state_of(outcome) {
        StepState::Pending => "pending",
        StepState::Running => "running",
        StepState::Ended(outcome) => outcome.as_str(),
    }
}

fn run_word(outcome: v1::RunOutcome) -> &'static str {
    match outcome {
        v1::RunOutcome::Passed => "passed",
        v1::RunOutcome::Failed => "failed",
        v1::RunOutcome::Canceled => "canceled",
        v1::RunOutcome::Unknown => "unknown",
        v1::RunOutcome::Deadline => "deadline",
        v1::RunOutcome::Parked => "parked",
        v1::RunOutcome::Running => "running",
    }
}
