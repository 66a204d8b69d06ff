//! What can be typed: the commands and flags, as `clap` reads them into plain types.
//!
//! Duty: shape only. Nothing here opens a file, asks the environment or knows what a playbook is; a
//! wrong command line ends with exit code 2. Flags are part of the stable interface.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

use super::exit::Exit;
use crate::duration;

/// How much faster than ours the clock of the simulator runs.
const SPEED: u32 = 60;
/// The scenario of `--simulate` without a name.
pub const SCENARIO: &str = "passing";

/// Declarative pipeline automation for Semaphore CI: playbooks that never act twice and always end.
#[derive(Debug, Parser)]
#[command(name = "runner", version, propagate_version = true)]
#[command(after_help = "Example:\n  runner apply release.yml -i reference=refs/heads/main")]
pub struct CommandLine {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl CommandLine {
    /// Reads a command line; its first word is the name of the program.
    pub fn read<I>(words: I) -> Result<Self, clap::Error>
    where
        I: IntoIterator,
        I::Item: Into<std::ffi::OsString> + Clone,
    {
        Self::try_parse_from(words)
    }
}

/// How the process ends after `clap` refused a command line, or showed the help that was asked for.
pub fn exit_of(error: &clap::Error) -> Exit {
    match error.exit_code() {
        0 => Exit::Passed,
        _ => Exit::Usage,
    }
}

/// What holds for every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Say what is sent; twice: say how it was answered too
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub color: Color,
    /// Plain lines instead of a live display
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// The folder in which runs are kept
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// A folder with playbooks that others use by name (repeatable)
    #[arg(long, global = true, value_name = "DIR")]
    pub library: Vec<PathBuf>,
    /// Change a setting (repeatable)
    #[arg(long, global = true, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a playbook, then run it
    #[command(
        after_help = "Examples:\n  runner apply release.yml -i reference=refs/heads/main --report json=report.json\n  runner apply release.yml --simulate=failing --speed max"
    )]
    Apply(Box<Apply>),
    /// Say everything that is wrong with playbooks and their tests, without sending anything
    #[command(
        after_help = "Examples:\n  runner check playbooks/*.yml\n  runner check release.yml nightly.yml --format github"
    )]
    Check(Check),
    /// Show what `apply` would do; it reads from Semaphore and writes nothing
    #[command(
        after_help = "Examples:\n  runner plan release.yml -i target=Staging\n  runner plan release.yml --offline --format mermaid"
    )]
    Plan(Box<Plan>),
    /// Run test files: playbooks in simulated worlds, in virtual time
    #[command(
        after_help = "Examples:\n  runner test release.test.yml\n  runner test playbooks --faults --coverage --report junit=tests.xml"
    )]
    Test(Test),
    /// Go on with a run that has not ended, or do again what did not pass
    #[command(
        after_help = "Examples:\n  runner resume last --report json=report.json\n  runner resume last --failed"
    )]
    Resume(Box<Resume>),
    /// Say what became of a write whose outcome is unknown
    #[command(
        after_help = "Examples:\n  runner resolve last build --is 6cf4569c-f76c-4dea-b293-3e4282ba1153\n  runner resolve last build --not-sent"
    )]
    Resolve(Resolve),
    /// Stop a run for good, and what it started on Semaphore
    #[command(after_help = "Example:\n  runner cancel last")]
    Cancel(Box<Cancel>),
    /// Say yes or no to a step that waits for an approval
    #[command(
        after_help = "Examples:\n  runner approve last gate\n  runner approve last gate --reject"
    )]
    Approve(Approve),
    /// Say what works of host, token, clock and state folder, and what to do about the rest
    #[command(after_help = "Example:\n  runner doctor --context acme")]
    Doctor(Doctor),
    /// List the runs of the state folder, or remove old ones
    #[command(after_help = "Examples:\n  runner runs --json\n  runner runs prune")]
    Runs(Runs),
    /// Show a run: its steps, how they ended, and why
    #[command(after_help = "Example:\n  runner show last")]
    Show(Show),
    /// Say why the steps of a run stand where they stand, or why those of a playbook would run
    #[command(
        after_help = "Examples:\n  runner explain last deploy\n  runner explain release.yml deploy"
    )]
    Explain(Explain),
    /// Write what is known of a run: its report, or a test that tells it again
    #[command(
        after_help = "Examples:\n  runner report last html=report.html junit=report.xml\n  runner report last test=release.incident.test.yml"
    )]
    Report(ReportOf),
    /// List or show the playbooks that are built in
    #[command(
        after_help = "Examples:\n  runner library list\n  runner library show canary > canary.yml"
    )]
    Library(Library),
    /// Write a new playbook and its test into this folder
    #[command(after_help = "Examples:\n  runner new deploy\n  runner new deploy --from release")]
    New(New),
    /// Serve a simulated Semaphore on this machine
    #[command(
        after_help = "Example:\n  runner simulate passing --listen 127.0.0.1:4000 --speed 60"
    )]
    Simulate(Simulate),
    /// Print the JSON Schema of a format
    #[command(after_help = "Example:\n  runner schema playbook > playbook.schema.json")]
    Schema(Schema),
    /// Try an expression or a JSONPath on JSON from a file or stdin
    #[command(
        after_help = "Examples:\n  runner eval \"pipeline.result == 'passed'\" --data answer.json\n  runner eval --jsonpath '$.blocks[*].name' --data answer.json"
    )]
    Eval(Eval),
    /// Print the completions of a shell
    #[command(
        after_help = "Example:\n  runner completions bash > ~/.local/share/bash-completion/completions/runner"
    )]
    Completions(Completions),
    /// Print the manual page, or write those of all commands
    #[command(
        after_help = "Examples:\n  runner man > runner.1\n  runner man --dir /usr/local/share/man/man1"
    )]
    Man(Man),
}

/// `runner apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// The playbook
    pub playbook: PathBuf,
    /// The values of its inputs.
    #[command(flatten)]
    pub inputs: Inputs,
    /// The id of the run: a second apply with the same id and plan joins or resumes it
    #[arg(long, value_name = "ID")]
    pub run_id: Option<String>,
    /// What is told, and where.
    #[command(flatten)]
    pub results: Results,
    /// Who else is told how it ended.
    #[command(flatten)]
    pub monitors: Monitors,
    /// Run against the embedded simulator: no account, no network
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = SCENARIO)]
    pub simulate: Option<String>,
    /// How much faster the simulator's clock runs, or `max`
    #[arg(long, value_name = "N|max", requires = "simulate", value_parser = speed)]
    pub speed: Option<Speed>,
    /// The seed of the simulator
    #[arg(long, hide = true, requires = "simulate")]
    pub seed: Option<u64>,
    /// The deadline of the whole run, instead of the playbook's
    #[arg(long, value_name = "DURATION", value_parser = some_time)]
    pub timeout: Option<Duration>,
    /// After that long, park a run that only waits (exit code 75)
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub park: Option<Duration>,
    /// The folder that `save_to` is relative to
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Show what would be done, like `runner plan`, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Run only this step and what it needs
    #[arg(long, value_name = "STEP")]
    pub only: Option<String>,
    /// Which Semaphore.
    #[command(flatten)]
    pub connection: Connection,
}

/// `runner plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// The playbook
    pub playbook: PathBuf,
    /// The values of its inputs.
    #[command(flatten)]
    pub inputs: Inputs,
    /// How the plan is shown
    #[arg(long, value_enum, default_value_t = PlanFormat::Human)]
    pub format: PlanFormat,
    /// Ask Semaphore nothing: show what the playbook alone says
    #[arg(long)]
    pub offline: bool,
    /// Only this step and what it needs
    #[arg(long, value_name = "STEP")]
    pub only: Option<String>,
    /// Ask the embedded simulator instead of Semaphore
    #[arg(long, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = SCENARIO, conflicts_with = "offline")]
    pub simulate: Option<String>,
    /// Which Semaphore.
    #[command(flatten)]
    pub connection: Connection,
}

/// How a plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    /// As a tree, with words.
    Human,
    /// As JSON.
    Json,
    /// Its graph, as a Mermaid flowchart.
    Mermaid,
    /// Its graph, for Graphviz.
    Dot,
}

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

/// `runner resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// The id of the run, a unique beginning of it, or `last`
    pub run: String,
    /// Open a new round of a run that has ended, for what did not pass
    #[arg(long)]
    pub failed: bool,
    /// Go on with the playbook as it is on disk, when only steps changed that have not begun
    #[arg(long, value_name = "PLAYBOOK", num_args = 0..=1, require_equals = true)]
    pub accept_changes: Option<Option<PathBuf>>,
    /// Secret inputs that were typed must be typed again.
    #[command(flatten)]
    pub inputs: Inputs,
    /// What is told, and where.
    #[command(flatten)]
    pub results: Results,
    /// Who else is told how it ended.
    #[command(flatten)]
    pub monitors: Monitors,
    /// After that long, park a run that only waits (exit code 75)
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub park: Option<Duration>,
    /// Which Semaphore.
    #[command(flatten)]
    pub connection: Connection,
}

/// `runner resolve`.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["is", "not_sent"]))]
pub struct Resolve {
    /// The id of the run, a unique beginning of it, or `last`
    pub run: String,
    /// The step whose write is unknown
    pub step: String,
    /// It arrived, and made the workflow or pipeline with this id
    #[arg(long, value_name = "ID")]
    pub is: Option<String>,
    /// It never arrived: it may be sent again
    #[arg(long)]
    pub not_sent: bool,
}

/// `runner cancel`.
#[derive(Debug, Args)]
pub struct Cancel {
    /// The id of the run, a unique beginning of it, or `last`
    pub run: String,
    /// Secret inputs that were typed must be typed again.
    #[command(flatten)]
    pub inputs: Inputs,
    /// What is told, and where.
    #[command(flatten)]
    pub results: Results,
    /// Which Semaphore.
    #[command(flatten)]
    pub connection: Connection,
}

/// `runner approve`.
#[derive(Debug, Args)]
pub struct Approve {
    /// The id of the run, a unique beginning of it, or `last`
    pub run: String,
    /// The step that waits for an approval
    pub step: String,
    /// Say no: the step fails
    #[arg(long)]
    pub reject: bool,
}

/// `runner doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Which Semaphore.
    #[command(flatten)]
    pub connection: Connection,
}

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

/// How fast the simulator's clock runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// So many times faster than ours.
    Times(u32),
    /// Virtual time: no waiting at all.
    Max,
}

impl Default for Speed {
    fn default() -> Self {
        Self::Times(SPEED)
    }
}

fn speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    match text.parse() {
        Ok(times @ 1..=100_000) => Ok(Speed::Times(times)),
        Ok(_) | Err(_) => Err("write a number from 1 to 100000, or `max`".to_owned()),
    }
}

/// A run needs some time.
fn some_time(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(Duration::ZERO) => Err("it must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(error.to_string()),
    }
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

/// The simulator holds no secrets, but whoever reaches it plays Semaphore: it stays on this machine.
fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(_) => Err("only loopback: write `127.0.0.1:PORT`".to_owned()),
        Err(_) => Err("write `127.0.0.1:PORT`".to_owned()),
    }
}

#[cfg(test)]
mod tests;
