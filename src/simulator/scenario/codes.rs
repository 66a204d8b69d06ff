//! The stable codes of mistakes in scenarios: one table. A code never changes its meaning.

/// Every code with its title, in order; the documentation is held against it.
pub const CODES: &[(&str, &str)] = &[
    (NO_SCENARIO, "there is no such scenario"),
    (FORM, "the form of a scenario is wrong"),
    (NAMES, "a part of a scenario does not fit the others"),
];

/// A name that is no scenario.
pub(super) const NO_SCENARIO: &str = "S001";
/// What the YAML reader refuses.
pub(super) const FORM: &str = "S002";
/// Names that must exist, values that must fit together.
pub(super) const NAMES: &str = "S003";
