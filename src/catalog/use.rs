//! `use`: another playbook, as one step.

use super::{Action, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "use",
    summary: "Runs another playbook as one step.",
    doc: "A path (with a `/`, or ending in `.yml` or `.yaml`) begins in the folder of the playbook that says `use`, and \
          stays in its root. A name is looked for beside that playbook, in the folders of `--library` and \
          `RUNNER_LIBRARY`, and among the playbooks that are built in.\n\n\
          The used playbook sees its inputs alone, and gives its outputs alone: they are the outputs of the step. Its \
          steps show as `STEP/INNER`. The step ends as the playbook does: its `finally` runs then, its `timeout` is \
          bounded by what the step has left, and when a fate in it is unknown, so is that of the step. Its undos run with \
          the others, in the reverse order of all. `concurrency` and `on_interrupt` are for the playbook that is applied, \
          and have no place in one that is used.",
    shape: Shape::ListOrMap,
    params: &[
        Param::required(
            "playbook",
            Type::Text,
            "The path of a playbook, or the name of one in the library.",
        )
        .written(),
        Param::optional(
            "with",
            Type::Map(&Type::Any),
            "Values for its inputs, by their names. A secret goes to a secret input alone.",
        )
        .written(),
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[],
    response: "",
    errors: &[
        ("deadline", "its time was over"),
        (
            "parameter",
            "a computed value of `with` does not fit its input",
        ),
    ],
    reach: Reach::Nothing,
    waits: false,
    example: "playbook: 1\nsteps:\n  nightly:\n    use: { playbook: release, with: { project: web } }\n",
};
