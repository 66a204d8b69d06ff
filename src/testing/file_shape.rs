//! The shape of a test file: cases, and what must come of them.

use super::shape::{Shape, may, must};
use super::world_shape::WORLD;

/// The words for how a run may end, as a test says them.
pub(super) const RUN_WORDS: &[&str] = &[
    "passed", "failed", "canceled", "unknown", "deadline", "parked", "refused",
];
const STEP_WORDS: Shape = Shape::Words(&[
    "passed", "failed", "skipped", "blocked", "canceled", "unknown",
]);
const VALUES: Shape = Shape::Named(&Shape::Any);
const COUNT: Shape = Shape::Whole(0, 1_000_000);
const ONE_OR_MORE_TEXTS: Shape = Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)]);

const ERROR: Shape = Shape::Either(&[
    Shape::Text,
    Shape::Map(&[
        may("kind", Shape::Text, "The kind of the error."),
        may("message", Shape::Text, "What its message holds."),
        may("status", Shape::Whole(100, 599), "The HTTP status."),
    ]),
]);

const STEP: Shape = Shape::Either(&[
    STEP_WORDS,
    Shape::Map(&[
        may("outcome", STEP_WORDS, "How the step ended."),
        may("why", Shape::Text, "What its `why` holds."),
        may("error", ERROR, "Its error: the kind, or more."),
        may(
            "outputs",
            VALUES,
            "Some of its outputs; `*` in a text stands for anything.",
        ),
    ]),
]);

const CALL: Shape = Shape::Either(&[
    COUNT,
    Shape::Map(&[
        may("count", COUNT, "How often exactly."),
        may("at_least", COUNT, "How often at the least."),
        may("at_most", COUNT, "How often at the most."),
        may("with", VALUES, "Parameters that at least one of them had."),
    ]),
]);

const PROMOTION: Shape = Shape::Either(&[
    Shape::Text,
    Shape::Map(&[
        must("name", Shape::Text, "The name of the promotion."),
        may(
            "parameters",
            Shape::Named(&Shape::Text),
            "Its parameters, all of them.",
        ),
        may(
            "override",
            Shape::Bool,
            "Whether a pipeline that did not pass was promoted.",
        ),
    ]),
]);

/// What must come of a case.
const EXPECT: Shape = Shape::Map(&[
    may(
        "outcome",
        Shape::Words(RUN_WORDS),
        "How the run ends; `parked` when it can be resumed, `refused` when it never began.",
    ),
    may(
        "exit_code",
        Shape::Whole(0, 255),
        "What the runner ends with.",
    ),
    may("why", Shape::Text, "What the `why` of the run holds."),
    may("steps", Shape::Named(&STEP), "How steps end, by their ids."),
    may(
        "outputs",
        VALUES,
        "Some outputs of the playbook; `*` in a text stands for anything.",
    ),
    may(
        "calls",
        Shape::Named(&CALL),
        "How often endpoints are called, and with what.",
    ),
    may(
        "order",
        Shape::List(&Shape::Text),
        "Endpoints that are called in this order; others may come between.",
    ),
    may(
        "promotions",
        Shape::List(&PROMOTION),
        "All promotions that the run triggered, in order.",
    ),
    may(
        "elapsed",
        Shape::Map(&[
            may("at_least", Shape::Duration, "How long at the least."),
            may("at_most", Shape::Duration, "How long at the most."),
        ]),
        "How much virtual time passes.",
    ),
    may(
        "messages",
        ONE_OR_MORE_TEXTS,
        "Texts that people are told: each stands in some `why`, error, hint or warning.",
    ),
    may(
        "files",
        Shape::Named(&Shape::Either(&[
            Shape::Bool,
            Shape::Text,
            Shape::List(&Shape::Text),
        ])),
        "Files that the run leaves, by their path with `*`: what they hold, or `true` when they must be there and `false` when not.",
    ),
]);

const INPUTS: Shape = VALUES;
/// What the environment of this machine holds is no part of a test.
const ENV: Shape = Shape::Named(&Shape::Text);

const CASE: Shape = Shape::Map(&[
    may("description", Shape::Text, "What it shows."),
    may("inputs", INPUTS, "Values of inputs, over the shared ones."),
    may(
        "env",
        ENV,
        "Variables of the environment that inputs of playbooks read, over the shared ones.",
    ),
    may("world", WORLD, "The world, over the shared one."),
    may(
        "kill_at",
        Shape::Either(&[Shape::Duration, Shape::List(&Shape::Duration)]),
        "When the runner is killed; it is resumed at once.",
    ),
    may(
        "cancel_at",
        Shape::Duration,
        "When the run is canceled by a person.",
    ),
    must("expect", EXPECT, "What must come of it."),
]);

/// A whole test file.
pub(super) const TEST_FILE: Shape = Shape::Map(&[
    must(
        "test",
        Shape::Text,
        "The playbook, relative to the folder of this file.",
    ),
    may("description", Shape::Text, "What is tested."),
    may("inputs", INPUTS, "Values of inputs for all cases."),
    may(
        "env",
        ENV,
        "Variables of the environment that inputs of playbooks read, for all cases.",
    ),
    may("world", WORLD, "The world of all cases."),
    must("cases", Shape::Named(&CASE), "The cases, by their names."),
]);
