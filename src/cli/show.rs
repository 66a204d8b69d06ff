//! `runner show` and `runner runs` as text: what the state folder knows of runs.
//!
//! Pure: views in, text out; who reads them from the store is none of its business.

use jiff::Timestamp;

use super::causes::{causes, heading, ids};
use super::screen::{Screen, Tone, columns, fit, pad};
use super::summary::{Ending, files, join, next, steps_table, warnings};
use super::words;
use crate::report::{RunState, RunView};

/// A value of an input or output is cut to this.
const VALUE_CHARACTERS_MAX: usize = 200;

/// Everything that is known of one run.
pub fn show(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> String {
    let mut sections = vec![head(view, now, screen)];
    sections.push(steps_table(view, now, screen));
    sections.push(causes(view, screen));
    sections.push(warnings(view, screen));
    sections.push(titled("made on Semaphore:", ids(view, screen), screen));
    sections.push(files(view, &Ending::default(), screen));
    sections.push(titled("outputs:", outputs(view, screen), screen));
    sections.push(next(view, screen));
    join(sections)
}

fn titled(title: &str, lines: Vec<String>, screen: &Screen<'_>) -> Vec<String> {
    if lines.is_empty() {
        return lines;
    }
    std::iter::once(heading(title, screen))
        .chain(lines.into_iter().map(|line| format!("  {line}")))
        .collect()
}

fn head(view: &RunView, now: Timestamp, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = vec![heading(&words::run_words(view, screen), screen)];
    let mut field = |name: &str, value: String| {
        lines.push(screen.fit(&format!("  {}{value}", pad(name, 10))));
    };
    let why = match &view.state {
        RunState::Running => None,
        RunState::Parked { reason, .. } => Some(reason),
        RunState::Ended(ended) => ended.why.as_ref(),
    };
    let why = why.map_or_else(String::new, |why| format!(": {}", screen.words(why)));
    field("state", format!("{}{why}", view.word()));
    if let Some(created) = &view.created {
        field("playbook", screen.words(&created.path));
        field("runner", screen.words(&created.runner));
        for (name, value) in &created.inputs {
            let name = screen.line(name, words::NAME_CHARACTERS_MAX);
            field("input", format!("{name} = {}", value_words(value, screen)));
        }
    }
    if let Some(started) = view.started_at {
        field("started", format!("{} ago, {started}", ago(started, now)));
    }
    field("worked on", words::lasted(view.active_ms(now)));
    if view.resumed > 0 {
        field("resumed", format!("{} times", view.resumed));
    }
    if let (Some(created), RunState::Running | RunState::Parked { .. }) =
        (&view.created, &view.state)
    {
        let left = words::until(now, created.deadline);
        let left = left.map_or_else(|| "passed".to_owned(), |left| format!("in {left}"));
        field("deadline", format!("{left}, {}", created.deadline));
    }
    lines
}

fn outputs(view: &RunView, screen: &Screen<'_>) -> Vec<String> {
    view.ended()
        .iter()
        .flat_map(|ended| &ended.outputs)
        .map(|(name, value)| {
            let name = screen.line(name, words::NAME_CHARACTERS_MAX);
            format!("{name} = {}", value_words(value, screen))
        })
        .collect()
}

fn value_words(value: &serde_json::Value, screen: &Screen<'_>) -> String {
    match value.as_str() {
        Some(text) => screen.line(text, VALUE_CHARACTERS_MAX),
        // Masked before it becomes text: a number may be a secret.
        None => screen.line(&screen.masked(value).to_string(), VALUE_CHARACTERS_MAX),
    }
}

fn ago(then: Timestamp, now: Timestamp) -> String {
    words::ticking(crate::clock::millis_between(then, now))
}

/// A run in the list of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its id.
    pub id: String,
    /// The name of the playbook.
    pub name: String,
    /// The word for where it stands.
    pub state: String,
    /// When it was made.
    pub started_at: Option<Timestamp>,
    /// For how long it was worked on.
    pub active_ms: u64,
    /// Why it stands where it stands.
    pub why: Option<String>,
}

impl RunRow {
    /// The row of a run.
    pub fn of(view: &RunView, now: Timestamp) -> Self {
        Self {
            id: view.id().to_owned(),
            name: view.name().to_owned(),
            state: view.word().to_owned(),
            started_at: view.started_at,
            active_ms: view.active_ms(now),
            why: match &view.state {
                RunState::Running => None,
                RunState::Parked { reason, .. } => Some(reason.clone()),
                RunState::Ended(ended) => ended.why.clone(),
            },
        }
    }
}

/// The list of runs, in the order given.
pub fn runs(rows: &[RunRow], now: Timestamp, screen: &Screen<'_>) -> String {
    if rows.is_empty() {
        return "no runs yet: `runner apply PLAYBOOK` makes one\n".to_owned();
    }
    let name = |foreign: &str| screen.line(foreign, words::NAME_CHARACTERS_MAX);
    let cells: Vec<[String; 5]> = rows
        .iter()
        .map(|row| {
            let started = row.started_at;
            [
                name(&row.id),
                name(&row.state),
                started.map_or_else(String::new, |at| format!("{} ago", ago(at, now))),
                words::lasted(row.active_ms),
                match &row.why {
                    Some(why) => format!("{}: {}", name(&row.name), screen.words(why)),
                    None => name(&row.name),
                },
            ]
        })
        .collect();
    let titles = ["run", "state", "started", "took", "playbook"].map(str::to_owned);
    let mut widths = [0_usize; 5];
    for row in cells.iter().chain([&titles]) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns(cell));
        }
    }
    let mut out = String::new();
    for (n, row) in [&titles].into_iter().chain(&cells).enumerate() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&pad(cell, width));
            line.push_str("  ");
        }
        // The id is what people type: where the screen is narrow, the end of the line goes.
        let line = fit(line.trim_end(), screen.width());
        let tone = if n == 0 { Some(Tone::Strong) } else { None };
        out.push_str(&tone.map_or(line.clone(), |tone| screen.paint(tone, &line)));
        out.push('\n');
    }
    out
}
