//! The JSON Schema of playbooks, for editors: made from the catalog, so that it cannot drift.
//!
//! Draft 7, which all editors know. It knows shapes and words, not the graph; what it refuses the decoder
//! refuses too.

use serde_json::{Map, Value, json};

use super::InputType;
use crate::catalog::{self, Action, Param, Shape, Type};

/// A template: `{{ … }}` somewhere in the text.
const TEMPLATE: &str = r"\{\{";
/// A duration with its units.
const DURATION: &str = r"^\s*(\d+d)?\s*(\d+h)?\s*(\d+m)?\s*(\d+s)?\s*(\d+ms)?\s*$";
/// A size with its unit.
const SIZE: &str = r"^\s*\d+\s*(B|KiB|MiB|GiB)\s*$";
/// A name: of a step, an input, a var, an output.
const NAME: &str = "^[a-z][a-z0-9_]*$";
/// The shape of an id.
const ID: &str = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

/// The schema of a playbook.
pub fn playbook_schema() -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "runner playbook, version 1",
        "description": "A declarative procedure on Semaphore CI.",
    });
    let playbook = object(playbook_keys(), &["playbook", "steps"]);
    merge(&mut schema, playbook);
    merge(
        &mut schema,
        json!({ "definitions": {
            "duration": duration(),
            "retry": retry(),
            "input": input(),
            "needs": needs(),
            "step": step(),
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

fn step() -> Value {
    let mut keys = common_keys();
    let mut choices = Vec::new();
    for action in catalog::all() {
        keys.push((action.name, action_value(action)));
        choices.push(json!({ "required": [action.name] }));
    }
    let mut step = object(keys, &[]);
    merge(&mut step, json!({ "oneOf": choices }));
    step
}

fn common_keys() -> Vec<(&'static str, Value)> {
    let expressions = || {
        json!({ "anyOf": [
            { "type": ["string", "boolean"] },
            { "type": "array", "items": { "type": ["string", "boolean"] }, "minItems": 1 },
        ]})
    };
    vec![
        ("description", text("What the step is for.")),
        (
            "needs",
            referred("needs", "Which steps must have ended, and how."),
        ),
        (
            "when",
            json!({
                "type": ["string", "boolean"],
                "description": "A bare expression, without braces: whether the step runs at all.",
            }),
        ),
        (
            "retry",
            referred("retry", "How calls that go wrong are tried again."),
        ),
        (
            "timeout",
            described(
                template_or(json!({ "$ref": "#/definitions/duration" })),
                "The total time of the step: tries, waits, reruns. Default: 1h.",
            ),
        ),
        (
            "allow_failure",
            described(
                json!({ "type": "boolean" }),
                "Whether it may fail without failing the run.",
            ),
        ),
        ("extract", extract()),
        (
            "assert",
            described(
                expressions(),
                "Bare expressions over `this` that must hold after the action.",
            ),
        ),
    ]
}

fn extract() -> Value {
    let path =
        || json!({ "type": "string", "pattern": r"^\$", "description": "A JSONPath (RFC 9535)." });
    let long = object(
        vec![
            ("path", path()),
            (
                "take",
                words(
                    &["one", "first", "all", "optional"],
                    "How many matches are wanted. Default: one.",
                ),
            ),
        ],
        &["path"],
    );
    named(
        "Names to JSONPath over the step's response.",
        json!({ "anyOf": [path(), long] }),
        0,
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

fn action_value(action: &Action) -> Value {
    let value = match action.shape {
        Shape::Map => map(action),
        Shape::Scalar => first(action),
        Shape::Names => named("", json!({}), 1),
        Shape::ListOrMap => json!({ "anyOf": [first(action), map(action)] }),
    };
    described(value, action.summary)
}

fn first(action: &Action) -> Value {
    action.params.first().map_or_else(|| json!({}), param)
}

fn map(action: &Action) -> Value {
    let keys = action.params.iter().map(|p| (p.name, param(p))).collect();
    let required: Vec<&str> = action
        .params
        .iter()
        .filter(|p| p.required)
        .map(|p| p.name)
        .collect();
    let mut map = object(keys, &required);
    if !action.exactly_one.is_empty() {
        let choices: Vec<Value> = action
            .exactly_one
            .iter()
            .map(|name| json!({ "required": [name] }))
            .collect();
        merge(&mut map, json!({ "oneOf": choices }));
    }
    if !action.only_with.is_empty() {
        let with: Map<String, Value> = action
            .only_with
            .iter()
            .map(|(name, other)| ((*name).to_owned(), json!([other])))
            .collect();
        merge(&mut map, json!({ "dependencies": with }));
    }
    map
}

fn param(param: &Param) -> Value {
    let mut schema = typed(param.ty);
    if param.required && param.ty == Type::Text {
        merge(&mut schema, json!({ "minLength": 1 }));
    }
    if !param.reserved.is_empty() {
        // The reserved names are refused where the map is written out.
        schema = json!({ "allOf": [
            schema,
            { "not": { "type": "object", "anyOf": param.reserved.iter()
                .map(|name| json!({ "required": [name] })).collect::<Vec<_>>() } },
        ]});
    }
    let doc = if param.default.is_empty() {
        param.doc.to_owned()
    } else {
        format!("{} Default: {}.", param.doc, param.default)
    };
    described(schema, &doc)
}

fn typed(ty: Type) -> Value {
    match ty {
        Type::Text => json!({ "type": "string" }),
        Type::Id => template_or(json!({ "type": "string", "pattern": ID })),
        Type::IdOrName => json!({ "type": "string", "minLength": 1 }),
        Type::Integer => template_or(json!({ "type": "integer", "minimum": 0 })),
        Type::Number => template_or(json!({ "type": "number" })),
        Type::Boolean => template_or(json!({ "type": "boolean" })),
        Type::Duration => template_or(json!({ "$ref": "#/definitions/duration" })),
        Type::Size => template_or(json!({ "type": "string", "pattern": SIZE })),
        Type::OneOf(words) => template_or(json!({ "enum": words })),
        Type::List(item) => template_or(json!({ "type": "array", "items": typed(*item) })),
        Type::Map(item) => {
            template_or(json!({ "type": "object", "additionalProperties": typed(*item) }))
        }
        Type::Expressions => json!({ "anyOf": [
            { "type": ["string", "boolean"] },
            { "type": "array", "items": { "type": ["string", "boolean"] }, "minItems": 1 },
        ]}),
        Type::Any => json!({}),
    }
}

fn duration() -> Value {
    json!({
        "type": "string",
        "allOf": [{ "pattern": DURATION }, { "pattern": r"\d" }],
        "description": "A duration with its units, such as `30s`, `15m`, `1h30m` or `2d`.",
    })
}

fn template_or(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "pattern": TEMPLATE }] })
}

fn text(doc: &str) -> Value {
    json!({ "type": "string", "description": doc })
}

fn words(words: &[&str], doc: &str) -> Value {
    json!({ "enum": words, "description": doc })
}

/// Draft 7 ignores what stands beside `$ref`, so the reference is wrapped.
fn referred(name: &str, doc: &str) -> Value {
    json!({ "allOf": [{ "$ref": format!("#/definitions/{name}") }], "description": doc })
}

fn described(mut schema: Value, doc: &str) -> Value {
    if schema.get("$ref").is_some() {
        schema = json!({ "allOf": [schema] });
    }
    merge(&mut schema, json!({ "description": doc }));
    schema
}

/// A map with these keys and no others.
fn object(keys: Vec<(&'static str, Value)>, required: &[&str]) -> Value {
    let properties: Map<String, Value> = keys
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        merge(&mut schema, json!({ "required": required }));
    }
    schema
}

/// A map from free names to values of one shape.
fn named(doc: &str, value: Value, min: u32) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": NAME },
        "additionalProperties": value,
        "minProperties": min,
        "description": doc,
    })
}

fn merge(schema: &mut Value, more: Value) {
    if let (Value::Object(schema), Value::Object(more)) = (schema, more) {
        schema.extend(more);
    }
}
