//! What is known of a run: what every screen and every report reads.
//!
//! Plain data and questions to it. How it comes about stands in `fold.rs`.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::clock::{Moment, millis_between};
use crate::event::{Failure, Observation, RunCreated, RunEnded, Seen, StepEnded, StepInfo};
use crate::outcome::{RunOutcome, StepOutcome};

/// What is known of a run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunView {
    /// What its first event says; none before it was seen.
    pub created: Option<RunCreated>,
    /// When it was made.
    pub started_at: Option<Timestamp>,
    /// When the last event happened.
    pub last: Option<Moment>,
    /// The number of the last event.
    pub seq: u64,
    /// Where it stands.
    pub state: RunState,
    /// Whether its Semaphore was a simulated one, and is gone. Events do not tell: whoever knows says so.
    pub rehearsal: bool,
    /// How often it was resumed.
    pub resumed: u32,
    /// When nobody worked on it.
    pub parks: Vec<Park>,
    /// Which round it is in, from 2; none in the first.
    pub round: Option<u32>,
    /// Who asked it to stop for good.
    pub cancel_requested: Option<String>,
    /// How it would have ended without `finally`, once that has begun.
    pub before_finally: Option<RunOutcome>,
    /// Its steps in the order of the plan, items of a fan-out behind their step.
    pub steps: IndexMap<String, StepView>,
    /// What people should know: the step, when it is about one, and the words.
    pub warnings: Vec<(Option<String>, String)>,
    /// Limits that bit: the step, the name of the limit, the words.
    pub limits: Vec<(Option<String>, String, String)>,
    /// Its concurrency group, and who else holds it; none when it has none.
    pub group: Option<(String, Option<String>)>,
    /// How many requests the calls took.
    pub requests: u64,
    /// How many tries were tries again.
    pub retries: u64,
}

/// Where a run stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum RunState {
    /// It is worked on, as far as is known.
    #[default]
    Running,
    /// It can be resumed.
    Parked {
        /// Why.
        reason: String,
        /// The code the runner ended with.
        exit_code: u8,
    },
    /// It ended.
    Ended(Box<RunEnded>),
}

/// A time in which nobody worked on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Park {
    /// When work on it stopped.
    pub from: Timestamp,
    /// When somebody went on with it.
    pub until: Timestamp,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Its time has not come.
    Pending,
    /// It has begun.
    Running,
    /// It has ended.
    Ended(StepOutcome),
}

/// What is known of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepView {
    /// What the plan says of it; the action is empty when nobody announced the step.
    pub info: StepInfo,
    /// Where it stands.
    pub state: StepState,
    /// When it began; none when it never did.
    pub started_at: Option<Timestamp>,
    /// The condition that held when it began, with its values.
    pub because: Option<String>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// How it ended.
    pub ended: Option<Box<StepEnded>>,
    /// Its calls, by their number.
    pub calls: IndexMap<u32, CallView>,
    /// The undo that took it back.
    pub undone_by: Option<String>,
    /// What it asks a person, or asked.
    pub asked: Option<String>,
    /// Who answered what it waited for, and what.
    pub answered: Option<(String, bool)>,
    /// The pipeline or the log that was seen last.
    pub seen: Option<Observation>,
    /// What goes wrong at the moment.
    pub trouble: Option<String>,
}

/// A call of a step and its tries.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallView {
    /// The word of the call; empty when its beginning was not seen.
    pub word: String,
    /// What it is about.
    pub about: String,
    /// Whether it changes something.
    pub writes: bool,
    /// The tries by their number, in the order in which they were seen.
    pub tries: IndexMap<u32, TryView>,
    /// The ids that its answer named (`pipeline_id` and the like).
    pub ids: IndexMap<String, String>,
    /// The page that its answer named.
    pub url: Option<String>,
    /// For how many milliseconds the pipeline that it waited for was queued, and ran.
    pub pipeline: Option<(u64, u64)>,
}

/// One try of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct TryView {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs.
    pub ended_at: Option<Timestamp>,
    /// What went wrong.
    pub failure: Option<Failure>,
    /// When it will be tried again.
    pub again_at: Option<Timestamp>,
}

impl TryView {
    /// How long it took, up to `now` when it still runs.
    pub fn duration_ms(&self, now: Timestamp) -> u64 {
        millis_between(self.started_at, self.ended_at.unwrap_or(now))
    }
}

impl StepView {
    pub(super) fn new(info: StepInfo) -> Self {
        Self {
            info,
            state: StepState::Pending,
            started_at: None,
            because: None,
            finished_at: None,
            ended: None,
            calls: IndexMap::new(),
            undone_by: None,
            asked: None,
            answered: None,
            seen: None,
            trouble: None,
        }
    }

    /// How it ended, when it has.
    pub fn outcome(&self) -> Option<StepOutcome> {
        match self.state {
            StepState::Ended(outcome) => Some(outcome),
            StepState::Pending | StepState::Running => None,
        }
    }

    /// The word for where it stands.
    pub fn word(&self) -> &'static str {
        match self.state {
            StepState::Pending => "pending",
            StepState::Running => "running",
            StepState::Ended(outcome) => outcome.as_str(),
        }
    }

    /// How long it was tried, up to `now` when it runs; 0 when it never began.
    pub fn duration_ms(&self, now: Timestamp) -> u64 {
        match (&self.ended, self.started_at) {
            (Some(ended), _) => ended.duration_ms,
            (None, Some(from)) => millis_between(from, now),
            (None, None) => 0,
        }
    }

    /// Its outputs; empty before its end.
    pub fn output(&self, name: &str) -> Option<&Value> {
        self.ended.as_ref()?.outputs.get(name)
    }

    /// The same when it is text.
    pub fn output_text(&self, name: &str) -> Option<&str> {
        self.output(name)?.as_str()
    }

    /// Its page on Semaphore, as far as is known.
    pub fn page(&self) -> Option<&str> {
        let seen = self.seen.as_ref().and_then(|seen| match &seen.seen {
            Seen::Pipeline { url, .. } => Some(url.as_str()),
            Seen::Trouble { .. } | Seen::Log { .. } => None,
        });
        let made = || {
            self.calls
                .values()
                .rev()
                .find_map(|call| call.url.as_deref())
        };
        seen.or_else(made).filter(|url| !url.is_empty())
    }

    /// The call that is being carried out or waits for its next try.
    pub fn current_call(&self) -> Option<&CallView> {
        let (_, call) = self.calls.last()?;
        let (_, last) = call.tries.last()?;
        (last.ended_at.is_none() || last.again_at.is_some()).then_some(call)
    }
}

impl RunView {
    /// The id of the run; empty when its first event was not seen.
    pub fn id(&self) -> &str {
        self.created.as_ref().map_or("", |c| c.id.as_str())
    }

    /// The name of the playbook; empty when its first event was not seen.
    pub fn name(&self) -> &str {
        self.created.as_ref().map_or("", |c| c.name.as_str())
    }

    /// How the run ended, when it has.
    pub fn ended(&self) -> Option<&RunEnded> {
        match &self.state {
            RunState::Ended(ended) => Some(ended),
            RunState::Running | RunState::Parked { .. } => None,
        }
    }

    /// The word for where the run stands.
    pub fn word(&self) -> &'static str {
        match &self.state {
            RunState::Running => "running",
            RunState::Parked { .. } => "parked",
            RunState::Ended(ended) => ended.outcome.as_str(),
        }
    }

    /// The time up to which running steps run: `now`, or when the run stopped.
    pub fn now(&self, now: Timestamp) -> Timestamp {
        match (&self.state, self.last) {
            (RunState::Parked { .. } | RunState::Ended(_), Some(last)) => last.wall,
            (RunState::Running, _) | (_, None) => now,
        }
    }

    /// For how long the run was worked on, up to `now` when it runs.
    pub fn active_ms(&self, now: Timestamp) -> u64 {
        let Some(last) = self.last else { return 0 };
        match self.state {
            RunState::Running => last
                .active_ms
                .saturating_add(millis_between(last.wall, now)),
            RunState::Parked { .. } | RunState::Ended(_) => last.active_ms,
        }
    }

    /// The step that an item of a fan-out belongs to, and its key: `nightly[web]` gives `nightly`, `web`. Keys
    /// may hold brackets of their own.
    pub fn item_of<'a>(&self, id: &'a str) -> Option<(&'a str, &'a str)> {
        let step = self.steps.get(id)?.info.parent.as_ref()?.len();
        let key = id.get(step..)?.strip_prefix('[')?.strip_suffix(']')?;
        Some((id.get(..step)?, key))
    }
}
