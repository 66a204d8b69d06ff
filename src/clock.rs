//! Time: the one place that reads the clock and sleeps.
//!
//! Everything else gets a `Clock`. It knows three kinds of time: the wall clock (time stamps, the
//! deadline of a run), tokio's own instants (waits; paused in virtual time), and a factor between the
//! two for runs against a simulator whose clock is faster. Deciders never see a clock: they get `now`.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// A moment of a run, as every event carries it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Moment {
    /// The wall clock.
    pub wall: Timestamp,
    /// For how long the run has really been worked on: it stands still while the run is parked.
    pub active_ms: u64,
}

impl Moment {
    /// The first moment of a run.
    pub fn start(wall: Timestamp) -> Self {
        Self { wall, active_ms: 0 }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Real { speed: u32 },
    Virtual,
}

/// Reads time and waits. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    kind: Kind,
    wall_start: Timestamp,
    instant_start: Instant,
}

impl Clock {
    /// The real clock.
    pub fn real() -> Self {
        Self::scaled(1)
    }

    /// A clock that runs `speed` times faster than the real one, from the real time on.
    pub fn scaled(speed: u32) -> Self {
        Self {
            kind: Kind::Real {
                speed: speed.max(1),
            },
            wall_start: real_now(),
            instant_start: Instant::now(),
        }
    }

    /// A clock that follows tokio's paused clock from `start` on.
    pub fn paused(start: Timestamp) -> Self {
        Self {
            kind: Kind::Virtual,
            wall_start: start,
            instant_start: Instant::now(),
        }
    }

    /// The wall clock.
    pub fn now(&self) -> Timestamp {
        match self.kind {
            // The real wall clock may be set or slewed: it is read, not derived.
            Kind::Real { speed: 1 } => real_now(),
            Kind::Real { .. } | Kind::Virtual => {
                let elapsed = i64::try_from(self.elapsed().as_nanos()).unwrap_or(i64::MAX);
                self.wall_start
                    .saturating_add(jiff::SignedDuration::from_nanos(elapsed))
                    .unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// Time on the monotonic clock since this clock was made, in this clock's own speed.
    pub fn elapsed(&self) -> Duration {
        let real = self.instant_start.elapsed();
        match self.kind {
            Kind::Real { speed } => real.saturating_mul(speed),
            Kind::Virtual => real,
        }
    }

    /// Waits for a duration of this clock.
    pub async fn sleep(&self, duration: Duration) {
        let real = match self.kind {
            Kind::Real { speed } => duration / speed,
            Kind::Virtual => duration,
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that sleeps"
        )]
        tokio::time::sleep(real).await;
    }

    /// Whether time passes only when everything waits.
    pub fn is_virtual(&self) -> bool {
        matches!(self.kind, Kind::Virtual)
    }

    /// How many times faster than the real clock it runs.
    pub fn speed(&self) -> u32 {
        match self.kind {
            Kind::Real { speed } => speed,
            Kind::Virtual => 1,
        }
    }
}

fn real_now() -> Timestamp {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the clock"
    )]
    Timestamp::now()
}

/// Milliseconds from one time stamp to a later one; 0 when it is not later.
pub fn millis_between(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0)
}

/// A time stamp some time later; the end of time when it cannot be said.
pub fn later(from: Timestamp, by: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(by)
        .ok()
        .and_then(|by| from.saturating_add(by).ok())
        .unwrap_or(Timestamp::MAX)
}
