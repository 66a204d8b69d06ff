//! How a step calls, and what becomes of it: the action goes on, the call is tried again, or the step ends.

use std::time::Duration;

use super::actions::{Input, Next};
use super::call::Call;
use super::machine::{Machine, millis};
use super::retry::{CallClass, Situation, Tries, Verdict, decide};
use super::seam::{Cmd, Due};
use super::step::{Node, Outstanding};
use crate::event::{Answer, EffectKey, Event, Failure, FailureKind, Fate, Outcome};

/// An id that Semaphore has just given may not be found everywhere for a moment.
const FRESH_FOR: Duration = Duration::from_secs(30);

impl Machine {
    pub(super) fn command_call(&mut self, index: usize, key: &EffectKey, call: &Call) {
        let deadline = self
            .nodes
            .get_mut(index)
            .and_then(Node::running)
            .map(|r| r.deadline_active_ms);
        self.command_call_of(key, call, deadline.unwrap_or(u64::MAX));
    }

    pub(super) fn command_call_of(
        &mut self,
        key: &EffectKey,
        call: &Call,
        deadline_active_ms: u64,
    ) {
        self.turn.events.push(Event::CallStarted {
            key: key.clone(),
            call: call.word().to_owned(),
            about: call.about(),
            writes: CallClass::of(call).writes(),
        });
        self.turn.commands.push(Cmd::Call {
            key: key.clone(),
            call: call.clone(),
            deadline_active_ms,
        });
    }

    /// Tries a call once more, under the next attempt of its key.
    pub(super) fn call_again(&mut self, index: usize, key: &EffectKey, call: Call, tries: Tries) {
        let key = EffectKey {
            attempt: key.attempt + 1,
            ..key.clone()
        };
        if let Some(running) = self.nodes.get_mut(index).and_then(Node::running) {
            running.attempts += 1;
            running.outstanding = Outstanding::Call {
                key: key.clone(),
                call: call.clone(),
                tries,
            };
        }
        self.command_call(index, &key, &call);
    }

    /// A call ended: its action goes on, or it is tried again, or the step ends.
    pub(super) fn call_ended(&mut self, index: usize, key: &EffectKey, outcome: &Outcome) {
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        let (call, tries) = match &running.outstanding {
            Outstanding::Call {
                key: wanted,
                call,
                tries,
            } if wanted == key => (call.clone(), tries.clone()),
            // Late: the step has moved on without it.
            _ => return,
        };
        let giving_up = running.giving_up.take();
        running.outstanding = Outstanding::Nothing;
        if matches!(call, Call::Triage(_)) {
            return self.looked_into(index, outcome);
        }
        let class = CallClass::of(&call);
        running.wrote |= class.writes() && may_have_happened(outcome);
        match &outcome.result {
            Ok(_) => running.doubt = None,
            // Nobody can look elsewhere for what happened: such a step fails, and says so.
            Err(failure)
                if class.writes()
                    && (failure.fate == Fate::Unknown || outcome.repeated)
                    && !failure.elsewhere =>
            {
                running.doubt = Some(failure.clone().fate(Fate::Unknown));
            }
            Err(_) => {}
        }
        match &outcome.result {
            Ok(answer) => {
                self.meet(&call);
                self.remember_ids(&call, &answer.value);
                self.note_limits(&key.step, answer);
                self.note_started(&key.step, &call, &answer.value);
                let next = match self.nodes.get_mut(index).and_then(Node::running) {
                    Some(running) => running.act.next(Input::Answer(answer)),
                    None => return,
                };
                match giving_up {
                    // The action has taken note of what the write made; it goes no further.
                    Some(failure) => {
                        if let Next::Call(call) = &next {
                            self.note_sought(&key.step, call);
                        }
                        self.end_given_up(index, failure);
                    }
                    None => self.carry_on(index, next),
                }
            }
            Err(failure) => {
                if failure.status.is_some() {
                    self.meet(&call);
                }
                let mut failure = failure.clone();
                if !class.writes() && failure.fate == Fate::Unknown {
                    failure.fate = Fate::NotDone;
                }
                if (failure.fate == Fate::Unknown || outcome.repeated) && !failure.elsewhere {
                    self.note_lost(index, key, &call);
                    self.note_maybe_triggered(&key.step, &call);
                }
                match giving_up {
                    Some(first) => self.end_given_up(index, first),
                    None => self.call_failed(index, (key, call, tries), failure),
                }
            }
        }
    }

    /// Tells of the limits that bit while a call was carried out.
    pub(super) fn note_limits(&mut self, step: &str, answer: &Answer) {
        for (limit, message) in &answer.limits {
            self.turn.events.push(Event::LimitHit {
                step: Some(step.to_owned()),
                limit: limit.clone(),
                message: message.clone(),
            });
        }
    }

    fn call_failed(
        &mut self,
        index: usize,
        (key, call, mut tries): (&EffectKey, Call, Tries),
        failure: Failure,
    ) {
        let Some(step) = self.plan_step(index) else {
            return;
        };
        let seed = [self.run.salt.as_str(), key.step.as_str()];
        let fresh = call.subject().and_then(|id| self.handed_out.get(id));
        let situation = Situation {
            class: CallClass::of(&call),
            policy: &step.retry,
            budget: self.run.budget,
            contacted: self.has_met(&call),
            fresh_id: fresh
                .is_some_and(|since| self.now.active_ms.saturating_sub(*since) < millis(FRESH_FOR)),
            now_active_ms: self.now.active_ms,
            seed: &seed,
        };
        match decide(&failure, &mut tries, &situation) {
            Verdict::GiveUp if matches!(call, Call::Adopt { .. }) => {
                self.adoption_failed(index, &failure);
            }
            Verdict::GiveUp => self.call_given_up(index, &call, failure),
            Verdict::Park => {
                if let Some(running) = self.nodes.get_mut(index).and_then(Node::running) {
                    running.outstanding = Outstanding::Stalled {
                        key: key.clone(),
                        call,
                    };
                }
                self.turn.commands.push(Cmd::Park { failure });
            }
            Verdict::Again(delay) => {
                let due = self.now.active_ms.saturating_add(millis(delay));
                let timer = format!("retry:{key}");
                match self.nodes.get_mut(index).and_then(Node::running) {
                    Some(running) if due < running.deadline_active_ms => {
                        running.outstanding = Outstanding::Backoff {
                            timer: timer.clone(),
                            key: key.clone(),
                            call,
                            tries,
                        };
                        self.turn.events.push(Event::CallRetried {
                            key: key.clone(),
                            failure,
                            delay_ms: millis(delay),
                        });
                        self.turn.commands.push(Cmd::Timer {
                            key: timer,
                            due: Due::Active(due),
                        });
                    }
                    _ => {
                        let late = self.out_of_time(index, Some(&failure));
                        self.end_failed(index, late);
                    }
                }
            }
        }
    }

    /// A call has failed for good: its action says what that means.
    fn call_given_up(&mut self, index: usize, call: &Call, mut failure: Failure) {
        let now = self.now.active_ms;
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        let in_doubt = running.doubt.is_some();
        if in_doubt && CallClass::of(call).writes() {
            // The last try was refused, but one before it may have arrived.
            failure.fate = Fate::Unknown;
        } else if in_doubt
            && failure.kind == FailureKind::Deadline
            && now >= running.deadline_active_ms
        {
            // It was looked for, but not for long enough to say that it is not there.
            let late = self.out_of_time(index, Some(&failure));
            self.end_failed(index, late);
            return;
        }
        self.drive(index, Input::Failure(&failure));
    }

    /// Notes that the server of a call has answered.
    fn meet(&mut self, call: &Call) {
        match call.elsewhere() {
            None => self.contacted = true,
            Some(server) => {
                self.met.insert(server);
            }
        }
    }

    /// Whether the server of a call has ever answered.
    fn has_met(&self, call: &Call) -> bool {
        call.elsewhere()
            .map_or(self.contacted, |server| self.met.contains(&server))
    }

    /// Notes the ids that a write was given, for a moment in which they may not be found everywhere.
    fn remember_ids(&mut self, call: &Call, value: &serde_json::Value) {
        if !CallClass::of(call).writes() && !matches!(call, Call::AwaitPromotion { .. }) {
            return;
        }
        for name in ["workflow_id", "pipeline_id"] {
            if let Some(id) = value.get(name).and_then(serde_json::Value::as_str) {
                self.handed_out.insert(id.to_owned(), self.now.active_ms);
            }
        }
    }
}

/// Whether what a call asked for happened, or may have.
fn may_have_happened(outcome: &Outcome) -> bool {
    match &outcome.result {
        Ok(_) => true,
        Err(failure) => failure.fate == Fate::Unknown || outcome.repeated,
    }
}
