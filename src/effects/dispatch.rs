//! Which call is done how.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::failures::{id, of_error, out_of_time};
use super::lists::Commit;
use super::neighbour::{Neighbour, counted};
use super::patience::Teller;
use super::projects::Projects;
use super::promotions::Sought;
use super::settings::EffectSettings;
use super::sightings::Sightings;
use super::topology::add_needs;
use super::triage::History;
use super::web::Web;
use crate::clock::Clock;
use crate::engine::call::Call;
use crate::engine::{CallClass, CallRequest, Effects, Intents};
use crate::event::{Answer, EffectKey, Failure, Outcome};
use crate::secret::{Redactor, Secret};
use crate::semaphore::{
    Client, Limits, Origin, RunTask, RunWorkflow, Transport, TriggerPromotion, Usage,
};

/// Does what a run asks for, on Semaphore.
pub struct SemaphoreEffects {
    inner: Arc<Inner>,
}

/// What all calls share.
pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) clock: Clock,
    pub(super) settings: EffectSettings,
    pub(super) sightings: Arc<Sightings>,
    pub(super) projects: Projects,
    pub(super) redactor: Redactor,
    pub(super) limits: Limits,
    /// The way to other addresses, and what must never go there.
    pub(super) web: Option<(Arc<dyn Web>, Secret)>,
    /// What is remembered of failures of earlier runs.
    pub(super) history: Option<Arc<dyn History>>,
    contacted: AtomicBool,
    saved: AtomicU64,
}

impl SemaphoreEffects {
    /// Effects over a transport.
    pub fn new(
        transport: Arc<dyn Transport>,
        origin: Origin,
        (limits, settings): (Limits, EffectSettings),
        clock: Clock,
        redactor: Redactor,
    ) -> Self {
        let neighbour = Neighbour::new(transport, clock, settings.requests_per_second);
        let client = Client::new(Arc::new(neighbour), origin, redactor.clone()).with_limits(limits);
        let inner = Inner {
            client,
            limits,
            web: None,
            history: None,
            clock,
            settings,
            sightings: Arc::default(),
            projects: Projects::default(),
            redactor,
            contacted: AtomicBool::new(false),
            saved: AtomicU64::new(0),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The same with a way to other addresses. The token is what must never go there.
    #[must_use]
    pub fn with_web(mut self, web: Arc<dyn Web>, token: Secret) -> Self {
        // Nobody else has it yet.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.web = Some((web, token));
        }
        self
    }

    /// The same with what is remembered of failures of earlier runs.
    #[must_use]
    pub fn with_history(mut self, history: Arc<dyn History>) -> Self {
        // Nobody else has it yet.
        if let Some(inner) = Arc::get_mut(&mut self.inner) {
            inner.history = Some(history);
        }
        self
    }

    /// What was asked so far.
    pub fn usage(&self) -> Usage {
        self.inner.client.usage()
    }

    /// How many looks at pipelines were served by somebody else's request.
    pub fn saved(&self) -> u64 {
        self.inner.saved.load(Ordering::Relaxed)
    }
}

impl Effects for SemaphoreEffects {
    fn call(&self, request: CallRequest) -> BoxFuture<'static, Outcome> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let started_at = inner.clock.now();
            let class = CallClass::of(&request.call);
            // Any other write of an earlier session is looked for before it is sent again.
            let just_repeated = matches!(class, CallClass::Token | CallClass::Repeatable);
            let repeated = just_repeated && request.intents.previous().is_some();
            let (result, asked) = counted(inner.carry_out(&request)).await;
            if request.call.elsewhere().is_some() {
                // This says nothing of Semaphore.
            } else if result
                .as_ref()
                .map_or_else(|failure| failure.status.is_some(), |_| true)
            {
                inner.contact();
            }
            let requests = match request.call.elsewhere() {
                Some(_) => 1,
                None => asked,
            };
            Outcome {
                started_at,
                ended_at: inner.clock.now(),
                requests,
                repeated,
                result,
            }
        })
    }
}

impl Inner {
    /// Notes that Semaphore has answered.
    pub(super) fn contact(&self) {
        self.contacted.store(true, Ordering::Relaxed);
    }

    /// Notes that a look needed no request of its own.
    pub(super) fn save(&self) {
        self.saved.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether Semaphore has ever answered.
    pub(super) fn contacted(&self) -> bool {
        self.contacted.load(Ordering::Relaxed)
    }

    async fn carry_out(&self, request: &CallRequest) -> Result<Answer, Failure> {
        let intents = request.intents.as_ref();
        if let Call::Http(call) = &request.call {
            return self.http(request, call).await;
        }
        match CallClass::of(&request.call) {
            CallClass::Repeatable | CallClass::Token | CallClass::Blind | CallClass::Once => {
                self.write(&request.key, &request.call, intents).await
            }
            CallClass::Read => {
                let within = request.remaining;
                tokio::select! {
                    biased;
                    answer = self.read(&request.call, &request.key) => answer,
                    () = self.clock.sleep(within) => Err(out_of_time("there was no answer", "", None, within)),
                }
            }
            CallClass::Wait => self.wait(request).await,
        }
    }

    async fn write(
        &self,
        key: &EffectKey,
        call: &Call,
        intents: &dyn Intents,
    ) -> Result<Answer, Failure> {
        match call.clone() {
            Call::RunWorkflow {
                project_id,
                reference,
                commit_sha,
                pipeline_file,
                parameters,
                mark,
            } => {
                let run = RunWorkflow {
                    project_id: id(&project_id)?,
                    reference,
                    commit_sha,
                    pipeline_file,
                    parameters,
                    mark,
                };
                self.run_workflow(key, intents, run).await
            }
            Call::RunTask {
                project_id,
                task_id,
                reference,
                shows_on,
                pipeline_file,
                parameters,
                mark,
            } => {
                let run = RunTask {
                    task_id: id(&task_id)?,
                    reference,
                    pipeline_file,
                    parameters,
                };
                let place = (id(&project_id)?, shows_on.as_str());
                self.run_task(key, intents, (run, mark), place).await
            }
            Call::RerunWorkflow { workflow_id, token } => {
                let workflow = id(&workflow_id)?;
                self.rerun_workflow(key, intents, (&workflow, &token)).await
            }
            Call::RebuildPipeline { pipeline_id, token } => {
                let pipeline = id(&pipeline_id)?;
                self.rebuild_pipeline(key, intents, (&pipeline, &token))
                    .await
            }
            Call::TriggerPromotion {
                pipeline_id,
                name,
                parameters,
                r#override,
                token,
                listed_at,
            } => {
                let trigger = TriggerPromotion {
                    pipeline_id: id(&pipeline_id)?,
                    name,
                    parameters,
                    r#override,
                    request_token: token,
                };
                self.trigger_promotion(key, intents, (trigger, listed_at))
                    .await
            }
            stop => self.stop(key, intents, &stop).await,
        }
    }

    async fn read(&self, call: &Call, key: &EffectKey) -> Result<Answer, Failure> {
        match call {
            Call::ResolveProject { name } => self.resolve_project(name).await,
            Call::ResolveTask { project_id, task } => {
                self.resolve_task(&id(project_id)?, task).await
            }
            Call::DescribeWorkflow { workflow_id } => {
                let described = self.client.describe_workflow(&id(workflow_id)?).await;
                let described = described.map_err(of_error)?;
                let value = self.workflow_value(&described.value);
                Ok(answer(value, described.response))
            }
            Call::Adopt {
                id: named,
                project_id,
            } => self.adopt(named, project_id.as_deref()).await,
            Call::DescribePipeline {
                pipeline_id,
                detailed,
                topology,
            } => {
                let described = self
                    .client
                    .describe_pipeline(&id(pipeline_id)?, *detailed)
                    .await
                    .map_err(of_error)?;
                let described_pipeline = &described.value.pipeline;
                let mut value = self.pipeline_value(described_pipeline, &described.value.blocks);
                if *topology {
                    add_needs(&mut value, &self.topology(&described_pipeline.id).await?);
                }
                Ok(answer(value, described.response))
            }
            Call::DescribeJob { job_id } => self.describe_job(&id(job_id)?).await,
            Call::FetchLog {
                job_id,
                job_name,
                folder,
                format,
                tail,
            } => {
                let order = super::logs::Order {
                    job_id,
                    job_name,
                    folder,
                    format,
                    tail: *tail,
                };
                self.fetch_log(&order, key).await
            }
            Call::Triage(red) => Ok(self.triage(red).await),
            list => self.read_list(list).await,
        }
    }

    async fn read_list(&self, call: &Call) -> Result<Answer, Failure> {
        match call {
            Call::FindPipeline {
                project_id,
                reference,
                pipeline_file,
                commit_sha,
                parameters,
            } => {
                let sought = Commit {
                    project: id(project_id)?,
                    reference,
                    pipeline_file,
                    commit_sha,
                    parameters,
                };
                self.find_pipeline(&sought).await
            }
            Call::ListWorkflows {
                project_id,
                branch,
                created_after,
                limit,
            } => {
                let filter = (branch.as_deref(), *created_after, *limit);
                self.list_workflows(&id(project_id)?, filter).await
            }
            Call::ListPipelines(query) => self.list_pipelines(query).await,
            Call::ListPromotions {
                pipeline_id,
                name,
                status,
                created_after,
                limit,
            } => {
                let filter = (name.as_deref(), status.as_deref());
                self.list_promotions(&id(pipeline_id)?, filter, (*created_after, *limit))
                    .await
            }
            other => Err(not_of_this_class(other)),
        }
    }

    async fn wait(&self, request: &CallRequest) -> Result<Answer, Failure> {
        let teller = Teller {
            step: &request.key.step,
            observe: request.observe.as_ref(),
        };
        match &request.call {
            Call::AwaitPipeline {
                pipeline_id,
                follow,
            } => {
                self.await_pipeline(&id(pipeline_id)?, *follow, request.remaining, &teller)
                    .await
            }
            Call::AwaitWorkflow {
                workflow_id,
                quiet_ms,
            } => {
                let quiet = Duration::from_millis(*quiet_ms);
                self.await_workflow(&id(workflow_id)?, quiet, request.remaining, &teller)
                    .await
            }
            Call::AwaitJob { job_id } => {
                self.await_job(&id(job_id)?, request.remaining, &teller)
                    .await
            }
            Call::AwaitPromotion {
                pipeline_id,
                name,
                sought,
                within_ms,
            } => {
                let pipeline = id(pipeline_id)?;
                let sought = Sought {
                    pipeline: &pipeline,
                    name,
                    event: sought,
                };
                let within = Duration::from_millis(*within_ms);
                self.await_promotion(sought, within, request.remaining, &teller)
                    .await
            }
            call => Err(not_of_this_class(call)),
        }
    }
}

/// An answer with its JSON.
pub(super) fn answer(value: Value, response: Value) -> Answer {
    Answer {
        value,
        response: Some(response),
        ..Answer::default()
    }
}

pub(super) fn not_of_this_class(call: &Call) -> Failure {
    let words = format!(
        "`{}` is done in another way: this is a bug in runner",
        call.word()
    );
    Failure::new(crate::event::FailureKind::Bug, words)
}
