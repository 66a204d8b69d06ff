//! `runner schema`: the JSON Schemas, and the documents that are made from the same descriptions.

use super::args::{Schema, SchemaOf};
use super::exit::Exit;
use super::failing::Failing;
use super::library;
use super::main::Surroundings;
use super::settings::settings_markdown;
use crate::catalog::actions_markdown;
use crate::playbook::playbook_schema;
use crate::report::{event_schema, explain_schema, report_schema};
use crate::testing::test_schema;

/// Prints one.
pub(super) fn schema(around: &Surroundings, args: &Schema) -> Result<Exit, Failing> {
    let output = &around.output;
    match args.of {
        SchemaOf::Playbook => output.json(&playbook_schema())?,
        SchemaOf::Report => output.json(&report_schema())?,
        SchemaOf::Event => output.json(&event_schema())?,
        SchemaOf::Explain => output.json(&explain_schema())?,
        SchemaOf::Test => output.json(&test_schema())?,
        SchemaOf::Actions => output.data(&actions_markdown())?,
        SchemaOf::Library => output.data(&library::page())?,
        SchemaOf::Settings => output.data(&settings_markdown())?,
    }
    Ok(Exit::Passed)
}
