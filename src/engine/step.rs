//! A step of a run: its state, and how it moves from one to the next.
//!
//! `Waiting` → `Running` → `Ended`, or straight from `Waiting` to `Ended`; nothing leaves `Ended`. While it
//! runs, a step has exactly one thing outstanding: a call, a timer, or nothing because the run is parked.

use serde_json::Value;

use super::actions::{Act, Cx};
use super::call::Call;
use super::ending::Stop;
use super::params::Params;
use super::record::Record;
use super::retry::{CallClass, Tries};
use crate::clock::Moment;
use crate::event::{EffectKey, Failure, StepEnded};
use crate::plan::OnFailure;
use crate::template::{Data, Scope};

/// A step.
pub(super) struct Node {
    /// Its index in the plan of its playbook.
    pub(super) step: usize,
    /// The playbook that it belongs to.
    pub(super) frame: usize,
    /// Its id in this run.
    pub(super) id: String,
    /// The step that it takes back, when it is an undo.
    pub(super) undoes: Option<usize>,
    /// What it is done for, when it is an item of a fan-out, or the undo of one.
    pub(super) item: Option<Item>,
    /// What it is doing.
    pub(super) state: State,
}

/// What an item of a fan-out is done for.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// The step whose item it is.
    pub(super) of: usize,
    pub(super) key: String,
    pub(super) value: Value,
    pub(super) index: usize,
}

impl Item {
    /// The names under which an item sees itself.
    pub(super) fn in_scope(&self, scope: Scope) -> Scope {
        scope
            .with("item", Data::new(&self.value))
            .with("key", Data::new(&Value::from(self.key.as_str())))
            .with("index", Data::new(&Value::from(self.index)))
    }
}

/// What a step is made of that does nothing itself.
#[derive(Debug, Clone)]
pub(super) enum Parts {
    /// The items of a fan-out.
    Items {
        nodes: Vec<usize>,
        /// How many of them are done at once at the most.
        at_once: usize,
        /// Whether those after one that failed are done.
        on_failure: OnFailure,
        /// Why no more of them begin.
        stop: Option<Stop>,
    },
    /// A playbook.
    Used { frame: usize },
}

/// What a step is doing.
pub(super) enum State {
    /// Not all of its needs have ended.
    Waiting,
    /// It is at work.
    Running(Box<Running>),
    /// It has ended.
    Ended(Box<Ended>),
}

/// A step at work.
pub(super) struct Running {
    pub(super) act: Box<dyn Act>,
    pub(super) started: Moment,
    pub(super) deadline_active_ms: u64,
    /// How many calls it has made, retries not counted.
    pub(super) calls: u32,
    /// How many tries of calls it has made.
    pub(super) attempts: u32,
    pub(super) outstanding: Outstanding,
    /// Whether a write of it happened, or may have.
    pub(super) wrote: bool,
    /// A write that may have happened although its answer says otherwise, until an answer tells.
    pub(super) doubt: Option<Failure>,
    /// It is given up as soon as the write that is under way has ended.
    pub(super) giving_up: Option<Failure>,
    /// What it was begun with: it may have to begin again.
    pub(super) params: Params,
    pub(super) cx: Cx,
    /// What it had to show before it began again.
    pub(super) before: Record,
    /// What becomes of it once it is known why its pipeline ended red.
    pub(super) triaging: Option<After>,
    /// What it is made of, when it does nothing itself.
    pub(super) parts: Option<Parts>,
}

impl Running {
    /// A step that has just begun, without a deadline.
    pub(super) fn new(act: Box<dyn Act>, started: Moment, cx: Cx) -> Self {
        Self {
            act,
            started,
            deadline_active_ms: u64::MAX,
            calls: 0,
            attempts: 0,
            outstanding: Outstanding::Nothing,
            wrote: false,
            doubt: None,
            giving_up: None,
            params: Params::default(),
            cx,
            before: Record::default(),
            triaging: None,
            parts: None,
        }
    }
}

/// What becomes of a step whose action has come to its end.
#[derive(Debug, Clone)]
pub(super) enum After {
    /// The action failed so.
    Failed(Failure),
    /// The action did what it should.
    Done,
}

/// What a running step waits for.
#[derive(Debug, Clone)]
pub(super) enum Outstanding {
    /// A call.
    Call {
        key: EffectKey,
        call: Call,
        tries: Tries,
    },
    /// The time until a call is tried again.
    Backoff {
        timer: String,
        key: EffectKey,
        call: Call,
        tries: Tries,
    },
    /// The time of a `sleep`; `cut` when the step's own time is over before.
    Sleep { timer: String, cut: bool },
    /// A person's answer; with a timer when the step's own time ends before the run's.
    Person { timer: Option<String> },
    /// The time until what was read is read again; `cut` when the step's own time is over before. What
    /// did not hold, in words.
    Poll {
        timer: String,
        cut: bool,
        unmet: String,
    },
    /// Its parts; with a timer when its own time ends before the run's.
    Parts { timer: Option<String> },
    /// A runner, for the network was away for too long.
    Stalled { key: EffectKey, call: Call },
    /// Nothing: it is being moved on at this very moment.
    Nothing,
}

impl Outstanding {
    /// The class of the call that is under way at this moment.
    pub(super) fn under_way(&self) -> Option<CallClass> {
        match self {
            Self::Call { call, .. } => Some(CallClass::of(call)),
            Self::Backoff { .. }
            | Self::Sleep { .. }
            | Self::Person { .. }
            | Self::Poll { .. }
            | Self::Parts { .. }
            | Self::Stalled { .. }
            | Self::Nothing => None,
        }
    }

    /// The text under which the driver knows it.
    pub(super) fn key(&self) -> Option<String> {
        match self {
            Self::Call { key, .. } => Some(key.to_string()),
            Self::Backoff { timer, .. } | Self::Sleep { timer, .. } | Self::Poll { timer, .. } => {
                Some(timer.clone())
            }
            Self::Person { timer } | Self::Parts { timer } => timer.clone(),
            Self::Stalled { .. } | Self::Nothing => None,
        }
    }
}

/// A step that has ended.
pub(super) struct Ended {
    pub(super) told: StepEnded,
    /// Whether a write of it happened, or may have.
    pub(super) wrote: bool,
    /// Its place among all ends.
    pub(super) order: u64,
    /// As the other steps see it.
    pub(super) data: Data,
}

impl Node {
    /// A step of the plan that has not begun.
    pub(super) fn new(step: usize, frame: usize, id: String) -> Self {
        Self {
            step,
            frame,
            id,
            undoes: None,
            item: None,
            state: State::Waiting,
        }
    }

    /// How it ended, when it has.
    pub(super) fn ended(&self) -> Option<&Ended> {
        match &self.state {
            State::Ended(ended) => Some(ended),
            State::Waiting | State::Running(_) => None,
        }
    }

    /// Its work, while it is at work.
    pub(super) fn running(&mut self) -> Option<&mut Running> {
        match &mut self.state {
            State::Running(running) => Some(running),
            State::Waiting | State::Ended(_) => None,
        }
    }
}
