//! `stop_pipeline`: stops a pipeline.

use serde_json::Value;

use super::stopping::{Stopping, cut_short};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::text;

/// The action.
pub(super) fn new(params: &Params) -> Stopping {
    let pipeline_id = params.text("pipeline").to_owned();
    let tell = Call::StopPipeline {
        pipeline_id: pipeline_id.clone(),
    };
    let await_end = Call::AwaitPipeline {
        pipeline_id,
        follow: false,
    };
    Stopping::new(params, tell, await_end, |ended| {
        cut_short(text(
            ended.get("pipeline").unwrap_or(&Value::Null),
            "result",
        ))
    })
}
