//! What holds in every run, whatever its world does to it.

use std::collections::{BTreeMap, BTreeSet};

use super::judge::Difference;
use super::ran::{Ending, Ran};
use crate::duration::show;
use crate::event::{Event, StepInfo};
use crate::outcome::StepOutcome;
use crate::simulator::{Done, Origin};

/// Everything that a run broke.
pub(super) fn broken(ran: &Ran) -> Vec<Difference> {
    let mut found = Vec::new();
    ends(ran, &mut found);
    order(ran, &mut found);
    if matches!(ran.ending, Ending::Ended(_) | Ending::Parked { .. }) {
        never_twice(ran, &mut found);
        nothing_forgotten(ran, &mut found);
    }
    no_secret(ran, &mut found);
    found
}

fn wrong(found: &mut Vec<Difference>, about: &str, expected: &str, got: String) {
    found.push(Difference {
        place: None,
        about: about.to_owned(),
        expected: expected.to_owned(),
        got,
        step: None,
    });
}

/// A run always ends, and its last event says so.
fn ends(ran: &Ran, found: &mut Vec<Difference>) {
    match &ran.ending {
        Ending::Broken(why) => wrong(
            found,
            "the runner",
            "that it works on the run to its end",
            why.clone(),
        ),
        Ending::Endless(after) => wrong(
            found,
            "the run",
            "that it ends",
            format!("it did not in {} of virtual time", show(*after)),
        ),
        Ending::Ended(ended) => {
            let last = ran.events.last().map(|recorded| &recorded.event);
            if !matches!(last, Some(Event::RunEnded(told)) if told == ended) {
                let got = "the last event tells another end".to_owned();
                wrong(found, "the journal", "that it ends as the run does", got);
            }
        }
        Ending::Parked { .. } | Ending::Refused(_) => {}
    }
}

/// A step starts only after all its needs have ended, and what has ended never changes.
fn order(ran: &Ran, found: &mut Vec<Difference>) {
    let mut infos: BTreeMap<&str, &StepInfo> = BTreeMap::new();
    let mut ended: BTreeMap<&str, StepOutcome> = BTreeMap::new();
    for recorded in &ran.events {
        match &recorded.event {
            Event::RunCreated(created) => {
                infos.extend(created.steps.iter().map(|info| (info.id.as_str(), info)));
            }
            Event::StepAdded(info) => drop(infos.insert(&info.id, info)),
            Event::StepStarted { step } => {
                let needs = infos.get(step.as_str()).map(|info| info.needs.as_slice());
                for (need, _) in needs.unwrap_or_default() {
                    if !ended.contains_key(need.as_str()) {
                        let got = format!("`{need}` had not ended");
                        let about = format!("step `{step}`");
                        wrong(found, &about, "that it starts after what it needs", got);
                    }
                }
            }
            Event::StepEnded(told) => {
                if let Some(before) = ended.insert(&told.step, told.outcome) {
                    let got = format!("it ended as `{before}`, then as `{}`", told.outcome);
                    let about = format!("step `{}`", told.step);
                    wrong(found, &about, "that it ends once", got);
                }
            }
            _ => {}
        }
    }
}

/// The call of the engine that makes a deed.
fn call_of(deed: &Done) -> &'static str {
    match deed {
        Done::RunWorkflow { .. } => "run_workflow",
        Done::RunTask { .. } => "run_task",
        Done::Rerun { .. } => "rerun_workflow",
        Done::Rebuild { .. } => "rebuild_pipeline",
        Done::Promote { .. } => "trigger_promotion",
        // To stop twice is to stop once.
        Done::StopWorkflow { .. } | Done::StopPipeline { .. } | Done::StopJob { .. } => "",
    }
}

/// Each write is done at most once: no more deeds than calls, however often they were tried.
fn never_twice(ran: &Ran, found: &mut Vec<Difference>) {
    let mut calls: BTreeMap<&str, BTreeSet<(&str, u32)>> = BTreeMap::new();
    for recorded in &ran.events {
        if let Event::CallStarted {
            key,
            call,
            writes: true,
            ..
        } = &recorded.event
        {
            let of_word = calls.entry(call.as_str()).or_default();
            of_word.insert((key.step.as_str(), key.call));
        }
    }
    let mut deeds: BTreeMap<&str, usize> = BTreeMap::new();
    for deed in ours(ran).filter(|word| !word.is_empty()) {
        *deeds.entry(deed).or_default() += 1;
    }
    for (word, done) in deeds {
        let wanted = calls.get(word).map_or(0, BTreeSet::len);
        if done > wanted {
            let got = format!("Semaphore did it {done} times for {wanted} calls");
            wrong(
                found,
                &format!("the write `{word}`"),
                "that each call acts at most once",
                got,
            );
        }
    }
}

fn ours(ran: &Ran) -> impl Iterator<Item = &'static str> {
    ran.acts
        .iter()
        .filter(|act| matches!(&act.origin, Origin::Api { user } if *user == ran.user))
        .map(|act| call_of(&act.deed))
}

/// What was started is in the journal, covered by an open intent, or named as unknown.
fn nothing_forgotten(ran: &Ran, found: &mut Vec<Difference>) {
    let unknown = ran.steps().any(|step| step.outcome == StepOutcome::Unknown);
    if ran.open_intents > 0 || unknown {
        return;
    }
    let journal = serde_json::to_string(&ran.events).unwrap_or_default();
    for act in &ran.acts {
        let ours = matches!(&act.origin, Origin::Api { user } if *user == ran.user);
        let id = match &act.deed {
            Done::RunWorkflow { workflow_id, .. } | Done::RunTask { workflow_id, .. } => {
                workflow_id
            }
            Done::Rerun {
                new_workflow_id, ..
            } => new_workflow_id,
            Done::Rebuild {
                new_pipeline_id, ..
            } => new_pipeline_id,
            Done::Promote { .. }
            | Done::StopWorkflow { .. }
            | Done::StopPipeline { .. }
            | Done::StopJob { .. } => continue,
        };
        if ours && !journal.contains(id.as_str()) {
            let got = format!("`{id}` is not in it");
            wrong(
                found,
                "the journal",
                "that it knows everything that the run started",
                got,
            );
        }
    }
}

/// No secret in anything that the run leaves behind.
fn no_secret(ran: &Ran, found: &mut Vec<Difference>) {
    let journal = serde_json::to_string(&ran.events).unwrap_or_default();
    let places = [
        ("the journal", journal.as_str()),
        ("what was observed", ran.observed.as_str()),
    ];
    let files = ran
        .files
        .iter()
        .flat_map(|(path, content)| [("the name of a file", path.as_str()), ("a file", content)]);
    for (place, text) in places.into_iter().chain(files) {
        if ran.redactor.finds_in(text) {
            wrong(
                found,
                place,
                "that it holds no secret",
                "it holds one".to_owned(),
            );
        }
    }
}
