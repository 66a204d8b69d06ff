//! Those who look on while a run goes: the progress display, the lines of `--output events`, and the view
//! that the report and the summary are made of.

use std::sync::{Arc, Mutex, PoisonError};

use super::output::Output;
use super::progress::Progress;
use crate::clock::Moment;
use crate::drivers::Observer;
use crate::event::{Observation, Recorded};
use crate::report::event_v1::Line;
use crate::report::{RunView, masked};

/// The progress display.
pub(super) struct Shown(pub(super) Progress);

impl Observer for Shown {
    fn event(&mut self, recorded: &Recorded) {
        self.0.event(recorded);
    }

    fn observation(&mut self, observation: &Observation) {
        self.0.observe(observation);
    }

    fn tick(&mut self, now: Moment) {
        self.0.tick(now.wall);
    }

    fn notice(&mut self, words: &str) {
        self.0.notice(words);
    }
}

/// One JSON per line on stdout.
pub(super) struct Lines {
    pub(super) output: Arc<Output>,
    /// Events up to here were told, by an earlier session or by this one.
    pub(super) after: u64,
    pub(super) broken: Arc<Mutex<Option<std::io::Error>>>,
}

impl Lines {
    fn tell(&self, line: &Line) {
        let line = masked(line, self.output.redactor());
        if let Err(error) = self.output.json_line(&line) {
            // The run goes on: what is started must be seen to its end. The exit code tells.
            self.broken
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert(error);
        }
    }
}

impl Observer for Lines {
    fn event(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.after {
            return;
        }
        self.after = recorded.seq;
        self.tell(&Line::from(recorded));
    }

    fn observation(&mut self, observation: &Observation) {
        self.tell(&Line::observed(observation, self.after));
    }
}

/// What the report is made of.
#[derive(Clone, Default)]
pub(super) struct Collected(pub(super) Arc<Mutex<RunView>>);

impl Collected {
    pub(super) fn view(&self) -> RunView {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Observer for Collected {
    fn event(&mut self, recorded: &Recorded) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(recorded);
    }

    fn observation(&mut self, observation: &Observation) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .observe(observation);
    }
}
