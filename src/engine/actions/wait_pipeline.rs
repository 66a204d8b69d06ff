//! `wait_pipeline`: waits until a pipeline is done, and takes its result.

use super::act::{Act, Input, Next, out_of_turn};
use super::pipeline::{self, Expect};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::Record;

/// The action.
pub(super) struct WaitPipeline {
    pipeline_id: String,
    follow: bool,
    expect: Expect,
    record: Record,
}

impl WaitPipeline {
    pub(super) fn new(params: &Params) -> Self {
        let mut record = Record::default();
        record.set("pipeline_id", params.text("pipeline"));
        Self {
            pipeline_id: params.text("pipeline").to_owned(),
            follow: params.flag("follow", false),
            expect: Expect::from_word(params.text("expect")),
            record,
        }
    }
}

impl Act for WaitPipeline {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => Next::Call(Call::AwaitPipeline {
                pipeline_id: self.pipeline_id.clone(),
                follow: self.follow,
            }),
            Input::Answer(answer) => pipeline::ended(&mut self.record, answer, self.expect),
            Input::Failure(failure) => Next::Fail(failure.clone()),
            Input::Slept => out_of_turn("wait_pipeline"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
