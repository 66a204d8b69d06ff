//! `runner test`: playbooks tested against the simulated Semaphore, in virtual time.
//!
//! A test file says which playbook it tests, in which worlds, and what must come of it. Every case is a
//! whole run: the very machine, session and effects that run in production, the simulator in process, a
//! store in memory, and a clock that moves on when everything waits. Invariants (each write at most once,
//! always an end, no secret anywhere) are looked after in every run. Nothing here knows the command line:
//! files come in as texts, what came of a case goes out as data and as text.

mod compare;
mod coverage;
mod expect;
mod file;
mod file_shape;
mod incident;
mod incident_world;
mod invariants;
mod json;
mod judge;
mod junit;
mod play;
mod ran;
mod schedule;
mod schema;
mod scratch;
mod shape;
mod suite;
mod sweep;
mod timeline;
mod wire;
mod words;
mod world;
mod world_layer;
mod world_others;
mod world_shape;

pub use coverage::{Coverage, Point};
pub use file::{Case, Draft, TestFile, read};
pub use incident::{Incident, test_of_run};
pub use json::results_json;
pub use judge::Difference;
pub use junit::results_junit;
pub use play::PlaySettings;
pub use schedule::{NotASchedule, Schedule, Trouble};
pub use schema::test_schema;
pub use suite::{CaseResult, FileResult, Problem, Sweeps, run};
pub use timeline::Line;
pub use words::{again, case_words, coverage_words, summary_words};
