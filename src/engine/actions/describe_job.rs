//! `describe_job`: reads a job.

use super::reading::Reading;
use crate::catalog;
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::text;

/// The action.
pub(super) fn new(params: &Params) -> Reading {
    let call = Call::DescribeJob {
        job_id: params.text("job").to_owned(),
    };
    Reading::of(call, |record, answer| {
        let outputs = catalog::find("describe_job").map_or(&[][..], |a| a.outputs);
        record.describe(&answer.value, outputs);
        record.link("job", text(&answer.value, "url"));
    })
}
