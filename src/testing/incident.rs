//! From a run that happened to a test: a file whose world is what was seen, and whose expectations are
//! what came of it.
//!
//! What was not seen is not known: times of jobs, blocks that never ran, what a request that failed would
//! have done. The file says what it can, and is meant to be read and mended. Secrets were masked when
//! the run was recorded; where a value is needed again a made-up one stands.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::incident_world::world;
use crate::duration::show;
use crate::event::{Event, FailureKind, Recorded, RunCreated, StepEnded};
use crate::outcome::{RunOutcome, StepOutcome};
use crate::plan::Plan;
use crate::playbook::InputType;
use crate::secret::{MASK, Redactor};

/// What stands for a secret that is needed again.
const MADE_UP: &str = "a-made-up-secret";

/// What a test is made of.
pub struct Incident<'a> {
    /// The events of the run.
    pub events: &'a [Recorded],
    /// Its playbook.
    pub plan: &'a Plan,
    /// The path of the playbook, as the test file is to name it.
    pub playbook: &'a str,
    /// What masks secrets that only this process knows.
    pub redactor: &'a Redactor,
    /// The code that the runner ends with.
    pub exit_of: fn(RunOutcome, Option<FailureKind>) -> u8,
}

/// The text of a test file; none when the run never began, or its test cannot be written down.
pub fn test_of_run(incident: &Incident<'_>) -> Option<String> {
    let created = incident
        .events
        .iter()
        .find_map(|recorded| match &recorded.event {
            Event::RunCreated(created) => Some(created),
            _ => None,
        })?;
    let mut case = Map::new();
    let inputs = inputs(created, incident.plan);
    if !inputs.is_empty() {
        case.insert("inputs".to_owned(), Value::Object(inputs));
    }
    case.insert("world".to_owned(), world(incident.events));
    stops(incident.events, &mut case);
    case.insert("expect".to_owned(), expect(incident));
    let name = format!("as it happened in {}", created.id);
    let file = json!({ "test": incident.playbook, "cases": { name: case } });
    let file = incident.redactor.value(&file);
    let text = serde_saphyr::to_string(&file).ok()?;
    let about = format!(
        "# Written by `runner report` from the run `{}`. Times of jobs were not seen, and are made up.\n",
        crate::text::clean_line(&created.id, 100)
    );
    Some(about + &text)
}

/// The inputs as a person would write them.
fn inputs(created: &RunCreated, plan: &Plan) -> Map<String, Value> {
    let mut all = Map::new();
    for (name, value) in &created.inputs {
        let Some(declared) = plan.inputs.get(name) else {
            continue;
        };
        let written = match (declared.ty, value) {
            _ if declared.secret || *value == json!(MASK) => json!(MADE_UP),
            (InputType::Duration, Value::Number(seconds)) => {
                let seconds = seconds.as_f64().unwrap_or_default().max(0.0);
                json!(show(Duration::from_millis((seconds * 1_000.0) as u64)))
            }
            (_, value) => value.clone(),
        };
        // What the playbook says itself need not be said again.
        if declared.default.as_ref() != Some(&written) {
            all.insert(name.clone(), written);
        }
    }
    all
}

/// When the runner was away, and when the run was canceled.
fn stops(events: &[Recorded], case: &mut Map<String, Value>) {
    let at = |recorded: &Recorded| json!(show(Duration::from_millis(recorded.at.active_ms)));
    let kills: Vec<Value> = events
        .iter()
        .filter(|recorded| matches!(recorded.event, Event::Resumed { .. }))
        .map(at)
        .collect();
    if !kills.is_empty() {
        case.insert("kill_at".to_owned(), Value::Array(kills));
    }
    let canceled = events
        .iter()
        .find(|recorded| matches!(recorded.event, Event::CancelRequested { .. }));
    if let Some(canceled) = canceled {
        case.insert("cancel_at".to_owned(), at(canceled));
    }
}

fn expect(incident: &Incident<'_>) -> Value {
    let mut expect = Map::new();
    let mut steps = Map::new();
    for recorded in incident.events {
        match &recorded.event {
            Event::StepEnded(ended) => {
                steps.insert(ended.step.clone(), step(ended));
            }
            Event::RunEnded(ended) => {
                expect.insert("outcome".to_owned(), json!(ended.outcome.as_str()));
                let code = (incident.exit_of)(ended.outcome, ended.failure);
                expect.insert("exit_code".to_owned(), json!(code));
            }
            _ => {}
        }
    }
    let last = incident.events.last().map(|recorded| &recorded.event);
    if let Some(Event::Parked { exit_code, .. }) = last {
        expect.insert("outcome".to_owned(), json!("parked"));
        expect.insert("exit_code".to_owned(), json!(exit_code));
    }
    expect.insert("steps".to_owned(), Value::Object(steps));
    let calls = calls(incident.events);
    if !calls.is_empty() {
        expect.insert("calls".to_owned(), json!(calls));
    }
    Value::Object(expect)
}

fn step(ended: &StepEnded) -> Value {
    match &ended.error {
        Some(error) if ended.outcome == StepOutcome::Failed => json!({
            "outcome": ended.outcome.as_str(),
            "error": error.kind.as_str(),
        }),
        Some(_) | None => json!(ended.outcome.as_str()),
    }
}

/// How often writes were sent: each try is a request.
fn calls(events: &[Recorded]) -> BTreeMap<&'static str, u64> {
    let mut calls: BTreeMap<&'static str, u64> = BTreeMap::new();
    for recorded in events {
        if let Event::CallStarted {
            call, writes: true, ..
        } = &recorded.event
            && let Some(endpoint) = endpoint_of_write(call)
        {
            // How often an answer was not yet there for a promotion is a matter of milliseconds.
            *calls.entry(endpoint).or_default() = match endpoint {
                "promote" => continue,
                _ => calls.get(endpoint).copied().unwrap_or_default() + 1,
            };
        }
    }
    calls
}

/// The endpoint of a call that writes.
pub(super) fn endpoint_of_write(call: &str) -> Option<&'static str> {
    Some(match call {
        "run_workflow" => "run_workflow",
        "run_task" => "run_task",
        "rerun_workflow" => "rerun_workflow",
        "rebuild_pipeline" => "rebuild_pipeline",
        "trigger_promotion" => "promote",
        "stop_workflow" => "stop_workflow",
        "stop_pipeline" => "stop_pipeline",
        "stop_job" => "stop_job",
        _ => return None,
    })
}
