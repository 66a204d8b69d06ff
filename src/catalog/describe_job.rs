//! `describe_job`: reads a job.

use super::shared::{JOB_FIELDS, READ_ERRORS};
use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "describe_job",
    summary: "Reads a job as it is now, without waiting.",
    doc: "Of a job that ended without ever having run, `failure_reason` says why, as Semaphore's troubleshooter knows it.",
    shape: Shape::Map,
    params: &[Param::required("job", Type::Id, "The id of the job.")],
    exactly_one: &[],
    only_with: &[],
    outputs: JOB_FIELDS,
    response: "`metadata`, `spec` and `status` of the job, as Semaphore describes them",
    errors: READ_ERRORS,
    reach: Reach::Reads,
    waits: false,
    example: "playbook: 1\ninputs:\n  job: { type: string }\nsteps:\n  look:\n    describe_job: { job: \"{{ inputs.job }}\" }\n    assert: [\"this.result == 'passed'\"]\n",
};
