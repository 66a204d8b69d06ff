//! `wait_workflow`: waits until all pipelines of a workflow are done, and takes the worst result.

use std::time::Duration;

use serde_json::Value;

use super::act::{Act, Input, Next, out_of_turn};
use super::pipeline::Expect;
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::{Answer, Failure, FailureKind};

/// A promotion by a rule comes some seconds after the end of its pipeline.
const QUIET: Duration = Duration::from_secs(15);

/// The action.
pub(super) struct WaitWorkflow {
    workflow_id: String,
    expect: Expect,
    record: Record,
}

impl WaitWorkflow {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            workflow_id: params.text("workflow").to_owned(),
            expect: Expect::from_word(params.text("expect")),
            record: Record::default(),
        }
    }

    fn ended(&mut self, answer: &Answer) -> Next {
        let value = &answer.value;
        self.record.take(value, &["pipelines", "result", "url"]);
        self.record.set("reason", text(value, "reason"));
        self.record.response.clone_from(&answer.response);
        self.record.link("workflow", text(value, "url"));
        if self.expect.holds(text(value, "result")) {
            Next::Done
        } else {
            Next::Fail(self.red(value))
        }
    }

    fn red(&self, value: &Value) -> Failure {
        if self.expect == Expect::Failed {
            return Failure::new(
                FailureKind::PipelineFailed,
                "all pipelines of the workflow passed, but one was expected to fail",
            );
        }
        let bad: Vec<String> = value
            .get("pipelines")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter(|pipeline| text(pipeline, "result") != "passed")
            .filter(|pipeline| pipeline.get("replaced_by").is_none_or(Value::is_null))
            .map(|pipeline| format!("`{}` {}", text(pipeline, "name"), text(pipeline, "result")))
            .collect();
        let kind = match text(value, "result") {
            "stopped" | "canceled" => FailureKind::PipelineStopped,
            _ => FailureKind::PipelineFailed,
        };
        let message = format!(
            "not all pipelines of the workflow passed: {}",
            bad.join(", ")
        );
        Failure::new(kind, message)
    }
}

impl Act for WaitWorkflow {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => Next::Call(Call::AwaitWorkflow {
                workflow_id: self.workflow_id.clone(),
                quiet_ms: u64::try_from(QUIET.as_millis()).unwrap_or(u64::MAX),
            }),
            Input::Answer(answer) => self.ended(answer),
            Input::Failure(failure) => Next::Fail(failure.clone()),
            Input::Slept => out_of_turn("wait_workflow"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
