//! The commands for playbooks, tests, schemas and this machine.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::shared::Connection;
use super::work::{SCENARIO, SPEED};

/// `runner check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Playbooks, test files (`*.test.yml`), and folders with such files below them
    #[arg(required = true, value_name = "PATH")]
    pub playbooks: Vec<PathBuf>,
    /// Let warnings refuse a playbook too
    #[arg(long)]
    pub deny_warnings: bool,
    /// How mistakes are told
    #[arg(long, value_enum, default_value_t = CheckFormat::Human)]
    pub format: CheckFormat,
}

/// How mistakes are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// With an excerpt of the file.
    Human,
    /// As a JSON list.
    Json,
    /// As annotations of a CI system.
    Github,
}

/// `runner test`.
#[derive(Debug, Args)]
pub struct Test {
    /// Test files, and folders with `*.test.yml` below them; this folder without any
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only cases whose name holds this text
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Write the results (repeatable)
    #[arg(long = "report", value_name = "FORMAT=PATH", value_parser = test_report)]
    pub reports: Vec<TestReport>,
    /// Then a fault at every request and a kill at every commit, one after the other
    #[arg(long)]
    pub faults: bool,
    /// Then so many runs with faults and kills by chance
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub seeds: Option<u64>,
    /// Only the run that a failure printed this for
    #[arg(long, value_name = "SCHEDULE", conflicts_with_all = ["faults", "seeds"])]
    pub seed: Option<crate::testing::Schedule>,
    /// Say what of the playbooks no case reaches
    #[arg(long)]
    pub coverage: bool,
}

/// Results of tests that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestReport {
    /// In which format.
    pub format: TestReportFormat,
    /// To which file.
    pub path: PathBuf,
}

/// The formats of results of tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TestReportFormat {
    /// JSON.
    Json,
    /// JUnit XML.
    Junit,
}

fn test_report(text: &str) -> Result<TestReport, String> {
    let (format, path) = text.split_once('=').unwrap_or((text, ""));
    if path.is_empty() {
        return Err("write `FORMAT=PATH`, like `junit=tests.xml`".to_owned());
    }
    Ok(TestReport {
        format: TestReportFormat::from_str(format, false)
            .map_err(|_| format!("there is no format `{format}`: write `json` or `junit`"))?,
        path: path.into(),
    })
}

/// `runner library`.
#[derive(Debug, Args)]
pub struct Library {
    /// What to do.
    #[command(subcommand)]
    pub command: LibraryCommand,
}

/// What can be done with the library.
#[derive(Debug, Subcommand)]
pub enum LibraryCommand {
    /// List the playbooks, each with what it is for
    #[command(after_help = "Example:\n  runner library list --json")]
    List(LibraryList),
    /// Print a playbook
    #[command(after_help = "Example:\n  runner library show release")]
    Show(LibraryShow),
}

/// `runner library list`.
#[derive(Debug, Args)]
pub struct LibraryList {
    /// As JSON, with inputs and outputs
    #[arg(long)]
    pub json: bool,
}

/// `runner library show`.
#[derive(Debug, Args)]
pub struct LibraryShow {
    /// The name of the playbook
    pub name: String,
}

/// `runner new`.
#[derive(Debug, Args)]
pub struct New {
    /// The name of the new playbook: it is written to `NAME.yml`
    pub name: String,
    /// Begin with a playbook of the library
    #[arg(long, value_name = "LIBRARY_NAME")]
    pub from: Option<String>,
}

/// `runner doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Which Semaphore.
    #[command(flatten)]
    pub connection: Connection,
}

/// `runner simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// The scenario
    #[arg(default_value = SCENARIO)]
    pub scenario: String,
    /// Where to listen; loopback only, port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = ANY_PORT, value_parser = loopback)]
    pub listen: SocketAddr,
    /// Write the port to this file once it is open
    #[arg(long, value_name = "FILE")]
    pub port_file: Option<PathBuf>,
    /// How much faster its clock runs
    #[arg(long, value_name = "N", default_value_t = SPEED, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub speed: u32,
}

const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The simulator holds no secrets, but whoever reaches it plays Semaphore: it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("only loopback: write `127.0.0.1:PORT`".to_owned()),
        Err(_) => Err("write `127.0.0.1:PORT`".to_owned()),
    }
}

/// `runner schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what
    pub of: SchemaOf,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// Playbooks.
    Playbook,
    /// The JSON report.
    Report,
    /// A line of `--output events`.
    Event,
    /// What `runner explain --json` prints.
    Explain,
    /// Test files.
    Test,
    /// The actions, as Markdown.
    Actions,
    /// The settings, as Markdown.
    Settings,
    /// The library, as Markdown.
    Library,
}

/// `runner eval`.
#[derive(Debug, Args)]
pub struct Eval {
    /// An expression of the playbook language; the top-level names of the JSON are in scope
    #[arg(required_unless_present = "jsonpath", conflicts_with = "jsonpath")]
    pub expression: Option<String>,
    /// A JSONPath (RFC 9535)
    #[arg(long, value_name = "PATH")]
    pub jsonpath: Option<String>,
    /// The JSON file; stdin without it
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
}

/// `runner completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `runner man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each command to this folder
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
