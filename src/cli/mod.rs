//! The command line: what people and scripts see of the rest.
//!
//! Duty: to read what was typed and set, to put the parts together, and to show what came of it. One file
//! per command; `settings` alone reads the environment; `exit` alone knows exit codes; `output` alone
//! writes to the streams.

mod apply;
mod approve;
pub mod args;
mod cancel;
pub mod causes;
mod changing;
mod check;
mod checkout;
mod completions;
mod connect;
mod doctor;
mod eval;
mod execute;
pub mod exit;
mod explain;
pub mod explained;
mod failing;
mod found;
mod heartbeat;
mod join;
mod library;
pub mod main;
mod monitors;
mod observers;
pub mod output;
pub mod plan;
pub mod planned;
mod playbooks;
pub mod progress;
mod prompt;
pub mod render;
mod report;
mod resolve;
mod resume;
mod runs;
mod schema;
pub mod screen;
pub mod settings;
pub mod show;
mod signals;
mod simulate;
mod spoken;
pub mod summary;
mod test;
mod test_files;
#[cfg(feature = "otel")]
mod traces;
mod usage;
pub mod words;
