//! The fold: from events to what is known of a run.
//!
//! Total on purpose: a journal that was cut, a step nobody announced, an end without a beginning all
//! give a view that says as much as is known. It keeps no answers of calls, only what people look at,
//! so its size goes with the number of steps and tries, not with the size of answers.

use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::clock::{Moment, later, millis_between};
use crate::event::{
    Answer, EffectKey, Event, Failure, Observation, Outcome, Recorded, RunCreated, RunEnded, Seen,
    StepEnded, StepInfo,
};
use crate::outcome::{RunOutcome, StepOutcome};

/// Ids are short; a longer text under such a key is something else.
const ID_CHARACTERS_MAX: usize = 64;

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
    /// How often it was resumed.
    pub resumed: u32,
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
    fn new(info: StepInfo) -> Self {
        Self {
            info,
            state: StepState::Pending,
            started_at: None,
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

    /// The call that is being carried out or waits for its next try.
    pub fn current_call(&self) -> Option<&CallView> {
        let (_, call) = self.calls.last()?;
        let (_, last) = call.tries.last()?;
        (last.ended_at.is_none() || last.again_at.is_some()).then_some(call)
    }

    fn call(&mut self, number: u32) -> &mut CallView {
        self.calls.entry(number).or_default()
    }
}

impl CallView {
    fn try_of(&mut self, number: u32, started_at: Timestamp) -> &mut TryView {
        self.tries.entry(number).or_insert(TryView {
            started_at,
            ended_at: None,
            failure: None,
            again_at: None,
        })
    }

    fn keep_ids(&mut self, answer: &Answer) {
        let Some(fields) = answer.value.as_object() else {
            return;
        };
        for (name, value) in fields {
            let Some(text) = value.as_str() else { continue };
            if name.ends_with("_id") && text.chars().count() <= ID_CHARACTERS_MAX {
                self.ids.insert(name.clone(), text.to_owned());
            }
            if name == "url" {
                self.url = Some(text.to_owned());
            }
        }
    }
}

impl RunView {
    /// Nothing is known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What a journal says.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Recorded>) -> Self {
        let mut view = Self::new();
        for event in events {
            view.apply(event);
        }
        view
    }

    /// Takes the next event; one that was seen already changes nothing, so a journal may be given
    /// again before what is new.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.seq <= self.seq {
            return;
        }
        self.seq = recorded.seq;
        self.last = Some(recorded.at);
        let at = recorded.at.wall;
        match &recorded.event {
            Event::RunCreated(created) => self.create(created, at),
            Event::StepAdded(info) => self.add(info),
            Event::StepStarted { step } => self.start(step, at),
            Event::CallStarted {
                key,
                call,
                about,
                writes,
            } => {
                let view = self.start_call(key, at);
                view.word.clone_from(call);
                view.about.clone_from(about);
                view.writes = *writes;
            }
            Event::CallEnded { key, outcome } => self.end_call(key, outcome),
            Event::CallRetried {
                key,
                failure,
                delay_ms,
            } => self.retry_call(key, failure, at, *delay_ms),
            Event::TimerFired { .. } => {}
            Event::Asked { step, message } => self.step(step).asked = Some(message.clone()),
            Event::Answered { step, approved, by } => {
                self.step(step).answered = Some((by.clone(), *approved));
            }
            Event::CancelRequested { by } => self.cancel_requested = Some(by.clone()),
            Event::Parked { reason, exit_code } => {
                self.state = RunState::Parked {
                    reason: reason.clone(),
                    exit_code: *exit_code,
                };
            }
            Event::Resumed { session } => {
                self.resumed = *session;
                self.state = RunState::Running;
            }
            Event::RoundStarted {
                round,
                steps,
                deadline,
            } => self.start_round(*round, steps, *deadline),
            Event::Resolved { .. }
            | Event::RoundRequested { .. }
            | Event::PlanChanged { .. }
            | Event::GroupTaken { .. }
            | Event::GroupBusy { .. } => {}
            Event::StepEnded(ended) => self.end(ended, at),
            Event::FinallyStarted { outcome } => self.before_finally = Some(*outcome),
            Event::RunEnded(ended) => self.state = RunState::Ended(Box::new(ended.clone())),
            Event::Warned { step, message } => self.warnings.push((step.clone(), message.clone())),
            Event::LimitHit {
                step,
                limit,
                message,
            } => self
                .limits
                .push((step.clone(), limit.clone(), message.clone())),
        }
    }

    /// Takes what was seen of a running step.
    pub fn observe(&mut self, observation: &Observation) {
        let Some(step) = self.steps.get_mut(&observation.step) else {
            return;
        };
        match &observation.seen {
            Seen::Trouble { message } => step.trouble = Some(message.clone()),
            Seen::Pipeline { .. } | Seen::Log { .. } => {
                step.trouble = None;
                step.seen = Some(observation.clone());
            }
        }
    }

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

    /// The step that an item of a fan-out belongs to, and its key: `nightly[web]` gives `nightly`, `web`.
    pub fn item_of<'a>(&self, id: &'a str) -> Option<(&'a str, &'a str)> {
        let inner = id.strip_suffix(']')?;
        // A key may hold brackets of its own: the step is the one that exists.
        inner
            .match_indices('[')
            .filter_map(|(at, _)| Some((inner.get(..at)?, inner.get(at + 1..)?)))
            .find(|(step, _)| self.steps.contains_key(*step))
    }

    fn step(&mut self, id: &str) -> &mut StepView {
        self.steps.entry(id.to_owned()).or_insert_with(|| {
            StepView::new(StepInfo {
                id: id.to_owned(),
                action: String::new(),
                description: None,
                needs: Vec::new(),
                finally: false,
                undoes: None,
            })
        })
    }

    fn create(&mut self, created: &RunCreated, at: Timestamp) {
        self.started_at = Some(at);
        for info in &created.steps {
            self.step(&info.id).info = info.clone();
        }
        self.created = Some(created.clone());
    }

    fn add(&mut self, info: &StepInfo) {
        if let Some(known) = self.steps.get_mut(&info.id) {
            known.info = info.clone();
            return;
        }
        // Items stand behind their step, in the order in which they came; an undo stands behind its step.
        let item = self
            .item_of(&info.id)
            .and_then(|(step, _)| self.steps.get_index_of(step))
            .map(|index| index + 1 + self.items_behind(index));
        let undo = info.undoes.as_ref();
        let undo = undo.and_then(|step| self.steps.get_index_of(step));
        let at = undo.map(|index| index + 1).or(item);
        let step = StepView::new(info.clone());
        match at {
            Some(at) if at < self.steps.len() => {
                self.steps.shift_insert(at, info.id.clone(), step);
            }
            Some(_) | None => {
                self.steps.insert(info.id.clone(), step);
            }
        }
    }

    fn items_behind(&self, index: usize) -> usize {
        let Some((step, _)) = self.steps.get_index(index) else {
            return 0;
        };
        self.steps
            .keys()
            .skip(index + 1)
            .take_while(|id| {
                id.strip_prefix(step.as_str())
                    .is_some_and(|r| r.starts_with('['))
            })
            .count()
    }

    /// What is done again has not begun; what it made before stays known.
    fn start_round(&mut self, round: u32, steps: &[String], deadline: Timestamp) {
        self.round = Some(round);
        self.state = RunState::Running;
        self.before_finally = None;
        self.cancel_requested = None;
        if let Some(created) = &mut self.created {
            created.deadline = deadline;
        }
        for id in steps {
            let step = self.step(id);
            step.state = StepState::Pending;
            step.started_at = None;
            step.finished_at = None;
            step.ended = None;
            step.answered = None;
            step.seen = None;
            step.trouble = None;
        }
    }

    fn start(&mut self, id: &str, at: Timestamp) {
        let step = self.step(id);
        step.state = StepState::Running;
        step.started_at = Some(step.started_at.unwrap_or(at));
        step.ended = None;
        step.finished_at = None;
        // What is done again is not taken back any more.
        step.undone_by = None;
    }

    fn end(&mut self, ended: &StepEnded, at: Timestamp) {
        let step = self.step(&ended.step);
        step.state = StepState::Ended(ended.outcome);
        step.finished_at = Some(at);
        step.trouble = None;
        step.ended = Some(Box::new(ended.clone()));
        let undone = step.info.undoes.clone();
        if ended.outcome == StepOutcome::Passed
            && let Some(undone) = undone.and_then(|id| self.steps.get_mut(&id))
        {
            undone.undone_by = Some(ended.step.clone());
        }
    }

    fn start_call(&mut self, key: &EffectKey, at: Timestamp) -> &mut CallView {
        let view = self.step(&key.step).call(key.call);
        view.try_of(key.attempt, at);
        // What waited for this try waits no longer.
        for (number, earlier) in &mut view.tries {
            if *number < key.attempt {
                earlier.again_at = None;
            }
        }
        view
    }

    fn retry_call(&mut self, key: &EffectKey, failure: &Failure, at: Timestamp, delay_ms: u64) {
        self.retries += 1;
        let call = self.step(&key.step).call(key.call);
        let tried = call.try_of(key.attempt, at);
        tried.ended_at = Some(tried.ended_at.unwrap_or(at));
        tried.failure = Some(failure.clone());
        tried.again_at = Some(later(at, Duration::from_millis(delay_ms)));
    }

    fn end_call(&mut self, key: &EffectKey, outcome: &Outcome) {
        self.requests = self.requests.saturating_add(u64::from(outcome.requests));
        let call = self.step(&key.step).call(key.call);
        let tried = call.try_of(key.attempt, outcome.started_at);
        tried.started_at = outcome.started_at;
        tried.ended_at = Some(outcome.ended_at);
        match &outcome.result {
            Ok(answer) => {
                tried.failure = None;
                call.keep_ids(answer);
            }
            Err(failure) => tried.failure = Some(failure.clone()),
        }
    }
}
