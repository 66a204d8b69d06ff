//! What must come of a case, each expectation with its place.
//!
//! The file's form was checked before; here names are checked: steps and outputs must exist in the
//! plan, endpoints must be endpoints.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::shape::{as_duration, as_text, as_whole, entries, get, items};
use crate::diagnostic::{Diagnostic, Place};
use crate::outcome::StepOutcome;
use crate::plan::Plan;
use crate::playbook::reading::{Entry, Yaml};
use crate::playbook::{Mistakes, YamlNode, codes, literal};
use crate::simulator::ENDPOINTS;

/// Something that is expected, with its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct At<T> {
    pub(super) place: Place,
    pub(super) value: T,
}

/// All that must come of a case.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Expect {
    pub(super) outcome: Option<At<String>>,
    pub(super) exit_code: Option<At<u64>>,
    pub(super) why: Option<At<String>>,
    pub(super) steps: Vec<StepExpect>,
    pub(super) outputs: Vec<(String, At<Value>)>,
    pub(super) calls: Vec<CallExpect>,
    pub(super) order: Option<At<Vec<String>>>,
    pub(super) promotions: Option<At<Vec<PromotionExpect>>>,
    pub(super) at_least: Option<At<Duration>>,
    pub(super) at_most: Option<At<Duration>>,
    pub(super) messages: Vec<At<String>>,
    pub(super) files: Vec<FileExpect>,
}

/// What must come of a step.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct StepExpect {
    pub(super) id: At<String>,
    pub(super) outcome: Option<At<StepOutcome>>,
    pub(super) why: Option<At<String>>,
    pub(super) kind: Option<At<String>>,
    pub(super) message: Option<At<String>>,
    pub(super) status: Option<At<u64>>,
    pub(super) outputs: Vec<(String, At<Value>)>,
}

/// How often an endpoint must be called, and with what.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CallExpect {
    pub(super) endpoint: At<String>,
    pub(super) at_least: Option<u64>,
    pub(super) at_most: Option<u64>,
    pub(super) with: Vec<(String, At<Value>)>,
}

/// A promotion that must be triggered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PromotionExpect {
    pub(super) name: String,
    pub(super) parameters: Option<IndexMap<String, String>>,
    pub(super) overriding: Option<bool>,
}

/// A file that must be there, or must not.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FileExpect {
    pub(super) path: At<String>,
    pub(super) there: bool,
    pub(super) holds: Vec<String>,
}

fn at<T>(yaml: &Yaml, value: T) -> At<T> {
    At {
        place: yaml.place.clone(),
        value,
    }
}

fn text(yaml: &Yaml, key: &str) -> Option<At<String>> {
    let found = &get(yaml, key)?.value;
    Some(at(found, as_text(found)?.to_owned()))
}

fn whole(yaml: &Yaml, key: &str) -> Option<At<u64>> {
    let found = &get(yaml, key)?.value;
    Some(at(found, as_whole(found)?))
}

fn duration(yaml: &Yaml, key: &str) -> Option<At<Duration>> {
    let found = &get(yaml, key)?.value;
    Some(at(found, as_duration(found)?))
}

fn values(yaml: &Yaml, key: &str, mistakes: &mut Mistakes) -> Vec<(String, At<Value>)> {
    let all = get(yaml, key).map_or(&[][..], |entry| entries(&entry.value));
    all.iter()
        .filter_map(|entry| {
            let value = literal(&entry.value, mistakes)?;
            Some((entry.key.name.clone(), at(&entry.value, value)))
        })
        .collect()
}

/// Reads the expectations of a case.
pub(super) fn read(yaml: &Yaml, plan: &Plan, mistakes: &mut Mistakes) -> Expect {
    if entries(yaml).is_empty() {
        mistakes.push(
            Diagnostic::error(
                codes::EMPTY,
                yaml.place.clone(),
                "`expect` is empty, and so nothing would be tested",
            )
            .hint("expect at least an `outcome`"),
        );
    }
    let elapsed = get(yaml, "elapsed").map(|entry| &entry.value);
    Expect {
        outcome: text(yaml, "outcome"),
        exit_code: whole(yaml, "exit_code"),
        why: text(yaml, "why"),
        steps: steps(yaml, plan, mistakes),
        outputs: outputs(yaml, plan, mistakes),
        calls: calls(yaml, mistakes),
        order: order(yaml, mistakes),
        promotions: get(yaml, "promotions").map(|entry| promotions(&entry.value)),
        at_least: elapsed.and_then(|elapsed| duration(elapsed, "at_least")),
        at_most: elapsed.and_then(|elapsed| duration(elapsed, "at_most")),
        messages: get(yaml, "messages")
            .map_or_else(Vec::new, |entry| items(&entry.value))
            .into_iter()
            .filter_map(|item| Some(at(item, as_text(item)?.to_owned())))
            .collect(),
        files: get(yaml, "files")
            .map_or(&[][..], |entry| entries(&entry.value))
            .iter()
            .map(file)
            .collect(),
    }
}

fn steps(yaml: &Yaml, plan: &Plan, mistakes: &mut Mistakes) -> Vec<StepExpect> {
    let all = get(yaml, "steps").map_or(&[][..], |entry| entries(&entry.value));
    let known: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    for entry in all {
        // Items (`nightly[web]`) and steps of a used playbook (`release/build`) are known by what is
        // before their sign.
        let base = entry.key.name.split('[').next().unwrap_or_default();
        let outer = base.split('/').next().unwrap_or_default();
        if !known.contains(&base) && (outer == base || !known.contains(&outer)) {
            let message = format!("the playbook has no step `{}`", clean(&entry.key.name));
            mistakes.push(unknown(
                &entry.key.place,
                codes::UNKNOWN_STEP,
                message,
                base,
                &known,
            ));
        }
    }
    all.iter().map(|entry| step(entry, mistakes)).collect()
}

fn step(entry: &Entry, mistakes: &mut Mistakes) -> StepExpect {
    let yaml = &entry.value;
    let word = |yaml: &Yaml| {
        let word = as_text(yaml)?;
        let mut all = StepOutcome::ALL.into_iter();
        Some(at(yaml, all.find(|outcome| outcome.as_str() == word)?))
    };
    let error = get(yaml, "error").map(|entry| &entry.value);
    StepExpect {
        id: At {
            place: entry.key.place.clone(),
            value: entry.key.name.clone(),
        },
        outcome: word(yaml).or_else(|| word(&get(yaml, "outcome")?.value)),
        why: text(yaml, "why"),
        kind: error.and_then(|error| {
            let whole = as_text(error).map(|kind| at(error, kind.to_owned()));
            whole.or_else(|| text(error, "kind"))
        }),
        message: error.and_then(|error| text(error, "message")),
        status: error.and_then(|error| whole(error, "status")),
        outputs: values(yaml, "outputs", mistakes),
    }
}

fn outputs(yaml: &Yaml, plan: &Plan, mistakes: &mut Mistakes) -> Vec<(String, At<Value>)> {
    let known: Vec<&str> = plan.outputs.keys().map(String::as_str).collect();
    let all = get(yaml, "outputs").map_or(&[][..], |entry| entries(&entry.value));
    for entry in all {
        let name = entry.key.name.as_str();
        if !known.contains(&name) {
            let message = format!("the playbook has no output `{}`", clean(name));
            mistakes.push(unknown(
                &entry.key.place,
                codes::UNKNOWN_OUTPUT,
                message,
                name,
                &known,
            ));
        }
    }
    values(yaml, "outputs", mistakes)
}

fn calls(yaml: &Yaml, mistakes: &mut Mistakes) -> Vec<CallExpect> {
    let all = get(yaml, "calls").map_or(&[][..], |entry| entries(&entry.value));
    let mut found = Vec::new();
    for entry in all {
        endpoint(&entry.key.name, &entry.key.place, mistakes);
        let value = &entry.value;
        let number = |key: &str| whole(value, key).map(|found| found.value);
        let count = as_whole(value).or_else(|| number("count"));
        let with = values(value, "with", mistakes);
        found.push(CallExpect {
            endpoint: At {
                place: entry.key.place.clone(),
                value: entry.key.name.clone(),
            },
            at_least: count.or_else(|| number("at_least")),
            at_most: count.or_else(|| number("at_most")),
            with,
        });
    }
    found
}

fn order(yaml: &Yaml, mistakes: &mut Mistakes) -> Option<At<Vec<String>>> {
    let list = &get(yaml, "order")?.value;
    let mut names = Vec::new();
    for item in items(list) {
        if let Some(name) = as_text(item) {
            endpoint(name, &item.place, mistakes);
            names.push(name.to_owned());
        }
    }
    Some(at(list, names))
}

fn endpoint(name: &str, place: &Place, mistakes: &mut Mistakes) {
    if !ENDPOINTS.contains(&name) {
        let message = format!("`{}` is no endpoint", clean(name));
        mistakes.push(unknown(place, codes::WRONG_WORD, message, name, &ENDPOINTS));
    }
}

fn promotions(list: &Yaml) -> At<Vec<PromotionExpect>> {
    let all = items(list).into_iter().filter_map(|item| {
        if let Some(name) = as_text(item) {
            return Some(PromotionExpect {
                name: name.to_owned(),
                parameters: None,
                overriding: None,
            });
        }
        let parameters = get(item, "parameters").map(|entry| {
            entries(&entry.value)
                .iter()
                .filter_map(|p| Some((p.key.name.clone(), as_text(&p.value)?.to_owned())))
                .collect()
        });
        Some(PromotionExpect {
            name: text(item, "name")?.value,
            parameters,
            overriding: get(item, "override").map(|e| e.value.node == YamlNode::Bool(true)),
        })
    });
    at(list, all.collect())
}

fn file(entry: &Entry) -> FileExpect {
    let holds = items(&entry.value)
        .into_iter()
        .filter_map(|item| as_text(item).map(str::to_owned));
    FileExpect {
        path: At {
            place: entry.key.place.clone(),
            value: entry.key.name.clone(),
        },
        there: entry.value.node != YamlNode::Bool(false),
        holds: holds.collect(),
    }
}

fn clean(name: &str) -> String {
    crate::text::clean_line(name, 60)
}

/// A name that does not exist: the nearest one, else all of them.
fn unknown(
    place: &Place,
    code: &'static str,
    message: String,
    name: &str,
    known: &[&str],
) -> Diagnostic {
    let listed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let hint = if listed.is_empty() {
        "there are none at all".to_owned()
    } else {
        format!("there are {}", listed.join(", "))
    };
    Diagnostic::error(code, place.clone(), message)
        .hint(hint)
        .nearest(name, known.iter().copied())
}
