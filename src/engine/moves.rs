//! How a single step moves: begins, calls, tries again. How it ends stands in `ends.rs`.

use std::time::Duration;

use super::actions::{Cx, Input, Next, reads_the_run, start};
use super::machine::{Machine, millis};
use super::params::{Params, read_duration};
use super::retry::{CallClass, Tries};
use super::seam::{Cmd, Due};
use super::step::{Node, Outstanding, Running, State};
use crate::clock::later;
use crate::event::{EffectKey, Event, Failure, FailureKind};
use crate::outcome::StepOutcome;
use crate::plan::{Located, PlanStep};
use crate::template::{Expression, Scope, TemplateError};

/// The total time of a step when neither it nor its playbook says one.
pub const STEP_TIMEOUT_DEFAULT: Duration = Duration::from_secs(3600);

impl Machine {
    /// Asks `when`: `None` to run, `Some(why)` to skip.
    pub(super) fn condition(&self, index: usize) -> Result<Option<String>, Failure> {
        let Some(when) = self.plan_step(index).and_then(|step| step.when.as_ref()) else {
            return Ok(None);
        };
        let scope = self.scope_of(index);
        match when.value.holds(&scope) {
            Ok(true) => Ok(None),
            Ok(false) => Ok(Some(format!(
                "`when` is false: {}",
                explained(&when.value, &scope)
            ))),
            Err(error) => Err(template_failure(
                "when",
                &error.at(&when.place).to_string(),
                None,
            )),
        }
    }

    /// Begins the work of a step whose needs are met.
    pub(super) fn start_work(&mut self, index: usize) {
        let Some(step) = self.plan_step(index).cloned() else {
            return;
        };
        let scope = self.scope_of(index);
        let because = step
            .when
            .as_ref()
            // It was asked before the items were there.
            .filter(|_| {
                self.nodes
                    .get(index)
                    .is_some_and(|node| node.item.is_none())
            })
            .map(|when| explained(&when.value, &scope));
        self.turn.events.push(Event::StepStarted {
            step: self.id(index),
            because,
        });
        if self.is_fan(index)
            && let Some(for_each) = &step.for_each
        {
            self.start_fan_out(index, for_each);
            return;
        }
        if let Some(used) = &step.used {
            self.start_used(index, &step, used);
            return;
        }
        let begun = Params::resolve(step.action, &step.params, &scope).and_then(|params| {
            let timeout = timeout_of(&step, &scope)?;
            let cx = self.cx_of(index);
            let act = start(step.action.name, &params, &cx)?;
            Ok((act, timeout, params, cx))
        });
        match begun {
            Err(failure) => self.end_step(index, StepOutcome::Failed, Some(failure)),
            Ok((act, timeout, params, cx)) => {
                let mut running = Running::new(act, self.now, cx);
                running.deadline_active_ms =
                    timeout.map_or(u64::MAX, |t| self.now.active_ms.saturating_add(millis(t)));
                running.calls = self.calls_made.get(&self.id(index)).copied().unwrap_or(0);
                running.params = params;
                if let Some(node) = self.nodes.get_mut(index) {
                    node.state = State::Running(Box::new(running));
                }
                self.drive(index, Input::Start);
            }
        }
    }

    /// What the action of a step may know of its surroundings.
    pub(super) fn cx_of(&self, index: usize) -> Cx {
        Cx {
            salt: self.salt(),
            step: self.id(index),
            mark: self.run.mark,
            round: 0,
            red: match self.plan_step(index) {
                Some(step) if reads_the_run(step.action.name) => self.red_pipelines(),
                Some(_) | None => Vec::new(),
            },
        }
    }

    /// Does what an action wants next.
    pub(super) fn carry_on(&mut self, index: usize, next: Next) {
        match next {
            Next::Done => self.done(index),
            Next::Fail(failure) => self.ended_badly(index, failure),
            Next::Call(call) => {
                let id = self.id(index);
                let now = self.now.active_ms;
                let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
                    return;
                };
                if CallClass::of(&call).writes() && now >= running.deadline_active_ms {
                    // A step whose time is over changes nothing any more.
                    let late = self.out_of_time(index, None);
                    self.end_failed(index, late);
                    return;
                }
                running.calls += 1;
                running.attempts += 1;
                let key = EffectKey {
                    step: id,
                    call: running.calls,
                    attempt: 1,
                };
                running.outstanding = Outstanding::Call {
                    key: key.clone(),
                    call: call.clone(),
                    tries: Tries::default(),
                };
                self.command_call(index, &key, &call);
            }
            Next::Ask(message) => self.ask(index, message),
            Next::Sleep(duration) => {
                let Some((timer, cut)) = self.set_timer(index, duration) else {
                    return;
                };
                if let Some(running) = self.nodes.get_mut(index).and_then(Node::running) {
                    running.outstanding = Outstanding::Sleep { timer, cut };
                }
            }
        }
    }

    /// Sets a timer of a step, and says whether the step's own time is over before.
    pub(super) fn set_timer(&mut self, index: usize, duration: Duration) -> Option<(String, bool)> {
        let now = self.now;
        let id = self.id(index);
        let running = self.nodes.get_mut(index).and_then(Node::running)?;
        running.calls += 1;
        let timer = format!("sleep:{id}#{}", running.calls);
        let cut = now.active_ms.saturating_add(millis(duration)) > running.deadline_active_ms;
        let due = if cut {
            Due::Active(running.deadline_active_ms)
        } else {
            Due::Wall(later(now.wall, duration))
        };
        self.turn.commands.push(Cmd::Timer {
            key: timer.clone(),
            due,
        });
        Some((timer, cut))
    }

    /// The timer of a step fired.
    pub(super) fn woken(&mut self, index: usize) {
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        match std::mem::replace(&mut running.outstanding, Outstanding::Nothing) {
            Outstanding::Sleep { cut: false, .. } => self.drive(index, Input::Slept),
            Outstanding::Sleep { cut: true, .. } => {
                let failure = self.out_of_time(index, None);
                self.end_failed(index, failure);
            }
            Outstanding::Poll { cut: false, .. } => self.ask_again(index),
            Outstanding::Person { .. } => {
                let failure = self.out_of_time(index, None);
                self.end_failed(index, failure);
            }
            Outstanding::Parts { .. } => self.parts_out_of_time(index),
            Outstanding::Poll { unmet, .. } => {
                let last = Failure::new(FailureKind::Deadline, unmet);
                let failure = self.out_of_time(index, Some(&last));
                self.end_failed(index, failure);
            }
            Outstanding::Backoff {
                key, call, tries, ..
            } => self.call_again(index, &key, call, tries),
            other @ (Outstanding::Call { .. }
            | Outstanding::Stalled { .. }
            | Outstanding::Nothing) => {
                running.outstanding = other;
            }
        }
    }

    pub(super) fn id(&self, index: usize) -> String {
        self.nodes
            .get(index)
            .map(|node| node.id.clone())
            .unwrap_or_default()
    }
}

/// The total time of a step; none means the rest of the run.
pub(super) fn timeout_of(step: &PlanStep, scope: &Scope) -> Result<Option<Duration>, Failure> {
    if let Some(timeout) = &step.timeout {
        let value = timeout.value.render(scope).map_err(|error| {
            template_failure("timeout", &error.to_string(), error.error.hint.clone())
        })?;
        if let Some(value) = value {
            let read = read_duration(&value);
            return read.map(Some).ok_or_else(|| {
                Failure::new(
                    FailureKind::Parameter,
                    format!(
                        "{}: `timeout` came out as {value}, which is no duration",
                        timeout.value.place
                    ),
                )
            });
        }
    }
    if matches!(step.action.name, "sleep" | "approve" | "use") {
        return Ok(None);
    }
    Ok(Some(step.default_timeout.unwrap_or(STEP_TIMEOUT_DEFAULT)))
}

/// The first of some expressions that does not hold, in words.
pub(super) fn unmet(
    expressions: &[Located<Expression>],
    key: &str,
    scope: &Scope,
) -> Result<Option<String>, Failure> {
    for expression in expressions {
        match expression.value.holds(scope) {
            Ok(true) => {}
            Ok(false) => {
                let explained = explained(&expression.value, scope);
                return Ok(Some(format!("`{key}` does not hold: {explained}")));
            }
            Err(error) => return Err(located(key, error, &expression.place)),
        }
    }
    Ok(None)
}

/// An expression with the values that made it come out so.
fn explained(expression: &Expression, scope: &Scope) -> String {
    let values: Vec<String> = expression
        .explain(scope)
        .into_iter()
        .map(|(name, value)| {
            format!(
                "`{name}` is {}",
                crate::text::clean_line(&value.to_string(), 80)
            )
        })
        .collect();
    if values.is_empty() {
        format!("`{}`", expression.source())
    } else {
        format!("`{}`, where {}", expression.source(), values.join(", "))
    }
}

pub(super) fn located(
    key: &str,
    error: TemplateError,
    place: &crate::diagnostic::Place,
) -> Failure {
    let hint = error.hint.clone();
    template_failure(key, &error.at(place).to_string(), hint)
}

fn template_failure(key: &str, words: &str, hint: Option<String>) -> Failure {
    let mut failure = Failure::new(FailureKind::Template, format!("{words} (in `{key}`)"));
    failure.hint = hint;
    failure
}
