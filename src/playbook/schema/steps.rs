//! The schema of a step: the common keys, and every action of the catalog.

use serde_json::{Map, Value, json};

use super::shapes::{described, merge, named, object, referred, template_or, text, words};
use crate::catalog::{self, Action, Param, SAFE_METHODS, Shape, Type};

/// A size with its unit.
const SIZE: &str = r"^\s*\d+\s*(B|KiB|MiB|GiB)\s*$";
/// A time with its zone.
const TIME: &str = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$";
/// The shape of an id.
const ID: &str = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

/// A step.
pub(super) fn step() -> Value {
    let mut keys = common_keys();
    let mut choices = Vec::new();
    for action in catalog::all() {
        keys.push((action.name, action_value(action)));
        choices.push(json!({ "required": [action.name] }));
    }
    keys.push(("undo", undo()));
    let mut step = object(keys, &[]);
    merge(&mut step, json!({ "oneOf": choices }));
    merge(&mut step, json!({ "dependencies": company() }));
    step
}

/// What takes a step back: one action that changes something, with its time and retries.
fn undo() -> Value {
    let mut keys = vec![
        (
            "timeout",
            described(
                template_or(json!({ "$ref": "#/definitions/duration" })),
                "The total time of the undo. Default: 10m.",
            ),
        ),
        (
            "retry",
            referred("retry", "How calls that go wrong are tried again."),
        ),
    ];
    let mut choices = Vec::new();
    for action in catalog::all().iter().filter(|action| action.changes()) {
        keys.push((action.name, action_value(action)));
        choices.push(json!({ "required": [action.name] }));
    }
    let mut undo = object(keys, &[]);
    merge(&mut undo, json!({ "oneOf": choices }));
    described(
        undo,
        "One action that takes the step back, when another step failed that was not allowed to. It may read `this`.",
    )
}

/// The keys that stand only beside some actions.
fn company() -> Value {
    let beside = |test: &dyn Fn(&Action) -> bool| -> Vec<Value> {
        let actions = catalog::all().iter().filter(|action| test(action));
        actions
            .map(|action| json!({ "required": [action.name] }))
            .collect()
    };
    let mut polled = beside(&Action::is_polled);
    polled.push(json!({
        "required": ["http"],
        "properties": { "http": { "properties": { "method": { "enum": SAFE_METHODS } } } },
    }));
    json!({
        "rerun": { "anyOf": beside(&|action| action.waits) },
        "until": { "anyOf": polled },
        "poll": ["until"],
        "undo": { "anyOf": beside(&Action::changes) },
    })
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
        ("for_each", for_each()),
        ("rerun", rerun()),
        (
            "until",
            described(
                expressions(),
                "Bare expressions over `this`: what is read is read again until they hold.",
            ),
        ),
        (
            "poll",
            described(
                json!({ "$ref": "#/definitions/duration" }),
                "How long to wait before `until` asks again. Default: 10s.",
            ),
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

fn for_each() -> Value {
    let expression = |doc: &str| text(doc);
    let long = object(
        vec![
            (
                "in",
                expression("A bare expression that gives the list or map."),
            ),
            (
                "key",
                expression(
                    "A bare expression that gives the key of an `item`. Default: its place in the list, or its key in the map.",
                ),
            ),
            (
                "max_parallel",
                described(
                    template_or(json!({ "type": "integer", "minimum": 1, "maximum": 1000 })),
                    "How many items are done at once at the most. Default: all.",
                ),
            ),
            (
                "on_failure",
                words(
                    &["continue", "stop"],
                    "Whether the other items are done when one has failed. Default: continue.",
                ),
            ),
        ],
        &["in"],
    );
    let short = json!({ "type": "string" });
    json!({
        "anyOf": [short, long],
        "description": "A bare expression, without braces, that gives a list or a map: the step is done once for each item, with `item`, `key` and `index` in scope.",
    })
}

fn rerun() -> Value {
    let keys = vec![
        (
            "max",
            described(
                template_or(json!({ "type": "integer", "minimum": 1, "maximum": 20 })),
                "How often at the most. Default: 1.",
            ),
        ),
        (
            "scope",
            words(
                &["failed", "all"],
                "How much: what did not pass, or all in the way the step began. Default: failed.",
            ),
        ),
        (
            "when",
            json!({
                "type": ["string", "boolean"],
                "description": "A bare expression over `this`: whether it is worth it. Without it all is done again but what a person stopped.",
            }),
        ),
    ];
    described(
        object(keys, &[]),
        "Doing it again when its pipeline ended badly.",
    )
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
    let mut schema = match param.ty {
        Type::Map(item) if param.written => {
            json!({ "type": "object", "additionalProperties": typed(*item) })
        }
        other => typed(other),
    };
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
        Type::Since => template_or(json!({ "anyOf": [
            { "$ref": "#/definitions/duration" },
            { "type": "string", "pattern": TIME },
        ]})),
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
