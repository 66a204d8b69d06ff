//! The simulator: the recorded answers of the real server, timelines, faults, invariants.

#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

mod comparison;
mod faults;
mod promotions;
mod properties;
mod recorded;
mod resources;
mod stops;
mod support;
mod timelines;
mod transports;
