//! `describe_pipeline`: reads a pipeline.

use serde_json::Value;

use super::reading::Reading;
use crate::catalog;
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::text;

/// The action.
pub(super) fn new(params: &Params) -> Reading {
    let call = Call::DescribePipeline {
        pipeline_id: params.text("pipeline").to_owned(),
        detailed: params.flag("detailed", false),
        topology: params.flag("topology", false),
    };
    Reading::of(call, |record, answer| {
        let outputs = catalog::find("describe_pipeline").map_or(&[][..], |a| a.outputs);
        let mut fields = answer.value.get("pipeline").cloned().unwrap_or(Value::Null);
        for name in ["blocks", "failed_jobs", "url"] {
            fields[name] = answer.value.get(name).cloned().unwrap_or(Value::Null);
        }
        record.describe(&fields, outputs);
        record.link("pipeline", text(&answer.value, "url"));
    })
}
