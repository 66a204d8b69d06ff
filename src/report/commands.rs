//! The commands that failed in the jobs of a step, wherever what is known of them came from.
//!
//! Foreign text stands here as it came: whoever shows it masks it, makes it harmless and cuts it.

use serde_json::Value;

use super::triage::triage;
use super::v1;
use super::view::{RunView, StepView};

/// A job that failed, and the command that did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailedCommand {
    /// The name of the job; empty when it is not known.
    pub job: String,
    /// The name of its block; empty when it is not known.
    pub block: String,
    /// The command; empty when it is not known.
    pub command: String,
    /// What it ended with.
    pub exit_code: Option<i64>,
    /// Why there is no log, or why it is the platform that failed.
    pub note: Option<String>,
    /// The last lines that it printed.
    pub last_lines: String,
}

impl RunView {
    /// Those of the logs that a step fetched itself; of a bad step those of the logs that another one fetched
    /// because of it, or else of those whose ends were read to find out why its pipeline is red.
    pub fn failed_commands(&self, id: &str) -> Vec<FailedCommand> {
        let Some(own) = self.steps.get(id) else {
            return Vec::new();
        };
        if own.info.action == "fetch_logs" {
            return fetched(own).collect();
        }
        if !own.is_bad() {
            return Vec::new();
        }
        let told: Vec<FailedCommand> = self.logs_of(id).flat_map(fetched).collect();
        if !told.is_empty() {
            return told;
        }
        let jobs = triage(own).map(|triage| triage.jobs).unwrap_or_default();
        jobs.iter().map(FailedCommand::of_job).collect()
    }
}

impl FailedCommand {
    /// What was found out about a job when it was looked at.
    pub fn of_job(job: &v1::TriagedJob) -> Self {
        let notes = [job.missing.as_deref(), job.infrastructure.as_deref()];
        let notes: Vec<&str> = notes.into_iter().flatten().collect();
        Self {
            job: job.job.clone(),
            block: job.block.clone(),
            command: job.command.clone(),
            exit_code: job.exit_code,
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            last_lines: job.last_lines.join("\n"),
        }
    }
}

fn fetched(logs: &StepView) -> impl Iterator<Item = FailedCommand> {
    let commands = logs.output("failed_commands").and_then(Value::as_array);
    commands.into_iter().flatten().map(|command| {
        let text = |name: &str| {
            let text = command.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        FailedCommand {
            job: text("job"),
            command: text("command"),
            exit_code: command.get("exit_code").and_then(Value::as_i64),
            last_lines: last_lines(command.get("last_lines")),
            ..FailedCommand::default()
        }
    })
}

/// The end of a log, whether it came as a text or as a list of lines.
fn last_lines(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(lines)) => {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            lines.join("\n")
        }
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            String::new()
        }
    }
}
