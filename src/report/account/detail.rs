//! How much is told: less and less, until a report is short enough.

/// How much of the long things is told.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Detail {
    /// A value of an input or an output is cut to this.
    pub(in crate::report) value_characters_max: usize,
    /// So many outputs of a step are told.
    pub(in crate::report) outputs_max: usize,
    /// So many last lines of a failed command.
    pub(in crate::report) lines_max: usize,
    /// So many failed commands per step.
    pub(in crate::report) commands_max: usize,
    /// So many tries of a step.
    pub(in crate::report) tries_max: usize,
    /// So many causes; the others are counted.
    pub(in crate::report) causes_max: usize,
    /// Whether this is less than everything.
    pub(in crate::report) is_cut: bool,
}

impl Detail {
    /// Everything that anybody reads.
    const FULL: Self = Self {
        value_characters_max: 2_000,
        outputs_max: 60,
        lines_max: 100,
        commands_max: 20,
        tries_max: 50,
        causes_max: 50,
        is_cut: false,
    };
    /// What one looks for first.
    const LESS: Self = Self {
        value_characters_max: 200,
        outputs_max: 20,
        lines_max: 15,
        commands_max: 5,
        tries_max: 10,
        causes_max: 20,
        is_cut: true,
    };
    /// What cannot be left out.
    const LEAST: Self = Self {
        value_characters_max: 60,
        outputs_max: 0,
        lines_max: 3,
        commands_max: 1,
        tries_max: 0,
        causes_max: 10,
        is_cut: true,
    };
}

/// The text with the most detail that is not longer than allowed; the shortest there is when none is.
pub(in crate::report) fn within(bytes_max: usize, text: impl Fn(&Detail) -> String) -> String {
    let full = text(&Detail::FULL);
    if full.len() <= bytes_max {
        return full;
    }
    let less = text(&Detail::LESS);
    if less.len() <= bytes_max {
        return less;
    }
    text(&Detail::LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_too_long_is_told_with_less_detail() {
        let text = |detail: &Detail| "x".repeat(detail.value_characters_max);
        for (bytes_max, length) in [(2_000, 2_000), (1_999, 200), (199, 60), (1, 60)] {
            assert_eq!(within(bytes_max, text).len(), length);
        }
    }
}
