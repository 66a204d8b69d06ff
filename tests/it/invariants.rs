//! What must be true of a run at every instant, and what must be true of it at its end: one list for all
//! sweeps. Each promise is a function from the evidence to the words of how it was broken; the tests
//! below break each rule on purpose and show that it is seen.

mod evidence;
mod planted;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use runner::clock::millis_between;
use runner::drivers::Finish;
use runner::event::{Event, Recorded};
use runner::report::{ApiUse, RunView, report};
use runner::simulator::{Act, Done, Request};
use runner::store::{ListFilter, RunState};
use serde_json::Value;

use self::evidence::{Evidence, mark, planned};
use self::steps::{posted_once, steps_in_order, steps_in_time};
use crate::lab::Lab;
use crate::rig;

type Promise = fn(&Evidence<'_>) -> Vec<String>;

/// What holds at every instant.
const ALWAYS: [(&str, Promise); 11] = [
    ("no step acts twice", acts_once),
    ("nothing that was started is forgotten", nothing_forgotten),
    ("nobody else's run is taken over", nothing_adopted),
    ("nothing is promoted that has not passed", promoted_passed),
    (
        "no write leaves before its intent is durable",
        intents_first,
    ),
    ("the record is a chain", record_is_a_chain),
    (
        "a step begins after its needs, and its end is its end",
        steps_in_order,
    ),
    (
        "the token is nowhere but in its header",
        token_in_its_header,
    ),
    ("requests come at a neighbourly rate", neighbourly),
    ("no other server hears a POST twice", posted_once),
    ("a step ends within its time", steps_in_time),
];

/// Everything that is broken at this instant; empty when all is well.
pub(crate) fn broken(lab: &Lab) -> Vec<String> {
    let evidence = Evidence::of(lab);
    let mut broken = Vec::new();
    for (promise, check) in ALWAYS {
        broken.extend(
            check(&evidence)
                .into_iter()
                .map(|how| format!("{promise}: {how}")),
        );
    }
    broken
}

/// Everything that is broken at the end of a run.
pub(crate) fn broken_at_the_end(lab: &Lab, finish: &Finish) -> Vec<String> {
    let mut all = broken(lab);
    let evidence = Evidence::of(lab);
    let same = one_story(&evidence, finish);
    all.extend(
        same.into_iter()
            .map(|how| format!("report, journal and runner say the same: {how}")),
    );
    let seen = watched_once(&evidence);
    all.extend(
        seen.into_iter()
            .map(|how| format!("who looks on sees each event once: {how}")),
    );
    if lab.now > rig::start_time() + SignedDuration::try_from(lab.longest).expect("a span") {
        all.push(format!("a run ends in time: it ended at {}", lab.now));
    }
    all
}

fn acts_once(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut by_token: BTreeMap<&str, usize> = BTreeMap::new();
    let mut by_kind: BTreeMap<&str, usize> = BTreeMap::new();
    for act in &evidence.acts {
        let (kind, token) = match &act.deed {
            Done::RunWorkflow { .. } => ("run_workflow", mark(act)),
            Done::RunTask { .. } => ("run_task", mark(act)),
            Done::Promote { .. } => ("promote", act.request_token.as_deref()),
            Done::Rerun { .. } => ("rerun_workflow", act.request_token.as_deref()),
            Done::Rebuild { .. } => ("rebuild_pipeline", act.request_token.as_deref()),
            // Whoever is told twice to stop has stopped.
            Done::StopWorkflow { .. } | Done::StopPipeline { .. } | Done::StopJob { .. } => {
                continue;
            }
        };
        *by_kind.entry(kind).or_default() += 1;
        if let Some(token) = token {
            *by_token.entry(token).or_default() += 1;
        }
    }
    for (token, times) in by_token.into_iter().filter(|(_, times)| *times > 1) {
        broken.push(format!("{:?} acted {times} times", evidence.step_of(token)));
    }
    for (kind, times) in by_kind {
        let most = evidence.times_at_most(kind);
        if times > most {
            broken.push(format!(
                "{kind} happened {times} times, for {most} at the most"
            ));
        }
    }
    broken
}

fn nothing_forgotten(evidence: &Evidence<'_>) -> Vec<String> {
    let forgotten = evidence.acts.iter().filter(|act| {
        let token = mark(act)
            .or(act.request_token.as_deref())
            .unwrap_or_default();
        let covered = evidence.open.iter().any(|intent| intent.token == token);
        let steps = evidence.steps_of(token);
        if steps.is_empty() {
            return true;
        }
        let told = match &act.deed {
            Done::RunWorkflow {
                workflow_id: id, ..
            }
            | Done::RunTask {
                workflow_id: id, ..
            }
            | Done::Rerun {
                new_workflow_id: id,
                ..
            }
            | Done::Rebuild {
                new_pipeline_id: id,
                ..
            } => evidence.text.contains(id.as_str()),
            Done::Promote { .. } => steps.iter().any(|step| answered(evidence, step)),
            Done::StopWorkflow { .. } | Done::StopPipeline { .. } | Done::StopJob { .. } => true,
        };
        !covered && !told && !steps.iter().any(|step| evidence.unknown(step))
    });
    forgotten.map(|act| format!("{:?}", act.deed)).collect()
}

/// What a step says it started was started by its own request. A promotion that was there before may be
/// joined; one that is there after our trigger must be ours.
fn nothing_adopted(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for recorded in &evidence.events {
        let Event::StepEnded(told) = &recorded.event else {
            continue;
        };
        let planned = planned(&evidence.lab.plan, &told.step);
        let id = |name: &str| told.outputs.get(name).and_then(Value::as_str);
        match planned.map(|step| step.action.name) {
            Some("run_workflow") => {
                let ours = |act: &&Act| matches!(&act.deed, Done::RunWorkflow { workflow_id, .. } if Some(workflow_id.as_str()) == id("workflow_id"));
                let started = evidence.acts.iter().find(ours).and_then(mark);
                let by = started.and_then(|mark| evidence.step_of(mark));
                if id("workflow_id").is_some() && by != Some(told.step.as_str()) {
                    broken.push(format!("`{}` took over {:?}", told.step, id("workflow_id")));
                }
            }
            Some("promote") if triggered(evidence, &told.step) => {
                let us = evidence.acts.first().map(|act| act.origin.user());
                if id("triggered_by").is_some() && id("triggered_by") != us {
                    broken.push(format!(
                        "`{}` took over the promotion of {:?}",
                        told.step,
                        id("triggered_by")
                    ));
                }
            }
            _ => {}
        }
    }
    broken
}

fn triggered(evidence: &Evidence<'_>, step: &str) -> bool {
    evidence.events.iter().any(|recorded| {
        matches!(&recorded.event, Event::CallStarted { key, call, .. } if key.step == step && call == "trigger_promotion")
    })
}

/// Whether a trigger of a step was answered, or its event was found.
fn answered(evidence: &Evidence<'_>, step: &str) -> bool {
    let mut keys = BTreeSet::new();
    evidence
        .events
        .iter()
        .any(|recorded| match &recorded.event {
            Event::CallStarted { key, call, .. } if key.step == step => {
                if matches!(call.as_str(), "trigger_promotion" | "await_promotion") {
                    keys.insert(key.clone());
                }
                false
            }
            Event::CallEnded { key, outcome } => keys.contains(key) && outcome.result.is_ok(),
            _ => false,
        })
}

fn promoted_passed(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    for act in &evidence.acts {
        let Done::Promote {
            pipeline_id,
            overriding,
            ..
        } = &act.deed
        else {
            continue;
        };
        let path = format!("/api/v1alpha/pipelines/{pipeline_id}");
        let host = "acme.semaphore.test";
        let asked = Request::new("GET", &path)
            .header("Host", host)
            .token(&evidence.lab.token);
        let mut world = evidence.lab.world.lock().expect("not poisoned").clone();
        // A fault that still waits may hit the first question.
        let told = (0..20).find_map(|_| {
            world
                .handle(&asked, evidence.lab.now)
                .json()?
                .get("pipeline")
                .cloned()
        });
        let result = told
            .as_ref()
            .and_then(|pipeline| pipeline.get("result"))
            .and_then(Value::as_str);
        if result != Some("passed") || *overriding {
            broken.push(format!(
                "{pipeline_id} ended as {result:?}, override: {overriding}"
            ));
        }
    }
    broken
}

fn intents_first(evidence: &Evidence<'_>) -> Vec<String> {
    let bare = evidence
        .log
        .iter()
        .filter(|sent| sent.writes && !sent.covered);
    bare.map(|sent| format!("{} with the token `{}`", sent.what, sent.token))
        .collect()
}

fn record_is_a_chain(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut before: Option<&Recorded> = None;
    for (recorded, number) in evidence.events.iter().zip(1..) {
        if recorded.seq != number {
            broken.push(format!("event {number} has the number {}", recorded.seq));
        }
        if before
            .is_some_and(|b| recorded.at.active_ms < b.at.active_ms || recorded.at.wall < b.at.wall)
        {
            broken.push(format!("time goes back at event {number}"));
        }
        let first = matches!(recorded.event, Event::RunCreated(_));
        if first != (number == 1) {
            broken.push(format!("event {number} is {:?}", recorded.event));
        }
        if before.is_some_and(|b| matches!(b.event, Event::RunEnded(_))) {
            broken.push(format!("event {number} comes after the end"));
        }
        before = Some(recorded);
    }
    broken
}

fn token_in_its_header(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken: Vec<String> = evidence
        .log
        .iter()
        .filter(|sent| sent.leaks)
        .map(|sent| sent.what.clone())
        .collect();
    if evidence.lab.redactor.finds_in(&evidence.text) {
        broken.push("it is in the journal".to_owned());
    }
    broken
}

/// At most ten in a second, and five at once after a quiet time. A new session starts with a full bucket.
fn neighbourly(evidence: &Evidence<'_>) -> Vec<String> {
    let times: Vec<Timestamp> = evidence.log.iter().map(|sent| sent.at).collect();
    let most = 105 + 5 * evidence.lab.seen.len();
    let crowded = times.windows(most + 1).find(|window| {
        window
            .first()
            .zip(window.last())
            .is_some_and(|(a, b)| millis_between(*a, *b) < 10_000)
    });
    crowded
        .map(|window| {
            format!(
                "more than {most} in ten seconds from {:?} on",
                window.first()
            )
        })
        .into_iter()
        .collect()
}

/// The finish that the runner tells, the fold of the journal, the report and the list of runs.
fn one_story(evidence: &Evidence<'_>, finish: &Finish) -> Vec<String> {
    let mut broken = Vec::new();
    let view = RunView::of(&evidence.events);
    let Finish::Ended(ended) = finish else {
        return vec!["the run has not ended".to_owned()];
    };
    if view.ended() != Some(ended) {
        broken.push(format!(
            "told {:?}, kept {:?}",
            ended.outcome,
            view.ended().map(|e| e.outcome)
        ));
    }
    let report = report(&view, 0, &ApiUse::default());
    let report = serde_json::to_value(&report).expect("a report");
    if report.pointer("/run/outcome").and_then(Value::as_str) != Some(ended.outcome.as_str()) {
        broken.push(format!(
            "the report says {:?}",
            report.pointer("/run/outcome")
        ));
    }
    for recorded in &evidence.events {
        if let Event::StepEnded(told) = &recorded.event {
            let word = outcome_in(&report, &told.step);
            if word != Some(told.outcome.as_str()) {
                broken.push(format!("the report says {word:?} of `{}`", told.step));
            }
        }
    }
    let list = evidence
        .lab
        .ledger
        .inner()
        .list(&ListFilter::default())
        .expect("the list");
    let line = list.first().map(|line| (line.state, line.outcome));
    if line != Some((RunState::Ended, Some(ended.outcome))) {
        broken.push(format!("the list of runs says {line:?}"));
    }
    if !evidence.open.is_empty() {
        broken.push(format!(
            "intents are open after the end: {:?}",
            evidence.open
        ));
    }
    broken
}

/// What a report says of a step; items stand under theirs.
fn outcome_in<'r>(report: &'r Value, id: &str) -> Option<&'r str> {
    let steps = report.get("steps")?;
    let item = id.strip_suffix(']').and_then(|id| id.rsplit_once('['));
    let step = match item {
        Some((of, key)) => {
            let each = steps.get(of)?.get("each")?.as_array()?;
            each.iter().find(|item| item["key"] == key)?
        }
        None => steps.get(id)?,
    };
    step.get("outcome")?.as_str()
}

/// Each session shows the whole record, from the first event on, each once.
fn watched_once(evidence: &Evidence<'_>) -> Vec<String> {
    let wrong = evidence
        .lab
        .seen
        .iter()
        .enumerate()
        .filter(|(_, seen)| !seen.iter().copied().eq(1..=seen.len() as u64));
    let mut broken: Vec<String> = wrong
        .map(|(session, seen)| format!("session {session} showed {seen:?}"))
        .collect();
    if evidence
        .lab
        .seen
        .last()
        .is_some_and(|seen| seen.len() != evidence.events.len())
    {
        broken.push("the last session did not show everything".to_owned());
    }
    broken
}
