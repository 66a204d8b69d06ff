//! What comes to a session from outside while it works: requests to stop, and messages of other processes.
//!
//! A run is parked as soon as no write is under way, or when the grace for it is over.

use std::time::Duration;

use super::going_on::fact_of;
use super::{EXIT_PARKED, Finish, PARK_GRACE, Session, SessionError, StopRequest, millis};
use crate::engine::Ev;

impl Session {
    pub(super) fn stop_requested(&mut self, request: StopRequest) -> Result<(), SessionError> {
        match request {
            StopRequest::Cancel { by } => self.tell(Ev::Cancel { by }),
            StopRequest::Park { .. } => {
                match &mut self.parking {
                    // Told twice: at once.
                    Some((_, until)) => *until = Duration::ZERO,
                    None => {
                        let until = self.conditions.clock.elapsed() + self.scaled(PARK_GRACE);
                        self.parking = Some((request, until));
                    }
                }
                Ok(())
            }
        }
    }

    pub(super) fn park_when_it_only_waits(&mut self) {
        let Some(after) = self.conditions.park_after else {
            return;
        };
        let worked = self.now().active_ms.saturating_sub(self.base_active_ms);
        if worked >= millis(after) && self.parking.is_none() && !self.writes_under_way() {
            let reason = format!("`--park {}`", crate::duration::show(after));
            let request = StopRequest::Park {
                reason,
                exit_code: EXIT_PARKED,
            };
            self.parking = Some((request, Duration::ZERO));
        }
    }

    pub(super) fn writes_under_way(&self) -> bool {
        self.under_way.values().any(|call| call.writes && call.sent)
    }

    /// Parks as soon as no write is under way, or the grace is over.
    pub(super) fn park_when_quiet(&mut self) -> Result<(), SessionError> {
        let Some((StopRequest::Park { reason, exit_code }, until)) = self.parking.clone() else {
            return Ok(());
        };
        if self.finish.is_some()
            || (self.writes_under_way() && self.conditions.clock.elapsed() < until)
        {
            return Ok(());
        }
        self.tell(Ev::Parked {
            reason: reason.clone(),
            exit_code,
        })?;
        self.finish = Some(Finish::Parked { reason, exit_code });
        Ok(())
    }

    pub(super) fn look_into_inbox(&mut self) -> Result<(), SessionError> {
        for ev in self.take_inbox()? {
            self.tell(ev)?;
        }
        self.settle_inbox()
    }

    /// What was left in the inbox since the last look.
    pub(super) fn take_inbox(&mut self) -> Result<Vec<Ev>, SessionError> {
        let mut facts = Vec::new();
        for posted in self.conditions.store.take(&self.run)? {
            self.inbox_up_to = Some(posted.number);
            facts.push(fact_of(posted));
        }
        Ok(facts)
    }

    /// What the messages said is durable before they go.
    pub(super) fn settle_inbox(&mut self) -> Result<(), SessionError> {
        if let Some(up_to) = self.inbox_up_to {
            self.journal.flush()?;
            self.conditions.store.settle(&self.run, up_to)?;
            self.inbox_up_to = None;
        }
        Ok(())
    }
}
