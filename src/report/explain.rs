//! Why the steps of a run stand where they stand: a fold over what is known of it.
//!
//! Pure, like the view that it reads. It says what happened in data; how that is told to people is none of its
//! business.

use indexmap::{IndexMap, IndexSet};
use jiff::Timestamp;

use super::causes::takes;
use super::critical_path::critical_path_until;
use super::explain_v1::{Call, Condition, Need, Run, Step, Stretch, Time, Wait};
use super::json::{error_v1, reruns, run_word, step_word, time_v1};
use super::triage::triage;
use super::v1;
use super::view::{CallView, RunState, RunView, StepState, StepView};
use crate::clock::millis_between;
use crate::event::Seen;
use crate::outcome::StepOutcome;

/// What a skip says before the expression.
const WHEN_IS_FALSE: &str = "`when` is false: ";

/// Explains a run as it stands now.
pub fn explain(view: &RunView, now: Timestamp) -> Run {
    let now = view.now(now);
    let (outcome, why) = match &view.state {
        RunState::Running => (v1::RunOutcome::Running, None),
        RunState::Parked { reason, .. } => (v1::RunOutcome::Parked, Some(reason.clone())),
        RunState::Ended(ended) => (run_word(ended.outcome), ended.why.clone()),
    };
    let path = critical_path_until(view, now);
    Run {
        explain: 1,
        id: view.id().to_owned(),
        name: view.name().to_owned(),
        outcome,
        why,
        waits_for: run_waits_for(view),
        duration_ms: view.active_ms(now),
        steps: view
            .steps
            .iter()
            .map(|(id, step)| (id.clone(), explain_step(view, id, step, now)))
            .collect(),
        critical_path: path
            .into_iter()
            .filter_map(|id| {
                let time = time_of(view.steps.get(&id)?, now);
                Some(Stretch { step: id, time })
            })
            .collect(),
    }
}

/// The same with one step and those it hangs on alone, nearest first; none when there is no such step.
pub fn only(mut run: Run, step: &str) -> Option<Run> {
    let mut wanted: IndexSet<String> = IndexSet::from([step.to_owned()]);
    let mut at = 0;
    while let Some(id) = wanted.get_index(at).cloned() {
        at += 1;
        // A damaged journal may name what it never announced.
        let found = run.steps.get(&id);
        let needs = found.into_iter().flat_map(|step| &step.needs);
        wanted.extend(needs.map(|need| need.step.clone()));
        wanted.extend(found.and_then(|step| step.undoes.clone()));
        wanted.extend(found.and_then(|step| step.part_of.clone()));
        // Causes are named of the one that was asked for: what else is shown is why it ran.
        if at == 1 {
            wanted.extend(found.into_iter().flat_map(|step| step.causes.clone()));
        }
    }
    run.steps.get(step)?;
    let mut all = std::mem::take(&mut run.steps);
    run.steps = wanted
        .into_iter()
        .filter_map(|id| Some((id.clone(), all.swap_remove(&id)?)))
        .collect();
    Some(run)
}

fn run_waits_for(view: &RunView) -> Option<Wait> {
    match (&view.state, &view.group) {
        (RunState::Parked { reason, .. }, _) => Some(Wait::Runner {
            reason: reason.clone(),
        }),
        (RunState::Running, Some((group, Some(by)))) => Some(Wait::Group {
            group: group.clone(),
            by: by.clone(),
        }),
        (RunState::Running | RunState::Ended(_), _) => None,
    }
}

fn explain_step(view: &RunView, id: &str, step: &StepView, now: Timestamp) -> Step {
    let ended = step.ended.as_deref();
    let error = ended.and_then(|ended| ended.error.as_ref());
    Step {
        action: step.info.action.clone(),
        outcome: state_word(step.state),
        why: ended.and_then(|ended| ended.why.clone()),
        hint: error.and_then(|error| error.hint.clone()),
        finally: step.info.finally,
        undoes: step.info.undoes.clone(),
        part_of: step.info.parent.clone(),
        needs: step
            .info
            .needs
            .iter()
            .map(|(needed, accepts)| need(view, needed, accepts))
            .collect(),
        condition: condition(step),
        calls: step.calls.values().map(|found| call(found, now)).collect(),
        reruns: ended.map(|ended| reruns(&ended.reruns)).unwrap_or_default(),
        waits_for: waits_for(view, id, step),
        triage: triage(step),
        causes: causes_within(view, id, step),
        time: time_of(step, now),
        stopped: view.blocked_by(id).into_iter().map(str::to_owned).collect(),
    }
}

fn causes_within(view: &RunView, id: &str, step: &StepView) -> Vec<String> {
    if !step.is_bad() {
        return Vec::new();
    }
    view.causes_within(id).into_iter().cloned().collect()
}

fn state_word(state: StepState) -> v1::StepOutcome {
    match state {
        StepState::Pending => v1::StepOutcome::Pending,
        StepState::Running => v1::StepOutcome::Running,
        StepState::Ended(outcome) => step_word(outcome),
    }
}

fn need(view: &RunView, needed: &str, accepts: &str) -> Need {
    let state = view
        .steps
        .get(needed)
        .map_or(StepState::Pending, |step| step.state);
    Need {
        step: needed.to_owned(),
        accepts: accepts.to_owned(),
        outcome: state_word(state),
        met: match state {
            StepState::Ended(outcome) => Some(takes(accepts, outcome)),
            StepState::Pending | StepState::Running => None,
        },
    }
}

fn condition(step: &StepView) -> Option<Condition> {
    if let Some(words) = &step.because {
        return Some(Condition {
            held: true,
            words: words.clone(),
        });
    }
    let why = step.ended.as_ref()?.why.as_deref()?;
    Some(Condition {
        held: false,
        words: why.strip_prefix(WHEN_IS_FALSE)?.to_owned(),
    })
    .filter(|_| step.outcome() == Some(StepOutcome::Skipped))
}

fn call(call: &CallView, now: Timestamp) -> Call {
    let last = call.tries.last().map(|(_, last)| last);
    Call {
        call: call.word.clone(),
        about: call.about.clone(),
        writes: call.writes,
        tries: call.tries.len() as u64,
        duration_ms: call
            .tries
            .values()
            .map(|tried| tried.duration_ms(now))
            .sum(),
        went_wrong: call
            .tries
            .values()
            .filter_map(|tried| tried.failure.as_ref())
            .map(error_v1)
            .collect(),
        ended: last.is_some_and(|last| last.ended_at.is_some()),
    }
}

/// Where the time of a step went.
fn time_of(step: &StepView, now: Timestamp) -> Time {
    let output = |name: &str| {
        let seconds = step.output(name)?.as_f64()?;
        (seconds >= 0.0).then_some((seconds * 1_000.0) as u64)
    };
    let (mut queued_ms, mut ran_ms) = (output("queued_for"), output("ran_for"));
    if let (
        None,
        Some(Seen::Pipeline {
            queued_ms: queued,
            running_ms,
            ..
        }),
    ) = (&step.ended, step.seen.as_ref().map(|seen| &seen.seen))
    {
        (queued_ms, ran_ms) = (*queued, *running_ms);
    }
    let duration_ms = step.duration_ms(now);
    let last = queued_ms.unwrap_or(0).saturating_add(ran_ms.unwrap_or(0));
    let again = step
        .ended
        .as_ref()
        .is_some_and(|ended| !ended.reruns.is_empty());
    let earlier_ms = duration_ms.saturating_sub(last);
    Time {
        duration_ms,
        earlier_ms: if again && last > 0 { earlier_ms } else { 0 },
        queued_ms,
        ran_ms,
        between_tries_ms: step.calls.values().map(between_tries).sum(),
    }
}

fn between_tries(call: &CallView) -> u64 {
    let tries = call.tries.values();
    tries
        .clone()
        .zip(tries.skip(1))
        .filter_map(|(one, next)| Some(millis_between(one.ended_at?, next.started_at)))
        .sum()
}

/// What a step waits for.
fn waits_for(view: &RunView, id: &str, step: &StepView) -> Option<Wait> {
    match step.state {
        StepState::Ended(_) => None,
        StepState::Pending => Some(pending(view, step)),
        StepState::Running => Some(running(view, id, step)),
    }
}

fn pending(view: &RunView, step: &StepView) -> Wait {
    let open: Vec<String> = step
        .info
        .needs
        .iter()
        .filter(|(needed, _)| {
            let found = view.steps.get(needed);
            found.is_some_and(|found| found.outcome().is_none())
        })
        .map(|(needed, _)| needed.clone())
        .collect();
    match (open.is_empty(), step.info.finally) {
        (false, _) => Wait::Needs { steps: open },
        (true, true) if view.before_finally.is_none() => Wait::Others {},
        (true, _) => Wait::Turn {},
    }
}

fn running(view: &RunView, id: &str, step: &StepView) -> Wait {
    if let Some(message) = step.asked.as_ref().filter(|_| step.answered.is_none()) {
        return Wait::Person {
            message: message.clone(),
        };
    }
    let parts: Vec<String> = view
        .steps
        .iter()
        .filter(|(_, part)| part.outcome().is_none() && part.info.parent.as_deref() == Some(id))
        .map(|(part, _)| part.clone())
        .collect();
    if !parts.is_empty() {
        return Wait::Parts { steps: parts };
    }
    let current = step.current_call();
    let last = current.and_then(|call| call.tries.last());
    if let (Some(call), Some((_, last))) = (current, last)
        && let (Some(at), Some(failure)) = (last.again_at, &last.failure)
    {
        return Wait::Retry {
            about: call.about.clone(),
            at: time_v1(at),
            error: error_v1(failure),
        };
    }
    match step.seen.as_ref().map(|seen| (&seen.seen, seen.at)) {
        Some((
            Seen::Pipeline {
                pipeline_id,
                name,
                state,
                blocks,
                failed_jobs,
                url,
                ..
            },
            at,
        )) => Wait::Pipeline {
            pipeline_id: pipeline_id.clone(),
            name: name.clone(),
            state: state.clone(),
            failed_jobs: failed_jobs.clone(),
            blocks_done: blocks.map(|(done, _)| done),
            blocks: blocks.map(|(_, all)| all),
            url: url.clone(),
            seen_at: time_v1(at),
            trouble: step.trouble.clone(),
        },
        Some((Seen::Log { .. } | Seen::Trouble { .. }, _)) | None => match (current, last) {
            (Some(call), Some((attempt, _))) => Wait::Call {
                about: call.about.clone(),
                attempt: *attempt,
                trouble: step.trouble.clone(),
            },
            _ => Wait::Work {},
        },
    }
}

/// The steps of a run that a text may mean: the one of that id, else those whose id ends with it.
pub fn meant<'a, T>(steps: &'a IndexMap<String, T>, text: &str) -> Vec<&'a str> {
    if let Some((id, _)) = steps.get_key_value(text) {
        return vec![id];
    }
    steps
        .keys()
        .filter(|id| {
            id.strip_suffix(text)
                .is_some_and(|rest| rest.ends_with('/'))
        })
        .map(String::as_str)
        .collect()
}
