//! `run_task`: runs a task of a project now.
//!
//! The task is looked up first: by its name, and to know on which reference the new workflow will show,
//! and whether the task has room for our mark.

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

/// The parameter by which a run of ours is found again.
const MARK_PARAMETER: &str = "RUNNER_KEY";

/// How often a workflow that has no pipeline yet is looked at.
const DESCRIBE_EVERY: Duration = Duration::from_secs(2);

enum State {
    Resolving,
    Choosing,
    Starting,
    Describing,
    Pausing,
    Waiting,
}

/// The action.
pub(super) struct RunTask {
    project: ProjectParam,
    project_id: String,
    task: String,
    reference: Option<String>,
    pipeline_file: Option<String>,
    parameters: IndexMap<String, String>,
    mark: Option<String>,
    wait: bool,
    workflow_id: String,
    state: State,
    record: Record,
}

impl RunTask {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        Self {
            project: ProjectParam::of(params),
            project_id: String::new(),
            task: params.text("task").to_owned(),
            reference: params.optional("reference"),
            pipeline_file: params.optional("pipeline_file"),
            parameters: params.texts("parameters"),
            mark: cx.mark.then(|| cx.token("mark")),
            wait: params.flag("wait", true),
            workflow_id: String::new(),
            state: State::Resolving,
            record: Record::default(),
        }
    }

    fn choose(&mut self, project_id: String) -> Next {
        self.state = State::Choosing;
        self.project_id = project_id;
        Next::Call(Call::ResolveTask {
            project_id: self.project_id.clone(),
            task: self.task.clone(),
        })
    }

    fn start(&mut self, task: &Value) -> Next {
        self.state = State::Starting;
        let names = task.get("parameters").and_then(Value::as_array);
        let has_room = names
            .into_iter()
            .flatten()
            .any(|name| name.as_str() == Some(MARK_PARAMETER));
        let reference = self.reference.clone();
        Next::Call(Call::RunTask {
            project_id: self.project_id.clone(),
            task_id: text(task, "id").to_owned(),
            shows_on: reference
                .clone()
                .unwrap_or_else(|| text(task, "reference").to_owned()),
            reference,
            pipeline_file: self.pipeline_file.clone(),
            parameters: self.parameters.clone(),
            mark: self.mark.clone().filter(|_| has_room),
        })
    }

    /// The answer to a run names the workflow alone.
    fn started(&mut self, answer: &Answer) -> Next {
        if text(&answer.value, "pipeline_id").is_empty() {
            self.record.take(&answer.value, &["workflow_id", "url"]);
            self.record.link("workflow", text(&answer.value, "url"));
            self.record.response.clone_from(&answer.response);
            self.workflow_id = text(&answer.value, "workflow_id").to_owned();
            return self.describe();
        }
        self.state = State::Waiting;
        pipeline::started(&mut self.record, answer, self.wait)
    }

    fn describe(&mut self) -> Next {
        self.state = State::Describing;
        Next::Call(Call::DescribeWorkflow {
            workflow_id: self.workflow_id.clone(),
        })
    }

    /// A workflow that has no pipeline yet is asked for it again, after a pause.
    fn described(&mut self, answer: &Answer) -> Next {
        if text(&answer.value, "pipeline_id").is_empty() {
            self.state = State::Pausing;
            return Next::Sleep(DESCRIBE_EVERY);
        }
        self.started(answer)
    }
}

impl Act for RunTask {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Resolving, Input::Start) => match self.project.known() {
                Ok(id) => self.choose(id),
                Err(call) => Next::Call(call),
            },
            (State::Resolving, Input::Answer(answer)) => {
                self.choose(text(&answer.value, "id").to_owned())
            }
            (State::Choosing, Input::Answer(answer)) => self.start(&answer.value),
            (State::Starting, Input::Answer(answer)) => self.started(answer),
            (State::Describing, Input::Answer(answer)) => self.described(answer),
            (State::Pausing, Input::Slept) => self.describe(),
            (State::Waiting, Input::Answer(answer)) => {
                pipeline::ended(&mut self.record, answer, Expect::Passed)
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (State::Pausing, Input::Answer(_)) | (_, Input::Start | Input::Slept) => {
                out_of_turn("run_task")
            }
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
