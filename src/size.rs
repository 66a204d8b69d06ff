//! Sizes with units, as people write them: `10MiB`, `512KiB`, `64B`.

/// Why a text is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// A number without its unit.
    #[error("a size needs a unit: write `{0}B`, `{0}KiB` or `{0}MiB`")]
    BareNumber(String),
    /// Not of the form at all, or too large.
    #[error("`{0}` is not a size: write it like `64KiB` or `10MiB`")]
    Malformed(String),
}

const UNITS: [(&str, u64); 4] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

/// Reads a size in bytes.
pub fn parse(text: &str) -> Result<u64, SizeError> {
    let trimmed = text.trim();
    let digits = trimmed.len()
        - trimmed
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let (number, unit) = trimmed.split_at(digits);
    let malformed = || SizeError::Malformed(trimmed.chars().take(40).collect());
    let number: u64 = number.parse().map_err(|_| malformed())?;
    if unit.is_empty() {
        return Err(SizeError::BareNumber(trimmed.to_owned()));
    }
    let unit = unit.trim_start();
    let (_, factor) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(malformed)?;
    number.checked_mul(*factor).ok_or_else(malformed)
}

/// A size for people.
pub fn show(bytes: u64) -> String {
    let (name, factor) = UNITS
        .iter()
        .rev()
        .find(|(_, factor)| bytes >= *factor)
        .unwrap_or(&UNITS[0]);
    let tenths = bytes.saturating_mul(10) / factor;
    if tenths.is_multiple_of(10) || tenths >= 1_000 {
        format!("{}{name}", tenths / 10)
    } else {
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_carry_their_units() {
        assert_eq!(parse("10MiB"), Ok(10 << 20));
        assert_eq!(parse("64 B"), Ok(64));
        assert_eq!(parse("10"), Err(SizeError::BareNumber("10".into())));
        assert_eq!(parse("10MB"), Err(SizeError::Malformed("10MB".into())));
        assert_eq!(show(1_536), "1.5KiB");
    }
}
