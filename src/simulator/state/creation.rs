//! How workflows and pipelines come to be: run, rerun, rebuild, promotion.

use std::sync::Arc;

use crate::simulator::acts::{Done, Origin};
use crate::simulator::scenario::{Reason, Span, Verdict};

use super::agenda::Due;
use super::places::Place;
use super::records::{
    Commit, Pipeline, PipelineCause, Queue, Stamps, Switch, Workflow, WorkflowCause,
};
use super::references::{branch_name, in_full};
use super::store::{QueueIsFull, State};

/// A workflow to be.
#[derive(Debug, Clone)]
pub(crate) struct NewWorkflow {
    pub(crate) project: usize,
    pub(crate) reference: String,
    pub(crate) commit_sha: String,
    pub(crate) file: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) cause: WorkflowCause,
    pub(crate) requester: String,
    pub(crate) rerun_of: String,
}

/// What was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Started {
    pub(crate) workflow: Place<Workflow>,
    pub(crate) pipeline: Place<Pipeline>,
}

/// A pipeline to be.
pub(super) struct NewPipeline {
    pub(super) workflow: Place<Workflow>,
    pub(super) queue: Place<Queue>,
    pub(super) file: String,
    pub(super) env_vars: Vec<(String, String)>,
    pub(super) cause: PipelineCause,
    pub(super) user: String,
    pub(super) promotion_of: Option<Place<Pipeline>>,
    pub(super) partial_rerun_of: Option<Place<Pipeline>>,
}

impl State {
    /// Starts a workflow.
    pub(crate) fn start_workflow(&mut self, new: NewWorkflow) -> Result<Started, QueueIsFull> {
        let branch = branch_name(&new.reference);
        let queue = self.queue_with_room(new.project, &branch, &new.file)?;
        let workflow = Workflow {
            id: self.new_id(),
            project: new.project,
            reference: in_full(&new.reference),
            branch_name: branch,
            commit_asked: new.commit_sha,
            parameters: new.parameters.clone(),
            requester: new.requester.clone(),
            rerun_of: new.rerun_of,
            cause: new.cause,
            created_at: self.now,
            commit: None,
            pipelines: Vec::new(),
        };
        let workflow = self.add_workflow(workflow);
        let pipeline = self.start_pipeline(NewPipeline {
            workflow,
            queue,
            file: new.file,
            env_vars: new.parameters,
            cause: PipelineCause::Workflow,
            user: new.requester,
            promotion_of: None,
            partial_rerun_of: None,
        });
        Ok(Started { workflow, pipeline })
    }

    /// Reruns a workflow. A token that was used before gives what came of it then; the room in the
    /// queue is looked at first.
    pub(crate) fn rerun(
        &mut self,
        old: Place<Workflow>,
        token: &str,
        origin: Origin,
    ) -> Result<Started, QueueIsFull> {
        let workflow = self.workflows[old].clone();
        let file = workflow
            .pipelines
            .first()
            .map(|p| self.pipelines[*p].file.clone())
            .unwrap_or_default();
        self.queue_with_room(workflow.project, &workflow.branch_name, &file)?;
        if let Some((workflow, pipeline)) = self.request_tokens.get(token).copied() {
            return Ok(Started { workflow, pipeline });
        }
        let sha = workflow.commit.map(|c| c.sha);
        let started = self.start_workflow(NewWorkflow {
            project: workflow.project,
            reference: workflow.reference,
            commit_sha: sha.unwrap_or(workflow.commit_asked),
            file,
            parameters: workflow.parameters,
            cause: workflow.cause,
            requester: origin.user().to_owned(),
            rerun_of: workflow.id.clone(),
        })?;
        self.request_tokens
            .insert(token.to_owned(), (started.workflow, started.pipeline));
        let deed = Done::Rerun {
            workflow_id: workflow.id,
            new_workflow_id: self.workflows[started.workflow].id.clone(),
        };
        self.record(origin, deed, Some(token), &[]);
        Ok(started)
    }

    /// Runs again what did not pass of a pipeline that is done and did not pass.
    pub(crate) fn rebuild(
        &mut self,
        old: Place<Pipeline>,
        token: &str,
        origin: Origin,
    ) -> Result<Place<Pipeline>, QueueIsFull> {
        if let Some((_, pipeline)) = self.request_tokens.get(token).copied() {
            return Ok(pipeline);
        }
        let before = self.pipelines[old].clone();
        let branch = self.workflows[before.workflow].branch_name.clone();
        let queue = self.queue_with_room(before.project, &branch, &before.file)?;
        let new = self.start_pipeline(NewPipeline {
            workflow: before.workflow,
            queue,
            file: before.file,
            env_vars: before.env_vars,
            cause: PipelineCause::PartialRerun,
            user: origin.user().to_owned(),
            promotion_of: before.promotion_of,
            partial_rerun_of: Some(old),
        });
        self.pipelines[old].partially_rerun_by = Some(new);
        self.request_tokens
            .insert(token.to_owned(), (before.workflow, new));
        let deed = Done::Rebuild {
            pipeline_id: before.id,
            new_pipeline_id: self.pipelines[new].id.clone(),
        };
        self.record(origin, deed, Some(token), &[]);
        Ok(new)
    }

    pub(super) fn start_pipeline(&mut self, new: NewPipeline) -> Place<Pipeline> {
        let workflow = &self.workflows[new.workflow];
        let (project, reference) = (workflow.project, workflow.reference.clone());
        let lane = (project, reference.clone(), new.file.clone());
        let runs = self.runs_by_lane.entry(lane).or_default();
        let number = *runs;
        *runs += 1;
        let plan = self
            .project(project)
            .and_then(|p| p.pipelines.get(&new.file))
            .map(|plan| Arc::new(plan.for_run(&reference, number)));
        let init = plan.as_ref().and_then(|p| p.init);
        let wait = if self.reference_exists(project, &reference) {
            init.unwrap_or(Span::seconds(3))
        } else {
            self.scenario.server.reference_given_up_after
        };
        let id = self.new_id();
        let place = self.add_pipeline(Pipeline {
            id,
            workflow: new.workflow,
            project,
            file: new.file,
            stamps: Stamps {
                created: self.now,
                pending: None,
                queuing: None,
                running: None,
                stopping: None,
                done: None,
            },
            ending: None,
            error_description: String::new(),
            plan,
            initialized: false,
            switch: None,
            queue: new.queue,
            blocks: Vec::new(),
            env_vars: new.env_vars,
            cause: new.cause,
            triggerer_user: new.user,
            stop_asked: false,
            terminated_by: String::new(),
            promotion_of: new.promotion_of,
            partial_rerun_of: new.partial_rerun_of,
            partially_rerun_by: None,
        });
        self.queues[new.queue].members.push(place);
        self.schedule(wait.0, Due::Initialized(place));
        place
    }

    /// A pipeline's file was read: it gets its blocks and promotions, or ends at once.
    pub(super) fn initialized(&mut self, p: Place<Pipeline>) {
        if self.pipelines[p].is_done() {
            return;
        }
        let workflow = self.pipelines[p].workflow;
        let (project, reference) = {
            let w = &self.workflows[workflow];
            (w.project, w.reference.clone())
        };
        if !self.reference_exists(project, &reference) {
            return self.end_pipeline(p, (Verdict::Failed, Reason::Stuck));
        }
        if self.workflows[workflow].commit.is_none() {
            let asked = self.workflows[workflow].commit_asked.clone();
            let commit: Commit = self.resolve_commit(project, &reference, &asked);
            self.workflows[workflow].commit = Some(commit);
        }
        if self.workflows[workflow].pipelines.len() > self.scenario.server.workflow_pipelines_max {
            return self.end_pipeline(p, (Verdict::Failed, Reason::Internal));
        }
        let Some(plan) = self.pipelines[p].plan.clone() else {
            let file = self.pipelines[p].file.clone();
            self.pipelines[p].error_description = format!(
                "{{:malformed, {{\"File '{file}' is not available\", \"(no such file in the scenario)\"}}}}"
            );
            return self.end_pipeline(p, (Verdict::Failed, Reason::Malformed));
        };
        if plan.reason == Some(Reason::Malformed) {
            self.pipelines[p].error_description = plan.error.clone().unwrap_or_else(|| {
                "{:malformed, [{\"Required property blocks was not present.\", \"#\"}]}".to_owned()
            });
            return self.end_pipeline(p, (Verdict::Failed, Reason::Malformed));
        }
        self.pipelines[p].initialized = true;
        if !plan.promotions.is_empty() {
            let id = self.new_id();
            self.pipelines[p].switch = Some(Switch {
                id,
                told: false,
                events: Vec::new(),
            });
        }
        self.make_blocks(p, &plan);
        self.pipelines[p].stamps.pending = Some(self.now);
        self.schedule(Span::millis(100).0, Due::Queuing(p));
    }
}
