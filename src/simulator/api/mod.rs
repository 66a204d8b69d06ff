//! The wire side of the simulated server: routes, answers, one file per resource.
//!
//! Statuses, headers, bodies and the many dialects are those of the real server, odd ones included;
//! the recorded answers in `tests/fixtures/recorded-server` hold them in place.

mod access;
mod answers;
mod jobs;
mod log_events;
mod logs;
mod pages;
mod pipeline_view;
mod pipelines;
mod projects;
mod promotions;
mod route;
mod tasks;
mod troubleshoot;
mod words;
mod workflows;

pub(super) use answers::{bare, text};
pub use route::endpoint_of;
pub(super) use route::{Endpoint, answer, route};
