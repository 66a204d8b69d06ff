//! A good neighbour's rate: at most so many requests in a second, for the whole process.
//!
//! A token bucket on the run's own clock, so that it works in virtual time too. A server that says
//! `Retry-After` is left alone until then.

use std::sync::Mutex;
use std::time::Duration;

use crate::clock::Clock;

/// How many requests may come at once after a quiet time.
const BURST: f64 = 5.0;

/// Hands out permissions to send a request.
#[derive(Debug)]
pub(super) struct Bucket {
    clock: Clock,
    per_second: f64,
    state: Mutex<Level>,
}

#[derive(Debug)]
struct Level {
    /// Below zero: as many are waiting.
    tokens: f64,
    at: Duration,
    closed_until: Duration,
}

impl Bucket {
    /// A bucket of so many requests in a second.
    pub(super) fn new(clock: Clock, per_second: f64) -> Self {
        let at = clock.elapsed();
        let state = Mutex::new(Level {
            tokens: BURST,
            at,
            closed_until: Duration::ZERO,
        });
        Self {
            clock,
            per_second: per_second.max(0.1),
            state,
        }
    }

    /// Waits until a request may be sent.
    pub(super) async fn take(&self) {
        let wait = self.reserve();
        if !wait.is_zero() {
            self.clock.sleep(wait).await;
        }
    }

    /// Sends nothing for this long.
    pub(super) fn close_for(&self, duration: Duration) {
        if let Ok(mut level) = self.state.lock() {
            level.closed_until = level.closed_until.max(self.clock.elapsed() + duration);
        }
    }

    fn reserve(&self) -> Duration {
        let now = self.clock.elapsed();
        let Ok(mut level) = self.state.lock() else {
            return Duration::ZERO;
        };
        let gained = now.saturating_sub(level.at).as_secs_f64() * self.per_second;
        level.tokens = (level.tokens + gained).min(BURST) - 1.0;
        level.at = now;
        let owed = Duration::try_from_secs_f64((-level.tokens).max(0.0) / self.per_second)
            .unwrap_or_default();
        owed.max(level.closed_until.saturating_sub(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_in_virtual_time() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(async {
            let clock = Clock::paused(jiff::Timestamp::UNIX_EPOCH);
            let bucket = Bucket::new(clock, 10.0);
            for _ in 0..105 {
                bucket.take().await;
            }
            assert_eq!(clock.elapsed().as_millis().div_ceil(100), 100);
            bucket.close_for(Duration::from_secs(7));
            let before = clock.elapsed();
            bucket.take().await;
            assert!(clock.elapsed() - before >= Duration::from_secs(7));
        });
    }
}
