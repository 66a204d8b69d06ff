//! The JSON Schema of test files, for editors: made from the shapes, so that it cannot drift.

use serde_json::{Map, Value, json};

use super::file_shape::TEST_FILE;
use super::shape::{Field, Shape};

/// A duration with its units.
const DURATION: &str = r"^\s*(\d+d)?\s*(\d+h)?\s*(\d+m)?\s*(\d+s)?\s*(\d+ms)?\s*$";

/// The schema of test files.
pub fn test_schema() -> Value {
    let mut schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "runner test file",
        "description": "Worlds in which a playbook is run, and what must come of it.",
    });
    if let (Value::Object(schema), Value::Object(more)) = (&mut schema, of(TEST_FILE)) {
        schema.extend(more);
    }
    schema
}

fn of(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Bool => json!({ "type": "boolean" }),
        Shape::Whole(from, to) => json!({ "type": "integer", "minimum": from, "maximum": to }),
        Shape::Duration => json!({
            "type": "string",
            "allOf": [{ "pattern": DURATION }, { "pattern": r"\d" }],
        }),
        Shape::Any => json!({}),
        Shape::Words(words) => json!({ "enum": words }),
        Shape::List(item) => json!({ "type": "array", "items": of(*item) }),
        Shape::Named(value) => json!({ "type": "object", "additionalProperties": of(*value) }),
        Shape::Map(fields) => map(fields),
        Shape::Either(shapes) => {
            json!({ "anyOf": shapes.iter().copied().map(of).collect::<Vec<_>>() })
        }
        Shape::Choice(choices) => choice(choices),
    }
}

fn map(fields: &[Field]) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut value = of(field.shape);
        if let Value::Object(value) = &mut value {
            value.insert("description".to_owned(), json!(field.doc));
        }
        properties.insert(field.name.to_owned(), value);
    }
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.required)
        .map(|field| field.name)
        .collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if let (Value::Object(schema), false) = (&mut schema, required.is_empty()) {
        schema.insert("required".to_owned(), json!(required));
    }
    schema
}

fn choice(choices: &[(&'static str, Option<Shape>)]) -> Value {
    let alone: Vec<&str> = choices
        .iter()
        .filter(|(_, with)| with.is_none())
        .map(|(word, _)| *word)
        .collect();
    let with: Map<String, Value> = choices
        .iter()
        .filter_map(|(word, with)| Some(((*word).to_owned(), of((*with)?))))
        .collect();
    let mut forms = Vec::new();
    if !alone.is_empty() {
        forms.push(json!({ "enum": alone }));
    }
    if !with.is_empty() {
        forms.push(json!({
            "type": "object",
            "properties": with,
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        }));
    }
    json!({ "anyOf": forms })
}
