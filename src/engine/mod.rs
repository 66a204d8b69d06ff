//! The pure machine: a plan and events in, commands out.
//!
//! No clock, no random numbers, no input or output, no iteration over a `HashMap` anywhere below here:
//! the sequence of commands is a function of the plan, the inputs and the facts alone, so that a run can
//! be replayed, resumed and simulated.

pub mod call;

mod actions;
mod again;
mod approval;
mod calling;
mod changing;
mod ending;
mod ends;
mod fan_out;
mod frame;
mod group;
mod machine;
mod moves;
mod params;
mod parts;
mod record;
mod retry;
mod rounds;
mod run_info;
mod schedule;
mod scope;
mod seam;
mod stages;
mod step;
mod stopping;
mod triage;
mod undo;
mod used;

pub use group::GROUP;
pub use machine::Machine;
pub use moves::STEP_TIMEOUT_DEFAULT;
pub use retry::{Budget, CallClass};
pub use run_info::{RUN_TIMEOUT_DEFAULT, RunInfo, StartError};
pub use seam::{CallRequest, Cmd, Due, Effects, Ev, IntentError, Intents, Turn};
