//! The closed sets of events and observations: the only contract between the engine and those who look
//! on (store, progress, reports).

mod call;
mod run;
mod seen;

pub use call::{Answer, Candidate, EffectKey, Failure, FailureKind, Fate, Intent, Outcome};
pub use run::{
    Event, FileWritten, Link, PlanFile, Recorded, Resolution, RunCreated, RunEnded, StepEnded,
    StepInfo,
};
pub use seen::{Observation, Seen};
