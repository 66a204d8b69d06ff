//! The shapes of what a world holds beside Semaphore: other servers, and people who are asked.

use super::shape::{Shape, may, must};

const ONCE_OR_MORE: Shape = Shape::Whole(1, 1_000_000);

/// Other servers that a playbook speaks to.
pub(super) const SERVERS: Shape = Shape::List(&Shape::Map(&[
    must(
        "url",
        Shape::Text,
        "The address without its query; `*` stands for anything.",
    ),
    may(
        "method",
        Shape::Words(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]),
        "The method; any when it is left out.",
    ),
    may(
        "nth",
        ONCE_OR_MORE,
        "The first matching request that it answers, from 1.",
    ),
    may(
        "count",
        ONCE_OR_MORE,
        "How many it answers; all when it is left out.",
    ),
    may(
        "status",
        Shape::Whole(100, 599),
        "The status of the answer.",
    ),
    may("headers", Shape::Named(&Shape::Text), "Its headers."),
    may("body", Shape::Text, "Its body as text."),
    may("json", Shape::Any, "Its body as JSON."),
    may(
        "do",
        Shape::Choice(&[
            ("refuse", None),
            ("reset", None),
            ("hang", None),
            ("delay", Some(Shape::Duration)),
            ("cut_body", Some(Shape::Whole(0, 1_000_000))),
        ]),
        "What goes wrong instead.",
    ),
]));

/// What people answer, by step.
pub(super) const APPROVALS: Shape = Shape::Named(&Shape::Words(&["approve", "reject"]));
