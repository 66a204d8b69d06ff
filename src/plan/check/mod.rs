//! The checks: one file per rule family. All mistakes are told, none is fixed.

pub(super) mod checkout;
pub(super) mod compared;
pub(super) mod for_each;
pub(super) mod mentions;
pub(super) mod reach;
pub(super) mod replaced;
pub(super) mod secrets;
pub(super) mod types;
pub(super) mod undo;
pub(super) mod usage;
pub(super) mod uses;
pub(super) mod web;
