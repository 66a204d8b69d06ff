//! The fold: from events to what is known of a run.
//!
//! Total on purpose: a journal that was cut, a step nobody announced, an end without a beginning all
//! give a view that says as much as is known. It keeps no answers of calls, only what people look at,
//! so its size goes with the number of steps and tries, not with the size of answers.

use std::time::Duration;

use jiff::Timestamp;

use super::view::{CallView, Park, RunState, RunView, StepState, StepView, TryView};
use crate::clock::{Moment, later, millis_between};
use crate::event::{
    Answer, EffectKey, Event, Failure, Observation, Outcome, Recorded, RunCreated, Seen, StepEnded,
    StepInfo,
};
use crate::outcome::StepOutcome;

/// Ids are short; a longer text under such a key is something else.
const ID_CHARACTERS_MAX: usize = 64;
/// The clocks may differ by less than this without anybody having stopped.
const PARK_MS_MIN: u64 = 1_000;

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
        self.note_park(recorded.at);
        self.last = Some(recorded.at);
        let at = recorded.at.wall;
        match &recorded.event {
            Event::RunCreated(created) => self.create(created, at),
            Event::StepAdded(info) => self.add(info),
            Event::StepStarted { step, because } => self.start(step, because.as_deref(), at),
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
            Event::Resolved { .. } | Event::RoundRequested { .. } | Event::PlanChanged { .. } => {}
            Event::GroupTaken { group } => self.group = Some((group.clone(), None)),
            Event::GroupBusy { group, by } => self.group = Some((group.clone(), Some(by.clone()))),
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
                let before = step.seen.replace(observation.clone());
                if let (Some(before), Some(seen)) = (before, &mut step.seen) {
                    keep_details(before.seen, &mut seen.seen);
                }
            }
        }
    }

    /// The wall clock went on while the run was not worked on: it was parked, had ended, or its runner
    /// was killed and had no time to say so.
    fn note_park(&mut self, now: Moment) {
        let Some(last) = self.last else { return };
        let passed = millis_between(last.wall, now.wall);
        let idle_ms = passed.saturating_sub(now.active_ms.saturating_sub(last.active_ms));
        if idle_ms >= PARK_MS_MIN {
            self.parks.push(Park {
                from: last.wall,
                until: later(last.wall, Duration::from_millis(idle_ms)),
            });
        }
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
                parent: None,
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
        // Parts stand behind their step, in the order in which they came; an undo stands behind its step.
        let part = info.parent.as_ref();
        let part = part
            .and_then(|step| self.steps.get_index_of(step))
            .map(|index| index + 1 + self.parts_behind(index));
        let undo = info.undoes.as_ref();
        let undo = undo.and_then(|step| self.steps.get_index_of(step));
        let at = undo.map(|index| index + 1).or(part);
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

    /// How many steps behind one are parts of it, or parts of its parts.
    fn parts_behind(&self, index: usize) -> usize {
        let Some((step, _)) = self.steps.get_index(index) else {
            return 0;
        };
        let parts = self.steps.iter().skip(index + 1);
        parts
            .take_while(|(_, part)| self.is_within(part, step))
            .count()
    }

    fn is_within(&self, part: &StepView, step: &str) -> bool {
        let mut above = part.info.parent.as_deref().or(part.info.undoes.as_deref());
        // A damaged journal may hold a circle: no step stands deeper than there are steps.
        for _ in 0..=self.steps.len() {
            match above {
                Some(found) if found == step => return true,
                Some(found) => {
                    above = self
                        .steps
                        .get(found)
                        .and_then(|step| step.info.parent.as_deref());
                }
                None => return false,
            }
        }
        false
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
            step.because = None;
            step.answered = None;
            step.seen = None;
            step.trouble = None;
        }
    }

    fn start(&mut self, id: &str, because: Option<&str>, at: Timestamp) {
        let step = self.step(id);
        step.because = because.map(str::to_owned).or(step.because.take());
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

/// What was seen from afar, in a list, has no blocks and jobs: those of the last close look are still true
/// enough.
fn keep_details(before: Seen, now: &mut Seen) {
    if let (
        Seen::Pipeline {
            pipeline_id: known,
            blocks: known_blocks,
            failed_jobs: known_jobs,
            ..
        },
        Seen::Pipeline {
            pipeline_id,
            blocks,
            failed_jobs,
            ..
        },
    ) = (before, now)
        && known == *pipeline_id
        && blocks.is_none()
    {
        *blocks = known_blocks;
        if failed_jobs.is_empty() {
            *failed_jobs = known_jobs;
        }
    }
}

impl StepView {
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
        if let Some(pipeline) = fields.get("pipeline") {
            let millis = |name| Some(millis(pipeline.get(name)?.as_f64()?));
            self.pipeline = millis("queued_for").zip(millis("ran_for"));
        }
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

/// Seconds of the API in milliseconds; what is no time is none.
fn millis(seconds: f64) -> u64 {
    Duration::try_from_secs_f64(seconds).map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    })
}
