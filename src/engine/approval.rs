//! A step that waits for a person: it asks, and takes the answer whenever that came.
//!
//! An answer may come before the step asks (somebody said yes in advance), while it waits, or while nobody
//! works on the run. It is a fact like any other, so a resumed run knows it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::json;

use super::actions::Input;
use super::machine::Machine;
use super::seam::{Cmd, Due};
use super::step::{Node, Outstanding};
use crate::event::{Answer, Event};

/// What a person said.
#[derive(Debug, Clone, PartialEq)]
struct Said {
    approved: bool,
    by: String,
    at: Timestamp,
}

/// Answers to steps that have not asked yet, by step. Who changes their mind before it counts, may.
#[derive(Debug, Default)]
pub(super) struct Answers(BTreeMap<String, Said>);

impl Machine {
    /// Lets a step wait for a person's answer, or go on with the one that is there.
    pub(super) fn ask(&mut self, index: usize, message: String) {
        let id = self.id(index);
        self.turn.events.push(Event::Asked {
            step: id.clone(),
            message,
        });
        if let Some(said) = self.answers.0.remove(&id) {
            self.take_answer(index, &said);
            return;
        }
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        running.calls += 1;
        let timer = (running.deadline_active_ms < u64::MAX)
            .then(|| format!("answer:{id}#{}", running.calls));
        if let Some(key) = &timer {
            self.turn.commands.push(Cmd::Timer {
                key: key.clone(),
                due: Due::Active(running.deadline_active_ms),
            });
        }
        running.outstanding = Outstanding::Person { timer };
    }

    /// Somebody answered.
    pub(super) fn answered(&mut self, step: String, approved: bool, by: String) {
        let said = Said {
            approved,
            by,
            at: self.now.wall,
        };
        let index = self.nodes.iter().position(|node| node.id == step);
        let waiting = index.and_then(|index| {
            let running = self.nodes.get_mut(index)?.running()?;
            let Outstanding::Person { timer } = &running.outstanding else {
                return None;
            };
            let timer = timer.clone();
            running.outstanding = Outstanding::Nothing;
            Some((index, timer))
        });
        match waiting {
            Some((index, timer)) => {
                self.turn
                    .commands
                    .extend(timer.map(|key| Cmd::Drop { key }));
                self.take_answer(index, &said);
            }
            // Its time has not come, or it is over: then nobody asks for it any more.
            None => {
                self.answers.0.insert(step, said);
            }
        }
    }

    fn take_answer(&mut self, index: usize, said: &Said) {
        let answer = Answer {
            value: json!({
                "approved": said.approved, "by": said.by, "at": said.at.to_string(),
            }),
            ..Answer::default()
        };
        self.drive(index, Input::Answer(&answer));
    }
}
