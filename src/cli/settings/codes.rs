//! The stable codes of mistakes in settings: one table. A code never changes its meaning.

/// Every code with its title, in order; the documentation is held against it.
pub const CODES: &[(&str, &str)] = &[
    (UNKNOWN, "a name is no setting"),
    (VALUE, "a value is none that the setting can have"),
    (SHAPE, "a text is no setting at all"),
    (NO_STATE_FOLDER, "there is no place for the state of runs"),
    (UNREADABLE, "a file cannot be read"),
];

/// A name that is no setting.
pub(super) const UNKNOWN: &str = "C001";
/// A value that its setting cannot have.
pub(super) const VALUE: &str = "C002";
/// A text that is no setting at all.
pub(super) const SHAPE: &str = "C003";
/// Nothing says where state is kept.
pub(super) const NO_STATE_FOLDER: &str = "C004";
/// A file that cannot be read.
pub(super) const UNREADABLE: &str = "C005";
