//! Going on with another plan: what has ended and what is at work stays, the rest is as the new plan says.
//!
//! Which changes are allowed is decided before ([`Machine::refuse`]); a change that was accepted is a fact of
//! the run and is replayed like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::frame::ROOT;
use super::machine::{Machine, Stage, step_info};
use super::step::{Node, Parts, State};
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
        &self.root.plan.digest
    }

    /// Why the run cannot go on with another plan, by what has changed; empty when it can. `failed` says
    /// that what did not pass will be done again.
    pub fn refuse(&self, new: &Plan, failed: bool) -> Vec<String> {
        let Changes {
            whole,
            changed,
            added,
            removed,
        } = changes(&self.root.plan, new);
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
        let index = self.by_id.get(id).copied()?;
        let phase = self.phase_of(index);
        // Some of its parts may have been done as the old words say.
        if self.has_parts(index) && (0..self.nodes.len()).any(|at| self.above(at) == Some(index)) {
            return Some("was begun already, part by part".to_owned());
        }
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
        let old = std::mem::replace(&mut self.root.plan, Arc::clone(&new));
        self.root.index();
        let mut before: Vec<Option<Node>> = std::mem::take(&mut self.nodes)
            .into_iter()
            .map(Some)
            .collect();
        let begun = self.stage != Stage::Gate;
        let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, step) in new.steps.iter().enumerate() {
            if !old.steps.iter().any(|known| known.id == step.id) {
                let info = step_info(step, &self.root, None);
                self.turn.events.push(Event::StepAdded(info));
            }
            if !begun || step.phase != Phase::Main {
                continue;
            }
            let now = self.nodes.len();
            let known = self.by_id.get(&step.id).copied();
            let node = known.and_then(|old| Some((old, before.get_mut(old)?.take()?)));
            let mut fresh = Node::new(index, ROOT, step.id.clone());
            if let Some((old, node)) = node {
                fresh.state = node.state;
                numbers.insert(old, now);
            }
            self.root.place(index, Some(now));
            self.nodes.push(fresh);
        }
        for step in &old.steps {
            if !new.steps.iter().any(|known| known.id == step.id) {
                let gone = taken_out(step.id.clone());
                self.turn.events.push(Event::StepEnded(gone));
            }
        }
        self.keep_parts(before, &mut numbers);
        self.renumber(&numbers);
        self.main_nodes = None;
        self.rebuild_schedule();
    }

    /// The parts of steps that are still there stand behind the steps of the plan.
    fn keep_parts(&mut self, before: Vec<Option<Node>>, numbers: &mut BTreeMap<usize, usize>) {
        let owners: Vec<Option<usize>> = self.used.iter().map(|frame| frame.owner).collect();
        for (old, node) in before.into_iter().enumerate() {
            let Some(mut node) = node else { continue };
            let of_root = node.frame == ROOT;
            let above = match &node.item {
                Some(item) => Some(item.of),
                None => node
                    .frame
                    .checked_sub(1)
                    .and_then(|at| owners.get(at).copied().flatten()),
            };
            let Some(above) = above.and_then(|above| numbers.get(&above).copied()) else {
                continue;
            };
            if of_root && let Some(whole) = self.nodes.get(above) {
                node.step = whole.step;
            }
            numbers.insert(old, self.nodes.len());
            self.nodes.push(node);
        }
    }

    /// What is kept by the number of a step is kept by its new number.
    fn renumber(&mut self, numbers: &BTreeMap<usize, usize>) {
        let now = |old: usize| numbers.get(&old).copied();
        self.lost = moved(std::mem::take(&mut self.lost), numbers);
        self.unsettled = moved(std::mem::take(&mut self.unsettled), numbers);
        self.resolutions = moved(std::mem::take(&mut self.resolutions), numbers);
        for frame in &mut self.used {
            frame.renumber(now);
        }
        self.touched = std::mem::take(&mut self.touched)
            .into_iter()
            .filter_map(now)
            .collect();
        for node in &mut self.nodes {
            if let Some(item) = &mut node.item {
                item.of = now(item.of).unwrap_or(usize::MAX);
            }
            let parts = node.running().and_then(|running| running.parts.as_mut());
            if let Some(Parts::Items { nodes, .. }) = parts {
                *nodes = nodes.iter().copied().filter_map(now).collect();
            }
        }
        let ids = self.nodes.iter().enumerate();
        self.by_id = ids.map(|(index, node)| (node.id.clone(), index)).collect();
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
