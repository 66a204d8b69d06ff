//! `set`: gives names to values.

use super::{Action, Reach, Shape};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "set",
    summary: "Gives names to values, for later steps to read.",
    doc: "Every value is a template and is rendered once. A value that is nothing but one expression keeps its type; when \
          that expression gives none, the name is left out.",
    shape: Shape::Names,
    params: &[],
    exactly_one: &[],
    only_with: &[],
    outputs: &[],
    response: "",
    errors: &[],
    reach: Reach::Nothing,
    waits: false,
    example: "playbook: 1\nsteps:\n  names:\n    set: { lane: blue, url: \"https://{{ run.name }}.example.com\" }\n",
};
