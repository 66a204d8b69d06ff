//! Runs in one SQLite file of the state folder.
//!
//! Invariants: a call that returns has been synced to disk; the file is ours alone (mode 0600, in a folder
//! that we make with 0700); a file that a newer runner wrote is not touched.

mod anchor;
mod failures;
mod fault;
mod folder;
mod inbox;
mod journal;
mod runs;
mod schema;
mod store;

pub use store::SqliteStore;
