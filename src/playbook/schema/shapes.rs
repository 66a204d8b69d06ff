//! The small shapes that a schema is built of.

use serde_json::{Map, Value, json};

/// A template: `{{ … }}` somewhere in the text.
const TEMPLATE: &str = r"\{\{";
/// A duration with its units.
const DURATION: &str = r"^\s*(\d+d)?\s*(\d+h)?\s*(\d+m)?\s*(\d+s)?\s*(\d+ms)?\s*$";
/// A name: of a step, an input, a var, an output.
pub(super) const NAME: &str = "^[a-z][a-z0-9_]*$";

/// A duration.
pub(super) fn duration() -> Value {
    json!({
        "type": "string",
        "allOf": [{ "pattern": DURATION }, { "pattern": r"\d" }],
        "description": "A duration with its units, such as `30s`, `15m`, `1h30m` or `2d`.",
    })
}

/// This, or a template.
pub(super) fn template_or(schema: Value) -> Value {
    json!({ "anyOf": [schema, { "type": "string", "pattern": TEMPLATE }] })
}

/// Text.
pub(super) fn text(doc: &str) -> Value {
    json!({ "type": "string", "description": doc })
}

/// One of some words.
pub(super) fn words(words: &[&str], doc: &str) -> Value {
    json!({ "enum": words, "description": doc })
}

/// Draft 7 ignores what stands beside `$ref`, so the reference is wrapped.
pub(super) fn referred(name: &str, doc: &str) -> Value {
    json!({ "allOf": [{ "$ref": format!("#/definitions/{name}") }], "description": doc })
}

/// The same with its description.
pub(super) fn described(mut schema: Value, doc: &str) -> Value {
    if schema.get("$ref").is_some() {
        schema = json!({ "allOf": [schema] });
    }
    merge(&mut schema, json!({ "description": doc }));
    schema
}

/// A map with these keys and no others.
pub(super) fn object(keys: Vec<(&'static str, Value)>, required: &[&str]) -> Value {
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
pub(super) fn named(doc: &str, value: Value, min: u32) -> Value {
    json!({
        "type": "object",
        "propertyNames": { "pattern": NAME },
        "additionalProperties": value,
        "minProperties": min,
        "description": doc,
    })
}

/// Adds keys to a map.
pub(super) fn merge(schema: &mut Value, more: Value) {
    if let (Value::Object(schema), Value::Object(more)) = (schema, more) {
        schema.extend(more);
    }
}
