//! What earlier runs taught: how long a step takes when it passes.
//!
//! Pure. A store keeps how steps went ([`PastStep`]); here that becomes a number that a person can be told.

use std::collections::BTreeMap;

use super::model::PastStep;
use crate::outcome::StepOutcome;

/// How long a step takes, by its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Estimate {
    /// The whole step.
    pub duration_ms: u64,
    /// Its pipeline in the queue, for steps that wait for one.
    pub queued_ms: Option<u64>,
    /// Its pipeline running, for steps that wait for one.
    pub ran_ms: Option<u64>,
    /// How many times it passed that this is made of.
    pub passed: usize,
}

/// The median of the times that a step passed; none when it never did.
pub fn estimate(past: &[PastStep]) -> Option<Estimate> {
    let passed = || past.iter().filter(|p| p.outcome == StepOutcome::Passed);
    Some(Estimate {
        duration_ms: median(passed().map(|past| past.duration_ms))?,
        queued_ms: median(passed().filter_map(|past| past.queued_ms)),
        ran_ms: median(passed().filter_map(|past| past.ran_ms)),
        passed: passed().count(),
    })
}

/// The middle one, or the mean of the two in the middle.
fn median(numbers: impl Iterator<Item = u64>) -> Option<u64> {
    let mut sorted: Vec<u64> = numbers.collect();
    sorted.sort_unstable();
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some(lower + (upper - lower) / 2)
}

/// The estimates of all steps of a playbook.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Estimates {
    steps: BTreeMap<String, Estimate>,
    /// Of the items of a fan-out together, by the step without its keys.
    items: BTreeMap<String, Estimate>,
}

impl Estimates {
    /// The estimates that the history of a playbook gives: [`Store::histories`](super::Store::histories).
    pub fn of(histories: &BTreeMap<String, Vec<PastStep>>) -> Self {
        let mut items: BTreeMap<String, Vec<PastStep>> = BTreeMap::new();
        for (step, past) in histories {
            if let Some(any) = any_item(step) {
                items.entry(any).or_default().extend(past.iter().cloned());
            }
        }
        let estimated = |all: &BTreeMap<String, Vec<PastStep>>| {
            all.iter()
                .filter_map(|(step, past)| Some((step.clone(), estimate(past)?)))
                .collect()
        };
        Self {
            steps: estimated(histories),
            items: estimated(&items),
        }
    }

    /// How long a step takes. An item that was never done before takes as long as its siblings.
    pub fn get(&self, step: &str) -> Option<&Estimate> {
        self.steps
            .get(step)
            .or_else(|| self.items.get(&any_item(step)?))
    }
}

/// `nightly[web]` gives `nightly[]`; what is no item gives none.
fn any_item(step: &str) -> Option<String> {
    let (from, to) = (step.find('[')?, step.rfind(']')?);
    Some(format!("{}{}", step.get(..=from)?, step.get(to..)?))
}

/// The name that a playbook is remembered by. What a simulation took says nothing about Semaphore, so
/// simulated runs are remembered apart.
pub fn remembered_as(name: &str, simulated: bool) -> String {
    if simulated {
        format!("{name} (simulated)")
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn past(outcome: StepOutcome, seconds: u64) -> PastStep {
        PastStep {
            outcome,
            failure: None,
            duration_ms: seconds * 1_000,
            queued_ms: None,
            ran_ms: seconds.checked_sub(10).map(|ran| ran * 1_000),
            at: Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn an_estimate_is_the_median_of_what_passed() {
        let seconds = |all: &[u64]| {
            let all: Vec<_> = all.iter().map(|s| past(StepOutcome::Passed, *s)).collect();
            estimate(&all).map(|e| e.duration_ms)
        };
        assert_eq!(seconds(&[]), None);
        assert_eq!(seconds(&[7]), Some(7_000));
        assert_eq!(
            seconds(&[900, 2, 4]),
            Some(4_000),
            "one slow run is no news"
        );
        assert_eq!(seconds(&[4, 1, 2, 9]), Some(3_000));
        assert_eq!(estimate(&[past(StepOutcome::Failed, 3)]), None);
        let mixed = [
            past(StepOutcome::Failed, 1),
            past(StepOutcome::Passed, 60),
            past(StepOutcome::Passed, 5),
        ];
        let all = estimate(&mixed).unwrap();
        assert_eq!((all.duration_ms, all.passed), (32_500, 2));
        assert_eq!((all.queued_ms, all.ran_ms), (None, Some(50_000)));
    }

    #[test]
    fn a_new_item_takes_as_long_as_its_siblings() {
        let of = |seconds| vec![past(StepOutcome::Passed, seconds)];
        let histories = BTreeMap::from([
            ("build".to_owned(), of(3)),
            ("nightly[a]".to_owned(), of(10)),
            ("nightly[b[1]]".to_owned(), of(20)),
            ("each[a]/inner".to_owned(), of(7)),
        ]);
        let all = Estimates::of(&histories);
        let ms = |step| all.get(step).map(|e| e.duration_ms);
        assert_eq!(ms("build"), Some(3_000));
        assert_eq!(ms("nightly[a]"), Some(10_000));
        assert_eq!(ms("nightly[new]"), Some(15_000));
        assert_eq!(ms("each[new]/inner"), Some(7_000));
        assert_eq!(ms("nightly"), None);
        assert_eq!(ms("other[x]"), None);
    }
}
