//! The pure machine: a plan and events in, commands out.
//!
//! No clock, no random numbers, no input or output, no iteration over a `HashMap` anywhere below here.

pub mod call;
