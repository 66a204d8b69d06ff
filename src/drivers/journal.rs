//! The events of a run on their way to the store: redacted, numbered, committed in groups.
//!
//! An intent goes to disk with everything before it, before its write is sent. What lies between rides
//! in the next commit; what a crash loses that way is pure or a read, and is simply done again.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Moment;
use crate::event::{Event, Intent, Recorded};
use crate::secret::Redactor;
use crate::store::{Store, StoreError};

/// How long an event may wait for company.
pub(super) const COMMIT_WITHIN: Duration = Duration::from_millis(100);
const PENDING_MAX: usize = 2_000;

/// The journal of one run.
pub(super) struct Journal {
    store: Arc<dyn Store>,
    run: String,
    redactor: Redactor,
    next_seq: u64,
    pending: Vec<Recorded>,
    /// Since when (active time) something waits.
    since_ms: Option<u64>,
}

impl Journal {
    /// The journal of a run that holds `recorded` events already.
    pub(super) fn new(
        store: Arc<dyn Store>,
        run: &str,
        redactor: Redactor,
        recorded: usize,
    ) -> Self {
        Self {
            store,
            run: run.to_owned(),
            redactor,
            next_seq: recorded as u64 + 1,
            pending: Vec::new(),
            since_ms: None,
        }
    }

    /// Takes an event in, and gives it back as those who look on may see it.
    pub(super) fn add(&mut self, event: Event, at: Moment) -> Recorded {
        let recorded = Recorded {
            seq: self.next_seq,
            at,
            event: redacted(event, &self.redactor),
        };
        self.next_seq += 1;
        self.since_ms.get_or_insert(at.active_ms);
        self.pending.push(recorded.clone());
        recorded
    }

    /// Writes everything down.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.store.append(&self.run, &self.pending)?;
        self.pending.clear();
        self.since_ms = None;
        Ok(())
    }

    /// Writes everything down when it has waited for long enough.
    pub(super) fn flush_when_due(&mut self, now_active_ms: u64) -> Result<(), StoreError> {
        match self.until_due(now_active_ms) {
            Some(left) if left.is_zero() || self.pending.len() >= PENDING_MAX => self.flush(),
            Some(_) | None => Ok(()),
        }
    }

    /// The time until something must be written down.
    pub(super) fn until_due(&self, now_active_ms: u64) -> Option<Duration> {
        let waited = Duration::from_millis(now_active_ms.saturating_sub(self.since_ms?));
        Some(COMMIT_WITHIN.saturating_sub(waited))
    }

    /// Writes an intent down with everything before it.
    pub(super) fn intent(&mut self, intent: &Intent) -> Result<(), StoreError> {
        self.store.write_intent(&self.run, intent, &self.pending)?;
        self.pending.clear();
        self.since_ms = None;
        Ok(())
    }
}

/// An event without secrets. The machine never hears of a secret that came in from outside either, so
/// that a replay hears the same.
pub(super) fn redacted(event: Event, redactor: &Redactor) -> Event {
    if redactor.is_empty() {
        return event;
    }
    // Most events hold no secret: one look at their text is much cheaper than taking them apart.
    match serde_json::to_string(&event) {
        Ok(text) if redactor.finds_in(&text) => {}
        Ok(_) | Err(_) => return event,
    }
    let Ok(value) = serde_json::to_value(&event) else {
        return event;
    };
    let masked = redactor.value(&value);
    serde_json::from_value(masked).unwrap_or_else(|_| Event::Warned {
        step: None,
        message: "an event was left out, for it could not be written down without a secret"
            .to_owned(),
    })
}
