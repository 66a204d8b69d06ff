//! `run_workflow`: starts a workflow and, unless told otherwise, waits for its pipeline.

use indexmap::IndexMap;

use super::act::{Act, Cx, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use super::project::ProjectParam;
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};

enum State {
    Resolving,
    Running,
    Waiting,
}

/// The action.
pub(super) struct RunWorkflow {
    project: ProjectParam,
    reference: String,
    commit_sha: Option<String>,
    pipeline_file: Option<String>,
    parameters: IndexMap<String, String>,
    mark: Option<String>,
    wait: bool,
    state: State,
    record: Record,
}

impl RunWorkflow {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        Self {
            project: ProjectParam::of(params),
            reference: params.text("reference").to_owned(),
            commit_sha: params.optional("commit_sha"),
            pipeline_file: params.optional("pipeline_file"),
            parameters: params.texts("parameters"),
            mark: cx.mark.then(|| cx.token("mark")),
            wait: params.flag("wait", true),
            state: State::Resolving,
            record: Record::default(),
        }
    }

    fn run(&mut self, project_id: &str) -> Next {
        self.state = State::Running;
        Next::Call(Call::RunWorkflow {
            project_id: project_id.to_owned(),
            reference: self.reference.clone(),
            commit_sha: self.commit_sha.clone(),
            pipeline_file: self.pipeline_file.clone(),
            parameters: self.parameters.clone(),
            mark: self.mark.clone(),
        })
    }
}

impl Act for RunWorkflow {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Resolving, Input::Start) => match self.project.known() {
                Ok(id) => self.run(&id),
                Err(call) => Next::Call(call),
            },
            (State::Resolving, Input::Answer(answer)) => {
                let id = text(&answer.value, "id").to_owned();
                self.run(&id)
            }
            (State::Running, Input::Answer(answer)) => {
                self.state = State::Waiting;
                pipeline::started(&mut self.record, answer, self.wait)
            }
            (State::Waiting, Input::Answer(answer)) => {
                pipeline::ended(&mut self.record, answer, Expect::Passed)
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (State::Running | State::Waiting, Input::Start) | (_, Input::Slept) => {
                out_of_turn("run_workflow")
            }
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
