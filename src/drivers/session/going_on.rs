//! How a session goes on with a run that an earlier one left: what people asked for meanwhile comes before
//! anything is carried out, and the concurrency group is held again.

use super::{INBOX_EVERY, Session, SessionError, StopRequest, millis};
use crate::clock::Moment;
use crate::drivers::replay::{Outstanding, replay};
use crate::engine::{Cmd, Ev};
use crate::event::{Event, Failure, FailureKind, Fate, Outcome, Recorded};
use crate::store::{InboxMessage, Posted, StoreError, StoreErrorKind};

use super::Finish;

impl Session {
    /// Goes on where an earlier session stopped: what is still outstanding is carried out, unless a
    /// message that came meanwhile says otherwise.
    pub(super) async fn go_on(&mut self, past: &[Recorded]) -> Result<(), SessionError> {
        let replayed =
            replay(&mut self.machine, past).map_err(|seq| SessionError::Replay { seq })?;
        for recorded in past {
            self.conditions
                .observers
                .iter_mut()
                .for_each(|observer| observer.event(recorded));
        }
        for (event, at) in replayed.beyond {
            self.record(event, at);
        }
        if self.finish.is_some() {
            return Ok(());
        }
        self.take_group_again().await?;
        if self.finish.is_some() {
            return Ok(());
        }
        let mut outstanding = replayed.outstanding;
        let mut facts = self.mail()?;
        facts.append(&mut self.opening);
        // The time of a run may have passed while nobody worked on it: then nothing more is sent.
        facts.extend(self.machine.overdue(self.now().wall));
        let session = replayed.sessions.saturating_add(1);
        facts.push(Ev::Resumed { session });
        self.hear_first(facts, &mut outstanding);
        self.settle_inbox()?;
        if self.finish.is_none() && self.machine.has_ended() {
            self.finish = ended(past);
        }
        if self.finish.is_some() {
            return Ok(());
        }
        self.carry_out(outstanding.into_commands())
    }

    /// Begins a run. One that was canceled before it began sends nothing.
    pub(super) fn begin(&mut self) -> Result<(), SessionError> {
        let at = self.now();
        let turn = self.machine.step(None, at);
        for event in turn.events {
            self.record(event, at);
        }
        let mut outstanding = Outstanding::default();
        outstanding.add(turn.commands);
        let facts = self.mail()?;
        let canceled = facts.iter().any(|fact| matches!(fact, Ev::Cancel { .. }));
        self.hear_first(facts, &mut outstanding);
        if canceled {
            let unsent = outstanding.commands().filter_map(|c| unsent(c, at));
            let unsent: Vec<Ev> = unsent.collect();
            self.hear_first(unsent, &mut outstanding);
        }
        self.settle_inbox()?;
        self.carry_out(outstanding.into_commands())
    }

    /// Tells the machine facts before what is outstanding is carried out.
    fn hear_first(&mut self, facts: Vec<Ev>, outstanding: &mut Outstanding) {
        for fact in facts {
            let opens = matches!(fact, Ev::RoundRequested { .. });
            let settles = matches!(fact, Ev::Resolved { .. } | Ev::PlanChanged { .. });
            // A run that has ended hears only what may open it again, and that only when it can be.
            if (self.machine.has_ended() && !opens && !settles)
                || (opens && !self.machine.unsettled().is_empty())
            {
                continue;
            }
            outstanding.settle(Some(&fact));
            let commands = self.hear(fact);
            outstanding.add(commands);
        }
    }

    /// What was left for this run while nobody worked on it.
    fn mail(&mut self) -> Result<Vec<Ev>, SessionError> {
        let mut posted = std::mem::take(&mut self.mail);
        if self.conditions.inbox {
            posted.extend(self.conditions.store.take(&self.run)?);
        }
        self.inbox_up_to = posted.last().map(|last| last.number).or(self.inbox_up_to);
        Ok(posted.into_iter().map(fact_of).collect())
    }

    /// A run that holds a concurrency group gave it back when it was parked: it must have it again before
    /// it goes on. While it waits, the time of its steps stands still.
    async fn take_group_again(&mut self) -> Result<(), SessionError> {
        let Some((group, waits)) = self.machine.group() else {
            return Ok(());
        };
        if self.machine.has_ended() && self.opening.is_empty() {
            return Ok(());
        }
        self.gate.want(group.to_owned());
        loop {
            match self.gate.look()? {
                Some(Ev::GroupBusy { group, by }) if !waits => {
                    let message = format!("the concurrency group `{group}` is held by {by}");
                    let kind = StoreErrorKind::Locked { by: None };
                    return Err(StoreError::new(kind, message).into());
                }
                Some(Ev::GroupBusy { group, by }) => self.notice(&format!(
                    "waiting: the concurrency group `{group}` is held by {by}"
                )),
                Some(_) | None => {}
            }
            // Who cancels a run does not wait for others; nor does one whose time is over.
            let over = self.machine.overdue(self.now().wall).is_some();
            if !self.gate.waits() || over || self.is_canceled()? {
                break;
            }
            let clock = self.conditions.clock;
            let pause = self.scaled(INBOX_EVERY);
            tokio::select! {
                biased;
                Some(request) = self.conditions.stop.recv() => match request {
                    StopRequest::Park { reason, exit_code } => {
                        self.finish = Some(Finish::Parked { reason, exit_code });
                        return Ok(());
                    }
                    StopRequest::Cancel { by } => {
                        self.opening.push(Ev::Cancel { by });
                        break;
                    }
                },
                () = clock.sleep(pause) => {}
            }
        }
        self.gate.give_up();
        self.started_elapsed = self.conditions.clock.elapsed();
        Ok(())
    }

    fn is_canceled(&mut self) -> Result<bool, StoreError> {
        if self.conditions.inbox {
            self.mail.extend(self.conditions.store.take(&self.run)?);
        }
        let cancels = |posted: &Posted| matches!(posted.message, InboxMessage::Cancel { .. });
        Ok(self.mail.iter().any(cancels))
    }

    fn notice(&mut self, words: &str) {
        self.conditions
            .observers
            .iter_mut()
            .for_each(|observer| observer.notice(words));
    }

    /// Looks whether the concurrency group can be had now, once in a while.
    pub(super) fn look_at_gate_when_due(&mut self, now: Moment) -> Result<(), SessionError> {
        let every = millis(self.scaled(INBOX_EVERY));
        if !self.gate.waits() || now.active_ms.saturating_sub(self.last_gate_ms) < every {
            return Ok(());
        }
        self.look_at_gate(now)
    }

    pub(super) fn look_at_gate(&mut self, now: Moment) -> Result<(), SessionError> {
        self.last_gate_ms = now.active_ms;
        match self.gate.look()? {
            Some(fact) => self.tell(fact),
            None => Ok(()),
        }
    }
}

/// What a message says.
pub(super) fn fact_of(posted: Posted) -> Ev {
    match posted.message {
        InboxMessage::Cancel { by } => Ev::Cancel { by },
        InboxMessage::Answer { step, approved, by } => Ev::Answered { step, approved, by },
        InboxMessage::Resolve {
            step,
            resolution,
            by,
        } => Ev::Resolved {
            step,
            resolution,
            by,
        },
    }
}

/// How a run ended last.
fn ended(past: &[Recorded]) -> Option<Finish> {
    past.iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::RunEnded(ended) => Some(Finish::Ended(ended.clone())),
            _ => None,
        })
}

/// A call that is not carried out at all.
fn unsent(command: &Cmd, at: Moment) -> Option<Ev> {
    let Cmd::Call { key, .. } = command else {
        return None;
    };
    let words = "the run was canceled before it began";
    let failure = Failure::new(FailureKind::Canceled, words).fate(Fate::NotSent);
    let outcome = Outcome {
        started_at: at.wall,
        ended_at: at.wall,
        requests: 0,
        repeated: false,
        result: Err(failure),
    };
    let key = key.clone();
    Some(Ev::Ended { key, outcome })
}
