//! One binary for all integration tests; each module is a boundary, its cases are data.

mod actions;
mod approvals;
mod cli;
mod corpus;
mod dice;
mod docs;
mod endpoints;
mod explain;
mod invariants;
mod lab;
mod layering;
mod machine;
mod ops;
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
mod undo;
mod web;
