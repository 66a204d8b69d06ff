//! What went wrong, so that a person can act on it: the failing command with its exit code and last
//! lines, the pipeline's result, where to look, what did not run because of it, what to type.

use serde::Serialize;
use serde_json::Value;

use super::detail::Detail;
use super::run::{NAME_CHARACTERS_MAX, Next, WORDS_CHARACTERS_MAX, lasted};
use super::step::{Error, Link, links, mark, told_error};
use crate::outcome::StepOutcome;
use crate::report::gate::Gate;
use crate::report::view::{RunView, StepView};
use crate::text::shell_word;

/// So many steps that did not run because of one that failed are named.
const STOPPED_NAMED_MAX: usize = 20;

/// A step that did not do what it should.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Cause {
    /// The number of the step in the account.
    pub(in crate::report) n: usize,
    pub(in crate::report) id: String,
    pub(in crate::report) state: &'static str,
    pub(in crate::report) mark: &'static str,
    pub(in crate::report) after: String,
    pub(in crate::report) why: Option<String>,
    pub(in crate::report) allowed_to_fail: bool,
    pub(in crate::report) error: Option<Error>,
    /// The result of the pipeline and its reason: `failed (test)`.
    pub(in crate::report) pipeline: Option<String>,
    pub(in crate::report) failed_jobs: Vec<String>,
    pub(in crate::report) commands: Vec<Command>,
    pub(in crate::report) candidates: Vec<Candidate>,
    pub(in crate::report) links: Vec<Link>,
    pub(in crate::report) stopped: Vec<String>,
    pub(in crate::report) stopped_more: usize,
    pub(in crate::report) next: Vec<Next>,
}

/// A command of a job that failed.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Command {
    pub(in crate::report) job: String,
    pub(in crate::report) command: String,
    pub(in crate::report) exit_code: Option<i64>,
    /// The last lines that it printed.
    pub(in crate::report) lines: String,
}

/// Something that an unknown write may have made.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Candidate {
    pub(in crate::report) id: String,
    pub(in crate::report) about: String,
}

/// The causes, and how many more there are.
pub(super) fn causes(view: &RunView, gate: Gate<'_>, detail: &Detail) -> (Vec<Cause>, usize) {
    let mut bad: Vec<(&String, &StepView)> = view.causes().collect();
    // What is allowed to fail is not why the run failed: it is told last.
    bad.sort_by_key(|(_, step)| {
        step.ended
            .as_ref()
            .is_some_and(|ended| ended.allowed_to_fail)
    });
    let causes = bad
        .iter()
        .take(detail.causes_max)
        .map(|(id, step)| cause(view, (id, step), (gate, detail)))
        .collect();
    (causes, bad.len().saturating_sub(detail.causes_max))
}

fn cause(
    view: &RunView,
    (id, step): (&str, &StepView),
    (gate, detail): (Gate<'_>, &Detail),
) -> Cause {
    let ended = step.ended.as_deref();
    let error = ended.and_then(|ended| ended.error.as_ref());
    let stopped = view.blocked_by(id);
    let name = |text: &str| gate.line(text, NAME_CHARACTERS_MAX);
    Cause {
        n: view.steps.get_index_of(id).map_or(0, |index| index + 1),
        id: name(id),
        state: step.word(),
        mark: mark(step.state),
        after: lasted(ended.map_or(0, |ended| ended.duration_ms)),
        why: ended
            .and_then(|ended| ended.why.as_ref().or(error.map(|error| &error.message)))
            .map(|why| gate.line(why, WORDS_CHARACTERS_MAX)),
        allowed_to_fail: ended.is_some_and(|ended| ended.allowed_to_fail),
        error: error.map(|error| told_error(error, gate)),
        pipeline: step.output_text("result").map(|result| {
            let reason = step.output_text("reason").unwrap_or_default();
            match name(reason) {
                reason if reason.is_empty() => name(result),
                reason => format!("{} ({reason})", name(result)),
            }
        }),
        failed_jobs: step
            .output("failed_jobs")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|job| job.as_str().or_else(|| job.get("name")?.as_str()))
            .take(STOPPED_NAMED_MAX)
            .map(name)
            .collect(),
        commands: commands_of(view, id, (gate, detail)),
        candidates: candidates(step, gate),
        links: ended.map(|e| links(&e.links, gate)).unwrap_or_default(),
        stopped: stopped
            .iter()
            .take(STOPPED_NAMED_MAX)
            .map(|id| name(id))
            .collect(),
        stopped_more: stopped.len().saturating_sub(STOPPED_NAMED_MAX),
        next: settle(view, (id, step), gate),
    }
}

/// The commands that failed in the jobs of a step: those it fetched itself, or those that another step
/// fetched because of it.
pub(super) fn commands_of(
    view: &RunView,
    id: &str,
    (gate, detail): (Gate<'_>, &Detail),
) -> Vec<Command> {
    let fetched = |step: &StepView| step.info.action == "fetch_logs";
    let Some(own) = view.steps.get(id) else {
        return Vec::new();
    };
    if !fetched(own) && !own.is_bad() {
        return Vec::new();
    }
    let sources: Vec<&StepView> = if fetched(own) {
        vec![own]
    } else {
        view.logs_of(id).collect()
    };
    sources
        .into_iter()
        .filter_map(|logs| logs.output("failed_commands")?.as_array())
        .flatten()
        .take(detail.commands_max)
        .map(|found| command(found, gate, detail))
        .collect()
}

fn command(found: &Value, gate: Gate<'_>, detail: &Detail) -> Command {
    let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default();
    Command {
        job: gate.line(text("job"), NAME_CHARACTERS_MAX),
        command: gate.line(text("command"), WORDS_CHARACTERS_MAX),
        exit_code: found.get("exit_code").and_then(Value::as_i64),
        lines: last_lines(found.get("last_lines"), gate, detail),
    }
}

/// The end of a log, whether it came as a text or as a list of lines.
fn last_lines(value: Option<&Value>, gate: Gate<'_>, detail: &Detail) -> String {
    let text = match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            lines.join("\n")
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            String::new()
        }
    };
    let block = gate.block(&text);
    let all: Vec<&str> = block.trim_end().lines().collect();
    let kept = all.get(all.len().saturating_sub(detail.lines_max)..);
    let kept: Vec<String> = kept
        .unwrap_or_default()
        .iter()
        .map(|line| crate::text::cut(line, WORDS_CHARACTERS_MAX))
        .collect();
    kept.join("\n")
}

pub(super) fn candidates(step: &StepView, gate: Gate<'_>) -> Vec<Candidate> {
    let error = step.ended.as_ref().and_then(|ended| ended.error.as_ref());
    error
        .iter()
        .flat_map(|error| &error.candidates)
        .map(|candidate| Candidate {
            id: gate.line(&candidate.id, NAME_CHARACTERS_MAX),
            about: gate.line(&candidate.about, WORDS_CHARACTERS_MAX),
        })
        .collect()
}

/// The commands that settle a write whose fate is unknown.
fn settle(view: &RunView, (id, step): (&str, &StepView), gate: Gate<'_>) -> Vec<Next> {
    if step.outcome() != Some(StepOutcome::Unknown) {
        return Vec::new();
    }
    let word = |text: &str| shell_word(&gate.line(text, NAME_CHARACTERS_MAX));
    let (run, step_word) = (word(view.id()), word(id));
    let found = candidates(step, gate);
    let is = match found.as_slice() {
        [only] => shell_word(&only.id),
        [] | [_, _, ..] => "ID".to_owned(),
    };
    vec![
        Next {
            purpose: "when it arrived",
            command: format!("runner resolve {run} {step_word} --is {is}"),
        },
        Next {
            purpose: "when it did not",
            command: format!("runner resolve {run} {step_word} --not-sent"),
        },
    ]
}
