//! A Semaphore of our own, faithful to the real server, for trying and testing.
//!
//! `Simulator::handle` is a pure function of the state, a request and the time: no input or output, no
//! clock, no randomness but a seed. `Server` puts it on a loopback socket, `InProcess` behind a call.
//! Its wire types are its own on purpose: types shared with the client would hide a shared error. It
//! must not know the client, the engine, or anything else above the plain types.

mod acts;
mod api;
mod faults;
mod http;
mod in_process;
mod params;
mod scenario;
mod server;
mod socket;
mod state;
mod web;
mod world;

pub use acts::{Act, Done, Origin};
pub use api::endpoint_of;
pub use http::{Fault, Reply, Request};
pub use in_process::{InProcess, Lost};
pub(crate) use scenario::fits;
pub use scenario::{
    Answer, Approval, Block, CODES, Change, Command, Cue, Deed, ENDPOINTS, EventFate, FaultRule,
    Job, JobChange, Mishap, Organization, Parameter, Pipeline, Project, Promote, Promotion, Push,
    Reason, Reference, Role, Scenario, Server as ServerHabits, Span, Start, Target, Task, Token,
    Verdict, Visit, WebMishap, WebTarget, built_in_names, built_in_text,
};
pub use server::{Running, Server, ServerError};
pub use web::Heard;
pub use world::Simulator;
