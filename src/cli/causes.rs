//! What went wrong, said so that a person can act on it.
//!
//! Pure: a view and a screen in, lines out. Everything foreign passes the screen.

use std::collections::HashSet;

use serde_json::Value;

use super::screen::{Screen, Tone};
use super::words;
use crate::event::{Failure, FailureKind, Fate};
use crate::ids::Id;
use crate::outcome::StepOutcome;
use crate::report::{FailedCommand, RunView, StepView, kind_word, triage, v1};

/// So many causes are told in full, the others counted.
const CAUSES_MAX: usize = 10;
/// So many failed commands are shown per step.
const COMMANDS_MAX: usize = 5;
/// So many last lines are shown of each.
const LAST_LINES_MAX: usize = 15;
/// So many failed jobs have their pages named.
const JOBS_MAX: usize = 3;
/// So many steps are named that were not run.
const BLOCKED_NAMED_MAX: usize = 12;
/// A message is cut to this.
const MESSAGE_CHARACTERS_MAX: usize = 1_000;
const INDENT: &str = "    ";

/// Everything that a person must know of the steps that did not do what they should.
pub fn causes(view: &RunView, screen: &Screen<'_>) -> Vec<String> {
    let bad = view.causes();
    let mut lines = Vec::new();
    for (id, step) in bad.iter().take(CAUSES_MAX) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.extend(cause(view, id, step, screen));
    }
    let more = bad.len().saturating_sub(CAUSES_MAX);
    if more > 0 {
        lines.push(String::new());
        lines.push(format!("and {more} more: see the report"));
    }
    lines
}

fn cause(view: &RunView, id: &str, step: &StepView, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = screen.wrapped(&headline(id, step, screen), "", INDENT);
    if let Some(head) = lines.first_mut() {
        *head = screen.paint(words::mark(step.state).1, head);
    }
    let error = step.ended.as_ref().and_then(|e| e.error.as_ref());
    if let Some(error) = error {
        lines.extend(error_lines(step, error, screen));
    }
    lines.extend(pipeline_lines(step, screen));
    if let Some(triage) = triage(step) {
        lines.extend(triage_line(&triage, INDENT, screen));
    }
    lines.extend(command_lines(&view.failed_commands(id), INDENT, screen));
    if step.outcome() == Some(StepOutcome::Unknown) {
        lines.extend(unknown_lines(view, id, error, screen));
    }
    // A workflow and its pipeline have one page.
    let mut pages: HashSet<&str> = HashSet::new();
    let links = step.ended.iter().flat_map(|e| &e.links);
    for link in links.filter(|link| pages.insert(&link.url)) {
        let to = screen.line(&link.to, words::NAME_CHARACTERS_MAX);
        // An address that is cut leads nowhere.
        lines.push(format!("{INDENT}{to}: {}", screen.words(&link.url)));
    }
    lines.extend(job_pages(step, screen));
    lines.extend(blocked_lines(view, id, screen));
    lines
}

/// In which parts of a step the cause lies, and why those ended as they did.
pub(super) fn within<'a>(
    parts: impl Iterator<Item = (&'a str, Option<&'a str>)>,
    indent: &str,
    screen: &Screen<'_>,
) -> Vec<String> {
    let parts: Vec<(&str, Option<&str>)> = parts.collect();
    let mut lines = Vec::new();
    for (id, why) in parts.iter().take(CAUSES_MAX) {
        let id = screen.line(id, words::NAME_CHARACTERS_MAX);
        let why = why.map_or_else(String::new, |why| format!(": {}", screen.words(why)));
        lines.extend(screen.wrapped(&format!("{id}{why}"), indent, &format!("{indent}  ")));
    }
    let more = parts.len().saturating_sub(CAUSES_MAX);
    if more > 0 {
        lines.push(format!("{indent}and {more} more"));
    }
    lines
}

/// What was not run because of a step.
fn blocked_lines(view: &RunView, id: &str, screen: &Screen<'_>) -> Vec<String> {
    let blocked = view.blocked_by(id);
    if blocked.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = blocked
        .iter()
        .take(BLOCKED_NAMED_MAX)
        .map(|id| screen.line(id, words::NAME_CHARACTERS_MAX))
        .collect();
    let more = match blocked.len().saturating_sub(BLOCKED_NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let line = format!("not run because of it: {}{more}", named.join(", "));
    screen.wrapped(&line, INDENT, "      ")
}

/// The pages of the jobs that failed. Semaphore's pages of a run and of its jobs stand side by side.
fn job_pages(step: &StepView, screen: &Screen<'_>) -> Vec<String> {
    let pages = step.ended.iter().flat_map(|ended| &ended.links);
    let Some((origin, _)) = pages
        .filter_map(|link| link.url.split_once("/workflows/"))
        .next()
    else {
        return Vec::new();
    };
    let jobs = step.output("failed_jobs").and_then(Value::as_array);
    jobs.into_iter()
        .flatten()
        .filter_map(|job| Some((job.get("name")?.as_str()?, job.get("job_id")?.as_str()?)))
        .filter(|(_, id)| Id::parse(id).is_ok())
        .take(JOBS_MAX)
        .map(|(name, id)| {
            let name = screen.line(name, words::NAME_CHARACTERS_MAX);
            format!("{INDENT}job `{name}`: {}/jobs/{id}", screen.words(origin))
        })
        .collect()
}

/// `✗ tests failed after 4m12s: the pipeline ended as failed`.
fn headline(id: &str, step: &StepView, screen: &Screen<'_>) -> String {
    let (mark, _) = words::mark(step.state);
    let id = screen.line(id, words::NAME_CHARACTERS_MAX);
    let time = step.ended.as_ref().map_or(0, |ended| ended.duration_ms);
    let why = words::why(step, screen).map_or_else(String::new, |why| format!(": {why}"));
    format!(
        "{mark} {id} {} after {}{why}",
        step.word(),
        words::lasted(time)
    )
}

fn error_lines(step: &StepView, error: &Failure, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let message = screen.line(&error.message, MESSAGE_CHARACTERS_MAX);
    let status = error
        .status
        .map_or_else(String::new, |status| format!(", HTTP {status}"));
    // The headline often says the same: then only the class is news, and of a pipeline not even that.
    let said = words::why(step, screen).is_some_and(|why| why.contains(&message));
    let of_pipeline = matches!(
        error.kind,
        FailureKind::PipelineFailed | FailureKind::PipelineStopped
    );
    if !said {
        let line = format!("error: {message} ({}{status})", error.kind);
        lines.extend(screen.wrapped(&line, INDENT, "      "));
    } else if !of_pipeline {
        lines.push(format!("{INDENT}kind: {}{status}", error.kind));
    }
    if let Some(hint) = &error.hint {
        let hint = screen.line(hint, MESSAGE_CHARACTERS_MAX);
        lines.extend(screen.wrapped(&format!("hint: {hint}"), INDENT, "      "));
    }
    let tries: usize = step
        .calls
        .values()
        .map(|call| call.tries.len())
        .max()
        .unwrap_or(0);
    if tries > 1 {
        lines.push(format!("{INDENT}tried {tries} times"));
    }
    lines
}

/// `the cause: the code, not the infrastructure (result: failed, reason: test)`, then the jobs that failed.
fn pipeline_lines(step: &StepView, screen: &Screen<'_>) -> Vec<String> {
    let text = |name: &str| {
        let text = step.output_text(name).unwrap_or_default();
        screen.line(text, words::NAME_CHARACTERS_MAX)
    };
    let (result, reason) = (text("result"), text("reason"));
    if result.is_empty() {
        return Vec::new();
    }
    let said = match reason.as_str() {
        "" => format!("result: {result}"),
        reason => format!("result: {result}, reason: {reason}"),
    };
    let line = match step.lies_in() {
        Some(cause) => format!("the cause lies in {cause} ({said})"),
        None => format!("pipeline: {said}"),
    };
    let mut lines = screen.wrapped(&line, INDENT, "      ");
    let jobs: Vec<String> = step
        .output("failed_jobs")
        .and_then(Value::as_array)
        .map(|jobs| jobs.iter().filter_map(job_name).collect())
        .unwrap_or_default();
    // The headline names them in most cases.
    let why = step.ended.as_ref().and_then(|ended| ended.why.as_deref());
    let said = |job: &String| why.is_some_and(|why| why.contains(job.as_str()));
    if !jobs.iter().all(said)
        && let Some(failed) = words::failed_words(&jobs, screen)
    {
        let failed = format!("jobs that {failed}");
        lines.extend(screen.wrapped(&failed, INDENT, "      "));
    }
    lines
}

/// Why a pipeline ended red: the verdict, and job by job what failed.
pub(super) fn triage_lines(triage: &v1::Triage, indent: &str, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = triage_line(triage, indent, screen);
    let jobs: Vec<FailedCommand> = triage.jobs.iter().map(FailedCommand::of_job).collect();
    lines.extend(command_lines(&jobs, indent, screen));
    lines
}

/// `triage: known_flake: seen 4 times on 3 branches in the last 14d (signature 3f9a1c0d7b2e)`.
fn triage_line(triage: &v1::Triage, indent: &str, screen: &Screen<'_>) -> Vec<String> {
    let kind = kind_word(triage.kind);
    let signature = screen.line(&triage.signature, words::NAME_CHARACTERS_MAX);
    let signature = if signature.is_empty() {
        String::new()
    } else {
        format!(" (signature {signature})")
    };
    let line = format!("triage: {kind}: {}{signature}", screen.words(&triage.why));
    screen.wrapped(&line, indent, &format!("{indent}  "))
}

/// A job is named by its text, or by the name in its record.
fn job_name(job: &Value) -> Option<String> {
    job.as_str()
        .or_else(|| job.get("name").and_then(Value::as_str))
        .map(str::to_owned)
}

/// The commands that failed, with the last lines of what they printed.
fn command_lines(commands: &[FailedCommand], indent: &str, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for command in commands.iter().take(COMMANDS_MAX) {
        let name = |text: &str| screen.line(text, words::NAME_CHARACTERS_MAX);
        let (job, block) = (name(&command.job), name(&command.block));
        let place = match (job.is_empty(), block.is_empty()) {
            (true, _) => String::new(),
            (false, true) => format!("job `{job}`: "),
            (false, false) => format!("job `{job}` of block `{block}`: "),
        };
        let code = command
            .exit_code
            .map_or_else(String::new, |code| format!(" ended with exit code {code}"));
        let what = screen.line(&command.command, MESSAGE_CHARACTERS_MAX);
        let note = command.note.as_ref().map(|note| screen.words(note));
        let said = match (what.is_empty(), note) {
            (false, Some(note)) => format!("`{what}`{code}; {note}"),
            (false, None) => format!("`{what}`{code}"),
            (true, Some(note)) => note,
            (true, None) => "no command is known".to_owned(),
        };
        lines.extend(screen.wrapped(&format!("{place}{said}"), indent, &format!("{indent}  ")));
        lines.extend(last_lines(&command.last_lines, indent, screen));
    }
    let more = commands.len().saturating_sub(COMMANDS_MAX);
    if more > 0 {
        lines.push(format!(
            "{indent}and {more} more failed commands: see the report"
        ));
    }
    lines
}

/// The end of a log.
fn last_lines(text: &str, indent: &str, screen: &Screen<'_>) -> Vec<String> {
    let block = screen.block(text);
    let all: Vec<&str> = block.trim_end().lines().collect();
    let shown = all.len().saturating_sub(LAST_LINES_MAX);
    all.iter()
        .skip(shown)
        .map(|line| screen.fit(format!("{indent}  | {}", line.replace('\t', "    ")).trim_end()))
        .collect()
}

fn unknown_lines(
    view: &RunView,
    id: &str,
    error: Option<&Failure>,
    screen: &Screen<'_>,
) -> Vec<String> {
    let mut lines = Vec::new();
    let candidates = error.map(|e| e.candidates.as_slice()).unwrap_or_default();
    if error.is_some_and(|error| error.fate == Fate::Unknown) && candidates.is_empty() {
        lines.push(format!("{INDENT}nobody can say whether it happened"));
    }
    if !candidates.is_empty() {
        lines.push(format!("{INDENT}it may have made:"));
    }
    for candidate in candidates {
        let about = screen.line(&candidate.about, MESSAGE_CHARACTERS_MAX);
        let id = screen.line(&candidate.id, words::NAME_CHARACTERS_MAX);
        lines.extend(screen.wrapped(&format!("{id}: {about}"), "      ", "        "));
    }
    let run = words::shell_word(&screen.line(view.id(), words::NAME_CHARACTERS_MAX));
    let step = words::shell_word(&screen.line(id, words::NAME_CHARACTERS_MAX));
    let is = match candidates {
        [only] => words::shell_word(&screen.line(&only.id, words::NAME_CHARACTERS_MAX)),
        [] | [_, _, ..] => "ID".to_owned(),
    };
    lines.push(format!("{INDENT}look, then settle it:"));
    lines.push(format!("      runner resolve {run} {step} --is {is}"));
    lines.push(format!("      runner resolve {run} {step} --not-sent"));
    lines
}

/// What the run has made on Semaphore, as far as is known: for when no report could be written.
pub fn ids(view: &RunView, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let writes = |step: &StepView| step.calls.values().any(|call| call.writes);
    for (id, step) in view.steps.iter().filter(|(_, step)| writes(step)) {
        // What a write made is often named only by the look-up that follows it.
        for (name, value) in step.calls.values().flat_map(|call| &call.ids) {
            let line = format!(
                "{}: {} {}",
                screen.line(id, words::NAME_CHARACTERS_MAX),
                screen.line(name, words::NAME_CHARACTERS_MAX),
                screen.line(value, words::NAME_CHARACTERS_MAX),
            );
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }
    lines
}

/// A heading.
pub fn heading(text: &str, screen: &Screen<'_>) -> String {
    screen.paint(Tone::Strong, text)
}
