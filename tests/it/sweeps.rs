//! Sweeps: whole runs with a crash, a fault, or a random schedule of both at every point there is, in
//! virtual time. Whatever happens, the promises of `invariants.rs` hold and the run ends; and where the
//! faults leave a choice, it ends as it does without them.

mod chaos;
mod crashes;
mod faults;
mod library;
mod plans;
mod sessions;
mod sqlite;
