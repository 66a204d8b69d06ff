//! Schedules: what happens to a run beside what its world says. Each has a short text that replays it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use indexmap::IndexMap;

use crate::simulator::{Answer, FaultRule, Mishap, Span};
use crate::store::CrashAt;

/// What happens to a run beside what its world says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Schedule {
    /// Nothing.
    #[default]
    Plain,
    /// Faults and kills by chance: a function of the number.
    Seed(u64),
    /// One request goes wrong.
    Fault(Trouble, u64),
    /// The runner is killed before a commit is on disk.
    KilledBefore(u64),
    /// The runner is killed after a commit is on disk.
    KilledAfter(u64),
}

/// How one request goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The connection breaks before the server acts.
    NotSent,
    /// The server acts, and its answer is lost.
    AnswerLost,
    /// 503, and the server did not act.
    ServerError,
    /// 500, and the server acted all the same.
    DoneButError,
    /// The server acts and never answers.
    Silence,
    /// 429.
    RateLimited,
    /// Half an answer.
    CutBody,
}

impl Trouble {
    const ALL: [(Self, &'static str); 7] = [
        (Self::NotSent, "not_sent"),
        (Self::AnswerLost, "answer_lost"),
        (Self::ServerError, "server_error"),
        (Self::DoneButError, "done_but_error"),
        (Self::Silence, "silence"),
        (Self::RateLimited, "rate_limited"),
        (Self::CutBody, "cut_body"),
    ];

    /// What can happen to a read: the server has nothing to do, so there are fewer ways.
    pub(super) const OF_READS: [Self; 3] = [Self::AnswerLost, Self::ServerError, Self::CutBody];
    /// What can happen to a write.
    pub(super) const OF_WRITES: [Self; 7] = [
        Self::NotSent,
        Self::AnswerLost,
        Self::ServerError,
        Self::DoneButError,
        Self::Silence,
        Self::RateLimited,
        Self::CutBody,
    ];

    fn word(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(trouble, _)| *trouble == self)
            .map_or("", |(_, word)| word)
    }

    fn mishap(self) -> Mishap {
        match self {
            Self::NotSent => Mishap::ResetBeforeActing,
            Self::AnswerLost => Mishap::ResetAfterActing,
            Self::ServerError => Mishap::Answer(Answer {
                status: 503,
                body: "upstream connect error".to_owned(),
                headers: IndexMap::new(),
                acts: false,
            }),
            Self::DoneButError => Mishap::SlowBackend(Span::default()),
            Self::Silence => Mishap::Hang,
            Self::RateLimited => Mishap::RateLimit(Span::seconds(2)),
            Self::CutBody => Mishap::CutBody(5),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::Seed(number) => write!(f, "{number}"),
            Self::Fault(trouble, nth) => write!(f, "{}@{nth}", trouble.word()),
            Self::KilledBefore(commit) => write!(f, "killed_before@{commit}"),
            Self::KilledAfter(commit) => write!(f, "killed_after@{commit}"),
        }
    }
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a schedule is a number, or what a failure printed, like `answer_lost@3` or `killed_after@7`"
)]
pub struct NotASchedule;

impl FromStr for Schedule {
    type Err = NotASchedule;

    fn from_str(text: &str) -> Result<Self, NotASchedule> {
        if text == "plain" {
            return Ok(Self::Plain);
        }
        let Some((word, nth)) = text.split_once('@') else {
            return text.parse().map(Self::Seed).map_err(|_| NotASchedule);
        };
        let nth = nth.parse().map_err(|_| NotASchedule)?;
        match word {
            "killed_before" => return Ok(Self::KilledBefore(nth)),
            "killed_after" => return Ok(Self::KilledAfter(nth)),
            _ => {}
        }
        let mut all = Trouble::ALL.iter();
        all.find(|(_, known)| *known == word)
            .map(|(trouble, _)| Self::Fault(*trouble, nth))
            .ok_or(NotASchedule)
    }
}

impl Schedule {
    /// The seed of the simulator.
    pub(super) fn seed(self) -> u64 {
        match self {
            Self::Seed(number) => number,
            Self::Plain | Self::Fault(..) | Self::KilledBefore(_) | Self::KilledAfter(_) => 0,
        }
    }

    /// What goes wrong on the wire, before what the world says.
    pub(super) fn faults(self) -> Vec<FaultRule> {
        match self {
            Self::Fault(trouble, nth) => vec![rule("any", nth, None, trouble)],
            Self::Seed(number) => {
                let mut chance = Chance(number ^ 0x6a09_e667_f3bc_c908);
                let rules = chance.below(4);
                (0..rules)
                    .map(|_| {
                        let on = ["reads", "writes", "any"];
                        let on = on.get(chance.below(3)).copied().unwrap_or("any");
                        let trouble = Trouble::ALL.get(chance.below(7));
                        let trouble = trouble.map_or(Trouble::AnswerLost, |(trouble, _)| *trouble);
                        if chance.below(2) == 0 {
                            rule(on, 1 + chance.below(12) as u64, None, trouble)
                        } else {
                            let percent = u8::try_from(1 + chance.below(8)).unwrap_or(1);
                            rule(on, 1, Some(percent), trouble)
                        }
                    })
                    .collect()
            }
            Self::Plain | Self::KilledBefore(_) | Self::KilledAfter(_) => Vec::new(),
        }
    }

    /// When the runner is killed, of a run that takes so long when nothing goes wrong.
    pub(super) fn kills(self, usual: Duration) -> Vec<Duration> {
        let Self::Seed(number) = self else {
            return Vec::new();
        };
        let mut chance = Chance(number ^ 0xbb67_ae85_84ca_a73b);
        let span = usize::try_from(usual.as_millis())
            .unwrap_or(usize::MAX)
            .max(1);
        let mut kills: Vec<Duration> = (0..chance.below(3))
            .map(|_| Duration::from_millis(chance.below(span) as u64))
            .collect();
        kills.sort();
        kills
    }

    /// At which commit the process dies.
    pub(super) fn crash(self) -> Option<(u64, CrashAt)> {
        match self {
            Self::KilledBefore(commit) => Some((commit, CrashAt::Before)),
            Self::KilledAfter(commit) => Some((commit, CrashAt::After)),
            Self::Plain | Self::Seed(_) | Self::Fault(..) => None,
        }
    }
}

fn rule(on: &str, nth: u64, percent: Option<u8>, trouble: Trouble) -> FaultRule {
    FaultRule {
        on: on.to_owned(),
        nth,
        count: percent.is_none().then_some(1),
        from: None,
        // What goes wrong by chance ends, or no run would.
        until: percent.map(|_| Span::seconds(3_600)),
        percent,
        mishap: trouble.mishap(),
    }
}

/// Numbers by chance, from a seed: splitmix64.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_read() {
        let mut all = vec![
            Schedule::Plain,
            Schedule::Seed(42),
            Schedule::KilledBefore(1),
            Schedule::KilledAfter(2),
        ];
        all.extend(Trouble::ALL.map(|(trouble, _)| Schedule::Fault(trouble, 3)));
        for schedule in all {
            assert_eq!(schedule.to_string().parse(), Ok(schedule));
        }
        for bad in ["", "x", "answer_lost", "answer_lost@x", "lost@3", "-1"] {
            assert_eq!(bad.parse::<Schedule>(), Err(NotASchedule), "{bad}");
        }
    }

    #[test]
    fn a_seed_always_gives_the_same() {
        let words = |seed| format!("{:?}", Schedule::Seed(seed).faults());
        assert_eq!(words(7), words(7));
        assert!((0..20).any(|seed| words(seed) != words(seed + 1)));
        let usual = Duration::from_secs(60);
        assert!((0..20).any(|seed| !Schedule::Seed(seed).kills(usual).is_empty()));
    }
}
