//! What the simulated server remembers: workflows, pipelines with their blocks, jobs, promotion
//! events, queues.
//!
//! Records point to each other by their places in the lists of `State`.

use std::sync::Arc;

use jiff::Timestamp;

use crate::simulator::scenario::{self, Reason, Verdict};

use super::places::Place;

/// How a pipeline or a block ended, and why.
pub(crate) type Ending = (Verdict, Reason);

/// What made a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkflowCause {
    Hook,
    Api,
    ManualRun,
}

/// A workflow.
#[derive(Debug, Clone)]
pub(crate) struct Workflow {
    pub(crate) id: String,
    /// The project's place in the scenario.
    pub(crate) project: usize,
    /// The reference in full: `refs/heads/main`.
    pub(crate) reference: String,
    pub(crate) branch_name: String,
    /// The commit that was asked for; empty for the tip of the reference.
    pub(crate) commit_asked: String,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) requester: String,
    pub(crate) rerun_of: String,
    pub(crate) cause: WorkflowCause,
    pub(crate) created_at: Timestamp,
    /// Known once the first pipeline is initialized.
    pub(crate) commit: Option<Commit>,
    pub(crate) pipelines: Vec<Place<Pipeline>>,
}

/// A commit as the server came to know it.
#[derive(Debug, Clone)]
pub(crate) struct Commit {
    pub(crate) sha: String,
    pub(crate) message: String,
    pub(crate) hook_id: String,
    pub(crate) branch_id: String,
}

/// What made a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PipelineCause {
    Workflow,
    Promotion,
    AutoPromotion,
    PartialRerun,
}

/// Where a pipeline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PipelineState {
    Initializing,
    Pending,
    Queuing,
    Running,
    Stopping,
    Done,
}

/// When a pipeline came to its states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamps {
    pub(crate) created: Timestamp,
    pub(crate) pending: Option<Timestamp>,
    pub(crate) queuing: Option<Timestamp>,
    pub(crate) running: Option<Timestamp>,
    pub(crate) stopping: Option<Timestamp>,
    pub(crate) done: Option<Timestamp>,
}

impl Stamps {
    /// Where the pipeline stood at a time.
    pub(crate) fn state_at(&self, at: Timestamp) -> PipelineState {
        let reached = |stamp: Option<Timestamp>| stamp.is_some_and(|s| s <= at);
        if reached(self.done) {
            PipelineState::Done
        } else if reached(self.stopping) {
            PipelineState::Stopping
        } else if reached(self.running) {
            PipelineState::Running
        } else if reached(self.queuing) {
            PipelineState::Queuing
        } else if reached(self.pending) {
            PipelineState::Pending
        } else {
            PipelineState::Initializing
        }
    }
}

/// A pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: String,
    pub(crate) workflow: Place<Workflow>,
    pub(crate) project: usize,
    pub(crate) file: String,
    pub(crate) stamps: Stamps,
    pub(crate) ending: Option<Ending>,
    pub(crate) error_description: String,
    /// What it does; none when there is no such file.
    pub(crate) plan: Option<Arc<scenario::Pipeline>>,
    /// Whether its file was read and is right.
    pub(crate) initialized: bool,
    pub(crate) switch: Option<Switch>,
    pub(crate) queue: Place<Queue>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) env_vars: Vec<(String, String)>,
    pub(crate) cause: PipelineCause,
    pub(crate) triggerer_user: String,
    pub(crate) stop_asked: bool,
    pub(crate) terminated_by: String,
    pub(crate) promotion_of: Option<Place<Self>>,
    pub(crate) partial_rerun_of: Option<Place<Self>>,
    pub(crate) partially_rerun_by: Option<Place<Self>>,
}

impl Pipeline {
    /// Whether it is over.
    pub(crate) fn is_done(&self) -> bool {
        self.stamps.done.is_some()
    }

    /// Whether it is over and passed.
    pub(crate) fn has_passed(&self) -> bool {
        matches!(self.ending, Some((Verdict::Passed, _)))
    }

    /// Folder and name of its file.
    pub(crate) fn file_parts(&self) -> (&str, &str) {
        self.file.rsplit_once('/').unwrap_or(("", &self.file))
    }
}

/// The promotions of a pipeline, and what was triggered of them.
#[derive(Debug, Clone)]
pub(crate) struct Switch {
    pub(crate) id: String,
    /// Whether it was told how the pipeline ended.
    pub(crate) told: bool,
    /// In the order they were triggered.
    pub(crate) events: Vec<PromotionEvent>,
}

/// One trigger of a promotion.
#[derive(Debug, Clone)]
pub(crate) struct PromotionEvent {
    /// Which of the pipeline's promotions.
    pub(crate) promotion: usize,
    pub(crate) triggered_by: String,
    pub(crate) triggered_at: Timestamp,
    pub(crate) overriding: bool,
    pub(crate) auto: bool,
    pub(crate) parameters: Vec<(String, String)>,
    /// When it was settled, and the pipeline that came of it.
    pub(crate) settled: Option<(Timestamp, Option<Place<Pipeline>>)>,
    /// Whether it is never shown.
    pub(crate) hidden: bool,
}

/// Where a block stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockState {
    Waiting,
    Running,
    Stopping,
    Done,
}

/// A block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Empty until it runs.
    pub(crate) id: String,
    pub(crate) build_request: String,
    pub(crate) state: BlockState,
    pub(crate) ending: Option<Ending>,
    pub(crate) done_at: Option<Timestamp>,
    /// Its jobs, once it runs.
    pub(crate) jobs: Vec<Place<Job>>,
}

/// A job.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) pipeline: Place<Pipeline>,
    pub(crate) block: usize,
    pub(crate) index: usize,
    pub(crate) plan: Arc<scenario::Job>,
    pub(crate) created_at: Timestamp,
    pub(crate) enqueued_at: Timestamp,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished: Option<(Timestamp, Verdict)>,
    pub(crate) failure_reason: String,
    /// The job whose result it took over in a partial rebuild.
    pub(crate) copy_of: Option<Place<Self>>,
}

/// A queue of pipelines: those of one project, reference and file.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The pipelines in it that are not done, oldest first.
    pub(crate) members: Vec<Place<Pipeline>>,
}
