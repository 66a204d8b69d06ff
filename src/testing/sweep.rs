//! The sweeps: which schedules a case is put through, and what must hold in each.

use super::file::Case;
use super::judge::Difference;
use super::ran::Ran;
use super::schedule::{Schedule, Trouble};
use super::suite::Sweeps;
use super::wire::Sent;
use crate::event::FailureKind;

/// All schedules of a case, of which `plain` is the run in which nothing else went wrong.
pub(super) fn schedules(plain: &Ran, sweeps: &Sweeps) -> Vec<Schedule> {
    let mut all = Vec::new();
    if sweeps.faults {
        for (nth, sent) in worth_a_fault(&plain.sent) {
            let troubles: &[Trouble] = if sent.writes {
                &Trouble::OF_WRITES
            } else {
                &Trouble::OF_READS
            };
            all.extend(
                troubles
                    .iter()
                    .map(|trouble| Schedule::Fault(*trouble, nth)),
            );
        }
        for commit in 1..=plain.commits {
            all.push(Schedule::KilledBefore(commit));
            all.push(Schedule::KilledAfter(commit));
        }
    }
    all.extend((1..=sweeps.seeds).map(Schedule::Seed));
    all
}

/// The requests with their numbers; of a row of the same looks the first two and the last, for those
/// between are the same again.
fn worth_a_fault(sent: &[Sent]) -> Vec<(u64, &Sent)> {
    let same = |a: Option<&Sent>, b: &Sent| {
        a.is_some_and(|a| !b.writes && a.endpoint == b.endpoint && a.parameters == b.parameters)
    };
    let before = |at: usize, back: usize| at.checked_sub(back).and_then(|at| sent.get(at));
    sent.iter()
        .enumerate()
        .filter(|(at, this)| {
            let third = same(before(*at, 1), this) && same(before(*at, 2), this);
            !(third && same(sent.get(at + 1), this))
        })
        .map(|(at, this)| (at as u64 + 1, this))
        .collect()
}

/// What a kill must not change: how the run and its steps end. Worlds with faults of their own are left
/// out: they count requests, and a resume sends others. So are runs that say of a write that nobody knows
/// whether it happened: of one to another server, which is sent once at the most, there is no more to say.
pub(super) fn changed(case: &Case, plain: &Ran, ran: &Ran, schedule: Schedule) -> Vec<Difference> {
    let killed = matches!(
        schedule,
        Schedule::KilledBefore(_) | Schedule::KilledAfter(_)
    );
    let in_doubt = ran.steps().any(|step| {
        let error = step.error.as_ref();
        error.is_some_and(|error| error.kind == FailureKind::FateUnknown)
    });
    if !killed || in_doubt || !case.world.scenario.faults.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut differs = |about: String, expected: &str, got: &str, step: Option<&str>| {
        if expected != got {
            found.push(Difference {
                place: None,
                about,
                expected: format!("`{expected}`, as without the kill"),
                got: format!("`{got}`"),
                step: step.map(str::to_owned),
            });
        }
    };
    differs("the run".to_owned(), plain.word(), ran.word(), None);
    for step in plain.steps() {
        let now = ran
            .step(&step.step)
            .map_or("nothing", |now| now.outcome.as_str());
        let about = format!("step `{}`", step.step);
        differs(about, step.outcome.as_str(), now, Some(&step.step));
    }
    found
}
