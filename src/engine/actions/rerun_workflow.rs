//! `rerun_workflow`: starts a whole workflow again.

use super::act::{Act, Cx, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::Record;

enum State {
    Starting,
    Waiting,
}

/// The action.
pub(super) struct RerunWorkflow {
    workflow_id: String,
    token: String,
    wait: bool,
    state: State,
    record: Record,
}

impl RerunWorkflow {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        let workflow_id = params.text("workflow");
        Self {
            workflow_id: workflow_id.to_owned(),
            token: cx.token(&format!("rerun {workflow_id}")),
            wait: params.flag("wait", true),
            state: State::Starting,
            record: Record::default(),
        }
    }
}

impl Act for RerunWorkflow {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Starting, Input::Start) => Next::Call(Call::RerunWorkflow {
                workflow_id: self.workflow_id.clone(),
                token: self.token.clone(),
            }),
            (State::Starting, Input::Answer(answer)) => {
                self.state = State::Waiting;
                pipeline::started(&mut self.record, answer, self.wait)
            }
            (State::Waiting, Input::Answer(answer)) => {
                pipeline::ended(&mut self.record, answer, Expect::Passed)
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (State::Waiting, Input::Start) | (_, Input::Slept) => out_of_turn("rerun_workflow"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
