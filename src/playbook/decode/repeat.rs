//! `rerun` and `until`: doing again what ended badly, and asking again what is not yet as wanted.

use std::time::Duration;

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::{Invocation, Rerun, RerunScope, Until};
use super::super::tree::{Entry, Yaml};
use super::fields::Fields;
use super::{action, scalars, values};
use crate::catalog::SAFE_METHODS;
use crate::diagnostic::Diagnostic;
use crate::template::Tree;

/// How often is asked when `poll` does not say it.
const POLL_DEFAULT: Duration = Duration::from_secs(10);
/// A good neighbour asks no more often.
const POLL_MIN: Duration = Duration::from_secs(1);
/// More reruns than this are a mistake and no plan.
const RERUNS_MAX: u64 = 20;

const SCOPES: [(RerunScope, &str); 2] = [(RerunScope::Failed, "failed"), (RerunScope::All, "all")];

/// The keys of a step that this file reads.
pub(super) struct Entries<'y> {
    pub(super) rerun: Option<&'y Entry>,
    pub(super) until: Option<&'y Entry>,
    pub(super) poll: Option<&'y Entry>,
}

impl<'y> Entries<'y> {
    /// Takes them out of the step.
    pub(super) fn take(fields: &mut Fields<'y>) -> Self {
        Self {
            rerun: fields.take("rerun"),
            until: fields.take("until"),
            poll: fields.take("poll"),
        }
    }

    /// `rerun`, on what waits for a pipeline.
    pub(super) fn rerun(&self, step: &Invocation, mistakes: &mut Mistakes) -> Option<Rerun> {
        let entry = self.rerun?;
        let rerun = rerun(&entry.value, mistakes);
        let misplaced = |message: String, hint: &str| {
            Diagnostic::error(codes::WRONG_COMBINATION, entry.key.place.clone(), message).hint(hint)
        };
        let name = step.action.name;
        if !step.action.waits {
            mistakes.push(misplaced(
                format!("`{name}` waits for no pipeline that could be run again"),
                "`rerun` stands beside actions that wait for a pipeline; `retry` is for calls that go wrong",
            ));
            return None;
        }
        if action::is_literally_false(step.params.get("wait")) {
            mistakes.push(misplaced(
                "with `wait: false` the step never learns how its pipeline ended".to_owned(),
                "leave `wait: false` out, or put `rerun` on the step that waits",
            ));
            return None;
        }
        let rerun = rerun?;
        if name == "wait_pipeline" && rerun.scope == RerunScope::All {
            mistakes.push(misplaced(
                "`wait_pipeline` did not start the pipeline and cannot start it again".to_owned(),
                "write `scope: failed`, or put `rerun` on the step that starts it",
            ));
            return None;
        }
        Some(rerun)
    }

    /// `until` and `poll`, on what reads.
    pub(super) fn until(&self, step: &Invocation, mistakes: &mut Mistakes) -> Option<Until> {
        let poll = self.poll.and_then(|entry| poll(entry, mistakes));
        let Some(entry) = self.until else {
            if let Some(poll) = self.poll {
                mistakes.push(
                    Diagnostic::error(
                        codes::WRONG_COMBINATION,
                        poll.key.place.clone(),
                        "`poll` says how often `until` is asked, and there is no `until`",
                    )
                    .hint("add `until: …`, or leave `poll` out"),
                );
            }
            return None;
        };
        let that = values::expressions(&entry.value, "`until`", mistakes);
        if !step.action.is_polled() && !reads_elsewhere(step) {
            mistakes.push(
                Diagnostic::error(
                    codes::WRONG_COMBINATION,
                    entry.key.place.clone(),
                    format!("`{}` reads nothing that could be read again", step.action.name),
                )
                .hint("`until` stands beside actions that read, such as `describe_pipeline` or `http` with GET; actions that wait need none"),
            );
            return None;
        }
        Some(Until {
            that: that?,
            poll: poll.unwrap_or(POLL_DEFAULT),
        })
    }
}

/// A request to another server that certainly changes nothing there.
fn reads_elsewhere(step: &Invocation) -> bool {
    let method = step.params.get("method").and_then(Tree::constant);
    step.action.name == "http"
        && method.is_some_and(|method| {
            method
                .as_str()
                .is_some_and(|method| SAFE_METHODS.contains(&method))
        })
}

fn rerun(yaml: &Yaml, mistakes: &mut Mistakes) -> Option<Rerun> {
    let mut fields = Fields::open(yaml, "`rerun`", mistakes)?;
    let max = fields
        .take("max")
        .and_then(|e| values::count(&e.value, 1..=RERUNS_MAX, "`max`", mistakes))
        .unwrap_or_else(|| Tree::literal(yaml.place.clone(), 1.into()));
    let scope = fields
        .take("scope")
        .and_then(|e| scalars::word(&e.value, &SCOPES, "`scope`", mistakes))
        .unwrap_or(RerunScope::Failed);
    let when = fields
        .take("when")
        .and_then(|e| values::expression(&e.value, "`when`", mistakes));
    fields.finish(mistakes);
    // What was wrong was told; what is right is checked further.
    Some(Rerun { max, scope, when })
}

fn poll(entry: &Entry, mistakes: &mut Mistakes) -> Option<Duration> {
    let poll = scalars::duration(&entry.value, "`poll`", mistakes)?;
    if poll < POLL_MIN {
        mistakes.push(
            Diagnostic::error(
                codes::NOT_DURATION,
                entry.value.place.clone(),
                "`poll` is shorter than a second",
            )
            .hint("Semaphore is asked once in a second at the most"),
        );
        return None;
    }
    Some(poll)
}
