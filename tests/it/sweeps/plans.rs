//! Random playbooks: a release of some kind, with everything that a step can have, from a seed.
//!
//! What they write stays within the built-in scenarios: the project `demo`, its promotions and its task,
//! and one server beside Semaphore. Each loads; what they do is left to chance.

use std::fmt::Write as _;
use std::sync::Arc;

use runner::plan::Plan;
use runner::simulator::WebTarget;

use crate::dice::Dice;

/// The server beside Semaphore.
const HOOK: &str = "https://hooks.example/release";
/// More steps than this only take long.
const STEPS_MAX: u64 = 6;

/// What later steps may refer to.
#[derive(Default)]
struct Known {
    ids: Vec<String>,
    /// Steps that give a pipeline and a workflow.
    started: Vec<String>,
    approvals: Vec<String>,
    /// What some steps use, by their ids.
    used: Vec<(String, Random)>,
}

/// A playbook, and the steps that ask a person.
pub(super) struct Random {
    pub(super) plan: Arc<Plan>,
    pub(super) text: String,
    pub(super) approvals: Vec<String>,
}

/// The playbook of a seed.
pub(super) fn random(dice: &mut Dice) -> Random {
    let (text, known) = written(dice, true);
    planned(text, known)
}

/// The plan of a text, with the plans of what its steps use.
fn planned(mut text: String, known: Known) -> Random {
    let mut plan = (*crate::lab::plan(&text)).clone();
    for (id, used) in known.used {
        for step in plan.steps.iter_mut().filter(|step| step.id == id) {
            step.used = Some(Arc::clone(&used.plan));
        }
        let _ = write!(text, "# `{id}` uses:\n{}", used.text);
    }
    Random {
        plan: Arc::new(plan),
        text,
        approvals: known.approvals,
    }
}

/// The text of a playbook; what is used uses nothing itself.
fn written(dice: &mut Dice, outer: bool) -> (String, Known) {
    let mut text = format!(
        "playbook: 1\ntimeout: {}\n",
        pick(dice, &["5h", "5h", "5h", "1m", "3m"])
    );
    if dice.one_in(4) {
        text.push_str("on_failure: stop\n");
    }
    if outer && dice.one_in(6) {
        text.push_str("concurrency: { group: releases, on_conflict: wait }\n");
    }
    text.push_str("steps:\n");
    let mut known = Known::default();
    for number in 0..=dice.roll(if outer { STEPS_MAX } else { 3 }) {
        if outer && dice.one_in(8) {
            uses(dice, &mut text, &format!("s{number}"), &mut known);
            continue;
        }
        step(dice, &mut text, &format!("s{number}"), &mut known);
    }
    if dice.one_in(2) {
        let action = match dice.roll(3) {
            0 => "set: { how: \"{{ run.outcome }}\" }".to_owned(),
            1 => format!(
                "http: {{ method: POST, url: '{HOOK}', json: {{ outcome: \"{{{{ run.outcome }}}}\" }} }}"
            ),
            _ => "run_workflow: { project: demo, reference: refs/heads/after, wait: false }"
                .to_owned(),
        };
        let _ = write!(text, "finally:\n  tell:\n    {action}\n");
    }
    (text, known)
}

/// The items of a fan-out.
const ITEMS: [&str; 4] = ["left", "right", "main", "topic"];

/// A step that is done for each of some items; gives their keys.
fn fan_out(dice: &mut Dice, text: &mut String) -> &'static [&'static str] {
    let items = &ITEMS[..1 + dice.roll(ITEMS.len() as u64) as usize];
    let list: Vec<String> = items.iter().map(|item| format!("'{item}'")).collect();
    let list = list.join(", ");
    let most = 1 + dice.roll(4);
    let after = pick(dice, &["continue", "stop"]);
    let _ = writeln!(
        text,
        "    for_each: {{ in: \"[{list}]\", key: item, max_parallel: {most}, on_failure: {after} }}"
    );
    items
}

/// A step that uses another playbook, once or for each of some items.
fn uses(dice: &mut Dice, text: &mut String, id: &str, known: &mut Known) {
    let (inner, within) = written(dice, false);
    let inner = planned(inner, within);
    let _ = write!(text, "  {id}:\n    set: {{ out: 0 }}\n");
    let asks = |place: &str| {
        inner
            .approvals
            .iter()
            .map(move |step| format!("{place}/{step}"))
            .collect::<Vec<_>>()
    };
    if dice.one_in(3) {
        for item in fan_out(dice, text) {
            known.approvals.extend(asks(&format!("{id}[{item}]")));
        }
    } else {
        known.approvals.extend(asks(id));
    }
    if dice.one_in(3) {
        let timeout = pick(dice, &["15s", "3m", "20m"]);
        let _ = writeln!(text, "    timeout: {timeout}");
    }
    if dice.one_in(4) {
        text.push_str("    allow_failure: true\n");
    }
    known.ids.push(id.to_owned());
    known.used.push((id.to_owned(), inner));
}

/// The server beside Semaphore, mostly well.
pub(super) fn hook(dice: &mut Dice) -> WebTarget {
    use runner::simulator::WebMishap;
    WebTarget {
        url: HOOK.to_owned(),
        method: None,
        nth: 1,
        count: None,
        status: if dice.one_in(6) { 503 } else { 200 },
        headers: indexmap::IndexMap::new(),
        body: None,
        json: None,
        mishap: dice.one_in(6).then_some(WebMishap::Reset),
    }
}

fn pick<'a>(dice: &mut Dice, from: &[&'a str]) -> &'a str {
    from[dice.roll(from.len() as u64) as usize]
}

fn step(dice: &mut Dice, text: &mut String, id: &str, known: &mut Known) {
    let (action, starts, changes) = action(dice, id, known);
    let _ = write!(text, "  {id}:\n    {action}\n");
    if dice.one_in(5) {
        let items = fan_out(dice, text);
        // Each item has its own record: the step as a whole gives no pipeline.
        known.started.retain(|step| step != id);
        if known.approvals.last().is_some_and(|step| step == id) {
            known.approvals.pop();
            known
                .approvals
                .extend(items.iter().map(|item| format!("{id}[{item}]")));
        }
    }
    if !known.ids.is_empty() && dice.one_in(3) {
        let last = known.ids.len() as u64;
        let needed = known.ids[dice.roll(last) as usize].clone();
        // What a step reads must have passed, or it reads nothing: only those that mention nothing else.
        if !action.contains("steps.") {
            let outcome = pick(dice, &["passed", "any", "failed", "[passed, failed]"]);
            let _ = writeln!(text, "    needs: {{ {needed}: {outcome} }}");
        }
    }
    if dice.one_in(4) {
        text.push_str("    allow_failure: true\n");
    }
    if dice.one_in(3) && !action.starts_with("sleep") {
        let timeout = pick(dice, &["2s", "5s", "15s", "40s", "3m", "20m"]);
        let _ = writeln!(text, "    timeout: {timeout}");
    }
    if starts && dice.one_in(3) {
        let scope = pick(dice, &["failed", "all"]);
        let _ = writeln!(
            text,
            "    rerun: {{ max: {}, scope: {scope} }}",
            1 + dice.roll(2)
        );
    }
    if changes && dice.one_in(3) {
        let undo = match dice.roll(3) {
            0 => "run_task: { project: demo, task: nightly, wait: false }".to_owned(),
            1 => format!("http: {{ method: POST, url: '{HOOK}', json: {{ back: {id} }} }}"),
            _ => "run_workflow: { project: demo, reference: refs/heads/back }".to_owned(),
        };
        let timeout = pick(dice, &["", "\n      timeout: 5s", "\n      timeout: 10m"]);
        let _ = write!(text, "    undo:\n      {undo}{timeout}\n");
    }
    known.ids.push(id.to_owned());
}

/// An action; whether it starts a pipeline that is waited for, and whether it changes anything.
fn action(dice: &mut Dice, id: &str, known: &mut Known) -> (String, bool, bool) {
    let count = known.started.len() as u64;
    if count > 0 && dice.one_in(2) {
        let of = known.started[dice.roll(count) as usize].clone();
        return on_started(dice, id, &of, known);
    }
    let branch = pick(dice, &["main", "left", "right", "topic"]);
    match dice.roll(12) {
        0..=3 => {
            let waits = !dice.one_in(3);
            known.started.push(id.to_owned());
            let action = format!(
                "run_workflow: {{ project: demo, reference: refs/heads/{branch}, wait: {waits} }}"
            );
            (action, waits, true)
        }
        4 => {
            known.started.push(id.to_owned());
            let action = format!(
                "ensure_pipeline: {{ project: demo, reference: refs/heads/{branch}, commit_sha: 4f2a81c04f2a81c04f2a81c04f2a81c04f2a81c0 }}"
            );
            (action, true, true)
        }
        5 => {
            let waits = !dice.one_in(3);
            let action = format!("run_task: {{ project: demo, task: nightly, wait: {waits} }}");
            (action, waits, true)
        }
        6 | 7 => {
            let method = pick(dice, &["POST", "POST", "PUT", "GET"]);
            let action = format!("http: {{ method: {method}, url: '{HOOK}' }}");
            (action, false, method != "GET")
        }
        8 => (
            format!("sleep: {}", pick(dice, &["2s", "20s", "2m"])),
            false,
            false,
        ),
        9 => {
            known.approvals.push(id.to_owned());
            ("approve: { message: go? }".to_owned(), false, false)
        }
        10 if dice.one_in(3) => ("fail: as the test wants".to_owned(), false, false),
        _ => (format!("set: {{ v: {branch} }}"), false, false),
    }
}

/// What is done with what an earlier step started.
fn on_started(dice: &mut Dice, id: &str, of: &str, known: &mut Known) -> (String, bool, bool) {
    let pipeline = format!("\"{{{{ steps.{of}.pipeline_id }}}}\"");
    let workflow = format!("\"{{{{ steps.{of}.workflow_id }}}}\"");
    let waits = !dice.one_in(3);
    match dice.roll(8) {
        0..=2 => {
            let name = pick(dice, &["Production", "Staging"]);
            let there = pick(dice, &["join", "fail", "again"]);
            let action = format!(
                "promote: {{ pipeline: {pipeline}, name: {name}, if_exists: {there}, wait: {waits} }}"
            );
            (action, waits, true)
        }
        3 => {
            let follow = dice.one_in(2);
            (
                format!("wait_pipeline: {{ pipeline: {pipeline}, follow: {follow} }}"),
                false,
                false,
            )
        }
        4 => {
            known.started.push(id.to_owned());
            (
                format!("rerun_workflow: {{ workflow: {workflow}, wait: {waits} }}"),
                waits,
                true,
            )
        }
        5 => (
            format!("rebuild_pipeline: {{ pipeline: {pipeline}, wait: {waits} }}"),
            waits,
            true,
        ),
        6 => (
            format!("stop_workflow: {{ workflow: {workflow} }}"),
            false,
            true,
        ),
        _ => (
            format!("wait_workflow: {{ workflow: {workflow} }}"),
            false,
            false,
        ),
    }
}

#[test]
fn random_playbooks_load() {
    let all: Vec<Random> = (0..400).map(|seed| random(&mut Dice(seed))).collect();
    let has = |what: &str| {
        let with = all.iter().filter(|random| random.text.contains(what));
        with.count()
    };
    for what in [
        "for_each",
        "uses:",
        "undo",
        "rerun",
        "finally",
        "approve",
        "concurrency",
    ] {
        assert!(has(what) > 20, "{what}: {}", has(what));
    }
}
