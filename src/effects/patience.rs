//! The patience of one wait: how long it goes on, and what it says when its time is over.
//!
//! A look that fails is a look that told nothing: the wait goes on until its time is over, or until
//! nothing could be seen for as long as the network may be away.

use std::future::Future;
use std::time::Duration;

use super::dispatch::Inner;
use super::failures::out_of_time;
use crate::event::{Failure, FailureKind, Fate, Observation, Seen};

/// An id that Semaphore has just given may not be found everywhere for a moment.
const NOT_FOUND_FOR: Duration = Duration::from_secs(30);

/// Where a wait tells what it sees.
pub(super) struct Teller<'a> {
    pub(super) step: &'a str,
    pub(super) observe: &'a (dyn Fn(Observation) + Send + Sync),
}

impl Teller<'_> {
    /// Tells it.
    pub(super) fn tell(&self, inner: &Inner, seen: Seen) {
        (self.observe)(Observation {
            step: self.step.to_owned(),
            at: inner.clock.now(),
            seen,
        });
    }
}

/// What one wait remembers.
pub(super) struct Patience {
    /// What did not happen, when it is over (`the pipeline was not done`).
    what: &'static str,
    began: Duration,
    within: Duration,
    /// What was seen last, in words.
    pub(super) last: String,
    trouble: Option<Failure>,
    /// Since when no look has told anything.
    blind_since: Option<Duration>,
}

impl Patience {
    /// A wait that begins now.
    pub(super) fn new(inner: &Inner, what: &'static str, within: Duration) -> Self {
        Self {
            what,
            began: inner.clock.elapsed(),
            within,
            last: String::new(),
            trouble: None,
            blind_since: None,
        }
    }

    /// How long it has waited.
    pub(super) fn waited(&self, inner: &Inner) -> Duration {
        inner.clock.elapsed().saturating_sub(self.began)
    }

    /// How much time it has left.
    pub(super) fn left(&self, inner: &Inner) -> Duration {
        self.within.saturating_sub(self.waited(inner))
    }

    /// What went wrong at the last look, if it went wrong.
    pub(super) fn trouble(&self) -> Option<&Failure> {
        self.trouble.as_ref()
    }

    /// A look told something.
    pub(super) fn seeing(&mut self) {
        self.blind_since = None;
        self.trouble = None;
    }

    /// A look that told nothing: whether to go on.
    pub(super) fn blind(
        &mut self,
        inner: &Inner,
        failure: Failure,
        teller: &Teller<'_>,
    ) -> Result<(), Failure> {
        let now = inner.clock.elapsed();
        let since = *self.blind_since.get_or_insert(now);
        let blind_for = now.saturating_sub(since);
        let patience = match failure.kind {
            FailureKind::Network | FailureKind::Timeout if !inner.contacted() => {
                inner.settings.budget.first_contact
            }
            FailureKind::Network
            | FailureKind::Timeout
            | FailureKind::Server
            | FailureKind::AuthOutage
            | FailureKind::RateLimited
            | FailureKind::InvalidAnswer => inner.settings.budget.retry,
            FailureKind::NotFound => NOT_FOUND_FOR,
            _ => Duration::ZERO,
        };
        if blind_for >= patience {
            let nothing_came = failure.status.is_none();
            let fate = if nothing_came {
                Fate::NotSent
            } else {
                Fate::NotDone
            };
            let kind = if nothing_came && patience > Duration::ZERO {
                FailureKind::Network
            } else {
                failure.kind
            };
            return Err(Failure {
                kind,
                ..failure.fate(fate)
            });
        }
        teller.tell(
            inner,
            Seen::Trouble {
                message: failure.message.clone(),
            },
        );
        self.trouble = Some(failure);
        Ok(())
    }

    /// Carries a look out, as long as there is time; what is then still under way told nothing.
    pub(super) async fn look<T>(
        &self,
        inner: &Inner,
        look: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Result<T, Failure>, Failure> {
        tokio::select! {
            biased;
            seen = look => Ok(seen),
            () = inner.clock.sleep(self.left(inner)) => Err(self.over(inner)),
        }
    }

    /// Waits until the next look; an error when the time is over.
    pub(super) async fn pause(&self, inner: &Inner, pause: Duration) -> Result<(), Failure> {
        let left = self.left(inner);
        if left.is_zero() {
            return Err(self.over(inner));
        }
        inner.clock.sleep(pause.min(left)).await;
        Ok(())
    }

    /// The time is over.
    pub(super) fn over(&self, inner: &Inner) -> Failure {
        let trouble = self
            .trouble
            .as_ref()
            .map(|failure| failure.message.as_str());
        out_of_time(self.what, &self.last, trouble, self.waited(inner))
    }
}
