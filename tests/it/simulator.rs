//! The simulator: the recorded answers of the real server, timelines, faults, invariants.

mod faults;
mod promotions;
mod properties;
mod recorded;
mod stops;
mod support;
mod timelines;
mod transports;
