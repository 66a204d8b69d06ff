//! The concurrency group: nothing of a run begins before the run holds it.
//!
//! Who holds a group is asked outside; what is made of the answer is decided here: wait, end as failed,
//! or end without having done anything.

use super::ending::Stop;
use super::frame::ROOT;
use super::machine::{Machine, Stage};
use super::scope::Shared;
use super::seam::Cmd;
use crate::event::Event;
use crate::plan::{OnConflict, Phase, Plan};
use crate::template::LocatedError;

/// The name of the group of a plan, filled in; none when the plan has none.
pub(super) fn of(plan: &Plan, shared: &Shared) -> Result<Option<String>, LocatedError> {
    let Some(concurrency) = &plan.concurrency else {
        return Ok(None);
    };
    let value = concurrency.group.render(&shared.scope())?;
    Ok(value.map(|value| match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }))
}

impl Machine {
    /// The concurrency group that whoever works on the run must hold, and whether to wait for it.
    pub fn group(&self) -> Option<(&str, bool)> {
        let waits = self.on_conflict() == OnConflict::Wait;
        self.group.as_deref().map(|group| (group, waits))
    }

    fn on_conflict(&self) -> OnConflict {
        let concurrency = self.root.plan.concurrency.as_ref();
        concurrency.map_or(OnConflict::Wait, |concurrency| concurrency.on_conflict)
    }

    /// Asks for the group, or begins when there is none.
    pub(super) fn begin_main(&mut self) {
        match self.group.clone() {
            Some(group) => {
                self.stage = Stage::Gate;
                self.turn.commands.push(Cmd::Acquire { group });
            }
            None => self.pass_gate(),
        }
    }

    /// The steps have their turn from here on.
    pub(super) fn pass_gate(&mut self) {
        self.stage = Stage::Main;
        self.add_steps(ROOT, Phase::Main);
    }

    pub(super) fn group_taken(&mut self) {
        if self.stage == Stage::Gate {
            self.pass_gate();
        }
    }

    pub(super) fn group_busy(&mut self, group: &str, by: &str) {
        if self.stage != Stage::Gate {
            return;
        }
        let held = format!("the concurrency group `{group}` is held by {by}");
        let skipped = match self.on_conflict() {
            OnConflict::Wait => {
                self.turn.events.push(Event::Warned {
                    step: None,
                    message: format!("waiting: {held}"),
                });
                return;
            }
            OnConflict::Fail => false,
            OnConflict::Skip => {
                self.turn.events.push(Event::Warned {
                    step: None,
                    message: format!("nothing was done: {held}"),
                });
                true
            }
        };
        let stop = Stop::Busy { held, skipped };
        self.root.stop = Some(stop.clone());
        // Nothing was done that `finally` would have to tell of or to take back.
        self.root.finally_stop = Some(stop);
        self.leave_gate();
    }

    /// Goes on without the group, for the run is to end.
    pub(super) fn leave_gate(&mut self) {
        if self.stage == Stage::Gate {
            self.turn.commands.push(Cmd::Drop {
                key: GROUP.to_owned(),
            });
            self.pass_gate();
        }
    }
}

/// The key under which a driver knows that a group is wanted.
pub const GROUP: &str = "group";
