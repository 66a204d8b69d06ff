//! What stays the same when the same failure happens again.

use std::collections::BTreeSet;

use super::normal::normalised;
use crate::ids::digest;

/// So many last lines of a failed command are looked at.
pub const TAIL_LINES_MAX: usize = 200;
/// So many of those that tell what went wrong make the signature.
const TELLING_LINES_MAX: usize = 12;
/// So many of the others, when none tells.
const OTHER_LINES_MAX: usize = 8;
/// A signature has so many characters.
const SIGNATURE_CHARACTERS: usize = 12;
/// Stands in what is digested: another way of making signatures is another number.
const VERSION: &str = "signature 1";

/// A line in which one of these stands tells what went wrong.
const TELLING: [&str; 31] = [
    "error",
    "fail",
    "panic",
    "exception",
    "fatal",
    "assert",
    "expected",
    "not found",
    "not ok",
    "undefined",
    "unresolved",
    "cannot",
    "can't",
    "could not",
    "couldn't",
    "denied",
    "refused",
    "timed out",
    "timeout",
    "traceback",
    "no such",
    "missing",
    "unable",
    "killed",
    "segmentation",
    "abort",
    "mismatch",
    "invalid",
    "unknown",
    "conflict",
    "violat",
];

/// What a job said when it failed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// The name of the job.
    pub job: String,
    /// The command that failed; empty when none is known.
    pub command: String,
    /// What it ended with; none when it did not end.
    pub exit_code: Option<i64>,
    /// The last lines that it printed, oldest first.
    pub lines: Vec<String>,
}

/// The signature of a failure; none when there is nothing to go by.
pub fn signature(excerpt: &Excerpt) -> Option<String> {
    let lines = lines(excerpt);
    if excerpt.command.is_empty() && lines.is_empty() {
        return None;
    }
    let command = normalised(&excerpt.command);
    let job = normalised(&excerpt.job);
    let code = excerpt
        .exit_code
        .map_or_else(String::new, |code| code.to_string());
    let mut parts = vec![VERSION, job.as_str(), command.as_str(), code.as_str()];
    parts.extend(lines.iter().map(String::as_str));
    let digest = digest(&parts);
    Some(digest.chars().take(SIGNATURE_CHARACTERS).collect())
}

/// Whether a line, without what differs from time to time, tells what went wrong.
pub fn is_telling(normal: &str) -> bool {
    let lower = normal.to_lowercase();
    TELLING.iter().any(|word| lower.contains(word))
}

/// The lines that make the signature, each once. They are sorted, for jobs that do several things at once
/// print them in any order.
fn lines(excerpt: &Excerpt) -> BTreeSet<String> {
    let skip = excerpt.lines.len().saturating_sub(TAIL_LINES_MAX);
    let mut telling = BTreeSet::new();
    let mut others = BTreeSet::new();
    for line in excerpt.lines.iter().skip(skip).rev() {
        let normal = normalised(line);
        if normal.is_empty() {
            continue;
        }
        if is_telling(&normal) {
            if telling.len() < TELLING_LINES_MAX {
                telling.insert(normal);
            }
        } else if others.len() < OTHER_LINES_MAX {
            others.insert(normal);
        }
    }
    if telling.is_empty() { others } else { telling }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn excerpt(lines: &[&str]) -> Excerpt {
        Excerpt {
            job: "unit 1/4".into(),
            command: "make test".into(),
            exit_code: Some(2),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    #[test]
    fn the_same_failure_has_the_same_signature() {
        let one = excerpt(&[
            "running 312 tests",
            "test checkout::rounds_prices ... FAILED",
            "12:00:01 checkout::rounds_prices: expected 10.05, got 10.04",
            "make: *** [Makefile:12: test] Error 1",
        ]);
        let mut other = excerpt(&[
            "\u{1b}[1mrunning 314 tests\u{1b}[0m",
            "test parser::keeps_order ... ok",
            "13:07:44 checkout::rounds_prices: expected 10.05, got 10.04",
            "test checkout::rounds_prices ... FAILED",
            "",
            "make: *** [Makefile:12: test] Error 1",
        ]);
        assert_eq!(signature(&one), signature(&other));
        other.job = "unit 3/4".into();
        assert_eq!(
            signature(&one),
            signature(&other),
            "another part of the same job"
        );
    }

    #[test]
    fn another_failure_has_another() {
        let one = excerpt(&["error: no such table users"]);
        let changes: [fn(&mut Excerpt); 4] = [
            |e| e.command = "make lint".into(),
            |e| e.exit_code = Some(137),
            |e| e.job = "integration".into(),
            |e| e.lines = vec!["error: no such table orders".into()],
        ];
        for change in changes {
            let mut other = one.clone();
            change(&mut other);
            assert_ne!(signature(&one), signature(&other), "{other:?}");
        }
    }

    #[test]
    fn nothing_has_none() {
        assert_eq!(signature(&Excerpt::default()), None);
        let blank = Excerpt {
            lines: vec![String::new(), "12 34".into()],
            ..Excerpt::default()
        };
        assert_eq!(signature(&blank), None);
    }

    /// Something that differs from one time to the next.
    fn stamp() -> impl Strategy<Value = [String; 2]> {
        let time = (0_u32..24, 0_u32..60, 0_u32..1_000)
            .prop_map(|(h, m, ms)| format!("2026-11-{:02}T{h:02}:{m:02}:07.{ms:03}Z", h + 1));
        let clock = (0_u32..24, 0_u32..60).prop_map(|(h, m)| format!("[{h:02}:{m:02}:59]"));
        let id = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
        let commit = "[0-9][0-9a-f]{6}";
        let took = (0_u32..100_000).prop_map(|ms| format!("{}.{:03}s", ms / 1_000, ms % 1_000));
        let number = any::<u32>().prop_map(|n| n.to_string());
        let path = "/tmp/tmp\\.[A-Za-z0-9]{6}/out";
        let colour = (30_u8..38).prop_map(|c| format!("\u{1b}[{c}mthere\u{1b}[0m"));
        fn two(of: impl Strategy<Value = String> + 'static) -> BoxedStrategy<[String; 2]> {
            proptest::array::uniform2(of.boxed()).boxed()
        }
        prop_oneof![
            two(time),
            two(clock),
            two(id),
            two(commit),
            two(took),
            two(number),
            two(path),
            two(colour),
        ]
    }

    proptest! {
        #[test]
        fn a_signature_does_not_depend_on_stamps(
            lines in proptest::collection::vec(("[a-z]{1,8}( [a-z]{1,8}){0,5}", stamp(), "[a-z]{0,8}"), 1..20)
        ) {
            let made = |which: usize| Excerpt {
                lines: lines
                    .iter()
                    .map(|(before, stamps, after)| {
                        let stamp = stamps.get(which).cloned().unwrap_or_default();
                        format!("{before} {stamp} {after}")
                    })
                    .collect(),
                ..excerpt(&[])
            };
            prop_assert_eq!(signature(&made(0)), signature(&made(1)));
        }

        #[test]
        fn any_text_has_a_signature_and_the_same_one_twice(lines in proptest::collection::vec(any::<String>(), 0..40)) {
            let one = Excerpt { lines, ..excerpt(&[]) };
            prop_assert_eq!(signature(&one), signature(&one.clone()));
            for line in &one.lines {
                let normal = normalised(line);
                prop_assert!(normal.chars().count() <= 200);
            }
        }
    }
}
