//! `approve`: a person's yes.

use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "approve",
    summary: "Waits for a person's yes.",
    doc: "The answer is given at a prompt, when the runner has a terminal, or from elsewhere: `runner approve RUN STEP`, and \
          with `--reject` for a no. It counts also when it comes before the step begins, and while nobody works on the \
          run. A no fails the step with the kind `rejected`. Without a `timeout` the step waits for the rest of the run's \
          time; a run that only waits can be parked with `--park`.",
    shape: Shape::Map,
    params: &[Param::required("message", Type::Text, "What is asked.")],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("approved_by", Type::Text, "Who said yes."),
        Field::always("at", Type::Text, "When the answer came."),
    ],
    response: "",
    errors: &[
        ("rejected", "a person said no"),
        ("deadline", "nobody answered in the step's time"),
    ],
    reach: Reach::Person,
    waits: false,
    example: "playbook: 1\nsteps:\n  gate:\n    approve: { message: \"shall run {{ run.id }} go to production?\" }\n    timeout: 8h\n  deploy:\n    needs: gate\n    run_task: { project: web, task: deploy }\n",
};
