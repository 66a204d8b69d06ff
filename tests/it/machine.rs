//! The pure machine alone: no effects, no clock, no store.

mod bench;
mod random;
mod tables;
