//! The simulator: the recorded answers of the real server, timelines, faults, invariants.

mod support;
mod timelines;
