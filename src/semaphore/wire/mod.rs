//! The JSON of the API, read once, at the edge, into types that mean one thing.
//!
//! The same pipeline comes in lower case with times as text from one endpoint and in upper case with
//! times as objects from another; ids have two spellings; what is unset is absent, null, empty or 1970.
//! Behind this folder nobody knows of that. Invariants: unknown fields are ignored, unknown words are
//! kept and never count as passed, a field of the wrong type is an [`Odd`] that names the field, and no
//! input panics. It must not know how answers travel, nor what an error of the API looks like.

pub mod block;
pub mod fields;
pub mod job;
pub mod pipeline;
pub mod project;
pub mod promotion;
pub mod scrub;
pub mod task;
pub mod time;
pub mod words;
pub mod workflow;

pub use block::{Block, BlockJob, TopologyBlock};
pub use fields::{Fields, Odd};
pub use job::{Job, JobTrouble};
pub use pipeline::{EnvVars, Pipeline, PipelineDetails};
pub use project::{Project, ProjectTask};
pub use promotion::PromotionEvent;
pub use task::{Task, TaskTrigger};
pub use words::{
    JobState, PipelineTrigger, PromotionStatus, Reason, State, Verdict, WorkflowTrigger,
};
pub use workflow::{Started, Workflow};
