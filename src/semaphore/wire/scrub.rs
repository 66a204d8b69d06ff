//! The raw JSON of an answer without what may be secret in it.
//!
//! Duty: to keep names and drop values of environment variables, parameters and files, wherever they
//! stand, so that an answer may be kept in a journal or report. Invariant: the shape around them stays.
//! It must not know which endpoint an answer came from.

use serde_json::Value;

/// Lists of `{name, value}` whose values may be secret.
const NAMED_VALUES: [&str; 2] = ["env_vars", "parameter_values"];

/// The answer without the values of environment variables and the content of files.
pub fn without_values(mut answer: Value) -> Value {
    scrub(&mut answer);
    answer
}

fn scrub(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(scrub),
        Value::Object(map) => {
            for (key, item) in map.iter_mut() {
                if NAMED_VALUES.contains(&key.as_str()) {
                    drop_from_items(item, "value");
                } else if key == "files" {
                    drop_from_items(item, "content");
                } else {
                    scrub(item);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Removes a key from each object of a list; of any other shape only the names are left.
fn drop_from_items(value: &mut Value, key: &str) {
    match value {
        Value::Array(items) => {
            for item in items.iter_mut() {
                match item {
                    Value::Object(map) => {
                        map.shift_remove(key);
                        map.values_mut().for_each(|inner| {
                            if inner.is_array() || inner.is_object() {
                                *inner = Value::Null;
                            }
                        });
                    }
                    other => *other = Value::Null,
                }
            }
        }
        Value::Object(map) => map.values_mut().for_each(|inner| *inner = Value::Null),
        other => *other = Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_stay_and_values_go_wherever_they_stand() {
        let answer = json!({
            "pipeline": {"name": "x", "env_vars": [{"name": "A", "value": "s3cret"}]},
            "spec": {"env_vars": [{"name": "B", "value": {"deep": "s3cret"}}, "s3cret"],
                     "files": [{"path": "k", "content": "s3cret"}]},
            "list": [{"env_vars": {"A": "s3cret"}}, {"env_vars": "s3cret"}],
        });
        let clean = without_values(answer);
        assert!(!clean.to_string().contains("s3cret"), "{clean}");
        assert_eq!(
            clean.pointer("/pipeline/env_vars"),
            Some(&json!([{"name": "A"}]))
        );
        assert_eq!(clean.pointer("/spec/files"), Some(&json!([{"path": "k"}])));
        assert_eq!(clean.pointer("/list/0/env_vars"), Some(&json!({"A": null})));
    }
}
