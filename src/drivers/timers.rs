//! The machine's timers: by the active clock, or by the wall clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::clock::{Moment, millis_between};
use crate::engine::Due;

/// Timers that have not fired.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_key: BTreeMap<String, (Due, u64)>,
    active: BTreeSet<(u64, u64, String)>,
    wall: BTreeSet<(jiff::Timestamp, u64, String)>,
    made: u64,
}

impl Timers {
    /// Adds a timer; one of the same key is replaced.
    pub(super) fn add(&mut self, key: String, due: Due) {
        self.remove(&key);
        self.made += 1;
        match due {
            Due::Active(at) => self.active.insert((at, self.made, key.clone())),
            Due::Wall(at) => self.wall.insert((at, self.made, key.clone())),
        };
        self.by_key.insert(key, (due, self.made));
    }

    /// Forgets a timer.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some((due, number)) = self.by_key.remove(key) {
            match due {
                Due::Active(at) => self.active.remove(&(at, number, key.to_owned())),
                Due::Wall(at) => self.wall.remove(&(at, number, key.to_owned())),
            };
        }
    }

    /// The time until the next one.
    pub(super) fn until_next(&self, now: Moment) -> Option<Duration> {
        let active = self
            .active
            .first()
            .map(|(at, _, _)| at.saturating_sub(now.active_ms));
        let wall = self.wall.first().map(|(at, _, _)| {
            // A part of a millisecond is waited for as a whole one, or the timer would spin.
            let whole = millis_between(now.wall, *at);
            if crate::clock::later(now.wall, Duration::from_millis(whole)) < *at {
                whole + 1
            } else {
                whole
            }
        });
        active
            .into_iter()
            .chain(wall)
            .min()
            .map(Duration::from_millis)
    }

    /// Takes out one that is due: the earliest made first.
    pub(super) fn take_due(&mut self, now: Moment) -> Option<String> {
        let active = self
            .active
            .first()
            .filter(|(at, _, _)| *at <= now.active_ms);
        let wall = self.wall.first().filter(|(at, _, _)| *at <= now.wall);
        let key = match (active, wall) {
            (Some((_, a, key)), Some((_, b, _))) if a < b => key.clone(),
            (_, Some((_, _, key))) => key.clone(),
            (Some((_, _, key)), None) => key.clone(),
            (None, None) => return None,
        };
        self.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_when_due_and_not_after_they_were_removed() {
        let start = Moment::start(jiff::Timestamp::UNIX_EPOCH);
        let mut timers = Timers::default();
        timers.add("a".into(), Due::Active(20));
        timers.add(
            "b".into(),
            Due::Wall(crate::clock::later(start.wall, Duration::from_millis(10))),
        );
        timers.add("c".into(), Due::Active(5));
        timers.remove("c");
        assert_eq!(timers.until_next(start), Some(Duration::from_millis(10)));
        assert_eq!(timers.take_due(start), None);
        let later = Moment {
            wall: crate::clock::later(start.wall, Duration::from_millis(30)),
            active_ms: 30,
        };
        assert_eq!(timers.take_due(later).as_deref(), Some("a"));
        assert_eq!(timers.take_due(later).as_deref(), Some("b"));
        assert_eq!(timers.take_due(later), None);
    }
}
