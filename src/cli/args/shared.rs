//! Flags that several commands share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// The values of inputs.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Inputs")]
pub struct Inputs {
    /// The value of an input (repeatable)
    #[arg(short, long = "input", value_name = "NAME=VALUE", value_parser = input)]
    pub input: Vec<Input>,
    /// A YAML or JSON file with values of inputs
    #[arg(long = "inputs", value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// The value of an input as it was typed. It prints without the value, which may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Input {
    /// The name of the input.
    pub name: String,
    /// The text of its value.
    pub value: String,
}

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}=…", self.name)
    }
}

/// What a run tells, and where.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Results")]
pub struct Results {
    /// Write a report: `json`, `junit`, `markdown` or `html` (repeatable)
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = report)]
    pub reports: Vec<Report>,
    /// What stdout carries: a summary, the JSON report, or one JSON event per line
    #[arg(long, value_enum, default_value_t = Output::Human)]
    pub output: Output,
}

/// Who else is told how a command ended: for cron jobs.
#[derive(Clone, Default, Args)]
#[command(next_help_heading = "Results")]
pub struct Monitors {
    /// Write figures for Prometheus, also when the run was refused
    #[arg(long, value_name = "PATH")]
    pub metrics: Option<PathBuf>,
    /// Tell a cron monitor how it ended [env: RUNNER_HEARTBEAT_URL, where other users do not see it]
    #[arg(long, value_name = "URL")]
    pub heartbeat: Option<String>,
}

/// It prints without the address, which is a secret.
impl std::fmt::Debug for Monitors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Monitors({:?}, …)", self.metrics)
    }
}

/// A report that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// In which format.
    pub format: ReportFormat,
    /// To which file.
    pub path: PathBuf,
}

/// The formats of reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// The JSON report, version 1.
    Json,
    /// JUnit XML.
    Junit,
    /// Markdown.
    Markdown,
    /// A page.
    Html,
}

/// What stdout carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// A summary for people.
    Human,
    /// The JSON report.
    Json,
    /// One JSON event per line, as they happen.
    Events,
}

/// Which Semaphore: flags count before the environment, the environment before the official CLI's file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// The address of the organization [env: SEMAPHORE_ORGANIZATION_URL]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// A file that holds the API token [env for the token itself: SEMAPHORE_API_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// A context of `~/.sem.yaml`
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

fn input(text: &str) -> Result<Input, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok(Input {
            name: name.trim().to_owned(),
            value: value.to_owned(),
        }),
        Some(_) | None => Err("write `NAME=VALUE`".to_owned()),
    }
}

fn report(text: &str) -> Result<Report, String> {
    let (format, path) = text.split_once('=').unwrap_or((text, ""));
    if path.is_empty() {
        return Err("write `FORMAT=PATH`, like `json=report.json`".to_owned());
    }
    Ok(Report {
        format: ReportFormat::from_str(format, false).map_err(|_| {
            format!("there is no format `{format}`: write `json`, `junit`, `markdown` or `html`")
        })?,
        path: path.into(),
    })
}
