//! Doing: the only module that talks to Semaphore on behalf of a run.
//!
//! Duty: to carry one call out to its end and say what became of it, truthfully. Invariants: nothing is
//! written to Semaphore before its intent is durable; no call outlives its time but a write, which ends by
//! its own time-outs; everything that waits shares one way of looking. It must not know the graph, the
//! playbook or the store, and it never decides whether a step is tried again.

mod adopt;
mod bucket;
mod dispatch;
mod failures;
mod http;
mod jobs;
mod lists;
mod logs;
mod lookup;
mod neighbour;
mod patience;
mod projects;
mod promotions;
mod reqwest_web;
mod settings;
mod sightings;
mod tasks;
mod topology;
mod transcript;
mod triage;
mod watch;
mod web;
mod workflows;
mod writes;

pub use dispatch::SemaphoreEffects;
pub use reqwest_web::ReqwestWeb;
pub use settings::EffectSettings;
pub use triage::History;
pub use web::{Web, WebRequest};
