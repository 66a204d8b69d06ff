//! Writes: the intent first, durable; then the request; then, when its fate is unknown and it has no token
//! to repeat, a look for what it may have done.

use std::time::Duration;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::dispatch::Inner;
use super::failures::{id, of_error};
use super::lookup::{Fence, LookUp, branch_of};
use crate::engine::Intents;
use crate::event::{Answer, EffectKey, Failure, FailureKind, Fate, Intent};
use crate::ids::Id;
use crate::semaphore::{RunWorkflow, TriggerPromotion};

/// What a workflow is started with.
pub(super) struct ToRun {
    pub(super) project_id: String,
    pub(super) reference: String,
    pub(super) commit_sha: Option<String>,
    pub(super) pipeline_file: Option<String>,
    pub(super) parameters: IndexMap<String, String>,
    pub(super) mark: Option<String>,
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
    /// Starts a workflow. Nothing on the server's side keeps this from happening twice: before it is sent,
    /// the newest workflows of the branch are noted (the fence); when its fate is unknown, what came
    /// after them is looked through for our mark.
    pub(super) async fn run_workflow(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        run: ToRun,
    ) -> Result<Answer, Failure> {
        let project_id = id(&run.project_id)?;
        let look = |fence: Fence| LookUp {
            project_id: project_id.clone(),
            branch: branch_of(&run.reference),
            mark: run.mark.clone(),
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
        let fence = self.fence(&project_id, branch_of(&run.reference)).await?;
        let intent = Intent {
            key: key.clone(),
            token: run.mark.clone().unwrap_or_default(),
            fence: fence.newest.clone(),
            server_time: fence.server_time,
        };
        open(intents, intent).await?;
        let sent = self
            .client
            .run_workflow(&RunWorkflow {
                project_id: project_id.clone(),
                reference: run.reference.clone(),
                commit_sha: run.commit_sha.clone(),
                pipeline_file: run.pipeline_file.clone(),
                parameters: run.parameters.clone(),
                mark: run.mark.clone(),
            })
            .await;
        match sent {
            Ok(started) => {
                let (workflow, pipeline) = (&started.value.workflow_id, &started.value.pipeline_id);
                Ok(self.started(workflow, pipeline, started.response.clone()))
            }
            Err(error) => {
                let failure = of_error(error);
                if failure.fate == Fate::Unknown {
                    self.look_up(&look(fence), &failure).await
                } else {
                    Err(failure)
                }
            }
        }
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

    /// Triggers a promotion. Its token makes one event however often it is sent.
    pub(super) async fn trigger_promotion(
        &self,
        key: &EffectKey,
        intents: &dyn Intents,
        trigger: TriggerPromotion,
    ) -> Result<Answer, Failure> {
        self.note_token(key, intents, &trigger.request_token)
            .await?;
        let answer = self
            .client
            .trigger_promotion(&trigger)
            .await
            .map_err(of_error)?;
        Ok(Answer {
            value: json!({}),
            response: Some(answer.response),
            ..Answer::default()
        })
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
