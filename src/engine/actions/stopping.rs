//! What the three stops have in common: say it, and wait until it has come to its end.

use serde_json::Value;

use super::act::{Act, Input, Next, out_of_turn};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::Answer;

enum State {
    Telling,
    Waiting,
}

/// A stop.
pub(super) struct Stopping {
    /// Tells it.
    pub(super) tell: Call,
    /// Waits for the end.
    pub(super) await_end: Call,
    /// Whether an end means that it was stopped.
    pub(super) was_stopped: fn(&Value) -> bool,
    wait: bool,
    state: State,
    record: Record,
}

impl Stopping {
    pub(super) fn new(
        params: &Params,
        tell: Call,
        await_end: Call,
        was_stopped: fn(&Value) -> bool,
    ) -> Self {
        Self {
            tell,
            await_end,
            was_stopped,
            wait: params.flag("wait", true),
            state: State::Telling,
            record: Record::default(),
        }
    }

    fn take(&mut self, answer: &Answer) {
        self.record.response.clone_from(&answer.response);
        let what = match self.tell {
            Call::StopWorkflow { .. } => "workflow",
            Call::StopJob { .. } => "job",
            _ => "pipeline",
        };
        self.record.link(what, text(&answer.value, "url"));
    }
}

/// Whether something of this result did not come to its own end.
pub(super) fn cut_short(result: &str) -> bool {
    matches!(result, "stopped" | "canceled")
}

impl Act for Stopping {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Telling, Input::Start) => Next::Call(self.tell.clone()),
            (State::Telling, Input::Answer(answer)) => {
                self.take(answer);
                if !self.wait {
                    return Next::Done;
                }
                self.state = State::Waiting;
                Next::Call(self.await_end.clone())
            }
            (State::Waiting, Input::Answer(answer)) => {
                self.take(answer);
                let stopped = (self.was_stopped)(&answer.value);
                self.record.set("stopped", stopped);
                Next::Done
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (_, Input::Start | Input::Slept) => out_of_turn("stop"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
