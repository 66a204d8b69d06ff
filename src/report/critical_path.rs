//! The chain of steps that the length of the run comes from.
//!
//! Pure, and total: a circle of needs (which a plan never has, but a damaged journal may) is left out.

use indexmap::IndexMap;
use jiff::Timestamp;

use super::view::{RunView, StepState, StepView};

/// The longest chain by time over the needs of steps that ended, first step first. Steps that never
/// began carry the chain on but are not named; the parts of a step (items, steps of a used playbook) count with it.
pub fn critical_path(view: &RunView) -> Vec<String> {
    longest_path(view, None)
}

/// The same up to now, with the steps that have not ended.
pub fn critical_path_until(view: &RunView, now: Timestamp) -> Vec<String> {
    longest_path(view, Some(now))
}

fn longest_path(view: &RunView, now: Option<Timestamp>) -> Vec<String> {
    let steps: IndexMap<&str, &StepView> = view
        .steps
        .iter()
        .filter(|(_, step)| {
            let counts = match step.state {
                StepState::Ended(_) => true,
                StepState::Running => now.is_some(),
                StepState::Pending => false,
            };
            counts && step.info.parent.is_none()
        })
        .map(|(id, step)| (id.as_str(), step))
        .collect();
    let mut longest: IndexMap<&str, Chain<'_>> = IndexMap::new();
    // Each round settles every step whose needs are settled; a round that settles none ends it.
    let mut waiting: Vec<&str> = steps.keys().copied().collect();
    while !waiting.is_empty() {
        let before = waiting.len();
        waiting.retain(|id| {
            let Some(step) = steps.get(id) else {
                return false;
            };
            match chain_to(step, (&steps, now), &longest) {
                Some(chain) => {
                    longest.insert(id, chain);
                    false
                }
                None => true,
            }
        });
        if waiting.len() == before {
            break;
        }
    }
    // The first of equals, so that the answer does not depend on chance.
    let mut best: Option<(&str, u64)> = None;
    for (id, chain) in &longest {
        if best.is_none_or(|(_, ms)| chain.ms > ms) {
            best = Some((id, chain.ms));
        }
    }
    let mut path = Vec::new();
    let mut at = best.map(|(id, _)| id);
    while let Some(id) = at {
        if steps.get(id).is_some_and(|s| s.started_at.is_some()) {
            path.push(id.to_owned());
        }
        at = longest.get(id).and_then(|chain| chain.before);
    }
    path.reverse();
    path
}

struct Chain<'a> {
    ms: u64,
    before: Option<&'a str>,
}

/// The longest chain that ends with a step; none while one of its needs is not settled.
fn chain_to<'a>(
    step: &StepView,
    (steps, now): (&IndexMap<&'a str, &'a StepView>, Option<Timestamp>),
    longest: &IndexMap<&'a str, Chain<'a>>,
) -> Option<Chain<'a>> {
    let own = match (&step.ended, now) {
        (Some(ended), _) => ended.duration_ms,
        (None, Some(now)) => step.duration_ms(now),
        (None, None) => 0,
    };
    let mut best = Chain {
        ms: 0,
        before: None,
    };
    for (need, _) in &step.info.needs {
        let Some((need, _)) = steps.get_key_value(need.as_str()) else {
            continue;
        };
        let chain = longest.get(need)?;
        if best.before.is_none() || chain.ms > best.ms {
            best = Chain {
                ms: chain.ms,
                before: Some(need),
            };
        }
    }
    Some(Chain {
        ms: best.ms.saturating_add(own),
        before: best.before,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::event::{Event, Recorded, StepEnded, StepInfo};
    use crate::outcome::StepOutcome;

    /// Steps with their needs and times; one of no time never began.
    fn path(steps: &[(&str, &[&str], u64)]) -> Vec<String> {
        let mut view = RunView::new();
        let mut apply = |event| {
            let seq = view.seq + 1;
            let at = Moment::start(Timestamp::UNIX_EPOCH);
            view.apply(&Recorded { seq, at, event });
        };
        for (id, needs, ms) in steps {
            apply(Event::StepAdded(StepInfo {
                id: (*id).to_owned(),
                action: "set".to_owned(),
                description: None,
                needs: needs
                    .iter()
                    .map(|need| ((*need).to_owned(), "any".to_owned()))
                    .collect(),
                finally: false,
                undoes: None,
                parent: None,
            }));
            if *ms > 0 {
                apply(Event::StepStarted {
                    step: (*id).to_owned(),
                    because: None,
                });
            }
            apply(Event::StepEnded(StepEnded {
                step: (*id).to_owned(),
                outcome: StepOutcome::Passed,
                why: None,
                error: None,
                allowed_to_fail: false,
                outputs: serde_json::Map::new(),
                links: Vec::new(),
                files: Vec::new(),
                reruns: Vec::new(),
                duration_ms: *ms,
            }));
        }
        critical_path(&view)
    }

    #[test]
    fn time_decides_and_not_the_number_of_steps() {
        let short: [(&str, &[&str], u64); 4] = [
            ("a", &[], 5),
            ("b", &["a"], 5),
            ("c", &["b"], 5),
            ("d", &[], 20),
        ];
        assert_eq!(path(&short), ["d"]);
        let late: [(&str, &[&str], u64); 3] = [("z", &["b", "a"], 1), ("a", &[], 7), ("b", &[], 9)];
        assert_eq!(path(&late), ["b", "z"]);
    }

    #[test]
    fn a_step_that_never_began_carries_the_chain_on() {
        let skipped: [(&str, &[&str], u64); 3] =
            [("a", &[], 5), ("s", &["a"], 0), ("c", &["s"], 1)];
        assert_eq!(path(&skipped), ["a", "c"]);
    }

    #[test]
    fn a_circle_is_left_out() {
        let circle: [(&str, &[&str], u64); 3] =
            [("a", &["b"], 50), ("b", &["a"], 50), ("c", &[], 1)];
        assert_eq!(path(&circle), ["c"]);
    }
}
