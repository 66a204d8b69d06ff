//! The client of the Semaphore API.
//!
//! Duty: one function per endpoint, over a `Transport`; answers normalised once, at the edge
//! (`wire`); every failure one `Error` that says whether what was asked may have happened.
//! Invariants: the client never repeats a request, never follows an address of the server but for a log,
//! and the token goes to the configured origin alone. It must not know the engine, events or playbooks.
//!
//! Where to look: `transport` (the seam), `reqwest_transport` (HTTP, the one file that knows
//! `reqwest`), `config` and `contexts` (which Semaphore is meant), `client` (one request, one
//! judgement), `fate` (done, not done, unknown), `error`, `dialect` and `meaning` (what a refusal means),
//! `pages` (lists), and a file per subject: `workflows`, `pipelines`, `promotions`, `jobs`, `logs`,
//! `projects`, `tasks`, `troubleshoot`.

pub mod client;
pub mod config;
pub mod contexts;
pub mod dialect;
pub mod error;
pub mod fate;
pub mod jobs;
pub mod json;
pub mod log_events;
pub mod logs;
pub mod meaning;
pub mod operation;
pub mod pages;
pub mod paths;
pub mod pipelines;
pub mod projects;
pub mod promotions;
pub mod reqwest_transport;
pub mod tasks;
pub mod transport;
pub mod troubleshoot;
pub mod wire;
pub mod workflows;

pub use client::{Answer, Client, Limits, Usage};
pub use config::{ConfigError, Endpoint, Origin, Pieces};
pub use contexts::Context;
pub use error::{Class, Error, Fate};
pub use log_events::{Happening, LogEvent};
pub use logs::LogStream;
pub use operation::Operation;
pub use pages::Listing;
pub use pipelines::{PipelineFilter, PipelinesOf};
pub use promotions::TriggerPromotion;
pub use reqwest_transport::{HttpOptions, HttpTransport};
pub use tasks::RunTask;
pub use transport::{
    AnswerLimits, Chunks, Kind, Request, Response, Sent, Target, Timeouts, Transport,
    TransportError, Trouble,
};
pub use workflows::{MARK_PARAMETER, RunWorkflow, WorkflowFilter};
