//! Going on with another plan: what has ended and what is at work stays, the rest is as the new plan says.
//!
//! Which changes are allowed is decided before ([`Machine::refuse`]); a change that was accepted is a fact of
//! the run and is replayed like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::machine::{Machine, Stage, step_info};
use super::step::{Node, State};
use crate::event::{Event, StepEnded};
use crate::outcome::StepOutcome;
use crate::plan::{Changes, Phase, Plan, changes};

impl Machine {
    /// Makes a plan known that the run went on with, or is to go on with.
    pub fn learn(&mut self, plan: Arc<Plan>) {
        self.plans.insert(plan.digest.clone(), plan);
    }

    /// The identity of the plan that the run is at.
    pub fn plan_digest(&self) -> &str {
        &self.plan.digest
    }

    /// Why the run cannot go on with another plan, by what has changed; empty when it can. `failed` says
    /// that what did not pass will be done again.
    pub fn refuse(&self, new: &Plan, failed: bool) -> Vec<String> {
        let Changes {
            whole,
            changed,
            added,
            removed,
        } = changes(&self.plan, new);
        let mut found: Vec<String> = whole
            .iter()
            .map(|key| format!("`{key}` was fixed when the run began"))
            .collect();
        if !matches!(self.stage, Stage::Gate | Stage::Main | Stage::Ended) {
            found.push("the run is taken back, or is at its `finally` already".to_owned());
        }
        for id in changed.iter().chain(&removed) {
            if let Some(why) = self.fixed(id, failed) {
                found.push(format!("`{id}` {why}"));
            }
        }
        for step in new
            .steps
            .iter()
            .filter(|step| changed.contains(&step.id) || added.contains(&step.id))
        {
            let by_undo = step.undo.iter().flat_map(|undo| &undo.reads);
            let unread = step.reads.iter().chain(by_undo).find_map(|read| {
                let read = new.steps.get(*read)?;
                let index = self.nodes.iter().position(|node| node.id == read.id)?;
                let ended = self.nodes.get(index)?.ended().is_some();
                (ended && !self.is_read(index)).then_some(&read.id)
            });
            if let Some(read) = unread {
                let id = &step.id;
                found.push(format!(
                    "`{id}` reads `{read}`, which has ended and which nothing read before"
                ));
            }
        }
        found
    }

    /// Why a step cannot change any more.
    fn fixed(&self, id: &str, failed: bool) -> Option<String> {
        let node = self.nodes.iter().find(|node| node.id == id)?;
        let phase = self.plan.steps.get(node.step).map(|step| step.phase);
        match &node.state {
            State::Waiting => None,
            State::Running(_) => Some("is at work".to_owned()),
            State::Ended(_) if self.stage == Stage::Ended && phase == Some(Phase::Finally) => None,
            State::Ended(ended) => match ended.told.outcome {
                StepOutcome::Passed | StepOutcome::Skipped => {
                    Some(format!("has {} already", ended.told.outcome))
                }
                StepOutcome::Unknown => Some("is unknown: settle it first".to_owned()),
                StepOutcome::Failed if self.stage == Stage::Ended && failed => None,
                StepOutcome::Blocked | StepOutcome::Canceled if self.stage == Stage::Ended => None,
                outcome => Some(format!("has ended as {outcome}")),
            },
        }
    }

    /// Goes on with another plan.
    pub(super) fn change_plan(&mut self, digest: &str) {
        let Some(new) = self.plans.get(digest).cloned() else {
            return;
        };
        if self.stage == Stage::Ended {
            self.drop_finally();
        }
        let mut before: BTreeMap<String, Node> = std::mem::take(&mut self.nodes)
            .into_iter()
            .map(|node| (node.id.clone(), node))
            .collect();
        let old_ids: Vec<String> = self.plan.steps.iter().map(|step| step.id.clone()).collect();
        let begun = self.stage != Stage::Gate;
        for (index, step) in new.steps.iter().enumerate() {
            if !old_ids.contains(&step.id) {
                self.turn
                    .events
                    .push(Event::StepAdded(step_info(step, &new)));
            }
            if begun && step.phase == Phase::Main {
                let state = before
                    .remove(&step.id)
                    .map_or(State::Waiting, |node| node.state);
                self.nodes.push(Node {
                    step: index,
                    id: step.id.clone(),
                    undoes: None,
                    state,
                });
            }
        }
        for id in old_ids {
            if !new.steps.iter().any(|step| step.id == id) {
                self.turn.events.push(Event::StepEnded(taken_out(id)));
            }
        }
        self.renumber(&new);
        self.plan = new;
        self.index_plan();
        self.open = self.nodes.iter().filter(|n| n.ended().is_none()).count();
        self.rebuild_schedule();
    }

    /// What is kept by the number of a step is kept by its new number.
    fn renumber(&mut self, new: &Plan) {
        let numbers: BTreeMap<usize, usize> = self
            .plan
            .steps
            .iter()
            .enumerate()
            .filter_map(|(old, step)| {
                let now = new.steps.iter().position(|s| s.id == step.id)?;
                Some((old, now))
            })
            .collect();
        self.lost = moved(std::mem::take(&mut self.lost), &numbers);
        self.unsettled = moved(std::mem::take(&mut self.unsettled), &numbers);
        self.resolutions = moved(std::mem::take(&mut self.resolutions), &numbers);
    }
}

fn moved<T>(map: BTreeMap<usize, T>, numbers: &BTreeMap<usize, usize>) -> BTreeMap<usize, T> {
    map.into_iter()
        .filter_map(|(old, value)| Some((*numbers.get(&old)?, value)))
        .collect()
}

/// How a step ends that the new plan does not have.
fn taken_out(step: String) -> StepEnded {
    StepEnded {
        step,
        outcome: StepOutcome::Skipped,
        why: Some("it was taken out of the playbook".to_owned()),
        error: None,
        allowed_to_fail: false,
        outputs: serde_json::Map::new(),
        links: Vec::new(),
        files: Vec::new(),
        reruns: Vec::new(),
        duration_ms: 0,
    }
}
