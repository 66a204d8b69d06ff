//! What a terminal shows while a run goes: every step in the order of the plan, as far as there is room.
//!
//! Pure: a view, a size, `now` and what earlier runs took in, lines out. Which steps have a line of their own
//! stands in `folding.rs`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::ahead;
use super::folding::{Kind, Row, kind, rows};
use crate::cli::screen::{Screen, Tone, columns, fit, pad, wrap};
use crate::cli::words;
use crate::outcome::StepOutcome;
use crate::report::{RunState, RunView, StepState, StepView};
use crate::store::Estimates;

/// The head takes more than a row only where this many are left for the steps.
const ROWS_FOR_MORE_HEADS: usize = 8;
/// At most so many rows for the head, and for a step whose words are long.
const ROWS_OF_ONE_MAX: usize = 3;
/// So many steps that are waited for are named.
const NEEDS_NAMED: usize = 3;

/// The size of a terminal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// How many rows it has.
    pub rows: usize,
    /// How many columns.
    pub columns: usize,
}

/// The lines of a run. None is wider than the screen, and one row of the size stays free.
pub fn board(
    view: &RunView,
    size: Size,
    now: Timestamp,
    estimates: &Estimates,
    screen: &Screen<'_>,
) -> Vec<String> {
    // A full line makes some terminals wrap.
    let width = size.columns.saturating_sub(1).min(screen.width());
    let room = if width == 0 {
        0
    } else {
        size.rows.saturating_sub(1)
    };
    let heads = match room > ROWS_FOR_MORE_HEADS {
        true => ROWS_OF_ONE_MAX,
        false => 1,
    };
    let mut lines = head(view, now, estimates, (screen, width, heads));
    lines.truncate(room);
    let page = Page {
        view,
        now,
        estimates,
        screen,
        width,
        size,
        id_width: id_width(view, width, screen),
        children: children(view),
    };
    let mut left = room - lines.len();
    let rows = rows(view, left);
    left -= rows.len();
    for row in rows {
        let mut of_row = page.lines(&row, left.min(ROWS_OF_ONE_MAX - 1));
        left -= of_row.len() - 1;
        lines.append(&mut of_row);
        if let Row::Step(_, step) = row
            && left > 0
            && let Some(link) = page.link(step)
        {
            lines.push(link);
            left -= 1;
        }
    }
    lines
}

/// What is shown of an address below its step: the whole, or without its query, or nothing. Half an address
/// leads nowhere.
pub(super) fn fitting(url: &str, size: Size) -> Option<&str> {
    let width = size.columns.saturating_sub(1);
    let short = url.split('?').next().unwrap_or_default();
    [url, short]
        .into_iter()
        .find(|url| !url.is_empty() && columns(url) + LINK_INDENT <= width)
}

const LINK_INDENT: usize = 4;

/// The run in a line or two: what does not fit any more is left out, the least important first.
fn head(
    view: &RunView,
    now: Timestamp,
    estimates: &Estimates,
    (screen, width, rows): (&Screen<'_>, usize, usize),
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for part in head_parts(view, now, estimates, screen) {
        let full = lines.len() >= rows;
        match lines.last_mut() {
            Some(line) if columns(line) + 2 + columns(&part) <= width => {
                line.push_str(", ");
                line.push_str(&part);
            }
            Some(_) if full => break,
            Some(_) => lines.push(format!("  {part}")),
            None => lines.push(part),
        }
    }
    // The id was said when the run began: here it only fills a line.
    let id = format!("run {}", screen.line(view.id(), words::NAME_CHARACTERS_MAX));
    if let Some(line) = lines.last_mut()
        && columns(line) + 2 + columns(&id) <= width
    {
        line.push_str(", ");
        line.push_str(&id);
    }
    lines.iter().map(|line| fit(line, width)).collect()
}

fn head_parts(
    view: &RunView,
    now: Timestamp,
    estimates: &Estimates,
    screen: &Screen<'_>,
) -> Vec<String> {
    let foreign = |text: &str| screen.line(text, words::NAME_CHARACTERS_MAX);
    let name = match foreign(view.name()) {
        name if name.is_empty() => "run".to_owned(),
        name => name,
    };
    let name = screen.paint(Tone::Strong, &name);
    let time = words::ticking(view.active_ms(now));
    let mut parts = vec![format!("{name}  {} {time}", view.word())];
    if let Some(by) = &view.cancel_requested {
        let words = format!("stopping: asked by {}", foreign(by));
        parts.push(screen.paint(Tone::Look, &words));
    }
    let running = view.state == RunState::Running;
    if running && let Some(left) = ahead::left_ms(view, estimates, now) {
        parts.push(format!("about {} left", words::about(left)));
    }
    let ended = |outcome: StepOutcome| {
        let of_it = |step: &&StepView| step.outcome() == Some(outcome);
        view.steps.values().filter(of_it).count()
    };
    let done = view.steps.values().filter(|s| s.outcome().is_some());
    parts.push(format!(
        "{} of {} steps ended",
        done.count(),
        view.steps.len()
    ));
    for outcome in [StepOutcome::Failed, StepOutcome::Unknown] {
        let count = ended(outcome);
        if count > 0 {
            parts.push(screen.paint(Tone::Bad, &format!("{count} {}", outcome.as_str())));
        }
    }
    if running && let Some(created) = &view.created {
        parts.push(words::until(now, created.deadline).map_or_else(
            || screen.paint(Tone::Look, "the deadline has passed"),
            |left| format!("deadline in {left}"),
        ));
    }
    parts
}

/// How the steps within a step stand: the items of a fan-out, or the steps of a used playbook.
#[derive(Default)]
struct Children {
    all: usize,
    ended: usize,
    failed: usize,
    items: bool,
}

fn children(view: &RunView) -> BTreeMap<&str, Children> {
    let mut all: BTreeMap<&str, Children> = BTreeMap::new();
    for (id, step) in &view.steps {
        let Some(parent) = step.info.parent.as_deref() else {
            continue;
        };
        if step.info.undoes.is_some() {
            continue;
        }
        let of = all.entry(parent).or_default();
        of.all += 1;
        of.ended += usize::from(step.outcome().is_some());
        of.failed += usize::from(step.outcome() == Some(StepOutcome::Failed));
        of.items = id.ends_with(']');
    }
    all
}

/// All ids in one column, however many are folded, so that it does not jump.
fn id_width(view: &RunView, width: usize, screen: &Screen<'_>) -> usize {
    let of = |id: &String| columns(&screen.line(id, words::NAME_CHARACTERS_MAX));
    view.steps
        .keys()
        .map(of)
        .max()
        .unwrap_or(0)
        .min(width * 2 / 5)
}

/// What every row needs.
struct Page<'a> {
    view: &'a RunView,
    now: Timestamp,
    estimates: &'a Estimates,
    screen: &'a Screen<'a>,
    width: usize,
    size: Size,
    id_width: usize,
    children: BTreeMap<&'a str, Children>,
}

impl Page<'_> {
    /// The line of a row, and at most so many more where its words are long.
    fn lines(&self, row: &Row<'_>, more_max: usize) -> Vec<String> {
        let lines = match row {
            Row::Step(id, step) => self.step(id, step, more_max),
            Row::Folded(state, words) => {
                let words = format!("{} {words}", words::mark(*state).0);
                vec![format!("  {}", self.screen.paint(Tone::Faint, &words))]
            }
        };
        lines.iter().map(|line| fit(line, self.width)).collect()
    }

    fn step(&self, id: &str, step: &StepView, more_max: usize) -> Vec<String> {
        let (mark, tone) = words::mark(step.state);
        let shown = self.screen.line(id, words::NAME_CHARACTERS_MAX);
        let shown = pad(&shown, self.id_width);
        let kind = kind(step);
        let running = step.state == StepState::Running;
        let shown = match kind {
            Kind::Urgent if running => self.screen.paint(Tone::Strong, &shown),
            Kind::Pending => self.screen.paint(Tone::Faint, &shown),
            Kind::Urgent | Kind::Done => shown,
        };
        let toned = |words: &str| match kind {
            Kind::Urgent if running => words.to_owned(),
            Kind::Urgent => self.screen.paint(tone, words),
            Kind::Pending | Kind::Done => self.screen.paint(Tone::Faint, words),
        };
        let words = self.words(id, step);
        let head = format!("  {} {shown}  ", self.screen.paint(tone, mark));
        let indent = self.id_width + 6;
        let broken = wrap(&words, self.width.saturating_sub(indent));
        if kind != Kind::Urgent || more_max == 0 || broken.len() == 1 {
            return vec![format!("{head}{}", toned(&words))];
        }
        let rest = broken.get(more_max..).unwrap_or_default().join(" ");
        let rest = Some(rest).filter(|rest| !rest.is_empty());
        let lines = broken.into_iter().take(more_max).chain(rest);
        lines
            .enumerate()
            .map(|(n, words)| match n {
                0 => format!("{head}{}", toned(&words)),
                _ => format!("{:indent$}{}", "", toned(&words)),
            })
            .collect()
    }

    fn words(&self, id: &str, step: &StepView) -> String {
        match step.state {
            StepState::Pending => self.waits_for(step),
            StepState::Ended(_) => {
                let mut words = step.word().to_owned();
                if step.started_at.is_some() {
                    words = format!("{words} {}", words::lasted(step.duration_ms(self.now)));
                }
                if step.undone_by.is_some() {
                    words.push_str(", taken back");
                }
                match words::why(step, self.screen) {
                    Some(why) => format!("{words}: {why}"),
                    None => words,
                }
            }
            StepState::Running => {
                let estimate = self.estimates.get(id);
                let doing = words::doing(step, estimate, self.now, self.screen);
                match self.children.get(id) {
                    Some(children) => format!("{doing}, {}", children.words()),
                    None => doing,
                }
            }
        }
    }

    /// `waits for tests, lint and 2 more`.
    fn waits_for(&self, step: &StepView) -> String {
        let open = |id: &str| {
            let needed = self.view.steps.get(id);
            needed.is_some_and(|needed| needed.outcome().is_none())
        };
        let needs = step.info.needs.iter().map(|(need, _)| need.as_str());
        let open: Vec<&str> = needs.filter(|need| open(need)).collect();
        if open.is_empty() {
            return if step.info.finally {
                "runs at the end".to_owned()
            } else {
                "waits for its turn".to_owned()
            };
        }
        let named: Vec<String> = open
            .iter()
            .take(NEEDS_NAMED)
            .map(|id| self.screen.line(id, words::NAME_CHARACTERS_MAX))
            .collect();
        let more = open.len().saturating_sub(NEEDS_NAMED);
        let rest = if more == 0 {
            String::new()
        } else {
            format!(" and {more} more")
        };
        format!("waits for {}{rest}", named.join(", "))
    }

    /// The page of a running step.
    fn link(&self, step: &StepView) -> Option<String> {
        if step.state != StepState::Running {
            return None;
        }
        let url = self.screen.words(step.page()?);
        let link = self.screen.paint(Tone::Faint, fitting(&url, self.size)?);
        Some(format!("{:LINK_INDENT$}{link}", ""))
    }
}

impl Children {
    /// `3 of 40 items ended, 1 failed`.
    fn words(&self) -> String {
        let what = if self.items { "items" } else { "steps" };
        let mut words = format!("{} of {} {what} ended", self.ended, self.all);
        if self.failed > 0 {
            words = format!("{words}, {} failed", self.failed);
        }
        words
    }
}
