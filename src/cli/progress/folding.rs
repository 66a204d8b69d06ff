//! Which steps have a row of their own when there is not room for all.
//!
//! Pure. What has ended well folds into a row that counts it, from the oldest on, then what has not begun,
//! from the last on: only as much as must. A step that runs or went wrong folds last of all.

use std::collections::HashSet;

use crate::outcome::StepOutcome;
use crate::report::{RunView, StepState, StepView};

/// A row below the head.
pub(super) enum Row<'a> {
    /// A step, by its id.
    Step(&'a str, &'a StepView),
    /// Steps that stand in one row: their mark and their number by word.
    Folded(StepState, String),
}

/// Whether a step may fold, and with which neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It ended, and nobody need look.
    Done,
    /// Its time has not come.
    Pending,
    /// It runs, or went wrong.
    Urgent,
}

pub(super) fn kind(step: &StepView) -> Kind {
    match step.state {
        StepState::Pending => Kind::Pending,
        StepState::Running | StepState::Ended(StepOutcome::Failed | StepOutcome::Unknown) => {
            Kind::Urgent
        }
        StepState::Ended(
            StepOutcome::Passed
            | StepOutcome::Skipped
            | StepOutcome::Blocked
            | StepOutcome::Canceled,
        ) => Kind::Done,
    }
}

/// Neighbours of one kind, and how many of them are folded.
struct Stretch<'a> {
    kind: Kind,
    steps: Vec<(&'a str, &'a StepView)>,
    folded: usize,
}

impl Stretch<'_> {
    /// Folds until so many rows are saved, and gives how many are still too many. One step alone saves none.
    fn fold(&mut self, excess: usize) -> usize {
        if excess == 0 || self.steps.len() < 2 {
            return excess;
        }
        self.folded = self.steps.len().min(excess + 1);
        excess + 1 - self.folded
    }
}

pub(super) fn rows(view: &RunView, room: usize) -> Vec<Row<'_>> {
    let mut stretches: Vec<Stretch<'_>> = Vec::new();
    for (id, step) in &view.steps {
        let kind = kind(step);
        match stretches.last_mut() {
            Some(stretch) if stretch.kind == kind => stretch.steps.push((id, step)),
            Some(_) | None => stretches.push(Stretch {
                kind,
                steps: vec![(id, step)],
                folded: 0,
            }),
        }
    }
    let mut excess = view.steps.len().saturating_sub(room);
    for stretch in stretches.iter_mut().filter(|s| s.kind == Kind::Done) {
        excess = stretch.fold(excess);
    }
    for stretch in stretches.iter_mut().rev() {
        if stretch.kind == Kind::Pending {
            excess = stretch.fold(excess);
        }
    }
    if excess > 0 {
        return most_urgent(view, room);
    }
    stretches.iter().flat_map(unfolded).collect()
}

/// What has ended folds from its beginning, what is to come from its end.
fn unfolded<'a>(stretch: &Stretch<'a>) -> Vec<Row<'a>> {
    let from = match stretch.kind {
        Kind::Pending => stretch.steps.len() - stretch.folded,
        Kind::Done | Kind::Urgent => 0,
    };
    let mut rows = Vec::new();
    let mut folded = Vec::new();
    for (n, (id, step)) in stretch.steps.iter().enumerate() {
        if (from..from + stretch.folded).contains(&n) {
            folded.push(*step);
        } else {
            rows.push(Row::Step(id, step));
        }
    }
    if let Some(first) = folded.first() {
        let row = Row::Folded(first.state, counted(&folded));
        rows.insert(from, row);
    }
    rows
}

/// When even the folded rows are too many: what went wrong (a third of the room), what runs, and a last row
/// that counts the rest.
fn most_urgent(view: &RunView, room: usize) -> Vec<Row<'_>> {
    let Some(keep) = room.checked_sub(1) else {
        return Vec::new();
    };
    let urgent = |running: bool| {
        view.steps.iter().filter(move |(_, step)| {
            kind(step) == Kind::Urgent && (step.state == StepState::Running) == running
        })
    };
    let wrong_max = keep.saturating_sub(urgent(true).count()).max(keep / 3);
    let shown: HashSet<&str> = urgent(false)
        .take(wrong_max)
        .chain(urgent(true))
        .take(keep)
        .map(|(id, _)| id.as_str())
        .collect();
    let (mut rows, mut rest) = (Vec::new(), Vec::new());
    for (id, step) in &view.steps {
        if shown.contains(id.as_str()) {
            rows.push(Row::Step(id, step));
        } else {
            rest.push(step);
        }
    }
    let words = format!("and {} more: {}", rest.len(), counted(&rest));
    rows.push(Row::Folded(StepState::Pending, words));
    rows
}

/// `12 passed, 2 skipped`, in the order in which they come.
fn counted(steps: &[&StepView]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for step in steps {
        let word = match step.state {
            StepState::Pending => "to come",
            StepState::Running | StepState::Ended(_) => step.word(),
        };
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let parts: Vec<String> = counts.iter().map(|(w, n)| format!("{n} {w}")).collect();
    parts.join(", ")
}
