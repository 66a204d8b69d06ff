//! The formats of reports: one place that knows them all.

use super::account::Told;
use super::html::html;
use super::json::{report, report_text_within};
use super::junit::junit;
use super::markdown::markdown;
use crate::secret::Redactor;

/// In which a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The JSON report, version 1: for programs.
    Json,
    /// JUnit XML: for what shows results of tests.
    Junit,
    /// Markdown: for a chat, or the summary of a job.
    Markdown,
    /// A page that needs nothing but itself.
    Html,
}

/// The report in a format: masked, harmless, and not longer than allowed.
pub fn text_in(format: Format, told: &Told<'_>, redactor: &Redactor) -> String {
    match format {
        Format::Json => {
            let report = report(told.view, told.exit_code, told.api);
            report_text_within(&report, redactor, told.bytes_max)
        }
        Format::Junit => junit(told, redactor),
        Format::Markdown => markdown(told, redactor),
        Format::Html => html(told, redactor),
    }
}
