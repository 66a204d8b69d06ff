//! The words for how a step and a run end.

use serde::{Deserialize, Serialize};

/// How a step ended.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// It did what it should.
    Passed,
    /// It did not; also when its pipeline was stopped, and when its deadline passed.
    Failed,
    /// Its own `when` was false.
    Skipped,
    /// A need was not met.
    Blocked,
    /// The runner gave it up.
    Canceled,
    /// A write whose fate could not be found out: a person must look.
    Unknown,
}

impl StepOutcome {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Passed,
        Self::Failed,
        Self::Skipped,
        Self::Blocked,
        Self::Canceled,
        Self::Unknown,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Blocked => "blocked",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for StepOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a run ended.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RunOutcome {
    /// Every step that had to pass did.
    Passed,
    /// A step failed that was not allowed to.
    Failed,
    /// The run was canceled by a person.
    Canceled,
    /// The fate of a write could not be found out.
    Unknown,
    /// The deadline of the whole run passed.
    Deadline,
}

impl RunOutcome {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Passed,
        Self::Failed,
        Self::Canceled,
        Self::Unknown,
        Self::Deadline,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
            Self::Deadline => "deadline",
        }
    }
}

impl std::fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which outcomes of a needed step let the needing one start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Accept(u8);

impl Accept {
    /// The word `passed` of `needs`: passed, or skipped.
    pub const PASSED: Self = Self(0b0000_0101);
    /// The word `failed`: failed alone.
    pub const FAILED: Self = Self(0b0000_0010);
    /// The word `any`: every ended state.
    pub const ANY: Self = Self(0b0011_1111);

    /// One outcome and no other.
    pub fn only(outcome: StepOutcome) -> Self {
        Self(1 << outcome as u8)
    }

    /// What either accepts.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether an outcome is accepted.
    pub fn takes(self, outcome: StepOutcome) -> bool {
        self.0 & (1 << outcome as u8) != 0
    }
}

impl std::fmt::Display for Accept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::ANY => return f.write_str("any"),
            Self::PASSED => return f.write_str("passed"),
            Self(_) => {}
        }
        let words: Vec<&str> = StepOutcome::ALL
            .into_iter()
            .filter(|outcome| self.takes(*outcome))
            .map(StepOutcome::as_str)
            .collect();
        f.write_str(&words.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needs_look_at_the_real_outcome() {
        let takes = |accept: Accept| StepOutcome::ALL.map(|o| accept.takes(o));
        assert_eq!(
            takes(Accept::PASSED),
            [true, false, true, false, false, false]
        );
        assert_eq!(
            takes(Accept::FAILED),
            [false, true, false, false, false, false]
        );
        assert_eq!(takes(Accept::ANY), [true; 6]);
        assert_eq!(
            Accept::only(StepOutcome::Passed)
                .or(Accept::FAILED)
                .to_string(),
            "passed or failed"
        );
    }
}
