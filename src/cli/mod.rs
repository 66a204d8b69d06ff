//! The command line: what people and scripts see of the rest.

/// The one table of exit codes.
pub mod exit;
