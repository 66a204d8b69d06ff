//! The commands that carry runs out, plan them, and go on with them.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::shared::{Connection, Inputs, Monitors, Results};
use crate::duration;

/// How much faster than ours the clock of the simulator runs.
pub(super) const SPEED: u32 = 60;

/// The scenario of `--simulate` without a name.
pub const SCENARIO: &str = "passing";

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
