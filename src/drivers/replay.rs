//! What a run was at when its last session ended: the recorded facts, given to a new machine.
//!
//! Pure but for the machine it moves. The machine makes the same decisions again; what it decides beyond
//! the record (a crash can lose the end of a turn) is new, and what it still waits for is done again.

use super::session::SessionError;
use crate::clock::Moment;
use crate::engine::{Cmd, Ev, GROUP, Machine};
use crate::event::{Event, Recorded};

/// What came out of a replay.
pub(super) struct Replayed {
    /// What was commanded and has not come back.
    pub(super) outstanding: Outstanding,
    /// What was decided beyond the record.
    pub(super) beyond: Vec<(Event, Moment)>,
    /// How often the run was resumed so far.
    pub(super) sessions: u32,
}

/// Gives the recorded facts to a machine. An error is the number of the first event that does not fit.
pub(super) fn replay(machine: &mut Machine, past: &[Recorded]) -> Result<Replayed, u64> {
    let mut outstanding = Outstanding::default();
    let mut decided: Vec<(Event, Moment)> = Vec::new();
    let mut sessions = 0;
    let begin = past.first().map(|first| (None, first.at));
    let facts = past
        .iter()
        .filter_map(|recorded| Some((Some(Ev::of(&recorded.event)?), recorded.at)));
    for (ev, at) in begin.into_iter().chain(facts) {
        if let Some(Ev::Resumed { session }) = &ev {
            sessions = *session;
        }
        outstanding.settle(ev.as_ref());
        let turn = machine.step(ev, at);
        decided.extend(turn.events.into_iter().map(|event| (event, at)));
        outstanding.add(turn.commands);
    }
    let fits = past
        .iter()
        .zip(&decided)
        .take_while(|(recorded, (event, _))| same_kind(&recorded.event, event))
        .count();
    if fits < past.len() {
        return Err(fits as u64 + 1);
    }
    Ok(Replayed {
        outstanding,
        beyond: decided.split_off(past.len()),
        sessions,
    })
}

/// Brings a machine to where a record leaves it, for those who only want to ask it something.
pub fn replayed(machine: &mut Machine, past: &[Recorded]) -> Result<(), SessionError> {
    match replay(machine, past) {
        Ok(_) => Ok(()),
        Err(seq) => Err(SessionError::Replay { seq }),
    }
}

/// Commands that have not come back.
#[derive(Default)]
pub(super) struct Outstanding(Vec<Cmd>);

impl Outstanding {
    /// Adds what was commanded; what is dropped is no longer waited for. A wish to park was granted, or
    /// its session died first: a new session asks again.
    pub(super) fn add(&mut self, commands: Vec<Cmd>) {
        for command in commands {
            match &command {
                Cmd::Drop { key } => self.remove(key),
                Cmd::Call { .. } | Cmd::Timer { .. } | Cmd::Acquire { .. } => self.0.push(command),
                Cmd::Park { .. } => {}
            }
        }
    }

    /// What a fact settles is no longer outstanding.
    pub(super) fn settle(&mut self, ev: Option<&Ev>) {
        match ev {
            Some(Ev::Ended { key, .. }) => self.remove(&key.to_string()),
            Some(Ev::Timer { key }) => self.remove(key),
            Some(Ev::GroupTaken { .. }) => self.remove(GROUP),
            Some(
                Ev::Answered { .. }
                | Ev::Cancel { .. }
                | Ev::Parked { .. }
                | Ev::Resumed { .. }
                | Ev::Resolved { .. }
                | Ev::RoundRequested { .. }
                | Ev::PlanChanged { .. }
                | Ev::GroupBusy { .. },
            )
            | None => {}
        }
    }

    fn remove(&mut self, settled: &str) {
        self.0.retain(|command| match command {
            Cmd::Call { key, .. } => key.to_string() != settled,
            Cmd::Timer { key, .. } | Cmd::Drop { key } => key != settled,
            Cmd::Acquire { .. } => settled != GROUP,
            Cmd::Park { .. } => true,
        });
    }

    /// The commands, in the order in which they were given.
    pub(super) fn commands(&self) -> impl Iterator<Item = &Cmd> {
        self.0.iter()
    }

    /// The same, to be carried out.
    pub(super) fn into_commands(self) -> Vec<Cmd> {
        self.0
    }
}

/// Whether two events are the same but for what may have been masked.
fn same_kind(recorded: &Event, decided: &Event) -> bool {
    match (recorded, decided) {
        (Event::StepEnded(a), Event::StepEnded(b)) => a.step == b.step && a.outcome == b.outcome,
        (Event::CallStarted { key: a, .. }, Event::CallStarted { key: b, .. }) => a == b,
        (Event::StepStarted { step: a, .. }, Event::StepStarted { step: b, .. }) => a == b,
        (Event::RunCreated(a), Event::RunCreated(b)) => a.digest == b.digest && a.id == b.id,
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}
