//! `fetch_logs`: the logs of a job, or of the jobs of a pipeline, to files.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::act::{Act, Cx, Input, Next, out_of_turn};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::{Answer, Failure};

const TAIL_DEFAULT: u64 = 20;

enum State {
    Describing,
    Fetching,
}

/// The action.
pub(super) struct FetchLogs {
    /// The pipelines whose jobs are still to be listed.
    pipelines: VecDeque<String>,
    all: bool,
    folder: String,
    format: String,
    tail: u32,
    queue: VecDeque<(String, String)>,
    logs: Vec<Value>,
    files: Vec<Value>,
    failed_commands: Vec<Value>,
    /// The first log that could not be fetched: the others are fetched all the same.
    trouble: Option<Failure>,
    state: State,
    record: Record,
}

impl FetchLogs {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        let or = |name: &str, default: &str| match params.text(name) {
            "" => default.to_owned(),
            given => given.to_owned(),
        };
        let tail = params.integer("tail").unwrap_or(TAIL_DEFAULT);
        let job = params.optional("job");
        let pipelines = match params.optional("pipeline") {
            Some(pipeline) => vec![pipeline],
            None if job.is_some() => Vec::new(),
            // `of: failed`: all that is red so far.
            None => cx.red.clone(),
        };
        Self {
            pipelines: pipelines.into(),
            all: params.text("jobs") == "all",
            folder: or("save_to", "logs"),
            format: or("format", "text"),
            tail: u32::try_from(tail).unwrap_or(u32::MAX),
            queue: job.map(|job| (job, String::new())).into_iter().collect(),
            logs: Vec::new(),
            files: Vec::new(),
            failed_commands: Vec::new(),
            trouble: None,
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

    fn go_on(&mut self) -> Next {
        if let Some(pipeline_id) = self.pipelines.pop_front() {
            self.state = State::Describing;
            return Next::Call(Call::DescribePipeline {
                pipeline_id,
                detailed: true,
                topology: false,
            });
        }
        self.state = State::Fetching;
        self.record.set("files", self.files.clone());
        self.record
            .set("failed_commands", self.failed_commands.clone());
        match self.queue.pop_front() {
            None => match self.trouble.take() {
                Some(failure) => Next::Fail(failure),
                None => Next::Done,
            },
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
        self.logs.push(value.clone());
        self.record.response = Some(Value::Array(self.logs.clone()));
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
            (_, Input::Start) => self.go_on(),
            (State::Describing, Input::Answer(answer)) => {
                self.choose(answer);
                self.go_on()
            }
            (State::Fetching, Input::Answer(answer)) => {
                self.fetched(answer);
                self.go_on()
            }
            (_, Input::Failure(failure)) => {
                self.trouble.get_or_insert_with(|| failure.clone());
                self.go_on()
            }
            (_, Input::Slept) => out_of_turn("fetch_logs"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
