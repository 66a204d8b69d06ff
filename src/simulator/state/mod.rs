//! The state of the simulated server and how it changes with time.
//!
//! Everything that will happen stands in an agenda; `State::advance` carries out what is due up to a
//! time, in order. So any jump of time gives the same world as many small ones. Nothing here knows
//! HTTP or JSON.

mod agenda;
mod blocks;
mod creation;
mod jobs;
mod pipelines;
mod places;
mod promotions;
mod queues;
mod records;
mod references;
mod store;
mod visits;

pub(super) use creation::NewWorkflow;
pub(super) use places::Place;
pub(super) use promotions::{PromoteRefusal, Trigger};
pub(super) use records::{
    Block, BlockState, Ending, Job, Pipeline, PipelineCause, PipelineState, PromotionEvent,
    Workflow, WorkflowCause,
};
pub(super) use store::State;
