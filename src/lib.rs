//! `runner`: declarative pipeline automation for Semaphore CI.
//!
//! YAML becomes a plan; a pure machine turns the plan and events into commands; a driver carries the
//! commands out through the effects; everything that people see is a fold over the events.
//!
//! The modules stand in the order of their layers: each may use only those above it (the table is in
//! `docs/architecture.md`, and a test holds it).

// The allocator of musl is slow where many small values come and go, which is all that happens here.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// Layer 0: plain types.
/// Addresses on the web, whose form was checked once.
pub mod address;
/// Time: the one place that reads the clock and sleeps.
pub mod clock;
/// What is wrong with a file, where, and what to do about it, as plain data.
pub mod diagnostic;
/// Durations with units, as people write them.
pub mod duration;
/// Identifiers whose shape was checked once.
pub mod ids;
/// The words for how a step and a run end.
pub mod outcome;
/// Secret values and the redactor that everything leaving the process goes through.
pub mod secret;
/// Sizes with units, as people write them.
pub mod size;
/// Foreign text made harmless: for terminals, for CI logs, for file names.
pub mod text;
/// Why a pipeline ended red: signatures of failures, and what they are worth.
pub mod triage;

// Layer 1: expressions, and what each action is.
/// What each action is: parameters, outputs, words.
pub mod catalog;
/// Expressions, interpolation, JSONPath, and which names a template mentions.
pub mod template;

// Layer 2.
/// From text to a `Playbook`, collecting every mistake.
pub mod playbook;

// Layer 3.
/// From a `Playbook` to a `Plan`: the graph and its checks.
pub mod plan;
/// The client of the Semaphore API.
pub mod semaphore;

// Layer 4.
/// The closed sets of events and observations.
pub mod event;

// Layer 5.
/// The pure machine.
pub mod engine;

// Layer 6.
/// Doing: the only module that talks to Semaphore on behalf of a run.
pub mod effects;

// Layer 7.
/// Durable runs.
pub mod store;

// Layer 8.
/// What carries the machine's commands out.
pub mod drivers;
/// Reports: folds of events.
pub mod report;
/// `runner test`: test files, worlds, expectations, sweeps, coverage.
pub mod testing;

// Beside the layers.
/// A Semaphore of our own, for trying and testing.
pub mod simulator;

// Layer 9.
/// The command line.
pub mod cli;
