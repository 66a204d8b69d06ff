//! The end of a run on stderr: what became of each step, why, and what to type next.
//!
//! Pure: a view in, text out. The verdict stands last, where a terminal leaves the eye.

use std::path::PathBuf;

use indexmap::IndexMap;
use jiff::Timestamp;

use super::causes::{causes, heading};
use super::exit::Exit;
use super::screen::{Screen, Tone, columns, fit, pad, wrap};
use super::words;
use crate::event::FailureKind;
use crate::outcome::{RunOutcome, StepOutcome};
use crate::report::{RunState, RunView, StepState, StepView};
use crate::size;

/// Of a fan-out with more items than this, only those that did not pass are listed.
const ITEMS_LISTED_MAX: usize = 10;
/// So many pages are listed, the others counted.
const PAGES_MAX: usize = 10;
/// So many files are listed, the others counted.
const FILES_MAX: usize = 10;
/// From so many steps on, those that passed are counted.
const STEPS_LISTED_MAX: usize = 50;
/// Where less is left for them, words stand on a line of their own.
const WORDS_WIDTH_MIN: usize = 24;

/// What the summary says besides the run itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ending {
    /// The reports that were written.
    pub reports: Vec<PathBuf>,
}

/// The summary of a run.
pub fn summary(view: &RunView, ending: &Ending, screen: &Screen<'_>) -> String {
    let now = view.last.map_or(Timestamp::UNIX_EPOCH, |last| last.wall);
    let mut sections = vec![steps_table(view, now, screen)];
    sections.push(causes(view, screen));
    sections.push(left_behind(view, screen));
    sections.push(warnings(view, screen));
    sections.push(files(view, ending, screen));
    let mut last = verdict(view, now, screen);
    last.extend(next(view, screen));
    sections.push(last);
    join(sections)
}

/// Sections with an empty line between them; empty ones are left out.
pub(super) fn join(sections: Vec<Vec<String>>) -> String {
    let mut out = String::new();
    for section in sections.iter().filter(|lines| !lines.is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        for line in section {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

struct Row {
    id: String,
    state: StepState,
    word: &'static str,
    time: String,
    words: String,
}

/// The table of steps: id, outcome, time, words.
pub fn steps_table(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> Vec<String> {
    let rows = rows(view, view.now(now), screen);
    let widest = |of: fn(&Row) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let id_width = widest(|row| columns(&row.id)).min(screen.width() * 2 / 5);
    let time_width = widest(|row| columns(&row.time));
    let state_width = widest(|row| row.word.len() + 2);
    let left = screen
        .width()
        .saturating_sub(2 + id_width + 2 + state_width + 2 + time_width + 2);
    let mut lines = Vec::new();
    let passed = |row: &Row| row.state == StepState::Ended(StepOutcome::Passed);
    let many = rows.len() > STEPS_LISTED_MAX;
    let unlisted = rows.iter().filter(|row| many && passed(row)).count();
    if unlisted > 0 {
        lines.push(format!("  {unlisted} steps that passed are not listed"));
    }
    for row in rows.into_iter().filter(|row| !many || !passed(row)) {
        let (mark, tone) = words::mark(row.state);
        let state = pad(&format!("{mark} {}", row.word), state_width);
        let line = format!(
            "  {}  {}  {}",
            pad(&row.id, id_width),
            screen.paint(tone, &state),
            pad(&row.time, time_width)
        );
        if row.words.is_empty() {
            lines.push(line);
        } else if left >= WORDS_WIDTH_MIN {
            lines.push(format!("{line}  {}", fit(&row.words, left)));
        } else {
            lines.push(line);
            let width = screen.width().saturating_sub(6);
            lines.extend(wrap(&row.words, width).iter().map(|w| format!("      {w}")));
        }
    }
    lines
}

fn rows(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> Vec<Row> {
    let fans = fans(view);
    let mut rows = Vec::new();
    for (id, step) in &view.steps {
        let many = view
            .item_of(id)
            .and_then(|(parent, _)| fans.get(parent))
            .is_some_and(|fan| fan.items > ITEMS_LISTED_MAX);
        if many && step.outcome() == Some(StepOutcome::Passed) {
            continue;
        }
        let mut words = step_words(step, now, screen);
        if let Some(fan) = fans.get(id.as_str()) {
            let count = format!("{} of {} items passed", fan.passed, fan.items);
            words = if words.is_empty() {
                count
            } else {
                format!("{count}; {words}")
            };
        }
        rows.push(Row {
            id: screen.line(id, words::NAME_CHARACTERS_MAX),
            state: step.state,
            word: step.word(),
            time: match step.started_at {
                Some(_) if step.ended.is_some() => words::lasted(step.duration_ms(now)),
                Some(_) => words::ticking(step.duration_ms(now)),
                None => String::new(),
            },
            words,
        });
    }
    rows
}

/// The items of a fan-out, counted.
#[derive(Default)]
struct Fan {
    items: usize,
    passed: usize,
}

fn fans(view: &RunView) -> IndexMap<&str, Fan> {
    let mut fans: IndexMap<&str, Fan> = IndexMap::new();
    for (id, step) in &view.steps {
        if let Some((parent, _)) = view.item_of(id) {
            let fan = fans.entry(parent).or_default();
            fan.items += 1;
            fan.passed += usize::from(step.outcome() == Some(StepOutcome::Passed));
        }
    }
    fans
}

fn step_words(step: &StepView, now: Timestamp, screen: &Screen<'_>) -> String {
    match step.state {
        StepState::Running => words::doing(step, None, now, screen),
        StepState::Pending => String::new(),
        StepState::Ended(_) => words::why(step, screen).unwrap_or_default(),
    }
}

/// What goes on at Semaphore without us: the pages of what was waited for when the run stopped.
fn left_behind(view: &RunView, screen: &Screen<'_>) -> Vec<String> {
    let waited = view.steps.iter().filter(|(_, step)| {
        matches!(
            step.state,
            StepState::Running | StepState::Ended(StepOutcome::Canceled)
        )
    });
    let pages: Vec<String> = waited
        .filter_map(|(id, step)| {
            let id = screen.line(id, words::NAME_CHARACTERS_MAX);
            Some(format!("  {id}: {}", screen.words(step.page()?)))
        })
        .collect();
    if pages.is_empty() || view.rehearsal {
        return Vec::new();
    }
    let more = pages.len().saturating_sub(PAGES_MAX);
    let mut lines = vec![heading("may still run on Semaphore:", screen)];
    lines.extend(pages.into_iter().take(PAGES_MAX));
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines
}

/// What people should know, and the limits that bit.
pub(super) fn warnings(view: &RunView, screen: &Screen<'_>) -> Vec<String> {
    let about = |step: &Option<String>| {
        step.as_ref().map_or_else(String::new, |step| {
            format!("{}: ", screen.line(step, words::NAME_CHARACTERS_MAX))
        })
    };
    let warned = view
        .warnings
        .iter()
        .map(|(step, message)| format!("warning: {}{}", about(step), screen.words(message)));
    let limits = view.limits.iter().map(|(step, limit, message)| {
        let limit = screen.line(limit, words::NAME_CHARACTERS_MAX);
        let (about, message) = (about(step), screen.words(message));
        format!("warning: {about}limit `{limit}`: {message}")
    });
    warned
        .chain(limits)
        .flat_map(|line| screen.wrapped(&line, "", "  "))
        .map(|line| screen.paint(Tone::Look, &line))
        .collect()
}

/// The files and reports that were written. Paths are not cut: people copy them.
pub(super) fn files(view: &RunView, ending: &Ending, screen: &Screen<'_>) -> Vec<String> {
    let written: Vec<_> = view
        .steps
        .values()
        .filter_map(|step| step.ended.as_ref())
        .flat_map(|ended| &ended.files)
        .collect();
    let mut lines: Vec<String> = written
        .iter()
        .take(FILES_MAX)
        .map(|file| {
            let cut = if file.cut { ", cut" } else { "" };
            let size = size::show(file.bytes);
            format!("  {}  ({size}{cut})", screen.words(&file.path))
        })
        .collect();
    let more = written.len().saturating_sub(FILES_MAX);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    lines.extend(
        ending
            .reports
            .iter()
            .map(|path| format!("  {}  (report)", screen.words(&path.to_string_lossy()))),
    );
    if !lines.is_empty() {
        lines.insert(0, heading("files written:", screen));
    }
    lines
}

fn verdict(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> Vec<String> {
    let tone = match &view.state {
        RunState::Running | RunState::Parked { .. } => Tone::Look,
        RunState::Ended(ended) => match ended.outcome {
            RunOutcome::Passed => Tone::Good,
            RunOutcome::Failed
            | RunOutcome::Canceled
            | RunOutcome::Unknown
            | RunOutcome::Deadline => Tone::Bad,
        },
    };
    let time = words::lasted(view.active_ms(now));
    let name = screen.line(view.name(), words::NAME_CHARACTERS_MAX);
    let name = if name.is_empty() { "run" } else { &name };
    let verdict = match &view.state {
        RunState::Running => format!("{name} has not ended, after {time}"),
        RunState::Parked { .. } => format!("{name} is parked after {time}"),
        RunState::Ended(ended) => match ended.outcome {
            RunOutcome::Passed => format!("{name} passed in {time}"),
            RunOutcome::Failed => format!("{name} failed after {time}"),
            RunOutcome::Canceled => format!("{name} was canceled after {time}"),
            RunOutcome::Unknown => {
                format!("{name} is unknown after {time}, a person must look")
            }
            RunOutcome::Deadline => format!("{name} ran into its deadline after {time}"),
        },
    };
    let why = match &view.state {
        RunState::Running => None,
        RunState::Parked { reason, .. } => Some(reason),
        RunState::Ended(ended) => ended.why.as_ref(),
    };
    let why = why.map_or_else(String::new, |why| format!(" ({})", screen.words(why)));
    let line = format!("{verdict}: {}{why}", words::counts(view));
    wrap(&line, screen.width())
        .iter()
        .map(|line| screen.paint(tone, line))
        .collect()
}

/// The next command to type.
pub(super) fn next(view: &RunView, screen: &Screen<'_>) -> Vec<String> {
    let id = screen.line(view.id(), words::NAME_CHARACTERS_MAX);
    if id.is_empty() {
        return Vec::new();
    }
    let run = words::shell_word(&id);
    let mut lines = Vec::new();
    match &view.state {
        RunState::Running | RunState::Parked { .. } => {
            lines.extend(
                view.steps
                    .iter()
                    .filter(|(_, step)| {
                        step.state == StepState::Running
                            && step.info.action == "approve"
                            && step.answered.is_none()
                    })
                    .map(|(step, _)| {
                        let step = screen.line(step, words::NAME_CHARACTERS_MAX);
                        format!(
                            "to say yes: runner approve {run} {}",
                            words::shell_word(&step)
                        )
                    }),
            );
            if !view.rehearsal {
                lines.push(format!("to go on: runner resume {run}"));
            }
        }
        RunState::Ended(ended) => match ended.outcome {
            RunOutcome::Passed => return lines,
            RunOutcome::Failed | RunOutcome::Canceled | RunOutcome::Deadline => {
                if !view.rehearsal {
                    let again = "to do again what did not pass";
                    lines.push(format!("{again}: runner resume {run} --failed"));
                }
            }
            RunOutcome::Unknown => {}
        },
    }
    if wants_a_doctor(view) {
        lines.push("to check host and token: runner doctor".to_owned());
    }
    if view.ended().is_some() {
        lines.push(format!("to look closer: runner show {run}"));
    }
    lines
}

/// Whether the cause lies between us and Semaphore.
fn wants_a_doctor(view: &RunView) -> bool {
    match &view.state {
        RunState::Running => false,
        RunState::Parked { exit_code, .. } => *exit_code == Exit::Unreachable.code(),
        RunState::Ended(ended) => matches!(
            ended.failure,
            Some(FailureKind::Unauthorized | FailureKind::Permission | FailureKind::Network)
        ),
    }
}
