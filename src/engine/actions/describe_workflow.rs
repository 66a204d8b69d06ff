//! `describe_workflow`: reads a workflow.

use super::reading::Reading;
use crate::catalog;
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::text;

/// The action.
pub(super) fn new(params: &Params) -> Reading {
    let call = Call::DescribeWorkflow {
        workflow_id: params.text("workflow").to_owned(),
    };
    Reading::of(call, |record, answer| {
        let outputs = catalog::find("describe_workflow").map_or(&[][..], |a| a.outputs);
        record.describe(&answer.value, outputs);
        record.link("workflow", text(&answer.value, "url"));
    })
}
