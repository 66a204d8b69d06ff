//! How much of a run lies ahead, by what earlier runs took.
//!
//! Pure. It follows the longest chain of needs; what never passed before counts as nothing, for it is mostly
//! what is done only when something went wrong.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::report::{RunView, StepState, StepView};
use crate::store::Estimates;

/// Less than this is not worth saying.
const LEFT_MS_MIN: u64 = 5_000;

/// About how long the run still takes; none when nobody knows.
pub(super) fn left_ms(view: &RunView, estimates: &Estimates, now: Timestamp) -> Option<u64> {
    let mut left: BTreeMap<&str, u64> = BTreeMap::new();
    for (id, step) in &view.steps {
        if step.state == StepState::Running {
            // A step that nobody knows may take for ever; so may one that takes longer than ever.
            let whole = estimates.get(id)?.duration_ms;
            left.insert(id, whole.saturating_sub(step.duration_ms(now)));
        }
    }
    if left.is_empty() {
        return None;
    }
    // Steps stand behind what they need in most files, not in all: go on until nothing changes, but not
    // longer than the longest chain can be.
    for _ in 0..=view.steps.len() {
        let mut changed = false;
        let pending = view.steps.iter().filter(|(_, step)| is_expected(step));
        for (id, step) in pending {
            let needs = step
                .info
                .needs
                .iter()
                .filter_map(|(need, _)| left.get(need.as_str()));
            let before = needs.max().copied().unwrap_or(0);
            let own = estimates.get(id).map_or(0, |estimate| estimate.duration_ms);
            let until = before.saturating_add(own);
            changed |= left.insert(id, until) != Some(until);
        }
        if !changed {
            break;
        }
    }
    left.values().max().copied().filter(|ms| *ms >= LEFT_MS_MIN)
}

/// Whether a step is to come when all goes well.
fn is_expected(step: &StepView) -> bool {
    let well = |accepted: &str| accepted.contains("passed") || accepted.contains("any");
    step.state == StepState::Pending && step.info.needs.iter().all(|(_, accepted)| well(accepted))
}
