//! Looking for what a write of unknown fate may have done.
//!
//! A workflow that we started may be there though its answer never came: the server may even finish it
//! seconds after a 500, and its list may lag. So it is looked for several times over the settle time. The
//! fence (ids first, the server's clock second) says what was there before; the mark, a parameter of the
//! pipeline, says which of the new ones is ours. Our own clock decides nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::dispatch::Inner;
use super::failures::of_error;
use crate::event::{Answer, Candidate, Failure, FailureKind, Fate};
use crate::ids::Id;
use crate::semaphore::wire::{Workflow, WorkflowTrigger};
use crate::semaphore::{MARK_PARAMETER, WorkflowFilter};

/// How many workflows of a branch are looked at.
const LIST_MAX: usize = 200;
/// How many the fence remembers.
const FENCE_MAX: usize = 30;
/// The server's clock is trusted up to this.
const SKEW_SECONDS: i64 = 300;

/// What was there before a write.
#[derive(Debug, Clone, Default)]
pub(super) struct Fence {
    /// The newest ids of the list.
    pub(super) newest: Vec<String>,
    /// The server's clock.
    pub(super) server_time: Option<Timestamp>,
}

/// What to look for.
pub(super) struct LookUp {
    pub(super) project_id: Id,
    pub(super) branch: String,
    pub(super) mark: Option<String>,
    pub(super) fence: Fence,
}

/// What is known of a workflow that came after the fence.
enum Suspect {
    Ours(Answer),
    NotOurs,
    /// The server does not show the parameters of its pipeline.
    CannotTell(String),
}

/// The name under which the list knows what a reference starts (contract: list workflows).
pub(super) fn branch_of(reference: &str) -> String {
    if let Some(branch) = reference.strip_prefix("refs/heads/") {
        return branch.to_owned();
    }
    if let Some(number) = reference.strip_prefix("refs/pull/") {
        let number = number.split('/').next().unwrap_or(number);
        return format!("pull-request-{number}");
    }
    reference.to_owned()
}

impl Inner {
    /// Notes what is there before a write.
    pub(super) async fn fence(&self, project_id: &Id, branch: String) -> Result<Fence, Failure> {
        let filter = WorkflowFilter {
            branch_name: Some(branch),
            ..WorkflowFilter::of_project(project_id.clone(), FENCE_MAX)
        };
        let listing = self.client.list_workflows(&filter).await.map_err(|error| {
            let mut failure = of_error(error);
            // The read before the write failed: the write was not sent.
            if failure.fate == Fate::Unknown {
                failure.fate = Fate::NotDone;
            }
            failure
        })?;
        Ok(Fence {
            newest: listing
                .items
                .iter()
                .map(|workflow| workflow.id.to_string())
                .collect(),
            server_time: listing.server_date,
        })
    }

    /// Looks for our workflow until it is found or the settle time is over. An error with
    /// [`Fate::NotDone`] says that it may be sent again.
    pub(super) async fn look_up(&self, look: &LookUp, first: &Failure) -> Result<Answer, Failure> {
        let began = self.clock.elapsed();
        let mut suspects: BTreeMap<String, Suspect> = BTreeMap::new();
        let mut pause = Duration::from_secs(1);
        // What the last look could not see: without that nothing is known.
        let unseen = loop {
            let over = self.clock.elapsed().saturating_sub(began) >= self.settle();
            let unseen = match self.suspects(look, &mut suspects).await {
                Ok(Some(ours)) => return Ok(ours),
                Ok(None) => None,
                Err(failure) => Some(failure.message),
            };
            if over {
                break unseen;
            }
            self.clock.sleep(pause.min(self.settle())).await;
            pause = (pause * 2).min(Duration::from_secs(15));
        };
        let candidates: Vec<Candidate> = suspects
            .into_iter()
            .filter_map(|(id, suspect)| match suspect {
                Suspect::CannotTell(about) => Some(Candidate { id, about }),
                Suspect::Ours(_) | Suspect::NotOurs => None,
            })
            .collect();
        if candidates.is_empty() && unseen.is_none() {
            let mut again = first.clone().fate(Fate::NotDone);
            if again.kind == FailureKind::FateUnknown {
                again.kind = FailureKind::Timeout;
            }
            again
                .message
                .push_str("; it was looked for and is not there");
            return Err(again);
        }
        Err(unknown(first, candidates, unseen))
    }

    /// One look: everything of the branch that came after the fence.
    async fn suspects(
        &self,
        look: &LookUp,
        suspects: &mut BTreeMap<String, Suspect>,
    ) -> Result<Option<Answer>, Failure> {
        let filter = WorkflowFilter {
            branch_name: Some(look.branch.clone()),
            created_after: look
                .fence
                .server_time
                .map(|at| at.as_second() - SKEW_SECONDS),
            ..WorkflowFilter::of_project(look.project_id.clone(), LIST_MAX)
        };
        let listing = self
            .client
            .list_workflows(&filter)
            .await
            .map_err(of_error)?;
        for workflow in listing.items {
            let id = workflow.id.to_string();
            let settled = matches!(suspects.get(&id), Some(Suspect::NotOurs));
            // A push or a schedule started it, and we are neither.
            let by_others = matches!(
                workflow.triggered_by,
                Some(WorkflowTrigger::Hook | WorkflowTrigger::Schedule)
            );
            // A rerun has the parameters of what it repeats, our mark too; ours is the one it repeats.
            let repeats = workflow.rerun_of.is_some();
            if settled || by_others || repeats || look.fence.newest.contains(&id) {
                continue;
            }
            let suspect = self.examine(look, &workflow).await?;
            if let Suspect::Ours(answer) = suspect {
                return Ok(Some(answer));
            }
            suspects.insert(id, suspect);
        }
        Ok(None)
    }

    /// Whether a new workflow is ours, by the parameters of its first pipeline.
    async fn examine(&self, look: &LookUp, workflow: &Workflow) -> Result<Suspect, Failure> {
        let about = format!(
            "workflow on `{}`, made {}",
            crate::text::clean_line(&workflow.branch_name, 80),
            workflow
                .created_at
                .map_or_else(|| "at an unknown time".to_owned(), |at| format!("at {at}"))
        );
        let (Some(mark), Some(pipeline)) = (&look.mark, &workflow.pipeline_id) else {
            return Ok(Suspect::CannotTell(about));
        };
        let described = self
            .client
            .describe_pipeline(pipeline, false)
            .await
            .map_err(of_error)?;
        let parameters = &described.value.pipeline.env_vars;
        if parameters.value(MARK_PARAMETER) == Some(mark) {
            return Ok(Suspect::Ours(self.started(
                &workflow.id,
                pipeline,
                described.response,
            )));
        }
        let shows_parameters = described
            .response
            .pointer("/pipeline/env_vars")
            .is_some_and(serde_json::Value::is_array);
        Ok(if shows_parameters {
            Suspect::NotOurs
        } else {
            Suspect::CannotTell(about)
        })
    }
}

/// What cannot be settled here is a person's to settle.
fn unknown(first: &Failure, candidates: Vec<Candidate>, unseen: Option<String>) -> Failure {
    let mut message = format!(
        "whether the workflow was started is not known: {}",
        first.message
    );
    if let Some(unseen) = unseen {
        message.push_str("; it could not be looked for either: ");
        message.push_str(&unseen);
    }
    let hint = if candidates.is_empty() {
        "look for it on Semaphore, then say so with `runner resolve`"
    } else {
        "one of the candidates may be it: look at them on Semaphore, then say so with `runner resolve`"
    };
    let mut failure = Failure::new(FailureKind::FateUnknown, message)
        .hint(hint)
        .fate(Fate::Unknown);
    failure.status = first.status;
    failure.candidates = candidates;
    failure
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_know_references_by_other_names() {
        for (reference, branch) in [
            ("refs/heads/main", "main"),
            ("topic", "topic"),
            ("refs/tags/v1", "refs/tags/v1"),
            ("refs/pull/12", "pull-request-12"),
            ("refs/pull/12/head", "pull-request-12"),
        ] {
            assert_eq!(branch_of(reference), branch);
        }
    }
}
