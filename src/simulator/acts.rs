//! The journal of what was really done, for invariants such as "never twice".

use jiff::Timestamp;

/// Something that was done in the simulated world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// When.
    pub at: Timestamp,
    /// By whose hand.
    pub origin: Origin,
    /// What.
    pub deed: Done,
    /// The request's token, when it had one.
    pub request_token: Option<String>,
    /// Parameters that came with it.
    pub parameters: Vec<(String, String)>,
    /// Whether a fault kept the right answer from the one who asked. An answer that is only late
    /// does not count: whether somebody still waits for it is not known here.
    pub answer_lost: bool,
}

/// By whose hand something was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A request with the token of this user.
    Api {
        /// The id of the user.
        user: String,
    },
    /// Another person of the scenario.
    Person {
        /// The id of the user.
        user: String,
    },
    /// The server itself.
    Server,
}

impl Origin {
    /// The id of the user; empty for the server.
    pub fn user(&self) -> &str {
        match self {
            Self::Api { user } | Self::Person { user } => user,
            Self::Server => "",
        }
    }
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// A workflow was started.
    RunWorkflow {
        /// The project.
        project_id: String,
        /// The reference as it was given.
        reference: String,
        /// The file.
        pipeline_file: String,
        /// The new workflow.
        workflow_id: String,
        /// Its first pipeline.
        pipeline_id: String,
    },
    /// A task was run.
    RunTask {
        /// The task.
        task_id: String,
        /// The new workflow.
        workflow_id: String,
    },
    /// A workflow was rerun.
    Rerun {
        /// The old workflow.
        workflow_id: String,
        /// The new workflow.
        new_workflow_id: String,
    },
    /// A pipeline was rebuilt.
    Rebuild {
        /// The old pipeline.
        pipeline_id: String,
        /// The new pipeline.
        new_pipeline_id: String,
    },
    /// A promotion was recorded.
    Promote {
        /// The promoted pipeline.
        pipeline_id: String,
        /// The promotion's name.
        name: String,
        /// Whether `override` was said.
        overriding: bool,
    },
    /// A workflow was told to stop.
    StopWorkflow {
        /// The workflow.
        workflow_id: String,
    },
    /// A pipeline was told to stop.
    StopPipeline {
        /// The pipeline.
        pipeline_id: String,
    },
    /// A job was told to stop.
    StopJob {
        /// The job.
        job_id: String,
    },
}
