//! Why a pipeline ended red: what its failed jobs printed, made comparable, and held against what is known.
//!
//! Duty: a *signature* is what stays the same when the same failure happens again (`signature.rs`); a
//! *kind* says what a failure is worth (`verdict.rs`). Invariants: pure; the work goes with the limits below, whatever
//! a job printed. It knows no logs' format, no store and no playbook.

mod normal;
mod signature;
mod verdict;

pub use normal::normalised;
pub use signature::{Excerpt, TAIL_LINES_MAX, is_telling, signature};
pub use verdict::{
    Finding, INFRASTRUCTURE_WORDS, Kind, Past, Sightings, Verdict, infrastructure, overall, verdict,
};
