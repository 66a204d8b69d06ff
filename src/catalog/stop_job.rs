//! `stop_job`: stops a job.

use super::shared::{STOP_ERRORS, STOP_RESPONSE, STOP_WAIT};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "stop_job",
    summary: "Stops a job and waits until it has come to its end.",
    doc: "Its block and its pipeline then count as stopped. What has ended already is left as it is, and that is no \
          error. Semaphore stops things in its own time: the step waits for that, unless it says `wait: false`.",
    shape: Shape::Map,
    params: &[
        Param::required("job", Type::Id, "The id of the job."),
        STOP_WAIT,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[Field::waited(
        "stopped",
        Type::Boolean,
        "Whether it ended as stopped; `false` when it had ended otherwise before.",
    )],
    response: STOP_RESPONSE,
    errors: STOP_ERRORS,
    reach: Reach::Writes,
    waits: false,
    example: "playbook: 1\ninputs:\n  job: { type: string }\nsteps:\n  stop:\n    stop_job: { job: \"{{ inputs.job }}\" }\n    timeout: 5m\n",
};
