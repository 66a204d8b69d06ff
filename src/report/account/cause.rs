//! What went wrong, so that a person can act on it: the failing command with its exit code and last
//! lines, the pipeline's result, where to look, what did not run because of it, what to type.

use serde::Serialize;
use serde_json::Value;

use super::detail::Detail;
use super::run::{NAME_CHARACTERS_MAX, Next, WORDS_CHARACTERS_MAX, lasted};
use super::step::{Error, Link, links, mark, told_error};
use crate::outcome::StepOutcome;
use crate::report::gate::Gate;
use crate::report::triage::{kind_word, triage};
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
    /// Who can mend it, by that reason: what follows "the cause lies in".
    pub(in crate::report) lies_in: Option<&'static str>,
    pub(in crate::report) triage: Option<Triage>,
    pub(in crate::report) failed_jobs: Vec<String>,
    pub(in crate::report) commands: Vec<Command>,
    pub(in crate::report) candidates: Vec<Candidate>,
    pub(in crate::report) links: Vec<Link>,
    pub(in crate::report) stopped: Vec<String>,
    pub(in crate::report) stopped_more: usize,
    pub(in crate::report) next: Vec<Next>,
}

/// What a red pipeline is worth.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Triage {
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) why: String,
    /// Empty when there is none.
    pub(in crate::report) signature: String,
}

/// A job that failed, and the command that did.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Command {
    /// Empty when it is not known; so are the block and the command.
    pub(in crate::report) job: String,
    pub(in crate::report) block: String,
    pub(in crate::report) command: String,
    pub(in crate::report) exit_code: Option<i64>,
    /// Why there is no log, or why it is the platform that failed.
    pub(in crate::report) note: Option<String>,
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
    let bad = view.causes();
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
        lies_in: step.lies_in(),
        triage: told_triage(step, gate),
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

/// What the pipeline of a step is worth that ended red.
pub(super) fn told_triage(step: &StepView, gate: Gate<'_>) -> Option<Triage> {
    let found = triage(step)?;
    Some(Triage {
        kind: kind_word(found.kind),
        why: gate.line(&found.why, WORDS_CHARACTERS_MAX),
        signature: gate.line(&found.signature, NAME_CHARACTERS_MAX),
    })
}

/// The commands that failed in the jobs of a step.
pub(super) fn commands_of(
    view: &RunView,
    id: &str,
    (gate, detail): (Gate<'_>, &Detail),
) -> Vec<Command> {
    let name = |text: &str| gate.line(text, NAME_CHARACTERS_MAX);
    let words = |text: &str| gate.line(text, WORDS_CHARACTERS_MAX);
    let failed = view.failed_commands(id).into_iter();
    failed
        .take(detail.commands_max)
        .map(|failed| Command {
            job: name(&failed.job),
            block: name(&failed.block),
            command: words(&failed.command),
            exit_code: failed.exit_code,
            note: failed.note.as_deref().map(words),
            lines: last_lines(&failed.last_lines, gate, detail),
        })
        .collect()
}

/// The end of a log.
fn last_lines(text: &str, gate: Gate<'_>, detail: &Detail) -> String {
    let block = gate.block(text);
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
