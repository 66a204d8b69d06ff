//! The JSON Schema of playbooks, for editors: made from the catalog, so that it cannot drift.
//!
//! Draft 7, which all editors know. It knows shapes and words, not the graph; what it refuses the decoder
//! refuses too.

use serde_json::{Value, json};

mod shapes;
mod steps;

use shapes::{NAME, described, duration, merge, named, object, referred, template_or, text, words};

use super::InputType;

/// The schema of a playbook.
pub fn playbook_schema() -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "runner playbook, version 1",
        "description": "A declarative procedure on Semaphore CI.",
    });
    let playbook = object(
        playbook_keys().into_iter().chain(policies()).collect(),
        &["playbook", "steps"],
    );
    merge(&mut schema, playbook);
    merge(
        &mut schema,
        json!({ "definitions": {
            "duration": duration(),
            "retry": retry(),
            "input": input(),
            "needs": needs(),
            "step": steps::step(),
            "steps": named("The steps, by their ids.", json!({ "$ref": "#/definitions/step" }), 1),
        }}),
    );
    schema
}

fn playbook_keys() -> Vec<(&'static str, Value)> {
    let any = || json!({});
    vec![
        (
            "playbook",
            json!({ "const": 1, "description": "The version of the language." }),
        ),
        (
            "name",
            text("The name of the playbook; the name of the file when it has none."),
        ),
        ("description", text("What it is for.")),
        (
            "inputs",
            named(
                "What it is given.",
                json!({ "$ref": "#/definitions/input" }),
                0,
            ),
        ),
        (
            "vars",
            named(
                "Values computed once at the start, from inputs and the vars above.",
                any(),
                0,
            ),
        ),
        ("concurrency", concurrency()),
        ("steps", referred("steps", "What is done.")),
        (
            "finally",
            referred(
                "steps",
                "What is done after all the others, whatever happened.",
            ),
        ),
        ("outputs", named("What the run gives.", any(), 0)),
    ]
}

/// The words about the whole run.
fn policies() -> Vec<(&'static str, Value)> {
    vec![
        (
            "timeout",
            described(
                template_or(json!({ "$ref": "#/definitions/duration" })),
                "The deadline of the whole run. Default: 24h.",
            ),
        ),
        (
            "finally_timeout",
            referred(
                "duration",
                "The time that `finally` has of its own. Default: 5m.",
            ),
        ),
        (
            "on_failure",
            words(
                &["continue", "stop"],
                "What a failed step does to the others. Default: continue.",
            ),
        ),
        (
            "on_interrupt",
            words(
                &["leave", "stop"],
                "What happens on Semaphore to what was started when the runner is told to stop. Default: leave.",
            ),
        ),
        (
            "defaults",
            described(
                object(
                    vec![
                        (
                            "timeout",
                            referred("duration", "The total time of a step. Default: 1h."),
                        ),
                        (
                            "retry",
                            referred("retry", "How calls that go wrong are tried again."),
                        ),
                    ],
                    &[],
                ),
                "What holds for steps that do not say otherwise.",
            ),
        ),
    ]
}

fn concurrency() -> Value {
    described(
        object(
            vec![
                ("group", text("The name of the group; a template.")),
                (
                    "on_conflict",
                    words(
                        &["wait", "fail", "skip"],
                        "What to do when the group is taken. Default: wait.",
                    ),
                ),
            ],
            &["group"],
        ),
        "Which runs must not overlap.",
    )
}

fn needs() -> Value {
    let outcomes = [
        "passed", "failed", "skipped", "blocked", "canceled", "unknown",
    ];
    let mut words: Vec<&str> = outcomes.to_vec();
    words.push("any");
    let outcome = json!({ "anyOf": [
        { "enum": words },
        { "type": "array", "items": { "enum": outcomes }, "minItems": 1 },
    ]});
    json!({ "anyOf": [
        { "type": "string", "pattern": NAME },
        { "type": "array", "items": { "type": "string", "pattern": NAME }, "uniqueItems": true },
        { "type": "object", "additionalProperties": outcome, "propertyNames": { "pattern": NAME } },
    ]})
}

fn input() -> Value {
    let types: Vec<&str> = InputType::ALL.iter().map(|(_, word)| *word).collect();
    let mut input = object(
        vec![
            ("type", words(&types, "Its type.")),
            ("description", text("What it is.")),
            (
                "default",
                json!({ "description": "Its value when none is given." }),
            ),
            (
                "enum",
                json!({ "type": "array", "minItems": 1, "description": "The values it may have." }),
            ),
            (
                "pattern",
                text("A regular expression that the whole text must match."),
            ),
            ("items", words(&types, "The type of the items of a list.")),
            (
                "optional",
                described(
                    json!({ "type": "boolean" }),
                    "Whether it may be missing. Default: false.",
                ),
            ),
            (
                "secret",
                described(
                    json!({ "type": "boolean" }),
                    "Whether its value is a secret. Default: false.",
                ),
            ),
            (
                "env",
                json!({
                    "type": "string",
                    "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
                    "description": "The environment variable that it is read from.",
                }),
            ),
        ],
        &["type"],
    );
    let only = |key: &str, ty: &str| {
        json!({
            "if": { "required": [key] },
            "then": { "properties": { "type": { "const": ty } } },
        })
    };
    let secret = json!({
        "if": { "properties": { "secret": { "const": true } }, "required": ["secret"] },
        "then": { "properties": { "type": { "const": "string" } } },
    });
    merge(
        &mut input,
        json!({ "allOf": [only("pattern", "string"), only("items", "list"), secret] }),
    );
    input
}

fn retry() -> Value {
    let number = |low: f64, high: f64, doc: &str| json!({ "type": "number", "minimum": low, "maximum": high, "description": doc });
    let backoff = object(
        vec![
            (
                "first",
                referred("duration", "The first delay. Default: 1s."),
            ),
            (
                "factor",
                number(
                    1.0,
                    100.0,
                    "By how much each delay is longer than the one before. Default: 2.",
                ),
            ),
            (
                "max",
                referred("duration", "The longest delay. Default: 30s."),
            ),
            (
                "jitter",
                number(0.0, 1.0, "How much of the delay is random. Default: 0.2."),
            ),
        ],
        &[],
    );
    object(
        vec![
            (
                "attempts",
                json!({
                    "type": "integer", "minimum": 1, "maximum": 100,
                    "description": "How often a call is tried, the first time included. Default: 5.",
                }),
            ),
            (
                "backoff",
                described(backoff, "How long to wait between tries."),
            ),
            (
                "on",
                json!({
                    "type": "array", "minItems": 1, "items": { "enum": ["network", 429, "429", "5xx"] },
                    "description": "After what it is tried again. Default: all of them.",
                }),
            ),
        ],
        &[],
    )
}
