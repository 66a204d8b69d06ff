//! What a person or another process does to a run: cancel it, settle what is unknown, do it again, keep
//! others out; and what a run does when nothing can be written. In virtual time, but for `commands`.

mod commands;
mod groups;
mod rounds;
mod stopping;

use std::time::Duration;

use runner::drivers::{Finish, StopRequest};
use runner::event::{Event, RunEnded, StepEnded};
use runner::outcome::StepOutcome;
use runner::simulator::{Act, Done, Request};
use serde_json::Value;

use crate::lab::{End, Lab, Plot};

/// How the run ended.
#[track_caller]
fn ended(end: &End) -> &RunEnded {
    match end {
        End::Finished(Finish::Ended(ended)) => ended,
        other => panic!("the run has not ended: {other:?}"),
    }
}

#[track_caller]
fn parked(end: &End) {
    assert!(
        matches!(end, End::Finished(Finish::Parked { .. })),
        "{end:?}"
    );
}

fn after(seconds: u64, request: StopRequest) -> Plot {
    Plot {
        stops: vec![(Duration::from_secs(seconds), request)],
        ..Plot::default()
    }
}

fn cancel(seconds: u64) -> Plot {
    after(seconds, StopRequest::Cancel { by: "ann".into() })
}

fn park(seconds: u64) -> Plot {
    let request = StopRequest::Park {
        reason: "a test".into(),
        exit_code: 75,
    };
    after(seconds, request)
}

/// The last end of a step.
#[track_caller]
fn step(lab: &Lab, id: &str) -> StepEnded {
    let events = lab.events();
    let found = events
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::StepEnded(told) if told.step == id => Some(told.clone()),
            _ => None,
        });
    found.unwrap_or_else(|| panic!("`{id}` has not ended"))
}

/// How often a step ended, and how.
fn ends(lab: &Lab, id: &str) -> Vec<StepOutcome> {
    lab.events()
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::StepEnded(told) if told.step == id => Some(told.outcome),
            _ => None,
        })
        .collect()
}

fn warnings(lab: &Lab) -> Vec<String> {
    lab.events()
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::Warned { message, .. } => Some(message.clone()),
            _ => None,
        })
        .collect()
}

/// The workflows that were started: workflow, pipeline.
fn started(lab: &Lab) -> Vec<(String, String)> {
    let of = |act: &Act| match &act.deed {
        Done::RunWorkflow {
            workflow_id,
            pipeline_id,
            ..
        } => Some((workflow_id.clone(), pipeline_id.clone())),
        _ => None,
    };
    lab.acts().iter().filter_map(of).collect()
}

fn count(lab: &Lab, wanted: fn(&Done) -> bool) -> usize {
    lab.acts().iter().filter(|act| wanted(&act.deed)).count()
}

/// Asks the world as the administrator, some time after the last session.
fn ask(lab: &Lab, later: Duration, target: &str) -> Value {
    let request = Request::new("GET", &format!("/api/v1alpha{target}")).token(&lab.token);
    let now = runner::clock::later(lab.now, later);
    let reply = lab
        .world
        .lock()
        .expect("not poisoned")
        .handle(&request, now);
    assert_eq!(reply.status, 200, "{target}: {}", reply.text());
    reply.json().expect("JSON")
}

/// State and result of a pipeline.
fn pipeline(lab: &Lab, later: Duration, id: &str) -> (String, String) {
    let answer = ask(lab, later, &format!("/pipelines/{id}"));
    let word = |key: &str| {
        answer["pipeline"][key]
            .as_str()
            .unwrap_or_default()
            .to_lowercase()
    };
    (word("state"), word("result"))
}
