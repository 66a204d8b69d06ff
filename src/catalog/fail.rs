//! `fail`: ends a branch red.

use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "fail",
    summary: "Fails, with a message: ends its branch red.",
    doc: "For what a playbook itself knows to be wrong, with `when` beside it. To test a condition and show the values that \
          broke it, use `check`.",
    shape: Shape::Scalar,
    params: &[Param::required("message", Type::Text, "What is wrong.")],
    exactly_one: &[],
    only_with: &[],
    outputs: &[],
    response: "",
    errors: &[("fail", "always")],
    reach: Reach::Nothing,
    waits: false,
    example: "playbook: 1\ninputs:\n  target: { type: string, default: Staging }\nsteps:\n  refuse:\n    when: inputs.target == 'Production'\n    fail: \"nothing goes to {{ inputs.target }} on a Friday\"\n",
};
