//! `check`: fails when an expression does not hold.

use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "check",
    summary: "Fails when one of its expressions does not hold.",
    doc: "All expressions are tried, and each that does not hold is shown with the values that made it false. The value is \
          the list of expressions alone, or a map with `that` and `message`.",
    shape: Shape::ListOrMap,
    params: &[
        Param::required(
            "that",
            Type::Expressions,
            "The expressions that must hold, without braces.",
        ),
        Param::optional("message", Type::Text, "What to say when one does not."),
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[],
    response: "",
    errors: &[("check", "an expression does not hold")],
    reach: Reach::Nothing,
    waits: false,
    example: "playbook: 1\ninputs:\n  target: { type: string, default: Production }\nsteps:\n  guard:\n    check:\n      that: [\"inputs.target in ['Staging', 'Production']\"]\n      message: \"no such target: {{ inputs.target }}\"\n",
};
