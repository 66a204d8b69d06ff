//! The account of the steps.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Map, Value};

use super::cause::{Candidate, Command, Triage, candidates, commands_of, told_triage};
use super::detail::Detail;
use super::run::{NAME_CHARACTERS_MAX, Named, WORDS_CHARACTERS_MAX, lasted, moment};
use crate::event::Failure;
use crate::outcome::StepOutcome;
use crate::report::gate::Gate;
use crate::report::timeline::{Axis, Doing};
use crate::report::triage::other_outputs;
use crate::report::view::{RunView, StepState, StepView};
use crate::size;

/// Steps are not moved in further than this.
const DEPTH_MAX: usize = 4;
/// So many steps are named in which the cause of one lies.
const CAUSES_NAMED_MAX: usize = 20;

/// The account of a step.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Step {
    /// Its number in the order of the plan, from 1.
    pub(in crate::report) n: usize,
    pub(in crate::report) id: String,
    /// How many characters of the id say where it is nested: `release/` of `release/build`.
    pub(in crate::report) prefix: String,
    pub(in crate::report) short: String,
    pub(in crate::report) action: String,
    pub(in crate::report) description: Option<String>,
    #[serde(skip)]
    pub(in crate::report) stands: StepState,
    pub(in crate::report) state: &'static str,
    pub(in crate::report) mark: &'static str,
    pub(in crate::report) why: Option<String>,
    /// The condition that held when it began, with its values.
    pub(in crate::report) because: Option<String>,
    pub(in crate::report) allowed_to_fail: bool,
    /// The number of the step that it is a part of: an item of its fan-out, a step of what it uses.
    pub(in crate::report) parent: Option<usize>,
    /// How deep it stands below steps that are no part of any.
    pub(in crate::report) depth: usize,
    pub(in crate::report) has_parts: bool,
    pub(in crate::report) finally: bool,
    pub(in crate::report) undoes: Option<String>,
    pub(in crate::report) undone_by: Option<String>,
    pub(in crate::report) needs: Vec<Need>,
    pub(in crate::report) started_at: Option<String>,
    /// How long after the run.
    pub(in crate::report) started_after: Option<String>,
    pub(in crate::report) started_ms: u64,
    pub(in crate::report) duration_ms: u64,
    pub(in crate::report) lasted: Option<String>,
    pub(in crate::report) queued_ms: u64,
    pub(in crate::report) ran_ms: u64,
    /// What it spent its time on, in words.
    pub(in crate::report) spent: String,
    pub(in crate::report) bars: Vec<Bar>,
    pub(in crate::report) tries: Vec<Try>,
    pub(in crate::report) tries_more: usize,
    pub(in crate::report) retries: usize,
    pub(in crate::report) error: Option<Error>,
    pub(in crate::report) candidates: Vec<Candidate>,
    pub(in crate::report) asked: Option<String>,
    pub(in crate::report) answered: Option<String>,
    pub(in crate::report) links: Vec<Link>,
    pub(in crate::report) files: Vec<Named>,
    pub(in crate::report) reruns: Vec<String>,
    pub(in crate::report) outputs: Vec<Named>,
    pub(in crate::report) outputs_more: usize,
    pub(in crate::report) commands: Vec<Command>,
    pub(in crate::report) triage: Option<Triage>,
    /// The steps in which the cause lies when it is made of others.
    pub(in crate::report) causes: Vec<Part>,
    pub(in crate::report) causes_more: usize,
    pub(in crate::report) critical: bool,
}

/// A step that another one needs.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Need {
    pub(in crate::report) id: String,
    pub(in crate::report) accepted: String,
}

/// A step that this one is made of.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Part {
    /// Its number in the account.
    pub(in crate::report) n: usize,
    pub(in crate::report) id: String,
}

/// A stretch of time, in percent of the run.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Bar {
    pub(in crate::report) doing: &'static str,
    pub(in crate::report) x: f64,
    pub(in crate::report) width: f64,
}

/// A try of a call.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Try {
    pub(in crate::report) call: String,
    pub(in crate::report) number: u32,
    pub(in crate::report) after: String,
    pub(in crate::report) lasted: Option<String>,
    pub(in crate::report) error: Option<String>,
}

/// What went wrong.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Error {
    pub(in crate::report) kind: &'static str,
    pub(in crate::report) message: String,
    pub(in crate::report) hint: Option<String>,
    pub(in crate::report) status: Option<u16>,
}

/// A page on Semaphore; without an address that may be followed, its text alone.
#[derive(Debug, Clone, Serialize)]
pub(in crate::report) struct Link {
    pub(in crate::report) to: String,
    pub(in crate::report) url: Option<String>,
    pub(in crate::report) text: String,
}

/// The mark of a state; the word stands beside it wherever it is shown.
pub(super) fn mark(state: StepState) -> &'static str {
    match state {
        StepState::Pending => "·",
        StepState::Running => "▸",
        StepState::Ended(StepOutcome::Passed) => "✓",
        StepState::Ended(StepOutcome::Failed) => "✗",
        StepState::Ended(StepOutcome::Skipped | StepOutcome::Blocked) => "-",
        StepState::Ended(StepOutcome::Canceled) => "■",
        StepState::Ended(StepOutcome::Unknown) => "?",
    }
}

/// The accounts of all steps, parts behind their step.
pub(super) fn steps(
    view: &RunView,
    (gate, detail): (Gate<'_>, &Detail),
    (axis, path): (&Axis, &[String]),
) -> Vec<Step> {
    let parents: HashSet<&str> = view
        .steps
        .values()
        .filter_map(|step| step.info.parent.as_deref())
        .collect();
    let mut all: Vec<Step> = Vec::new();
    for (id, step) in &view.steps {
        let mut told = told(view, (id, step), (gate, detail), axis);
        told.n = all.len() + 1;
        let parent = step.info.parent.as_deref();
        let parent = parent.and_then(|id| view.steps.get_index_of(id));
        told.parent = parent.map(|index| index + 1);
        // Parts stand behind their step; in a damaged journal they may not, and stand at the edge.
        told.depth = parent
            .and_then(|index| all.get(index))
            .map_or(0, |parent| (parent.depth + 1).min(DEPTH_MAX));
        told.has_parts = parents.contains(id.as_str());
        told.critical = path.contains(id);
        spend(&mut told, step, axis);
        if told.has_parts && step.is_bad() {
            place_causes(&mut told, view, id, gate);
        }
        all.push(told);
    }
    all
}

fn told(
    view: &RunView,
    (id, step): (&str, &StepView),
    (gate, detail): (Gate<'_>, &Detail),
    axis: &Axis,
) -> Step {
    let ended = step.ended.as_deref();
    let name = |text: &str| gate.line(text, NAME_CHARACTERS_MAX);
    let words = |text: &String| gate.line(text, WORDS_CHARACTERS_MAX);
    let error = ended.and_then(|ended| ended.error.as_ref());
    let whole = name(id);
    // A key of an item may hold anything, a slash too.
    let named = whole.split('[').next().unwrap_or_default();
    let at = named.rfind('/').map_or(0, |at| at + 1);
    let (prefix, short) = whole.split_at_checked(at).unwrap_or(("", &whole));
    let (tries, tries_more) = tries(step, (gate, detail), axis);
    let outputs = ended.map(|_| other_outputs(step)).unwrap_or_default();
    let calls = step.calls.values();
    Step {
        n: 0,
        prefix: prefix.to_owned(),
        short: short.to_owned(),
        id: whole.clone(),
        action: name(&step.info.action),
        description: step.info.description.as_ref().map(words),
        stands: step.state,
        state: step.word(),
        mark: mark(step.state),
        why: ended
            .and_then(|ended| ended.why.as_ref().or(error.map(|error| &error.message)))
            .map(words),
        because: step.because.as_ref().map(words),
        allowed_to_fail: ended.is_some_and(|ended| ended.allowed_to_fail),
        parent: None,
        depth: 0,
        has_parts: false,
        finally: step.info.finally,
        undoes: step.info.undoes.as_deref().map(name),
        undone_by: step.undone_by.as_deref().map(name),
        needs: needs(step, gate),
        started_at: step.started_at.map(moment),
        started_after: step.started_at.map(|at| lasted(axis.at(at))),
        started_ms: step.started_at.map_or(u64::MAX, |at| axis.at(at)),
        duration_ms: step.duration_ms(axis.end),
        lasted: step.started_at.map(|_| lasted(step.duration_ms(axis.end))),
        queued_ms: 0,
        ran_ms: 0,
        spent: String::new(),
        bars: Vec::new(),
        tries,
        tries_more,
        retries: calls.map(|call| call.tries.len().saturating_sub(1)).sum(),
        error: error.map(|error| told_error(error, gate)),
        candidates: candidates(step, gate),
        asked: step.asked.as_ref().map(words),
        answered: step.answered.as_ref().map(|(by, yes)| {
            let word = if *yes { "yes" } else { "no" };
            format!("{word}, by {}", name(by))
        }),
        links: ended.map(|e| links(&e.links, gate)).unwrap_or_default(),
        files: ended.map(|e| files(&e.files, gate)).unwrap_or_default(),
        reruns: ended.map(|e| reruns(&e.reruns, gate)).unwrap_or_default(),
        outputs: told_outputs(&outputs, gate, detail),
        outputs_more: outputs.len().saturating_sub(detail.outputs_max),
        commands: commands_of(view, id, (gate, detail)),
        triage: told_triage(step, gate),
        causes: Vec::new(),
        causes_more: 0,
        critical: false,
    }
}

/// Tells in which parts the cause lies.
fn place_causes(told: &mut Step, view: &RunView, id: &str, gate: Gate<'_>) {
    let causes = view.causes_within(id);
    told.causes_more = causes.len().saturating_sub(CAUSES_NAMED_MAX);
    let named = causes.into_iter().take(CAUSES_NAMED_MAX);
    told.causes = named
        .map(|id| Part {
            n: view.steps.get_index_of(id).map_or(0, |index| index + 1),
            id: gate.line(id, NAME_CHARACTERS_MAX),
        })
        .collect();
}

fn needs(step: &StepView, gate: Gate<'_>) -> Vec<Need> {
    let name = |text: &str| gate.line(text, NAME_CHARACTERS_MAX);
    let needs = step.info.needs.iter();
    needs
        .map(|(id, accepted)| Need {
            id: name(id),
            accepted: name(accepted),
        })
        .collect()
}

/// The outputs of a step, but for the failed commands and the triage, which are told in words.
fn told_outputs(outputs: &Map<String, Value>, gate: Gate<'_>, detail: &Detail) -> Vec<Named> {
    outputs
        .iter()
        .filter(|(name, _)| *name != "failed_commands")
        .take(detail.outputs_max)
        .map(|(output, value)| Named {
            name: gate.line(output, NAME_CHARACTERS_MAX),
            value: gate.value(value, detail.value_characters_max),
        })
        .collect()
}

/// Tells what a step spent its time on, as bars and in words.
fn spend(told: &mut Step, step: &StepView, axis: &Axis) {
    let waits = told.has_parts || matches!(step.info.action.as_str(), "sleep" | "approve");
    let spans = axis.spans(step, waits);
    let sum = |doing: Doing| -> u64 {
        let of_it = spans.iter().filter(|span| span.doing == doing);
        of_it.map(super::super::timeline::Span::length_ms).sum()
    };
    (told.queued_ms, told.ran_ms) = (sum(Doing::Queue), sum(Doing::Run));
    let mut parts = Vec::new();
    for (doing, words) in [
        (Doing::Queue, "queued"),
        (Doing::Run, "ran"),
        (Doing::Retry, "waited to try again for"),
        (Doing::Wait, "waited"),
    ] {
        let ms = sum(doing);
        if ms > 0 {
            parts.push(format!("{words} {}", lasted(ms)));
        }
    }
    told.spent = parts.join(", ");
    told.bars = spans
        .iter()
        .map(|span| {
            let x = axis.percent(span.from_ms);
            let end = axis.percent(span.until_ms);
            Bar {
                doing: span.doing.as_str(),
                x,
                width: ((end - x) * 100.0).round() / 100.0,
            }
        })
        .collect();
}

fn tries(step: &StepView, (gate, detail): (Gate<'_>, &Detail), axis: &Axis) -> (Vec<Try>, usize) {
    let all = step.calls.values().flat_map(|call| {
        call.tries.iter().map(|(number, tried)| {
            let about = if call.about.is_empty() {
                gate.line(&call.word, NAME_CHARACTERS_MAX)
            } else {
                let word = gate.line(&call.word, NAME_CHARACTERS_MAX);
                format!("{word}: {}", gate.line(&call.about, NAME_CHARACTERS_MAX))
            };
            Try {
                call: about,
                number: *number,
                after: lasted(axis.at(tried.started_at)),
                lasted: tried.ended_at.map(|end| lasted(tried.duration_ms(end))),
                error: tried
                    .failure
                    .as_ref()
                    .map(|failure| gate.line(&failure.message, WORDS_CHARACTERS_MAX)),
            }
        })
    });
    let mut tries: Vec<Try> = all.collect();
    let more = tries.len().saturating_sub(detail.tries_max);
    tries.truncate(detail.tries_max);
    (tries, more)
}

pub(super) fn told_error(error: &Failure, gate: Gate<'_>) -> Error {
    Error {
        kind: error.kind.as_str(),
        message: gate.line(&error.message, WORDS_CHARACTERS_MAX),
        hint: error
            .hint
            .as_ref()
            .map(|hint| gate.line(hint, WORDS_CHARACTERS_MAX)),
        status: error.status,
    }
}

pub(super) fn links(links: &[crate::event::Link], gate: Gate<'_>) -> Vec<Link> {
    // A workflow and its pipeline have one page.
    let mut seen: HashSet<&str> = HashSet::new();
    links
        .iter()
        .filter(|link| seen.insert(&link.url))
        .map(|link| Link {
            to: gate.line(&link.to, NAME_CHARACTERS_MAX),
            url: gate.url(&link.url),
            text: gate.line(&link.url, WORDS_CHARACTERS_MAX),
        })
        .collect()
}

fn files(files: &[crate::event::FileWritten], gate: Gate<'_>) -> Vec<Named> {
    files
        .iter()
        .map(|file| {
            let cut = if file.cut { ", cut" } else { "" };
            Named {
                name: gate.line(&file.path, WORDS_CHARACTERS_MAX),
                value: format!("{}{cut}", size::show(file.bytes)),
            }
        })
        .collect()
}

fn reruns(reruns: &[Value], gate: Gate<'_>) -> Vec<String> {
    reruns
        .iter()
        .map(|rerun| {
            let text = |name: &str| rerun.get(name).and_then(Value::as_str).unwrap_or_default();
            let words = format!(
                "{} {} {}",
                text("pipeline_id"),
                text("result"),
                text("reason")
            );
            gate.line(words.trim(), NAME_CHARACTERS_MAX)
        })
        .collect()
}
