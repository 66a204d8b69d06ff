//! `rebuild_pipeline`: runs again what did not pass of a pipeline.

use super::act::{Act, Cx, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::Record;

enum State {
    Starting,
    Waiting,
}

/// The action; also what `rerun` with `scope: failed` does to the pipeline of any step.
pub(in crate::engine) struct RebuildPipeline {
    pipeline_id: String,
    token: String,
    wait: bool,
    expect: Expect,
    state: State,
    record: Record,
}

impl RebuildPipeline {
    pub(super) fn new(params: &Params, cx: &Cx) -> Self {
        Self {
            wait: params.flag("wait", true),
            ..Self::of(params.text("pipeline"), Expect::Passed, cx)
        }
    }

    /// Rebuilds a pipeline and waits for the new one.
    pub(super) fn of(pipeline_id: &str, expect: Expect, cx: &Cx) -> Self {
        Self {
            pipeline_id: pipeline_id.to_owned(),
            token: cx.token(&format!("rebuild {pipeline_id}")),
            wait: true,
            expect,
            state: State::Starting,
            record: Record::default(),
        }
    }
}

impl Act for RebuildPipeline {
    fn next(&mut self, input: Input<'_>) -> Next {
        match (&self.state, input) {
            (State::Starting, Input::Start) => Next::Call(Call::RebuildPipeline {
                pipeline_id: self.pipeline_id.clone(),
                token: self.token.clone(),
            }),
            (State::Starting, Input::Answer(answer)) => {
                self.state = State::Waiting;
                pipeline::started(&mut self.record, answer, self.wait)
            }
            (State::Waiting, Input::Answer(answer)) => {
                pipeline::ended(&mut self.record, answer, self.expect)
            }
            (_, Input::Failure(failure)) => Next::Fail(failure.clone()),
            (State::Waiting, Input::Start) | (_, Input::Slept) => out_of_turn("rebuild_pipeline"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
