//! From what is known of a run to the report, version 1.

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::Value;

use super::critical_path::critical_path;
use super::mask::{json_pretty, masked};
use super::triage::{other_outputs, triage};
use super::v1;
use super::view::{RunState, RunView, StepState, StepView, TryView};
use crate::event::{Failure, FileWritten, Link, StepEnded};
use crate::outcome::{RunOutcome, StepOutcome};
use crate::secret::Redactor;

/// A longer report is cut: outputs first lose their long texts, then everything.
pub const REPORT_BYTES_MAX: usize = 16 << 20;
/// The lengths that texts in outputs are cut to, one after the other, until the report is short enough.
const OUTPUT_CHARACTERS_MAX: [usize; 3] = [65_536, 2_048, 0];

/// How much a run asked of Semaphore, as the client counted it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApiUse {
    /// Requests in all.
    pub requests: u64,
    /// Requests by endpoint.
    pub by_endpoint: IndexMap<String, u64>,
    /// Requests that repeated one that went wrong.
    pub retries: u64,
    /// Requests that were not needed since one answer served several.
    pub saved: u64,
    /// The length of all answers.
    pub bytes: u64,
}

/// The report of a run: what was seen so far, and the code that the runner ends with.
pub fn report(view: &RunView, exit_code: u8, api: &ApiUse) -> v1::Report {
    v1::Report {
        report: 1,
        run: run(view, exit_code),
        steps: steps(view),
        outputs: view
            .ended()
            .map(|ended| ended.outputs.clone())
            .unwrap_or_default(),
        critical_path: critical_path(view),
        warnings: view
            .warnings
            .iter()
            .map(|(step, message)| v1::Warning {
                step: step.clone(),
                message: message.clone(),
            })
            .collect(),
        limits_hit: view
            .limits
            .iter()
            .map(|(step, limit, message)| v1::LimitHit {
                step: step.clone(),
                limit: limit.clone(),
                message: message.clone(),
            })
            .collect(),
        api: v1::Api {
            requests: api.requests,
            by_endpoint: api.by_endpoint.clone(),
            retries: api.retries,
            saved: api.saved,
            bytes: api.bytes,
        },
    }
}

/// The text of a report for a file or for stdout: secrets masked, then cut to the limit.
pub fn report_text(report: &v1::Report, redactor: &Redactor) -> String {
    report_text_within(report, redactor, REPORT_BYTES_MAX)
}

pub(super) fn report_text_within(
    report: &v1::Report,
    redactor: &Redactor,
    bytes_max: usize,
) -> String {
    let mut value = masked(report, redactor);
    let mut text = json_pretty(&value);
    let full = text.len();
    for (round, characters_max) in OUTPUT_CHARACTERS_MAX.into_iter().enumerate() {
        if text.len() <= bytes_max {
            break;
        }
        cut_outputs(&mut value, characters_max);
        if round == 0 {
            note_cut(&mut value, full, bytes_max);
        }
        text = json_pretty(&value);
    }
    text
}

fn note_cut(value: &mut Value, bytes: usize, bytes_max: usize) {
    let note = v1::LimitHit {
        step: None,
        limit: "report_bytes_max".to_owned(),
        message: format!("outputs were cut: the report had {bytes} bytes, {bytes_max} are allowed"),
    };
    if let Some(limits) = value.get_mut("limits_hit").and_then(Value::as_array_mut) {
        limits.extend(serde_json::to_value(note));
    }
}

/// Cuts every text below an `outputs`; with 0 the outputs go altogether.
fn cut_outputs(value: &mut Value, characters_max: usize) {
    match value {
        Value::Object(map) => {
            for (name, item) in map {
                if name != "outputs" {
                    cut_outputs(item, characters_max);
                } else if characters_max == 0 {
                    *item = Value::Object(serde_json::Map::new());
                } else {
                    cut_texts(item, characters_max);
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                cut_outputs(item, characters_max);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn cut_texts(value: &mut Value, characters_max: usize) {
    match value {
        Value::String(text) => *text = crate::text::cut(text, characters_max),
        Value::Array(items) => {
            for item in items {
                cut_texts(item, characters_max);
            }
        }
        Value::Object(map) => {
            for (_, item) in map {
                cut_texts(item, characters_max);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn run(view: &RunView, exit_code: u8) -> v1::Run {
    let (outcome, why) = match &view.state {
        RunState::Running => (v1::RunOutcome::Running, None),
        RunState::Parked { reason, .. } => (v1::RunOutcome::Parked, Some(reason.clone())),
        RunState::Ended(ended) => (run_word(ended.outcome), ended.why.clone()),
    };
    let created = view.created.as_ref();
    let last = view.last;
    v1::Run {
        id: view.id().to_owned(),
        name: view.name().to_owned(),
        playbook: v1::Playbook {
            path: created.map(|c| c.path.clone()).unwrap_or_default(),
            digest: created.map(|c| c.digest.clone()).unwrap_or_default(),
        },
        outcome,
        why,
        exit_code,
        started_at: view.started_at.map(time_v1),
        finished_at: view.ended().and(last).map(|moment| time_v1(moment.wall)),
        duration_ms: last.map_or(0, |moment| moment.active_ms),
        inputs: created.map(|c| c.inputs.clone()).unwrap_or_default(),
    }
}

fn steps(view: &RunView) -> IndexMap<String, v1::Step> {
    let now = view.last.map_or(Timestamp::UNIX_EPOCH, |last| last.wall);
    let mut all: IndexMap<String, v1::Step> = IndexMap::new();
    for (id, step) in &view.steps {
        let made = step_v1(step, now);
        // An item stands under its step; items come behind it, so it is there already.
        match view
            .item_of(id)
            .and_then(|(of, key)| Some((all.get_mut(of)?, key)))
        {
            Some((parent, key)) => parent.each.get_or_insert_default().push(v1::Item {
                key: key.to_owned(),
                step: made,
            }),
            None => {
                all.insert(id.clone(), made);
            }
        }
    }
    all
}

fn step_v1(step: &StepView, now: Timestamp) -> v1::Step {
    let ended = step.ended.as_deref();
    v1::Step {
        action: step.info.action.clone(),
        outcome: match step.state {
            StepState::Pending => v1::StepOutcome::Pending,
            StepState::Running => v1::StepOutcome::Running,
            StepState::Ended(outcome) => step_word(outcome),
        },
        why: ended.and_then(|e| e.why.clone()),
        error: ended.and_then(|e| e.error.as_ref()).map(error_v1),
        attempts: step
            .calls
            .values()
            .flat_map(|call| call.tries.values().map(|tried| attempt(&call.word, tried)))
            .collect(),
        started_at: step.started_at.map(time_v1),
        finished_at: step.finished_at.map(time_v1),
        duration_ms: step.duration_ms(now),
        needs: step.info.needs.iter().cloned().collect(),
        outputs: other_outputs(step),
        links: ended.map(|e| links_v1(&e.links)).unwrap_or_default(),
        files: ended.map(|e| files_v1(&e.files)).unwrap_or_default(),
        each: None,
        reruns: ended.map(|e| reruns(&e.reruns)).unwrap_or_default(),
        triage: triage(step),
        candidates: ended.and_then(candidates_v1),
        undone_by: step.undone_by.clone(),
    }
}

fn attempt(word: &str, tried: &TryView) -> v1::Attempt {
    v1::Attempt {
        call: word.to_owned(),
        started_at: time_v1(tried.started_at),
        duration_ms: tried.ended_at.map(|ended| tried.duration_ms(ended)),
        error: tried.failure.as_ref().map(error_v1),
    }
}

pub(super) fn reruns(list: &[Value]) -> Vec<v1::Rerun> {
    let text = |value: &Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
    list.iter()
        .map(|value| v1::Rerun {
            pipeline_id: text(value, "pipeline_id"),
            result: text(value, "result"),
            reason: text(value, "reason"),
            triage: text(value, "triage").filter(|kind| !kind.is_empty()),
        })
        .collect()
}

/// RFC 3339 in UTC, to the millisecond.
pub(super) fn time_v1(time: Timestamp) -> String {
    Timestamp::from_millisecond(time.as_millisecond())
        .unwrap_or(time)
        .to_string()
}

pub(super) fn error_v1(failure: &Failure) -> v1::Error {
    v1::Error {
        kind: failure.kind.as_str().to_owned(),
        message: failure.message.clone(),
        hint: failure.hint.clone(),
        status: failure.status,
    }
}

pub(super) fn links_v1(links: &[Link]) -> Vec<v1::Link> {
    links
        .iter()
        .map(|link| v1::Link {
            to: link.to.clone(),
            url: link.url.clone(),
        })
        .collect()
}

pub(super) fn files_v1(files: &[FileWritten]) -> Vec<v1::File> {
    files
        .iter()
        .map(|file| v1::File {
            path: file.path.clone(),
            bytes: file.bytes,
            sha256: file.sha256.clone(),
            cut: file.cut,
        })
        .collect()
}

/// What an unknown write may have made; none unless the step ended as unknown.
pub(super) fn candidates_v1(ended: &StepEnded) -> Option<Vec<v1::Candidate>> {
    if ended.outcome != StepOutcome::Unknown {
        return None;
    }
    let found = ended
        .error
        .as_ref()
        .map(|error| error.candidates.as_slice());
    Some(
        found
            .unwrap_or_default()
            .iter()
            .map(|candidate| v1::Candidate {
                id: candidate.id.clone(),
                about: candidate.about.clone(),
            })
            .collect(),
    )
}

pub(super) fn run_word(outcome: RunOutcome) -> v1::RunOutcome {
    match outcome {
        RunOutcome::Passed => v1::RunOutcome::Passed,
        RunOutcome::Failed => v1::RunOutcome::Failed,
        RunOutcome::Canceled => v1::RunOutcome::Canceled,
        RunOutcome::Unknown => v1::RunOutcome::Unknown,
        RunOutcome::Deadline => v1::RunOutcome::Deadline,
    }
}

pub(super) fn step_word(outcome: StepOutcome) -> v1::StepOutcome {
    match outcome {
        StepOutcome::Passed => v1::StepOutcome::Passed,
        StepOutcome::Failed => v1::StepOutcome::Failed,
        StepOutcome::Skipped => v1::StepOutcome::Skipped,
        StepOutcome::Blocked => v1::StepOutcome::Blocked,
        StepOutcome::Canceled => v1::StepOutcome::Canceled,
        StepOutcome::Unknown => v1::StepOutcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Moment;
    use crate::event::{Event, Recorded, RunEnded};

    #[test]
    fn a_report_that_is_too_long_loses_its_outputs_and_says_so() {
        let view = RunView::of(&[Recorded {
            seq: 1,
            at: Moment::start(Timestamp::UNIX_EPOCH),
            event: Event::RunEnded(RunEnded {
                outcome: RunOutcome::Passed,
                why: None,
                failure: None,
                outputs: json!({"log": "x".repeat(5_000)})
                    .as_object()
                    .cloned()
                    .unwrap(),
            }),
        }]);
        let report = report(&view, 0, &ApiUse::default());
        for (bytes_max, kept) in [(10_000, 5_000), (3_500, 2_048), (900, 0)] {
            let text = report_text_within(&report, &Redactor::new(), bytes_max);
            let value: Value = serde_json::from_str(&text).unwrap();
            let log = value["outputs"]["log"].as_str().unwrap_or_default();
            assert_eq!(log.chars().count(), kept);
            assert_eq!(
                value["limits_hit"].as_array().unwrap().is_empty(),
                kept == 5_000
            );
            assert!(text.len() <= bytes_max);
        }
    }
}
