//! `promote`: triggers a promotion of a pipeline.

use super::shared::{EXPOSE, REASON, RESULT, TRIAGE, WAIT, WAITED_RESPONSE};
use super::{Action, Field, Param, Reach, Shape, Type};

/// The description.
pub(super) static ACTION: Action = Action {
    name: "promote",
    summary: "Triggers a promotion of a pipeline and waits for the promoted pipeline.",
    doc: "The promotion is sent with a request token of its own, so that repeating it after a lost answer cannot start it \
          twice. The step finds the promoted pipeline and waits until it is done; with `wait: false` it still waits until \
          the promoted pipeline exists.\n\nParameters are text; Semaphore refuses names that the pipeline file does not \
          declare with an internal error that looks like an outage, so mind their spelling.",
    shape: Shape::Map,
    params: &[
        Param::required("pipeline", Type::Id, "The id of the pipeline that is promoted."),
        Param::required("name", Type::Text, "The name of the promotion, as the pipeline file gives it."),
        Param::optional(
            "parameters",
            Type::Map(&Type::Text),
            "The parameters of the promotion. Semaphore shows them to people.",
        )
        .shown()
        .reserved(&["name", "override", "pipeline_id", "request_token", "switch_id", "user_id"]),
        Param::optional(
            "override",
            Type::Boolean,
            "Whether a pipeline that did not pass is promoted all the same, at once.",
        )
        .default("false"),
        Param::optional(
            "if_exists",
            Type::OneOf(&["join", "fail", "again"]),
            "What to do when this promotion was triggered before: wait for what it started, fail, or trigger it again.",
        )
        .default("join"),
        WAIT,
        EXPOSE,
    ],
    exactly_one: &[],
    only_with: &[],
    outputs: &[
        Field::always("pipeline_id", Type::Id, "The id of the promoted pipeline."),
        RESULT,
        REASON,
        TRIAGE,
        Field::always("triggered_by", Type::Text, "Who triggered it; another name than ours when it was joined."),
    ],
    response: WAITED_RESPONSE,
    errors: &[
        ("pipeline_failed", "the promoted pipeline did not pass"),
        ("pipeline_stopped", "the promoted pipeline was stopped or canceled"),
        ("not_passed", "the pipeline did not pass, and there is no `override`"),
        ("refused", "Semaphore refused, or it was promoted before and `if_exists` is `fail`"),
        ("promotion_failed", "Semaphore took the promotion and could not start its pipeline"),
        ("deadline", "the step's time was over; the promoted pipeline goes on"),
        ("not_found", "what it names does not exist, or the token may not see it"),
    ],
    reach: Reach::Writes,
    waits: true,
    example: "playbook: 1\ninputs:\n  pipeline: { type: string }\nsteps:\n  deploy:\n    promote:\n      pipeline: \"{{ inputs.pipeline }}\"\n      name: Production\n      parameters: { REGION: eu-west }\n",
};
