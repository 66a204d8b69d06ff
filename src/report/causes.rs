//! Why a run is not green, as questions to what is known of it: which steps are the causes, who can mend them,
//! what did not run because of one, who fetched its logs.
//!
//! Decided once: the summary, the reports and the explanations only say it in their own ways.

use std::collections::HashSet;

use indexmap::IndexSet;

use super::triage::triage;
use super::v1;
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

    /// Where the cause of a red pipeline lies, which decides who can mend it; none when nobody can tell.
    pub fn lies_in(&self) -> Option<&'static str> {
        let kind = triage(self).map(|triage| triage.kind);
        mended_by(self.output_text("reason")?, kind)
    }

    fn may_fail(&self) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|ended| ended.allowed_to_fail)
    }
}

impl RunView {
    /// The steps that a person must know of, in the order of the run; what was allowed to fail is not why the run
    /// failed, and comes last. A step that is made of others is not one of them when a part tells the reason; a
    /// part that was allowed to fail is no reason for a step that was not.
    pub fn causes(&self) -> Vec<(&String, &StepView)> {
        let parts = self.steps.values();
        let told: HashSet<&str> = parts.filter_map(|part| self.tells_of(part)).collect();
        let steps = self.steps.iter();
        let mut causes: Vec<(&String, &StepView)> = steps
            .filter(|(id, step)| step.is_bad() && !told.contains(id.as_str()))
            .collect();
        causes.sort_by_key(|(_, step)| step.may_fail());
        causes
    }

    /// In which steps the cause of one lies that is made of others: parts, or parts of those. None when it tells
    /// the reason itself.
    pub fn causes_within<'a>(&'a self, id: &'a str) -> Vec<&'a String> {
        let causes = self.causes().into_iter();
        causes
            .filter(|(cause, _)| *cause != id && self.told_by(cause).contains(id))
            .map(|(cause, _)| cause)
            .collect()
    }

    /// What a bad step is a part of, when it is a reason for how the whole ended.
    fn tells_of<'a>(&'a self, part: &'a StepView) -> Option<&'a str> {
        let whole = part.info.parent.as_deref().filter(|_| part.is_bad())?;
        let may_fail = self.steps.get(whole).is_some_and(StepView::may_fail);
        (may_fail || !part.may_fail()).then_some(whole)
    }

    /// A step, and those of which it tells why they are bad: what it is a part of, and so on.
    fn told_by<'a>(&'a self, id: &'a str) -> IndexSet<&'a str> {
        let mut told: IndexSet<&str> = IndexSet::from([id]);
        let mut at = id;
        while let Some(part) = self.steps.get(at)
            && let Some(whole) = self.tells_of(part)
            && self.steps.get(whole).is_some_and(StepView::is_bad)
            // A damaged journal may name a step as a part of itself.
            && told.insert(whole)
        {
            at = whole;
        }
        told
    }

    /// The steps that were not run because of one: those that it left with an unmet need, and those that wait
    /// for them. Of a part also those that needed the whole that it spoiled. None of a step that passed: what
    /// waits for a failure is no worse off without one.
    pub fn blocked_by<'a>(&'a self, id: &'a str) -> Vec<&'a str> {
        let outcome = |id: &str| self.steps.get(id).and_then(StepView::outcome);
        if outcome(id) == Some(StepOutcome::Passed) {
            return Vec::new();
        }
        let mut found = self.told_by(id);
        let spoiled = found.len();
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
                return found.into_iter().skip(spoiled).collect();
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

/// Who can mend it, by the reason that Semaphore gives, and by what the logs of failed jobs tell: to Semaphore a job
/// whose network was down has failed like any other.
fn mended_by(reason: &str, triage: Option<v1::TriageKind>) -> Option<&'static str> {
    Some(match (reason, triage) {
        ("stuck" | "internal", _) | ("test", Some(v1::TriageKind::Infrastructure)) => {
            "the infrastructure, not the code"
        }
        ("test", Some(v1::TriageKind::KnownFlake)) => "a failure that comes and goes",
        ("test", _) => "the code, not the infrastructure",
        ("malformed", _) => "the pipeline file, not the code or the infrastructure",
        ("timeout", _) => "a limit: the time of the pipeline was up",
        ("deleted", _) => "the repository: what was to be built is gone",
        ("user", _) => "the decision of a person, who stopped it",
        ("strategy", _) => "a strategy of the project (auto-cancel or fail-fast)",
        _ => return None,
    })
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
    fn run(failed: &[(&str, Option<&str>, bool)]) -> RunView {
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
        view
    }

    fn causes(failed: &[(&str, Option<&str>, bool)]) -> Vec<String> {
        let view = run(failed);
        view.causes().iter().map(|(id, _)| (*id).clone()).collect()
    }

    #[test]
    fn a_whole_is_told_of_by_the_parts_that_are_its_reason() {
        let a = ("a", None, false);
        assert_eq!(causes(&[a]), ["a"]);
        assert_eq!(causes(&[a, ("a/x", Some("a"), false)]), ["a/x"]);
        assert_eq!(causes(&[a, ("a/x", Some("a"), true)]), ["a", "a/x"]);
        let may = ("a", None, true);
        assert_eq!(causes(&[may, ("a/x", Some("a"), true)]), ["a/x"]);
        assert_eq!(causes(&[may, ("b", None, false)]), ["b", "a"]);
    }

    #[test]
    fn what_the_logs_tell_is_never_contradicted() {
        for (triage, place) in [
            (None, "the code, not the infrastructure"),
            (
                Some(v1::TriageKind::New),
                "the code, not the infrastructure",
            ),
            (
                Some(v1::TriageKind::Infrastructure),
                "the infrastructure, not the code",
            ),
            (
                Some(v1::TriageKind::KnownFlake),
                "a failure that comes and goes",
            ),
        ] {
            assert_eq!(mended_by("test", triage), Some(place));
            let stuck = mended_by("stuck", triage);
            assert_eq!(stuck, Some("the infrastructure, not the code"));
        }
        assert_eq!(mended_by("something new", None), None);
    }

    #[test]
    fn the_cause_of_a_whole_lies_in_parts_of_its_parts() {
        let view = run(&[
            ("a", None, false),
            ("a[x]", Some("a"), false),
            ("a[x]/b", Some("a[x]"), false),
            ("a[x]/c", Some("a[x]"), true),
            ("a[y]", Some("a"), false),
        ]);
        assert_eq!(view.causes_within("a"), ["a[x]/b", "a[y]"]);
        assert_eq!(view.causes_within("a[x]"), ["a[x]/b"]);
        assert!(view.causes_within("a[y]").is_empty());
    }
}
