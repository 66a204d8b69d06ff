//! One binary for all integration tests; each module is a boundary, its cases are data.

mod actions;
mod approvals;
mod cli;
mod corpus;
mod dice;
mod docs;
mod endpoints;
mod explain;
mod fan_out;
mod includes;
mod invariants;
mod lab;
mod layering;
mod machine;
mod monitoring;
mod ops;
mod planning;
mod program;
mod recorded;
mod reports;
mod rig;
mod run;
mod secrets;
mod simulator;
mod stores;
mod sweeps;
mod templates;
mod testing;
mod triage;
mod undo;
mod used;
mod web;

/// The sweeps play thousands of runs of many small values: a third of their time went to the allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
