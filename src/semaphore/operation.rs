//! What the client can ask for, by name: for counters, messages and the meaning of refusals.
//!
//! Duty: one word per endpoint. Invariant: the words are stable, for reports count by them. It must not
//! know how any of them is asked.

use super::transport::Kind;

/// An endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operation {
    /// Starts a workflow.
    RunWorkflow,
    /// Describes a workflow.
    DescribeWorkflow,
    /// Lists workflows.
    ListWorkflows,
    /// Starts a workflow again.
    RerunWorkflow,
    /// Stops all pipelines of a workflow.
    StopWorkflow,
    /// Describes a pipeline.
    DescribePipeline,
    /// Lists pipelines.
    ListPipelines,
    /// Stops a pipeline.
    StopPipeline,
    /// Runs again what did not pass.
    RebuildPipeline,
    /// The blocks of a pipeline and their order.
    DescribeTopology,
    /// Lists events of promotions.
    ListPromotions,
    /// Triggers a promotion.
    TriggerPromotion,
    /// Describes a job.
    DescribeJob,
    /// Stops a job.
    StopJob,
    /// Reads a log.
    FetchLog,
    /// Reads a log where the server sent us to.
    FetchSignedLog,
    /// Reads a log as text, on old installations.
    FetchPlainLog,
    /// Finds a project by its name.
    DescribeProject,
    /// Lists projects.
    ListProjects,
    /// Lists tasks.
    ListTasks,
    /// Describes a task.
    DescribeTask,
    /// Runs a task.
    RunTask,
    /// Asks why a job went wrong.
    TroubleshootJob,
}

impl Operation {
    /// The word in counters.
    pub fn name(self) -> &'static str {
        match self {
            Self::RunWorkflow => "run_workflow",
            Self::DescribeWorkflow => "describe_workflow",
            Self::ListWorkflows => "list_workflows",
            Self::RerunWorkflow => "rerun_workflow",
            Self::StopWorkflow => "stop_workflow",
            Self::DescribePipeline => "describe_pipeline",
            Self::ListPipelines => "list_pipelines",
            Self::StopPipeline => "stop_pipeline",
            Self::RebuildPipeline => "rebuild_pipeline",
            Self::DescribeTopology => "describe_topology",
            Self::ListPromotions => "list_promotions",
            Self::TriggerPromotion => "trigger_promotion",
            Self::DescribeJob => "describe_job",
            Self::StopJob => "stop_job",
            Self::FetchLog => "fetch_log",
            Self::FetchSignedLog => "fetch_signed_log",
            Self::FetchPlainLog => "fetch_plain_log",
            Self::DescribeProject => "describe_project",
            Self::ListProjects => "list_projects",
            Self::ListTasks => "list_tasks",
            Self::DescribeTask => "describe_task",
            Self::RunTask => "run_task",
            Self::TroubleshootJob => "troubleshoot_job",
        }
    }

    /// Whether it changes something.
    pub fn kind(self) -> Kind {
        match self {
            Self::RunWorkflow
            | Self::RerunWorkflow
            | Self::StopWorkflow
            | Self::StopPipeline
            | Self::RebuildPipeline
            | Self::TriggerPromotion
            | Self::StopJob
            | Self::RunTask => Kind::Write,
            Self::DescribeWorkflow
            | Self::ListWorkflows
            | Self::DescribePipeline
            | Self::ListPipelines
            | Self::DescribeTopology
            | Self::ListPromotions
            | Self::DescribeJob
            | Self::FetchLog
            | Self::FetchSignedLog
            | Self::FetchPlainLog
            | Self::DescribeProject
            | Self::ListProjects
            | Self::ListTasks
            | Self::DescribeTask
            | Self::TroubleshootJob => Kind::Read,
        }
    }

    /// What it is about, for messages: "the pipeline was not found".
    pub fn subject(self) -> &'static str {
        match self {
            Self::RunWorkflow | Self::ListWorkflows | Self::ListTasks | Self::DescribeProject => {
                "project"
            }
            Self::DescribeWorkflow | Self::RerunWorkflow | Self::StopWorkflow => "workflow",
            Self::DescribePipeline
            | Self::StopPipeline
            | Self::RebuildPipeline
            | Self::DescribeTopology
            | Self::ListPromotions
            | Self::TriggerPromotion => "pipeline",
            Self::ListPipelines => "project or workflow",
            Self::DescribeJob | Self::StopJob | Self::TroubleshootJob => "job",
            Self::FetchLog | Self::FetchSignedLog | Self::FetchPlainLog => "log of the job",
            Self::ListProjects => "organization",
            Self::DescribeTask | Self::RunTask => "task",
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
