//! What a run left behind, for those who judge it.

use std::time::Duration;

use crate::event::{Event, FailureKind, Recorded, RunEnded, StepEnded};
use crate::outcome::RunOutcome;
use crate::secret::Redactor;
use crate::simulator::Act;

use super::wire::Sent;

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ending {
    /// It ended.
    Ended(RunEnded),
    /// It was parked.
    Parked { reason: String, exit_code: u8 },
    /// It never began.
    Refused(String),
    /// The runner itself failed: never right.
    Broken(String),
    /// It did not end: never right.
    Endless(Duration),
}

/// What a run left behind.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    pub(super) ending: Ending,
    pub(super) events: Vec<Recorded>,
    pub(super) sent: Vec<Sent>,
    pub(super) acts: Vec<Act>,
    /// The user that the runner is on Semaphore.
    pub(super) user: String,
    /// How many intents are still open.
    pub(super) open_intents: usize,
    pub(super) elapsed: Duration,
    /// When it was killed.
    pub(super) killed: Vec<Duration>,
    pub(super) commits: u64,
    pub(super) files: Vec<(String, String)>,
    /// Everything that was seen of running steps, as JSON.
    pub(super) observed: String,
    pub(super) redactor: Redactor,
}

impl Ran {
    /// The word for how it ended.
    pub(super) fn word(&self) -> &'static str {
        match &self.ending {
            Ending::Ended(ended) => ended.outcome.as_str(),
            Ending::Parked { .. } => "parked",
            Ending::Refused(_) => "refused",
            Ending::Broken(_) => "broken",
            Ending::Endless(_) => "endless",
        }
    }

    /// Why it ended so.
    pub(super) fn why(&self) -> Option<&str> {
        match &self.ending {
            Ending::Ended(ended) => ended.why.as_deref(),
            Ending::Parked { reason, .. } => Some(reason),
            Ending::Refused(why) | Ending::Broken(why) => Some(why),
            Ending::Endless(_) => None,
        }
    }

    /// What the runner ends with; `exit_of` is the table of those.
    pub(super) fn exit_code(&self, exit_of: fn(RunOutcome, Option<FailureKind>) -> u8) -> u8 {
        match &self.ending {
            Ending::Ended(ended) => exit_of(ended.outcome, ended.failure),
            Ending::Parked { exit_code, .. } => *exit_code,
            Ending::Refused(_) => 3,
            Ending::Broken(_) | Ending::Endless(_) => 70,
        }
    }

    /// How its steps ended.
    pub(super) fn steps(&self) -> impl Iterator<Item = &StepEnded> {
        self.events
            .iter()
            .filter_map(|recorded| match &recorded.event {
                Event::StepEnded(ended) => Some(ended),
                _ => None,
            })
    }

    /// How one step ended.
    pub(super) fn step(&self, id: &str) -> Option<&StepEnded> {
        self.steps().find(|step| step.step == id)
    }

    /// The promotions that the runner triggered: name, parameters, override.
    pub(super) fn promotions(&self) -> impl Iterator<Item = (&str, &[(String, String)], bool)> {
        use crate::simulator::{Done, Origin};
        self.acts.iter().filter_map(|act| {
            let ours = matches!(&act.origin, Origin::Api { user } if *user == self.user);
            match &act.deed {
                Done::Promote {
                    name, overriding, ..
                } if ours => Some((name.as_str(), act.parameters.as_slice(), *overriding)),
                _ => None,
            }
        })
    }
}
