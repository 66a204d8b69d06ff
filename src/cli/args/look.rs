//! The commands that look at runs that are kept.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use crate::duration;

/// `runner runs`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Runs {
    /// As JSON
    #[arg(long)]
    pub json: bool,
    /// What to do instead of listing.
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

/// What can be done with many runs.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// Remove runs that ended long ago (`state.keep`); runs that have not ended stay
    #[command(after_help = "Example:\n  runner runs prune --older-than 30d")]
    Prune(Prune),
}

/// `runner runs prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// Instead of `state.keep`
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub older_than: Option<Duration>,
}

/// `runner show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The id of the run, a unique beginning of it, or `last`
    pub run: String,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `runner explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The id of a run, a unique beginning of it, or `last`; or the path of a playbook
    #[arg(value_name = "RUN|PLAYBOOK")]
    pub what: String,
    /// One step, and what it hangs on
    pub step: Option<String>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// `runner report`.
#[derive(Debug, Args)]
pub struct ReportOf {
    /// The id of the run, a unique beginning of it, or `last`
    pub run: String,
    /// What to write: `json`, `junit`, `markdown`, `html`, or `test` for a test file whose world is what
    /// the run saw
    #[arg(required = true, value_name = "FORMAT=PATH", value_parser = run_report)]
    pub reports: Vec<RunReport>,
}

/// What is to be written of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// In which format.
    pub format: RunReportFormat,
    /// To which file.
    pub path: PathBuf,
}

/// What can be written of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunReportFormat {
    /// The JSON report, version 1.
    Json,
    /// JUnit XML.
    Junit,
    /// Markdown.
    Markdown,
    /// A page.
    Html,
    /// A test file.
    Test,
}

fn run_report(text: &str) -> Result<RunReport, String> {
    let (format, path) = text.split_once('=').unwrap_or((text, ""));
    if path.is_empty() {
        return Err("write `FORMAT=PATH`, like `json=report.json`".to_owned());
    }
    Ok(RunReport {
        format: RunReportFormat::from_str(format, false).map_err(|_| {
            format!(
                "there is no format `{format}`: write `json`, `junit`, `markdown`, `html` or `test`"
            )
        })?,
        path: path.into(),
    })
}
