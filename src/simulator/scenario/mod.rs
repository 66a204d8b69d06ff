//! Scenarios: what the simulated Semaphore holds and does, as data.
//!
//! A scenario is a YAML file or one of the built-in ones; it is read whole and checked before a
//! simulation starts, and never changes afterwards.

mod check;
mod codes;
mod fault;
mod load;
mod model;
mod people;
mod pipeline;
mod run;
mod web;

pub use check::ENDPOINTS;
pub use codes::CODES;
pub use fault::{Answer, FaultRule, Mishap};
pub use load::{built_in_names, built_in_text};
pub(crate) use model::default_file;
pub use model::{
    Approval, Organization, Project, Reference, Role, Scenario, Server, Span, Task, Token,
};
pub use people::{Cue, Deed, Promote, Push, Start, Target, Visit};
pub use pipeline::{
    Block, Change, Command, EventFate, Job, JobChange, Parameter, Pipeline, Promotion, Reason,
    Verdict,
};
pub(crate) use run::fits;
pub use web::{WebMishap, WebTarget};
