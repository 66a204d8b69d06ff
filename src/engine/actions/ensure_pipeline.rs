//! `ensure_pipeline`: a pipeline of this file must have passed for this commit: one that passed is
//! reused, one that runs is joined, and else one is started.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::act::{Act, Cx, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use super::project::ProjectParam;
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::Answer;

const FILE_DEFAULT: &str = ".semaphore/semaphore.yml";
/// A pipeline learns its commit a moment after it was made.
const UNDECIDED_EVERY: Duration = Duration::from_secs(3);
/// One that still has none after so many looks will hardly get one: its reference may not exist.
const UNDECIDED_LOOKS_MAX: u32 = 10;

enum State {
    Resolving,
    Looking,
    Starting,
    Waiting,
}

/// The action.
pub(super) struct EnsurePipeline {
    project: ProjectParam,
    project_id: String,
    reference: String,
    commit_sha: String,
    pipeline_file: Option<String>,
    parameters: IndexMap<String, String>,
    mark: Option<String>,
    wait: bool,
    looks: u32,
    state: State,
    record: Record,
}

impl EnsurePipeline {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        Self {
            project: ProjectParam::of(params),
            project_id: String::new(),
            reference: params.text("reference").to_owned(),
            commit_sha: params.text("commit_sha").to_owned(),
            pipeline_file: params.optional("pipeline_file"),
            parameters: params.texts("parameters"),
            mark: cx.mark.then(|| cx.token("mark")),
            wait: params.flag("wait", true),
            looks: 0,
            state: State::Resolving,
            record: Record::default(),
        }
    }

    fn look(&mut self) -> Next {
        self.state = State::Looking;
        self.looks += 1;
        let file = self.pipeline_file.clone();
        Next::Call(Call::FindPipeline {
            project_id: self.project_id.clone(),
            reference: self.reference.clone(),
            pipeline_file: file.unwrap_or_else(|| FILE_DEFAULT.to_owned()),
            commit_sha: self.commit_sha.clone(),
            parameters: self.parameters.clone(),
        })
    }

    fn looked(&mut self, answer: &Answer) -> Next {
        let found = text(&answer.value, "found");
        let undecided = answer.value.get("undecided").and_then(Value::as_bool) == Some(true);
        if !found.is_empty() {
            self.record.set("found", found);
            self.state = State::Waiting;
            return pipeline::started(&mut self.record, answer, self.wait);
        }
        if undecided && self.looks < UNDECIDED_LOOKS_MAX {
            return Next::Sleep(UNDECIDED_EVERY);
        }
        self.state = State::Starting;
        Next::Call(Call::RunWorkflow {
            project_id: self.project_id.clone(),
            reference: self.reference.clone(),
            commit_sha: Some(self.commit_sha.clone()),
            pipeline_file: self.pipeline_file.clone(),
            parameters: self.parameters.clone(),
            mark: self.mark.clone(),
        })
    }
}

impl Act for EnsurePipeline {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Resolving, Input::Start) => match self.project.known() {
                Ok(id) => {
                    self.project_id = id;
                    self.look()
                }
                Err(call) => Next::Call(call),
            },
            (State::Resolving, Input::Answer(answer)) => {
                self.project_id = text(&answer.value, "id").to_owned();
                self.look()
            }
            (State::Looking, Input::Slept) => self.look(),
            (State::Looking, Input::Answer(answer)) => self.looked(answer),
            (State::Starting, Input::Answer(answer)) => {
                self.record.set("found", "started");
                self.state = State::Waiting;
                pipeline::started(&mut self.record, answer, self.wait)
            }
            (State::Waiting, Input::Answer(answer)) => {
                pipeline::ended(&mut self.record, answer, Expect::Passed)
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (_, Input::Start | Input::Slept) => out_of_turn("ensure_pipeline"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
