//! The command line: what people and scripts see of the rest.

/// The commands and flags.
pub mod args;
/// The one table of exit codes.
pub mod exit;
/// The settings, and the one reader of the environment.
pub mod settings;
