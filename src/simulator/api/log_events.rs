//! The events of a job's log, as far as the job has come.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::simulator::scenario::{Command, Verdict};
use crate::simulator::state::{Job, State};

use super::jobs::result;
use super::words::verdict;

/// Outputs are cut into pieces of at most so many characters; a piece ends anywhere in a line.
const OUTPUT_CHARACTERS_MAX: usize = 2_048;

/// The events so far, one per element. The commands of a job share its time evenly.
pub(super) fn events(state: &State, job: &Job) -> Vec<Value> {
    let (Some(started), Some(ends)) = (job.started_at, planned_end(job)) else {
        return Vec::new();
    };
    let until = job.finished.map_or(state.now(), |(at, _)| at);
    let second = |at: Timestamp| at.as_second();
    let mut all = vec![json!({"timestamp": second(started), "event": "job_started"})];
    let commands = commands(job);
    let count = i32::try_from(commands.len()).unwrap_or(i32::MAX).max(1);
    let share = ends.duration_since(started) / count;
    let mut from = started;
    for command in &commands {
        if from > until {
            break;
        }
        let to = from.saturating_add(share).unwrap_or(Timestamp::MAX);
        all.push(json!({
            "timestamp": second(from), "event": "cmd_started", "directive": command.command,
        }));
        for piece in pieces(&command.output) {
            all.push(json!({
                "timestamp": second(from), "output": piece, "event": "cmd_output",
            }));
        }
        // A command that was stopped has no end; rounding must not take the end from the last one.
        let over = to
            <= until
                .saturating_add(SignedDuration::from_millis(1))
                .unwrap_or(until);
        if !over {
            break;
        }
        all.push(json!({
            "timestamp": second(to), "started_at": second(from), "finished_at": second(to),
            "exit_code": command.exit_code.unwrap_or(0), "event": "cmd_finished",
            "directive": command.command,
        }));
        from = to;
    }
    if let Some((at, result)) = job.finished {
        all.push(json!({
            "timestamp": second(at), "result": verdict(result), "event": "job_finished",
        }));
    }
    all
}

fn planned_end(job: &Job) -> Option<Timestamp> {
    let run = SignedDuration::try_from(job.plan.run.0).ok()?;
    job.started_at?.saturating_add(run).ok()
}

/// The commands of a job; one that says nothing has a checkout and itself.
fn commands(job: &Job) -> Vec<Command> {
    let mut all = job.plan.log.clone();
    if all.is_empty() {
        let command = |command: &str, output: &str| Command {
            command: command.to_owned(),
            output: output.to_owned(),
            exit_code: None,
        };
        all.push(command("checkout", "Performing shallow clone\n"));
        all.push(command(&format!("make {}", job.plan.name), ""));
    }
    if let Some(last) = all.last_mut()
        && last.exit_code.is_none()
    {
        let failed = job.plan.result == Verdict::Failed;
        last.exit_code = Some(job.plan.exit_code.unwrap_or(i64::from(failed)));
    }
    all
}

fn pieces(output: &str) -> Vec<String> {
    let characters: Vec<char> = output.chars().collect();
    characters
        .chunks(OUTPUT_CHARACTERS_MAX)
        .map(|piece| piece.iter().collect())
        .collect()
}

/// The log as text: each command, and what it printed.
pub(super) fn as_text(events: &[Value]) -> String {
    let mut text = String::new();
    for event in events {
        let part = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        match part("event") {
            "cmd_started" => {
                text.push_str(part("directive"));
                text.push('\n');
            }
            "cmd_output" => text.push_str(part("output")),
            _ => {}
        }
    }
    text
}

/// Why a job has no log, when it has none.
pub(super) fn no_log(job: &Job) -> Option<String> {
    if job.started_at.is_some() || job.finished.is_none() {
        return None;
    }
    Some(if !job.failure_reason.is_empty() {
        job.failure_reason.clone()
    } else if result(job) == Some(Verdict::Stopped) {
        "This job was stopped before it started, so no logs were produced.".to_owned()
    } else {
        "This job never started, so no logs were produced.".to_owned()
    })
}

/// The events as the store holds them: glued together without being read.
pub(super) fn glued(job: &Job, events: &[Value]) -> String {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let mut body = lines.join(",");
    if job.plan.log_corrupt
        && let Some(at) = body.find(",{\"timestamp\"")
    {
        // Two events run into each other in the middle of a string.
        body.replace_range(at.saturating_sub(4)..=at, "");
    }
    format!("{{ \"events\": [{body}] }}")
}
