//! `fetch_logs`: the logs of a job, or of the jobs of a pipeline, to files.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::act::{Act, Input, Next, out_of_turn};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::Answer;

const TAIL_DEFAULT: u64 = 20;

enum State {
    Describing,
    Fetching,
}

/// The action.
pub(super) struct FetchLogs {
    job: Option<String>,
    pipeline_id: String,
    all: bool,
    folder: String,
    format: String,
    tail: u32,
    queue: VecDeque<(String, String)>,
    files: Vec<Value>,
    failed_commands: Vec<Value>,
    state: State,
    record: Record,
}

impl FetchLogs {
    pub(super) fn new(params: &Params) -> Self {
        let or = |name: &str, default: &str| match params.text(name) {
            "" => default.to_owned(),
            given => given.to_owned(),
        };
        let tail = params.integer("tail").unwrap_or(TAIL_DEFAULT);
        Self {
            job: params.optional("job"),
            pipeline_id: params.text("pipeline").to_owned(),
            all: params.text("jobs") == "all",
            folder: or("save_to", "logs"),
            format: or("format", "text"),
            tail: u32::try_from(tail).unwrap_or(u32::MAX),
            queue: VecDeque::new(),
            files: Vec::new(),
            failed_commands: Vec::new(),
            state: State::Describing,
            record: Record::default(),
        }
    }

    /// The jobs whose logs are wanted.
    fn choose(&mut self, answer: &Answer) {
        let blocks = answer.value.get("blocks").and_then(Value::as_array);
        for block in blocks.into_iter().flatten() {
            let jobs = block.get("jobs").and_then(Value::as_array);
            for job in jobs.into_iter().flatten() {
                let red = matches!(text(job, "result"), "failed" | "stopped");
                if self.all || red {
                    self.queue
                        .push_back((text(job, "job_id").to_owned(), text(job, "name").to_owned()));
                }
            }
        }
    }

    fn fetch_next(&mut self) -> Next {
        self.state = State::Fetching;
        self.record.set("files", self.files.clone());
        self.record
            .set("failed_commands", self.failed_commands.clone());
        match self.queue.pop_front() {
            None => Next::Done,
            Some((job_id, job_name)) => Next::Call(Call::FetchLog {
                job_id,
                job_name,
                folder: self.folder.clone(),
                format: self.format.clone(),
                tail: self.tail,
            }),
        }
    }

    fn fetched(&mut self, answer: &Answer) {
        self.record.files.extend(answer.files.iter().cloned());
        let value = &answer.value;
        if let Some(path) = value.get("path").and_then(Value::as_str) {
            self.files.push(json!({
                "job": text(value, "job"), "job_id": text(value, "job_id"), "path": path,
                "bytes": value.get("bytes"), "complete": value.get("complete"),
            }));
        }
        if let Some(command) = value
            .get("failed_command")
            .filter(|command| !command.is_null())
        {
            self.failed_commands.push(json!({
                "job": text(value, "job"), "command": text(command, "command"),
                "exit_code": command.get("exit_code"), "last_lines": command.get("last_lines"),
            }));
        } else if let Some(reason) = value.get("missing").and_then(Value::as_str) {
            // A job without a log still says why it has none.
            self.failed_commands.push(json!({
                "job": text(value, "job"), "command": Value::Null,
                "exit_code": Value::Null, "last_lines": [reason],
            }));
        }
    }
}

impl Act for FetchLogs {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Describing, Input::Start) => match self.job.take() {
                Some(job_id) => {
                    self.queue.push_back((job_id, String::new()));
                    self.fetch_next()
                }
                None => Next::Call(Call::DescribePipeline {
                    pipeline_id: self.pipeline_id.clone(),
                    detailed: true,
                }),
            },
            (State::Describing, Input::Answer(answer)) => {
                self.record.response.clone_from(&answer.response);
                self.choose(answer);
                self.fetch_next()
            }
            (State::Fetching, Input::Answer(answer)) => {
                self.fetched(answer);
                self.fetch_next()
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (State::Fetching, Input::Start) | (_, Input::Slept) => out_of_turn("fetch_logs"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
