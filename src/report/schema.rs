//! The JSON Schemas of what leaves the process.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::{event_v1, explain_v1, v1};

/// The schema of the report, version 1.
pub fn report_schema() -> Value {
    schema_of::<v1::Report>()
}

/// The schema of a line of `--output events`, version 1.
pub fn event_schema() -> Value {
    schema_of::<event_v1::Line>()
}

/// The schema of what `runner explain --json` prints, version 1.
pub fn explain_schema() -> Value {
    schema_of::<explain_v1::Explanation>()
}

fn schema_of<T: JsonSchema>() -> Value {
    // What is written, not what would be read: a field that is always there is required.
    SchemaSettings::draft2020_12()
        .for_serialize()
        .into_generator()
        .into_root_schema_for::<T>()
        .to_value()
}
