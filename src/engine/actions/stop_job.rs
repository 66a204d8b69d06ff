//! `stop_job`: stops a job.

use super::stopping::{Stopping, cut_short};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::text;

/// The action.
pub(super) fn new(params: &Params) -> Stopping {
    let job_id = params.text("job").to_owned();
    let tell = Call::StopJob {
        job_id: job_id.clone(),
    };
    Stopping::new(params, tell, Call::AwaitJob { job_id }, |ended| {
        cut_short(text(ended, "result"))
    })
}
