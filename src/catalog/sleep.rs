//! `sleep`: does nothing for a while.

use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "sleep",
    summary: "Does nothing for a while.",
    doc: "For pauses that belong to the procedure. To wait for something, use the action that waits for it: it ends as soon \
          as it can. A sleep may be parked and goes on where it was.",
    shape: Shape::Scalar,
    params: &[Param::required("duration", Type::Duration, "For how long.")],
    exactly_one: &[],
    only_with: &[],
    outputs: &[],
    response: "",
    errors: &[],
    reach: Reach::Nothing,
    waits: false,
    example: "playbook: 1\nsteps:\n  pause:\n    sleep: 90s\n",
};
