//! What can be typed: the commands and flags, as `clap` reads them into plain types.
//!
//! Duty: shape only. Nothing here opens a file, asks the environment or knows what a playbook is; a
//! wrong command line ends with exit code 2. Flags are part of the stable interface.

mod files;
mod look;
mod shared;
#[cfg(test)]
mod tests;
mod work;

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use self::files::{
    Check, CheckFormat, Completions, Doctor, Eval, Library, LibraryCommand, LibraryList,
    LibraryShow, Man, New, Schema, SchemaOf, Simulate, Test, TestReport, TestReportFormat,
};
pub use self::look::{
    Explain, Prune, ReportOf, RunReport, RunReportFormat, Runs, RunsCommand, Show,
};
pub use self::shared::{
    Connection, Input, Inputs, Monitors, Output, Report, ReportFormat, Results,
};
pub use self::work::{Apply, Approve, Cancel, Plan, PlanFormat, Resolve, Resume, SCENARIO, Speed};
use super::exit::Exit;

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
