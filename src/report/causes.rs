//! Why a run is not green, as questions to what is known of it: which steps are the causes, what did not run
//! because of one, who fetched its logs.
//!
//! Decided once: the summary, the reports and the explanations only say it in their own ways.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::view::{RunView, StepView};
use crate::outcome::StepOutcome;

impl StepView {
    /// Whether it did not do what it should.
    pub fn is_bad(&self) -> bool {
        matches!(
            self.outcome(),
            Some(StepOutcome::Failed | StepOutcome::Unknown)
        )
    }

    fn may_fail(&self) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|ended| ended.allowed_to_fail)
    }
}

impl RunView {
    /// The steps that a person must know of, in the order of the run. A step that is made of others is not one
    /// of them when a part tells the reason; a part that was allowed to fail is no reason for a step that was
    /// not.
    pub fn causes(&self) -> impl Iterator<Item = (&String, &StepView)> {
        let told: HashSet<&str> = self
            .steps
            .values()
            .filter(|part| part.is_bad())
            .filter_map(|part| {
                let whole = part.info.parent.as_deref()?;
                let whole_may_fail = self.steps.get(whole).is_some_and(StepView::may_fail);
                (whole_may_fail || !part.may_fail()).then_some(whole)
            })
            .collect();
        let steps = self.steps.iter();
        steps.filter(move |(id, step)| step.is_bad() && !told.contains(id.as_str()))
    }

    /// The steps that were not run because of one: those that it left with an unmet need, and those that wait
    /// for them. None of a step that passed: what waits for a failure is no worse off without one.
    pub fn blocked_by<'a>(&'a self, id: &'a str) -> Vec<&'a str> {
        let outcome = |id: &str| self.steps.get(id).and_then(StepView::outcome);
        if outcome(id) == Some(StepOutcome::Passed) {
            return Vec::new();
        }
        let mut found: IndexSet<&str> = IndexSet::from([id]);
        // Steps stand behind what they need in most files, not in all: go on until nothing is added.
        loop {
            let before = found.len();
            for (other, step) in &self.steps {
                let unmet = |(needed, accepts): &(String, String)| {
                    let ended = outcome(needed);
                    found.contains(needed.as_str()) && ended.is_some_and(|o| !takes(accepts, o))
                };
                if step.outcome() == Some(StepOutcome::Blocked) && step.info.needs.iter().any(unmet)
                {
                    found.insert(other);
                }
            }
            if found.len() == before {
                return found.into_iter().skip(1).collect();
            }
        }
    }

    /// The steps that fetched logs because of this one.
    pub fn logs_of<'a>(&'a self, id: &'a str) -> impl Iterator<Item = &'a StepView> {
        self.steps.values().filter(move |step| {
            let needs = &step.info.needs;
            step.info.action == "fetch_logs" && needs.iter().any(|(need, _)| need == id)
        })
    }
}

/// Whether an outcome is one of those that the words of a need accept.
pub(super) fn takes(accepts: &str, outcome: StepOutcome) -> bool {
    match accepts {
        "any" => true,
        "passed" => matches!(outcome, StepOutcome::Passed | StepOutcome::Skipped),
        words => words.split(" or ").any(|word| word == outcome.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Moment;
    use crate::event::{Event, Recorded, StepEnded, StepInfo};
    use jiff::Timestamp;

    /// Steps that failed: id, parent, whether that was allowed.
    fn causes(failed: &[(&str, Option<&str>, bool)]) -> Vec<String> {
        let mut view = RunView::new();
        let mut apply = |event| {
            let seq = view.seq + 1;
            let at = Moment::start(Timestamp::UNIX_EPOCH);
            view.apply(&Recorded { seq, at, event });
        };
        for (id, parent, allowed_to_fail) in failed {
            apply(Event::StepAdded(StepInfo {
                id: (*id).to_owned(),
                action: "set".to_owned(),
                description: None,
                needs: Vec::new(),
                finally: false,
                undoes: None,
                parent: parent.map(str::to_owned),
            }));
            apply(Event::StepEnded(StepEnded {
                step: (*id).to_owned(),
                outcome: StepOutcome::Failed,
                why: None,
                error: None,
                allowed_to_fail: *allowed_to_fail,
                outputs: serde_json::Map::new(),
                links: Vec::new(),
                files: Vec::new(),
                reruns: Vec::new(),
                duration_ms: 0,
            }));
        }
        view.causes().map(|(id, _)| id.clone()).collect()
    }

    #[test]
    fn a_whole_is_told_of_by_the_parts_that_are_its_reason() {
        let a = ("a", None, false);
        assert_eq!(causes(&[a]), ["a"]);
        assert_eq!(causes(&[a, ("a/x", Some("a"), false)]), ["a/x"]);
        assert_eq!(causes(&[a, ("a/x", Some("a"), true)]), ["a", "a/x"]);
        let may = ("a", None, true);
        assert_eq!(causes(&[may, ("a/x", Some("a"), true)]), ["a/x"]);
    }
}
