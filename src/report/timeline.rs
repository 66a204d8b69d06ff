//! When things happened: the axis of a run, and what each step spent its time on.
//!
//! Pure. The axis leaves out the time in which the run was parked, so that a night between two
//! sessions does not push everything that matters into a corner.

use jiff::Timestamp;

use super::view::{CallView, Park, RunView, StepState, StepView, TryView};
use crate::clock::millis_between;
use crate::event::Seen;

/// The axis has at most so many ticks.
const TICKS_MAX: u64 = 8;
/// The distances that ticks may have, in milliseconds: all are read at a glance.
const TICK_DISTANCES_MS: [u64; 21] = [
    100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000,
    900_000, 1_800_000, 3_600_000, 7_200_000, 10_800_000, 21_600_000, 43_200_000, 86_400_000,
];
/// What takes a smaller part of the run than this is not told apart from what stands beside it.
const PART_MIN: u64 = 2_000;
/// So many spans are told of one step; the rest becomes one.
const SPANS_MAX: usize = 40;

/// What a step spent time on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Semaphore had not begun with it.
    Queue,
    /// Semaphore ran it.
    Run,
    /// The runner asked something, and was answered.
    Work,
    /// The same, and it went wrong.
    Failed,
    /// It waited for the next try.
    Retry,
    /// It waited for something else: a time, a person, a condition.
    Wait,
}

impl Doing {
    /// The word.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Run => "run",
            Self::Work => "work",
            Self::Failed => "failed",
            Self::Retry => "retry",
            Self::Wait => "wait",
        }
    }
}

/// A stretch of time on the axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) doing: Doing,
    pub(super) from_ms: u64,
    pub(super) until_ms: u64,
}

impl Span {
    pub(super) fn length_ms(&self) -> u64 {
        self.until_ms.saturating_sub(self.from_ms)
    }
}

/// The time of a run, without the time in which it was parked.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    start: Timestamp,
    pub(super) end: Timestamp,
    parks: Vec<Park>,
    pub(super) total_ms: u64,
}

impl Axis {
    pub(super) fn of(view: &RunView) -> Self {
        let start = view.started_at.unwrap_or(Timestamp::UNIX_EPOCH);
        let end = view.last.map_or(start, |last| last.wall);
        let mut axis = Self {
            start,
            end,
            parks: view.parks.clone(),
            total_ms: 1,
        };
        axis.total_ms = axis.at(end).max(1);
        axis
    }

    /// Where a time stands on the axis.
    pub(super) fn at(&self, time: Timestamp) -> u64 {
        let parked: u64 = self
            .parks
            .iter()
            .filter(|park| park.from < time)
            .map(|park| millis_between(park.from, time.min(park.until)))
            .sum();
        millis_between(self.start, time.max(self.start)).saturating_sub(parked)
    }

    /// Where the run was parked, and for how long.
    pub(super) fn parked(&self) -> impl Iterator<Item = (u64, u64)> {
        self.parks
            .iter()
            .map(|park| (self.at(park.from), millis_between(park.from, park.until)))
    }

    /// A part of the axis in percent.
    pub(super) fn percent(&self, ms: u64) -> f64 {
        let share = ms.min(self.total_ms) as f64 / self.total_ms as f64;
        (share * 10_000.0).round() / 100.0
    }

    /// Where ticks stand, beginning after the start.
    pub(super) fn ticks(&self) -> Vec<u64> {
        let fits = |distance: &&u64| self.total_ms / **distance <= TICKS_MAX;
        let longest = self.total_ms / TICKS_MAX + 1;
        let distance = TICK_DISTANCES_MS.iter().find(fits).unwrap_or(&longest);
        (1..)
            .map(|n| n * distance)
            .take_while(|at| *at < self.total_ms)
            .collect()
    }

    fn span(&self, doing: Doing, from: Timestamp, until: Timestamp) -> Span {
        Span {
            doing,
            from_ms: self.at(from),
            until_ms: self.at(until),
        }
    }

    /// What a step spent its time on, in the order of time. What has no calls works by itself, unless
    /// it waits for something else: for its items, for a time, for a person.
    pub(super) fn spans(&self, step: &StepView, waits: bool) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut gap_from = step.started_at;
        for call in step.calls.values() {
            let Some((_, first)) = call.tries.first() else {
                continue;
            };
            if let Some(from) = gap_from.filter(|from| *from < first.started_at) {
                spans.push(self.span(Doing::Wait, from, first.started_at));
            }
            let ended = self.call_spans(step, call, &mut spans);
            gap_from = step.started_at.map(|started| started.max(ended));
        }
        let end = match step.state {
            StepState::Pending => None,
            StepState::Running => Some(self.end),
            StepState::Ended(_) => step.finished_at,
        };
        if let (Some(from), Some(until)) = (gap_from, end)
            && from <= until
        {
            let doing = if waits || !step.calls.is_empty() {
                Doing::Wait
            } else {
                Doing::Work
            };
            spans.push(self.span(doing, from, until));
        }
        self.told_apart(spans)
    }

    /// The spans of the tries of a call; gives when it ended, or will go on.
    fn call_spans(&self, step: &StepView, call: &CallView, spans: &mut Vec<Span>) -> Timestamp {
        let mut ended: Option<Timestamp> = None;
        for (_, tried) in &call.tries {
            if let Some(before) = ended.filter(|before| *before < tried.started_at) {
                spans.push(self.span(Doing::Retry, before, tried.started_at));
            }
            let end = tried.ended_at.unwrap_or(self.end);
            self.try_spans(step, call, (tried, end), spans);
            ended = Some(end);
            if let Some(again) = tried.again_at {
                let again = again.min(self.end);
                spans.push(self.span(Doing::Retry, end, again));
                ended = Some(again.max(end));
            }
        }
        ended.unwrap_or(self.end)
    }

    fn try_spans(
        &self,
        step: &StepView,
        call: &CallView,
        (tried, end): (&TryView, Timestamp),
        spans: &mut Vec<Span>,
    ) {
        let from = tried.started_at;
        if tried.failure.is_some() {
            spans.push(self.span(Doing::Failed, from, end));
            return;
        }
        let Some((queued_ms, ran_ms)) = pipeline_times(step, call, tried) else {
            let waits = call.word.starts_with("await_");
            let doing = if waits { Doing::Wait } else { Doing::Work };
            spans.push(self.span(doing, from, end));
            return;
        };
        // The runner looks now and then, so what it waited for ended a little before the wait did.
        let running = before(end, ran_ms).max(from);
        let queued = before(running, queued_ms).max(from);
        spans.push(self.span(Doing::Work, from, queued));
        spans.push(self.span(Doing::Queue, queued, running));
        spans.push(self.span(Doing::Run, running, end));
    }

    /// Without what is too short to be seen, and not more spans than anybody looks at.
    fn told_apart(&self, spans: Vec<Span>) -> Vec<Span> {
        let shortest = self.total_ms / PART_MIN;
        let mut told: Vec<Span> = Vec::new();
        for span in spans {
            let full = told.len() >= SPANS_MAX;
            let beside = told
                .last_mut()
                .filter(|last| span.from_ms <= last.until_ms.saturating_add(shortest) || full);
            match beside {
                Some(last) if full || last.doing == span.doing || span.length_ms() <= shortest => {
                    last.until_ms = last.until_ms.max(span.until_ms);
                }
                Some(last) if last.length_ms() <= shortest => {
                    let from_ms = last.from_ms;
                    *last = Span { from_ms, ..span };
                }
                Some(_) | None => told.push(span),
            }
        }
        told
    }
}

/// How long a pipeline that a try waited for was queued and ran: as its end told, or as it was seen last.
fn pipeline_times(step: &StepView, call: &CallView, tried: &TryView) -> Option<(u64, u64)> {
    if tried.ended_at.is_some() {
        return call.pipeline;
    }
    match &step.seen.as_ref()?.seen {
        Seen::Pipeline {
            queued_ms,
            running_ms,
            ..
        } => {
            let since = |ms: Option<u64>| ms.unwrap_or(0);
            Some((since(*queued_ms), since(*running_ms)))
        }
        Seen::Trouble { .. } | Seen::Log { .. } => None,
    }
}

fn before(time: Timestamp, ms: u64) -> Timestamp {
    let span = jiff::SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
    time.saturating_sub(span).unwrap_or(Timestamp::MIN)
}
