//! `docs/report.md` names every field of the report, with the words of the schema, and no other.

use serde_json::Value;

use super::markdown::document;

/// The rows of the tables of a document: heading, first cell without its backticks, last cell.
fn rows(text: &str) -> Vec<(String, String, String)> {
    let mut heading = String::new();
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        }
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let name = cells[0].strip_prefix('`').and_then(|c| c.strip_suffix('`'));
        if let (Some(name), true, [_, .., last]) = (name, line.starts_with('|'), cells.as_slice()) {
            rows.push((heading.clone(), name.to_owned(), (*last).to_owned()));
        }
    }
    rows
}

/// What a definition of the schema holds: names and descriptions.
fn held(definition: &Value) -> Vec<(String, String)> {
    let words = |value: &Value| value["description"].as_str().unwrap_or_default().to_owned();
    if let Some(fields) = definition["properties"].as_object() {
        return fields
            .iter()
            .map(|(name, field)| (name.clone(), words(field)))
            .collect();
    }
    let variants = definition["oneOf"].as_array().expect("fields or words");
    variants
        .iter()
        .map(|v| (v["const"].as_str().expect("a word").to_owned(), words(v)))
        .collect()
}

/// The heading of a definition: `RunOutcome` is `run outcome`.
fn heading(name: &str) -> String {
    if name == "LimitHit" {
        return "limit".to_owned();
    }
    name.chars()
        .enumerate()
        .fold(String::new(), |mut out, (at, c)| {
            if c.is_uppercase() && at > 0 {
                out.push(' ');
            }
            out.extend(c.to_lowercase());
            out
        })
}

#[test]
fn the_document_of_the_report_names_every_field_and_no_other() {
    let schema = runner::report::report_schema();
    let definitions = schema["$defs"].as_object().expect("definitions");
    let mut expected: Vec<(String, String, String)> = Vec::new();
    let mut add = |heading: &str, held: Vec<(String, String)>| {
        for (name, words) in held {
            expected.push((heading.to_owned(), name, words));
        }
    };
    add("report", held(&schema));
    for (name, definition) in definitions {
        let mut fields = held(definition);
        // An item has all fields of a step.
        if name == "Item" {
            fields.retain(|(name, _)| name == "key");
        }
        add(&heading(name), fields);
    }
    let mut shown = rows(&document("docs/report.md").text);
    shown.retain(|(heading, ..)| !heading.is_empty());
    expected.sort();
    shown.sort();
    let missing: Vec<_> = expected.iter().filter(|row| !shown.contains(row)).collect();
    let foreign: Vec<_> = shown.iter().filter(|row| !expected.contains(row)).collect();
    assert!(
        missing.is_empty() && foreign.is_empty(),
        "missing: {missing:#?}\nforeign: {foreign:#?}"
    );
}
