//! What holds of the steps of a run: their order, their time, and what they say to other servers.

use std::collections::BTreeMap;
use std::time::Duration;

use runner::event::{Event, Recorded};
use runner::outcome::StepOutcome;
use serde_json::Value;

use super::evidence::{Evidence, planned};

/// A write that is sent in the last instant of its step ends within this time: its time-out, the settle time,
/// and a look that hangs.
const LATEST: Duration = Duration::from_secs(240);
/// For how long a session looks for Semaphore before it gives up.
const NO_NETWORK: Duration = Duration::from_secs(40);

pub(super) fn steps_in_order(evidence: &Evidence<'_>) -> Vec<String> {
    let mut broken = Vec::new();
    let mut ended: BTreeMap<&str, StepOutcome> = BTreeMap::new();
    let mut canceled = false;
    for recorded in &evidence.events {
        match &recorded.event {
            Event::StepStarted { step, .. } => {
                let planned = evidence.lab.plan.steps.iter().find(|s| s.id == *step);
                for need in planned.iter().flat_map(|s| &s.needs) {
                    let needed = evidence.lab.plan.steps[need.step].id.as_str();
                    if !ended
                        .get(needed)
                        .is_some_and(|outcome| need.accept.takes(*outcome))
                    {
                        broken.push(format!(
                            "`{step}` begins after `{needed}` as {:?}",
                            ended.get(needed)
                        ));
                    }
                }
                if ended.contains_key(step.as_str()) {
                    broken.push(format!("`{step}` begins after its end"));
                }
            }
            Event::StepEnded(told) if ended.insert(&told.step, told.outcome).is_some() => {
                broken.push(format!("`{}` ends twice", told.step));
            }
            // What a canceled run started is stopped in the name of the step that started it.
            Event::CancelRequested { .. } => canceled = true,
            Event::CallStarted { call, .. }
                if canceled
                    && matches!(
                        call.as_str(),
                        "stop_pipeline" | "stop_workflow" | "await_pipeline" | "await_promotion"
                    ) => {}
            Event::CallStarted { key, .. } if ended.contains_key(key.step.as_str()) => {
                broken.push(format!("{key} is called after its step has ended"));
            }
            Event::RunEnded(_)
                if !evidence
                    .lab
                    .plan
                    .steps
                    .iter()
                    .all(|step| ended.contains_key(step.id.as_str())) =>
            {
                broken.push("the run ended before its steps".to_owned());
            }
            _ => {}
        }
    }
    broken
}

/// A step ends when its time is over. A write that is under way then has its own time-out, and is looked for; each
/// session that finds no network looks for half a minute before it is parked.
pub(super) fn steps_in_time(evidence: &Evidence<'_>) -> Vec<String> {
    let plan = &evidence.lab.plan;
    let ends = evidence
        .events
        .iter()
        .filter_map(|recorded| match &recorded.event {
            Event::StepEnded(told) => Some((planned(plan, &told.step)?, told)),
            _ => None,
        });
    let resumed = |recorded: &&Recorded| matches!(recorded.event, Event::Resumed { .. });
    let sessions = evidence.events.iter().filter(resumed).count();
    let latest = LATEST + NO_NETWORK * u32::try_from(sessions).unwrap_or(u32::MAX);
    let late = ends.filter(|(step, told)| {
        let given = step
            .timeout
            .as_ref()
            .and_then(|timeout| timeout.value.constant());
        let given = given.as_ref().and_then(Value::as_str);
        let given = given.and_then(|text| runner::duration::parse(text).ok());
        // Without a word an hour is the time of what does not wait for a person.
        let has_none = matches!(step.action.name, "sleep" | "approve" | "use");
        let time =
            given.or((!has_none && step.timeout.is_none()).then_some(Duration::from_secs(3_600)));
        let whole = step.used.is_some() || step.for_each.is_some() && !told.step.ends_with(']');
        !whole && time.is_some_and(|time| Duration::from_millis(told.duration_ms) > time + latest)
    });
    late.map(|(_, told)| format!("`{}` ended after {} ms", told.step, told.duration_ms))
        .collect()
}

/// What other servers heard of POST requests, of which each is sent at most once.
pub(super) fn posted_once(evidence: &Evidence<'_>) -> Vec<String> {
    let most = evidence
        .nodes()
        .filter(|step| step.action.name == "http")
        .count();
    let world = evidence.lab.world.lock().expect("not poisoned");
    let posts = world
        .heard()
        .iter()
        .filter(|heard| heard.request.method == "POST" && heard.status.is_some());
    let heard = posts.count();
    (heard > most)
        .then(|| format!("{heard} POSTs were heard, for {most} at the most"))
        .into_iter()
        .collect()
}
