//! Writes: the intent first, durable; then the request; then, when its fate is unknown and it has no token
//! to repeat, a look for what it may have done.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::dispatch::{Inner, answer, not_of_this_class};
use super::failures::{id, of_error};
use super::lookup::{Fence, LookUp, branch_of};
use crate::engine::Intents;
use crate::engine::call::Call;
use crate::event::{Answer, EffectKey, Failure, FailureKind, Fate, Intent};
use crate::ids::Id;
use crate::semaphore::{MARK_PARAMETER, RunTask, RunWorkflow, TriggerPromotion};

/// Where a blind write will show, and how it is known again.
struct Target {
    project_id: Id,
    branch: String,
    mark: Option<String>,
}

/// Puts an intent on disk. A write whose intent cannot be kept is not sent.
pub(super) async fn open(intents: &dyn Intents, intent: Intent) -> Result<(), Failure> {
    intents.open(intent).await.map_err(|error| {
        Failure::new(
            FailureKind::File,
            format!("nothing was sent, for it could not be written down: {error}"),
        )
        .fate(Fate::NotSent)
    })
}

impl Inner {
    /// A write that nothing on the server's side keeps from happening twice. Before it is sent, the newest
    /// workflows of the branch are noted (the fence); when its fate is unknown, what came after them is
    /// looked through for our mark.
    async fn blind(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        target: Target,
        send: impl Future<Output = Result<Answer, Failure>>,
    ) -> Result<Answer, Failure> {
        let look = |fence: Fence| LookUp {
            project_id: target.project_id.clone(),
            branch: target.branch.clone(),
            mark: target.mark.clone(),
            fence,
        };
        if let Some(previous) = intents.previous() {
            // An earlier session was about to send this very call, and never learnt what came of it.
            let fence = Fence {
                newest: previous.fence,
                server_time: previous.server_time,
            };
            let lost = Failure::new(
                FailureKind::FateUnknown,
                "the runner ended before the answer came",
            );
            match self.look_up(&look(fence), &lost).await {
                Ok(answer) => return Ok(answer),
                Err(failure) if failure.fate == Fate::Unknown => return Err(failure),
                Err(_) => {}
            }
        }
        let fence = self
            .fence(&target.project_id, target.branch.clone())
            .await?;
        let intent = Intent {
            key: key.clone(),
            token: target.mark.clone().unwrap_or_default(),
            fence: fence.newest.clone(),
            server_time: fence.server_time,
        };
        open(intents, intent).await?;
        match send.await {
            Err(failure) if failure.fate == Fate::Unknown => {
                self.look_up(&look(fence), &failure).await
            }
            answered => answered,
        }
    }

    /// Starts a workflow.
    pub(super) async fn run_workflow(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        run: RunWorkflow,
    ) -> Result<Answer, Failure> {
        let target = Target {
            project_id: run.project_id.clone(),
            branch: branch_of(&run.reference),
            mark: run.mark.clone(),
        };
        let send = async {
            let started = self.client.run_workflow(&run).await.map_err(of_error)?;
            let (workflow, pipeline) = (&started.value.workflow_id, &started.value.pipeline_id);
            Ok(self.started(workflow, pipeline, started.response.clone()))
        };
        self.blind(key, intents, target, send).await
    }

    /// Runs a task, which will show on a reference. The answer names the workflow alone.
    pub(super) async fn run_task(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        (mut run, mark): (RunTask, Option<String>),
        (project_id, shows_on): (Id, &str),
    ) -> Result<Answer, Failure> {
        let target = Target {
            project_id,
            branch: branch_of(shows_on),
            mark: mark.clone(),
        };
        if let Some(mark) = mark {
            run.parameters.insert(MARK_PARAMETER.to_owned(), mark);
        }
        let send = async {
            let started = self.client.run_task(&run).await.map_err(of_error)?;
            let url = self.client.workflow_url(&started.value, None);
            Ok(answer(
                json!({"workflow_id": started.value, "url": url}),
                started.response,
            ))
        };
        self.blind(key, intents, target, send).await
    }

    /// What starting a workflow gives.
    pub(super) fn started(&self, workflow: &Id, pipeline: &Id, response: Value) -> Answer {
        Answer {
            value: json!({
                "workflow_id": workflow, "pipeline_id": pipeline,
                "url": self.client.workflow_url(workflow, Some(pipeline)),
            }),
            response: Some(response),
            ..Answer::default()
        }
    }

    /// Starts a workflow again. Its token makes one new workflow however often it is sent.
    pub(super) async fn rerun_workflow(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        (workflow, token): (&Id, &str),
    ) -> Result<Answer, Failure> {
        self.note_token(key, intents, token).await?;
        let started = self.client.rerun_workflow(workflow, token).await;
        let started = started.map_err(of_error)?;
        let (workflow, pipeline) = (&started.value.workflow_id, &started.value.pipeline_id);
        Ok(self.started(workflow, pipeline, started.response.clone()))
    }

    /// Runs again what did not pass. Its token makes one new pipeline however often it is sent.
    pub(super) async fn rebuild_pipeline(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        (pipeline, token): (&Id, &str),
    ) -> Result<Answer, Failure> {
        self.note_token(key, intents, token).await?;
        let rebuilt = self.client.rebuild_pipeline(pipeline, token).await;
        let rebuilt = rebuilt.map_err(of_error)?;
        Ok(answer(
            json!({"pipeline_id": rebuilt.value}),
            rebuilt.response,
        ))
    }

    /// Tells something to stop. To say it twice does no harm.
    pub(super) async fn stop(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        call: &Call,
    ) -> Result<Answer, Failure> {
        let subject = id(call.subject().unwrap_or_default())?;
        self.note_token(key, intents, "").await?;
        let told = match call {
            Call::StopWorkflow { .. } => self.client.stop_workflow(&subject).await,
            Call::StopPipeline { .. } => self.client.stop_pipeline(&subject).await,
            Call::StopJob { .. } => self.client.stop_job(&subject).await,
            other => return Err(not_of_this_class(other)),
        };
        Ok(answer(json!({}), told.map_err(of_error)?.response))
    }

    /// Triggers a promotion. Its token makes one event however often it is sent. By the server's clock,
    /// the event is of the time between `after` and `before`.
    pub(super) async fn trigger_promotion(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        (trigger, listed_at): (TriggerPromotion, Option<Timestamp>),
    ) -> Result<Answer, Failure> {
        let resumed = intents.previous().is_some();
        self.note_token(key, intents, &trigger.request_token)
            .await?;
        let began = self.clock.elapsed();
        let answered = self.client.trigger_promotion(&trigger).await;
        let answered = answered.map_err(of_error)?;
        let took = self.clock.elapsed().saturating_sub(began);
        // An earlier try may have been the one that did it: then it was some time after the list.
        let first_try = key.attempt == 1 && !resumed;
        let sent = answered.server_date.filter(|_| first_try);
        let after = sent
            .and_then(|at| at.saturating_sub(took).ok())
            .or(listed_at);
        Ok(answer(
            json!({"after": after, "before": answered.server_date}),
            answered.response,
        ))
    }

    /// The intent of a write that repeats with its token, or does no harm when repeated.
    pub(super) async fn note_token(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        token: &str,
    ) -> Result<(), Failure> {
        if intents
            .previous()
            .is_some_and(|previous| previous.token == token)
        {
            return Ok(());
        }
        let intent = Intent {
            key: key.clone(),
            token: token.to_owned(),
            fence: Vec::new(),
            server_time: None,
        };
        open(intents, intent).await
    }

    /// How long to look for a lost write.
    pub(super) fn settle(&self) -> Duration {
        self.settings.settle
    }
}
