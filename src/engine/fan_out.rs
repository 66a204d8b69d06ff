//! `for_each`: a step that is done once for each item of a list or map.
//!
//! The items are found when the step begins. Each is a step of its own, `STEP[KEY]`, with everything that
//! its step has but needs and condition, which were asked once before. In another round only what did not
//! pass is done again: an item is known by its key.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::ending::Stop;
use super::machine::{Machine, step_info};
use super::moves::located;
use super::parts::NODES_MAX;
use super::step::{Item, Node, Parts, State};
use crate::event::{Event, Failure, FailureKind, Fate, StepEnded};
use crate::outcome::StepOutcome;
use crate::plan::{ForEach, OnFailure};
use crate::template::Scope;
use crate::text;

/// How many items a step may have.
const ITEMS_MAX: usize = 1_000;
/// How long the key of an item may be, in characters: it stands in ids, files and reports.
const KEY_CHARACTERS_MAX: usize = 100;

impl Machine {
    /// Finds the items of a step, and lets the first of them begin.
    pub(super) fn start_fan_out(&mut self, index: usize, for_each: &ForEach) {
        let scope = self.scope_of(index);
        let found = items(for_each, &scope).and_then(|items| {
            let at_once = at_once(for_each, &scope)?;
            Ok((items, at_once))
        });
        let (items, at_once) = match found {
            Ok(found) => found,
            Err(failure) => return self.end_step(index, StepOutcome::Failed, Some(failure)),
        };
        let over = if items.len() > ITEMS_MAX {
            Some(("items_max", ITEMS_MAX))
        } else if self.nodes.len() + items.len() > NODES_MAX {
            Some(("run_steps_max", NODES_MAX))
        } else {
            None
        };
        if let Some((limit, max)) = over {
            let failure = self.too_many_steps(index, limit, items.len(), max);
            return self.end_step(index, StepOutcome::Failed, Some(failure));
        }
        let nodes: Vec<usize> = items
            .into_iter()
            .enumerate()
            .map(|(at, (key, value))| {
                self.add_item(Item {
                    of: index,
                    key,
                    value,
                    index: at,
                })
            })
            .collect();
        self.drop_items(index, &nodes);
        let parts = Parts::Items {
            nodes,
            at_once,
            on_failure: for_each.on_failure,
            stop: None,
        };
        self.run_parts(index, parts, None);
    }

    /// The failure of a step that would come to too many steps.
    pub(super) fn too_many_steps(
        &mut self,
        index: usize,
        limit: &str,
        items: usize,
        max: usize,
    ) -> Failure {
        let message = format!("{items} steps more are too many: at most {max} are allowed");
        self.turn.events.push(Event::LimitHit {
            step: Some(self.id(index)),
            limit: limit.to_owned(),
            message: message.clone(),
        });
        Failure::new(FailureKind::Limit, message).hint("split the list, or the playbook")
    }

    /// An item that is new, or that is done once more.
    fn add_item(&mut self, item: Item) -> usize {
        let fan = item.of;
        let id = format!("{}[{}]", self.id(fan), item.key);
        let known = self.by_id.get(&id).copied();
        if let Some(known) = known
            && let Some(node) = self.nodes.get_mut(known)
            && node.item.as_ref().is_some_and(|item| item.of == fan)
        {
            node.item = Some(item);
            return known;
        }
        let Some((step, frame)) = self.nodes.get(fan).map(|node| (node.step, node.frame)) else {
            return fan;
        };
        let mut node = Node::new(step, frame, id.clone());
        node.item = Some(item);
        let index = self.add_node(node, &BTreeSet::new());
        self.schedule.hold(index);
        if let Some(planned) = self.plan_step(index) {
            let mut info = step_info(planned, self.frame(frame), None);
            info.id = id;
            info.needs = Vec::new();
            info.parent = Some(self.id(fan));
            self.turn.events.push(Event::StepAdded(info));
        }
        index
    }

    /// What was an item in the round before, and is none any more.
    fn drop_items(&mut self, fan: usize, kept: &[usize]) {
        let kept: BTreeSet<usize> = kept.iter().copied().collect();
        let waits = |node: &Node| matches!(node.state, State::Waiting) && node.undoes.is_none();
        let gone: Vec<usize> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(index, node)| {
                let of_it = node.item.as_ref().is_some_and(|item| item.of == fan);
                of_it && waits(node) && !kept.contains(index)
            })
            .map(|(index, _)| index)
            .collect();
        for index in gone {
            let why = "it is no item any more".to_owned();
            self.end_without_work(index, StepOutcome::Skipped, why);
        }
    }

    /// Lets further items begin, or ends the step when all have ended.
    pub(super) fn look_after_items(&mut self, index: usize) {
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        let Some(Parts::Items {
            nodes,
            at_once,
            on_failure,
            stop,
        }) = running.parts.clone()
        else {
            return;
        };
        let giving_up = running.giving_up.is_some();
        if stop.is_none()
            && on_failure == OnFailure::Stop
            && let Some(failed) = self.first_failed(&nodes)
        {
            self.stop_items(index, failed);
        }
        let at_work = |index: &&usize| {
            let node = self.nodes.get(**index);
            node.is_some_and(|node| matches!(node.state, State::Running(_)))
        };
        let first = nodes.first().copied();
        let over = giving_up || first.is_some_and(|item| self.stop_over(item).is_some());
        let room = if over {
            usize::MAX
        } else {
            at_once.saturating_sub(nodes.iter().filter(at_work).count())
        };
        let waiting: Vec<usize> = nodes
            .iter()
            .copied()
            .filter(|item| self.is_held(*item))
            .collect();
        if waiting.is_empty() && nodes.iter().all(|item| self.has_ended_at(*item)) {
            self.end_fan_out(index, &nodes);
            return;
        }
        for item in waiting.into_iter().take(room) {
            self.schedule.release(item);
        }
    }

    fn has_ended_at(&self, index: usize) -> bool {
        let node = self.nodes.get(index);
        node.is_none_or(|node| node.ended().is_some())
    }

    fn first_failed(&self, items: &[usize]) -> Option<String> {
        items.iter().find_map(|item| {
            let told = &self.nodes.get(*item)?.ended()?.told;
            let failed = matches!(told.outcome, StepOutcome::Failed | StepOutcome::Unknown);
            failed.then(|| told.step.clone())
        })
    }

    fn stop_items(&mut self, index: usize, failed: String) {
        let running = self.nodes.get_mut(index).and_then(Node::running);
        if let Some(Parts::Items { stop, .. }) = running.and_then(|r| r.parts.as_mut()) {
            *stop = Some(Stop::Failure { step: failed });
        }
    }

    /// All items have ended: so has their step.
    fn end_fan_out(&mut self, index: usize, items: &[usize]) {
        let wrote = self.parts_wrote(index);
        let Some(running) = self.nodes.get_mut(index).and_then(Node::running) else {
            return;
        };
        running.wrote |= wrote;
        let giving_up = running.giving_up.take();
        let told = || {
            let nodes = items.iter().filter_map(|item| self.nodes.get(*item));
            nodes.filter_map(|node| Some((node.item.as_ref()?, &node.ended()?.told)))
        };
        let of = |outcome: StepOutcome| -> Vec<(&Item, &StepEnded)> {
            told().filter(|(_, told)| told.outcome == outcome).collect()
        };
        let unknown = of(StepOutcome::Unknown);
        if !unknown.is_empty() {
            let words = format!(
                "what {} did could not be found out: a person must look",
                listed(&unknown)
            );
            let failure = Failure::new(FailureKind::FateUnknown, words).fate(Fate::Unknown);
            return self.end_step(index, StepOutcome::Unknown, Some(failure));
        }
        if let Some(failure) = giving_up {
            return self.end_step(index, StepOutcome::Canceled, Some(failure));
        }
        let failed = of(StepOutcome::Failed);
        let left = of(StepOutcome::Canceled).len() + of(StepOutcome::Blocked).len();
        if failed.is_empty() && left == 0 {
            return self.end_step(index, StepOutcome::Passed, None);
        }
        let mut words = format!("{} of {} items failed", failed.len(), items.len());
        if !failed.is_empty() {
            words.push_str(": ");
            words.push_str(&listed(&failed));
        }
        if let [(_, only)] = failed.as_slice()
            && let Some(why) = &only.why
        {
            words.push_str(" (");
            words.push_str(why);
            words.push(')');
        }
        if left > 0 {
            let verb = if left == 1 { "was" } else { "were" };
            let _ = write!(words, "; {left} {verb} not begun");
        }
        let failure = Failure::new(FailureKind::StepFailed, words);
        self.end_step(index, StepOutcome::Failed, Some(failure));
    }

    /// `steps.x.each`: what became of the items.
    pub(super) fn each(&self, index: usize) -> Option<Value> {
        if !self.is_fan(index) {
            return None;
        }
        let items: BTreeMap<usize, (&Item, &StepEnded)> = self
            .nodes
            .iter()
            .filter(|node| node.undoes.is_none())
            .filter_map(|node| {
                let item = node.item.as_ref().filter(|item| item.of == index)?;
                Some((item.index, (item, &node.ended()?.told)))
            })
            .collect();
        let each = items.into_values().map(|(item, told)| {
            let mut fields = Map::new();
            fields.extend(told.outputs.clone());
            fields.insert("key".to_owned(), json!(item.key));
            fields.insert("item".to_owned(), item.value.clone());
            fields.insert("outcome".to_owned(), json!(told.outcome.as_str()));
            fields.insert("why".to_owned(), json!(told.why));
            Value::Object(fields)
        });
        Some(each.collect())
    }
}

/// Keys in backticks; many are counted.
fn listed(items: &[(&Item, &StepEnded)]) -> String {
    let keys: Vec<&str> = items.iter().map(|(item, _)| item.key.as_str()).collect();
    super::ending::names(&keys)
}

/// The items with their keys.
fn items(for_each: &ForEach, scope: &Scope) -> Result<Vec<(String, Value)>, Failure> {
    let place = &for_each.items.place;
    let value = for_each
        .items
        .value
        .eval(scope)
        .map_err(|error| located("for_each", error, place))?;
    let found: Vec<(String, Value)> = match value {
        Value::Array(items) => {
            let named = names_of(&items);
            named.into_iter().zip(items).collect()
        }
        Value::Object(map) => map.into_iter().collect(),
        other => {
            let shown = text::clean_line(&other.to_string(), 60);
            let words =
                format!("{place}: `for_each` came out as {shown}, which is no list and no map");
            return Err(Failure::new(FailureKind::Parameter, words));
        }
    };
    let mut keyed = Vec::with_capacity(found.len());
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for (at, (key, value)) in found.into_iter().enumerate() {
        let key = match &for_each.key {
            Some(own) => own_key(
                own,
                Item {
                    of: 0,
                    key,
                    value: value.clone(),
                    index: at,
                },
                scope,
            )?,
            None => key,
        };
        if !fits(&key) {
            let shown = text::clean_line(&key, 60);
            let words = format!(
                "{place}: `{shown}` cannot be the key of an item: a key has 1 to {KEY_CHARACTERS_MAX} characters, none of them a control character"
            );
            return Err(Failure::new(FailureKind::Parameter, words)
                .hint("`for_each: { in: …, key: … }` says what the key of an item is"));
        }
        if !taken.insert(key.clone()) {
            let words = format!("{place}: two items have the key `{key}`");
            return Err(Failure::new(FailureKind::Parameter, words)
                .hint("`for_each: { in: …, key: … }` says what the key of an item is"));
        }
        keyed.push((key, value));
    }
    Ok(keyed)
}

/// The keys of the items of a list that says none: what they are, when that is short and tells them apart,
/// else their numbers.
fn names_of(items: &[Value]) -> Vec<String> {
    let named: Option<Vec<String>> = items
        .iter()
        .map(|item| match item {
            Value::String(text) if fits(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
        .collect();
    let distinct = |names: &Vec<String>| {
        let all: BTreeSet<&String> = names.iter().collect();
        all.len() == names.len()
    };
    named
        .filter(distinct)
        .unwrap_or_else(|| (0..items.len()).map(|index| index.to_string()).collect())
}

fn fits(key: &str) -> bool {
    !key.trim().is_empty()
        && key.chars().count() <= KEY_CHARACTERS_MAX
        && text::clean_line(key, KEY_CHARACTERS_MAX) == key
}

/// What the playbook says is the key of an item.
fn own_key(
    own: &crate::plan::Located<crate::template::Expression>,
    item: Item,
    scope: &Scope,
) -> Result<String, Failure> {
    let scope = item.in_scope(scope.clone());
    let value = own
        .value
        .eval(&scope)
        .map_err(|error| located("for_each.key", error, &own.place))?;
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => {
            let shown = text::clean_line(&other.to_string(), 60);
            let words = format!(
                "{}: `for_each.key` came out as {shown}, which is no text and no number",
                own.place
            );
            Err(Failure::new(FailureKind::Parameter, words))
        }
    }
}

/// How many items may be at work at once.
fn at_once(for_each: &ForEach, scope: &Scope) -> Result<usize, Failure> {
    let Some(tree) = &for_each.max_parallel else {
        return Ok(usize::MAX);
    };
    let value = tree
        .render(scope)
        .map_err(|error| Failure::new(FailureKind::Template, error.to_string()))?;
    match value {
        None => Ok(usize::MAX),
        Some(value) => value
            .as_u64()
            .filter(|number| *number > 0)
            .and_then(|number| usize::try_from(number).ok())
            .ok_or_else(|| {
                let words = format!(
                    "{}: `max_parallel` came out as {value}, which is no number of items",
                    tree.place
                );
                Failure::new(FailureKind::Parameter, words)
            }),
    }
}
