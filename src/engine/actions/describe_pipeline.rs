//! `describe_pipeline`: reads a pipeline.

use serde_json::Value;

use super::act::{Act, Input, Next, out_of_turn};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::{Record, text};

/// The action.
pub(super) struct DescribePipeline {
    pipeline_id: String,
    detailed: bool,
    record: Record,
}

impl DescribePipeline {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            pipeline_id: params.text("pipeline").to_owned(),
            detailed: params.flag("detailed", false),
            record: Record::default(),
        }
    }
}

impl Act for DescribePipeline {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => Next::Call(Call::DescribePipeline {
                pipeline_id: self.pipeline_id.clone(),
                detailed: self.detailed,
            }),
            Input::Answer(answer) => {
                let fields = answer.value.get("pipeline").and_then(Value::as_object);
                for (name, value) in fields.into_iter().flatten() {
                    self.record.set(name, value.clone());
                }
                self.record
                    .take(&answer.value, &["blocks", "failed_jobs", "url"]);
                self.record.link("pipeline", text(&answer.value, "url"));
                self.record.response.clone_from(&answer.response);
                Next::Done
            }
            Input::Failure(failure) => Next::Fail(failure.clone()),
            Input::Slept => out_of_turn("describe_pipeline"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
