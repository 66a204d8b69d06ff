//! `stop_workflow`: stops all pipelines of a workflow.

use serde_json::Value;

use super::stopping::{Stopping, cut_short};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::text;

/// The action.
pub(super) fn new(params: &Params) -> Stopping {
    let workflow_id = params.text("workflow").to_owned();
    let tell = Call::StopWorkflow {
        workflow_id: workflow_id.clone(),
    };
    let await_end = Call::AwaitWorkflow {
        workflow_id,
        quiet_ms: 0,
    };
    Stopping::new(params, tell, await_end, |ended| {
        let pipelines = ended.get("pipelines").and_then(Value::as_array);
        pipelines
            .into_iter()
            .flatten()
            .any(|pipeline| cut_short(text(pipeline, "result")))
    })
}
