//! The account of a run: what reports for people tell, as plain data.
//!
//! One account, many formats: Markdown, HTML and JUnit read the same words, so that they can never
//! tell different stories. Every text in it has passed the gate (masked, harmless, cut) and is escaped
//! by nobody yet. It knows no format.

mod cause;
mod detail;
mod run;
mod step;

pub(super) use cause::{Cause, Command, Triage};
pub(super) use detail::{Detail, within};
pub(super) use run::Account;
pub use run::Told;
pub(super) use step::{Link, Step};
