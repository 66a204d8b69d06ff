//! What a canceled run does about the pipelines that it started: they are told to stop, and for a moment
//! it is waited until they have.
//!
//! Only what this run made counts, by the answers to its own writes: never a pipeline that it joined or
//! only waited for. What does not stop within the grace is named in a warning.

use std::time::Duration;

use serde_json::Value;

use super::call::Call;
use super::ending::Stop;
use super::machine::{Machine, Stage, millis};
use super::record::text;
use super::retry::CallClass;
use super::seam::{Cmd, Due};
use crate::event::{EffectKey, Event, Failure, FailureKind, Fate, Outcome};

/// How long it is waited until what was told to stop has stopped.
const GRACE: Duration = Duration::from_secs(20);
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);
const GRACE_TIMER: &str = "stop-grace";

/// Something on Semaphore that this run made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Started {
    /// The step that made it.
    step: String,
    made: Made,
    done: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Made {
    Pipeline(String),
    /// A workflow whose first pipeline is not known.
    Workflow(String),
}

impl std::fmt::Display for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pipeline(id) => write!(f, "pipeline `{id}`"),
            Self::Workflow(id) => write!(f, "workflow `{id}`"),
        }
    }
}

/// A stop that is being carried out.
#[derive(Debug)]
pub(super) struct Stopping {
    step: String,
    /// What is stopped; none while the pipeline of a promotion is looked for.
    made: Option<Made>,
    /// The call, or the timer until it is asked again; none when there is nothing more to do.
    outstanding: Option<String>,
    key: EffectKey,
    call: Call,
    /// The grace is over: only the answer to the request that is under way is still waited for.
    over: bool,
}

impl Machine {
    /// Takes note of what a call made, and of what has ended.
    pub(super) fn note_started(&mut self, step: &str, call: &Call, value: &Value) {
        let (pipeline, workflow) = (text(value, "pipeline_id"), text(value, "workflow_id"));
        let made = if !pipeline.is_empty() {
            Some(Made::Pipeline(pipeline.to_owned()))
        } else if !workflow.is_empty() {
            Some(Made::Workflow(workflow.to_owned()))
        } else {
            None
        };
        let ours = match call {
            Call::TriggerPromotion { .. } => {
                self.triggered.insert(step.to_owned());
                return;
            }
            Call::AwaitPipeline { pipeline_id, .. } => {
                self.ended_there(pipeline_id);
                return;
            }
            Call::AwaitPromotion { .. } => {
                self.sought.remove(step);
                self.triggered.contains(step)
            }
            Call::Adopt { .. } => true,
            call => matches!(CallClass::of(call), CallClass::Blind | CallClass::Token),
        };
        if let Some(made) = made.filter(|_| ours)
            && !self.started.iter().any(|started| started.made == made)
        {
            self.started.push(Started {
                step: step.to_owned(),
                made,
                done: false,
            });
        }
    }

    /// A promotion whose answer was lost counts as one that arrived, until nothing is found of it.
    pub(super) fn note_maybe_triggered(&mut self, step: &str, call: &Call) {
        if matches!(call, Call::TriggerPromotion { .. }) {
            self.triggered.insert(step.to_owned());
        }
    }

    /// A promotion that may have arrived, and whose pipeline is still looked for.
    pub(super) fn note_sought(&mut self, step: &str, call: &Call) {
        if matches!(call, Call::AwaitPromotion { .. }) && self.triggered.contains(step) {
            self.sought.insert(step.to_owned(), call.clone());
        }
    }

    fn ended_there(&mut self, pipeline_id: &str) {
        for started in &mut self.started {
            if matches!(&started.made, Made::Pipeline(id) if id == pipeline_id) {
                started.done = true;
            }
        }
    }

    /// Begins to stop what this run started, when it was canceled; says whether there is anything to do.
    pub(super) fn begin_stopping(&mut self) -> bool {
        if !matches!(self.root.stop, Some(Stop::Canceled { .. })) {
            return false;
        }
        let sought: Vec<(String, Call)> = std::mem::take(&mut self.sought).into_iter().collect();
        let running: Vec<Started> = self.started.iter().filter(|s| !s.done).cloned().collect();
        if sought.is_empty() && running.is_empty() {
            return false;
        }
        self.stage = Stage::Stopping;
        self.turn.commands.push(Cmd::Timer {
            key: GRACE_TIMER.to_owned(),
            due: Due::Active(self.now.active_ms.saturating_add(millis(GRACE))),
        });
        for (step, call) in sought {
            self.stop_with(step, None, call);
        }
        for started in running {
            let call = match &started.made {
                Made::Pipeline(id) => Call::StopPipeline {
                    pipeline_id: id.clone(),
                },
                Made::Workflow(id) => Call::StopWorkflow {
                    workflow_id: id.clone(),
                },
            };
            self.stop_with(started.step, Some(started.made), call);
        }
        true
    }

    fn stop_with(&mut self, step: String, made: Option<Made>, call: Call) {
        let key = self.next_key(&step);
        self.command_call_of(
            &key,
            &call,
            self.now.active_ms.saturating_add(millis(GRACE)),
        );
        self.stopping.push(Stopping {
            step,
            made,
            outstanding: Some(key.to_string()),
            key,
            call,
            over: false,
        });
    }

    /// The next number of a call of a step that has ended.
    fn next_key(&mut self, step: &str) -> EffectKey {
        let calls = self.calls_made.entry(step.to_owned()).or_insert(0);
        *calls += 1;
        EffectKey {
            step: step.to_owned(),
            call: *calls,
            attempt: 1,
        }
    }

    /// A call of the stopping ended.
    pub(super) fn stop_call_ended(&mut self, key: &EffectKey, outcome: &Outcome) {
        let name = key.to_string();
        let found = self
            .stopping
            .iter()
            .position(|s| s.outstanding.as_deref() == Some(&name));
        let Some(mut item) = found.map(|at| self.stopping.remove(at)) else {
            return;
        };
        match (&outcome.result, &item.call) {
            (Ok(_) | Err(_), call) if item.over && !matches!(call, Call::StopWorkflow { .. }) => {
                self.not_stopped(&item, &grace_over());
            }
            (Ok(answer), Call::AwaitPromotion { .. }) => {
                let pipeline_id = text(&answer.value, "pipeline_id").to_owned();
                if !pipeline_id.is_empty() {
                    let made = Made::Pipeline(pipeline_id.clone());
                    let call = Call::StopPipeline { pipeline_id };
                    self.stop_with(item.step, Some(made), call);
                }
            }
            (Ok(_), Call::StopPipeline { pipeline_id }) => {
                let call = Call::AwaitPipeline {
                    pipeline_id: pipeline_id.clone(),
                    follow: false,
                };
                self.stop_with(item.step, item.made, call);
            }
            (Ok(_), _) => self.stopped(item.made.as_ref()),
            (Err(failure), Call::StopPipeline { .. } | Call::StopWorkflow { .. })
                if passes(failure) && !item.over =>
            {
                let timer = format!("stopping {key}");
                self.turn.commands.push(Cmd::Timer {
                    key: timer.clone(),
                    due: Due::Active(self.now.active_ms.saturating_add(millis(ASK_AGAIN_AFTER))),
                });
                item.outstanding = Some(timer);
                self.stopping.push(item);
            }
            (Err(failure), _) => self.not_stopped(&item, &failure.message),
        }
    }

    /// A timer of the stopping fired.
    pub(super) fn stop_timer_fired(&mut self, timer: &str) {
        if timer == GRACE_TIMER {
            for mut item in std::mem::take(&mut self.stopping) {
                let asking = matches!(item.outstanding.as_deref(), Some(key) if key == item.key.to_string())
                    && CallClass::of(&item.call).writes();
                // A write that is under way is never dropped: its own deadline ends it, with an outcome.
                if asking {
                    item.over = true;
                    self.stopping.push(item);
                    continue;
                }
                if let Some(key) = item.outstanding.clone() {
                    self.turn.commands.push(Cmd::Drop { key });
                }
                self.not_stopped(&item, &grace_over());
            }
            return;
        }
        let found = self
            .stopping
            .iter()
            .position(|s| s.outstanding.as_deref() == Some(timer));
        let Some(mut item) = found.map(|at| self.stopping.remove(at)) else {
            return;
        };
        item.key.attempt += 1;
        item.outstanding = Some(item.key.to_string());
        let until = self.now.active_ms.saturating_add(millis(GRACE));
        self.command_call_of(&item.key, &item.call, until);
        self.stopping.push(item);
    }

    fn stopped(&mut self, made: Option<&Made>) {
        if let Some(Made::Pipeline(id)) = made {
            let id = id.clone();
            self.ended_there(&id);
        }
    }

    fn not_stopped(&mut self, item: &Stopping, why: &str) {
        let message = match &item.made {
            Some(made) => format!("the {made} was not seen to stop: {why}"),
            None => format!("what the promotion started was not found, and not stopped: {why}"),
        };
        self.turn.events.push(Event::Warned {
            step: Some(item.step.clone()),
            message,
        });
    }

    /// Nothing is left to be stopped.
    pub(super) fn end_stopping(&mut self) {
        self.turn.commands.push(Cmd::Drop {
            key: GRACE_TIMER.to_owned(),
        });
    }
}

fn grace_over() -> String {
    format!("it has not stopped after {}", crate::duration::show(GRACE))
}

/// Whether asking again may help.
fn passes(failure: &Failure) -> bool {
    failure.fate != Fate::NotDone
        || matches!(
            failure.kind,
            FailureKind::RateLimited
                | FailureKind::Server
                | FailureKind::AuthOutage
                | FailureKind::Timeout
                | FailureKind::Network
        )
}
