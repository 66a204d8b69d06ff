//! Checksums of what is stored: each event's covers the one before, so that nothing can be changed,
//! swapped or left out in the middle without being noticed.

use crate::ids::digest;

/// 16 bytes in hexadecimal: against accidents, not against forgers.
const HEX_DIGITS: usize = 32;

/// The checksum of an event, given that of the event before (empty for the first).
pub(super) fn link(run: &str, seq: u64, json: &str, before: &str) -> String {
    cut(digest(&["event", run, &seq.to_string(), json, before]))
}

/// The checksum of anything else that belongs to a run; `what` keeps one kind from passing for another.
pub(super) fn seal(what: &str, run: &str, json: &str) -> String {
    cut(digest(&[what, run, json]))
}

/// A name for files made from a foreign text.
pub(super) fn name(text: &str) -> String {
    cut(digest(&["name", text]))
}

fn cut(mut hex: String) -> String {
    hex.truncate(HEX_DIGITS);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_counts() {
        let base = link("a", 1, "{}", "");
        assert_eq!(base.len(), HEX_DIGITS);
        assert_eq!(base, link("a", 1, "{}", ""));
        for other in [
            link("b", 1, "{}", ""),
            link("a", 2, "{}", ""),
            link("a", 1, "[]", ""),
            link("a", 1, "{}", &base),
        ] {
            assert_ne!(base, other);
        }
        assert_ne!(seal("header", "a", "{}"), seal("intent", "a", "{}"));
    }
}
