//! What a failure is worth: whether it is the platform's, one that comes and goes, or a new one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ids::digest;

/// On so many other branches a failure must have been seen to count as one that comes and goes.
const OTHER_BRANCHES_MIN: usize = 2;
/// A signature of several failures has so many characters.
const SIGNATURE_CHARACTERS: usize = 12;

/// What a red pipeline is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The platform or the network failed, not what was built.
    Infrastructure,
    /// Its failures come and go.
    KnownFlake,
    /// At least one of its failures is not known to come and go.
    New,
    /// There is nothing to go by.
    Unknown,
}

impl Kind {
    /// All, in the order of the documentation.
    pub const ALL: [Self; 4] = [
        Self::Infrastructure,
        Self::KnownFlake,
        Self::New,
        Self::Unknown,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Infrastructure => "infrastructure",
            Self::KnownFlake => "known_flake",
            Self::New => "new",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Words of the platform and of the network. Where one stands among the last lines of a failed command, what
/// was built is not what failed.
pub const INFRASTRUCTURE_WORDS: [&str; 11] = [
    "no space left on device",
    "could not resolve host",
    "temporary failure in name resolution",
    "network is unreachable",
    "tls handshake timeout",
    "toomanyrequests",
    "pull rate limit",
    "cannot connect to the docker daemon",
    "the remote end hung up unexpectedly",
    "unexpected disconnect while reading sideband packet",
    "ssh: connect to host",
];

/// The words of the platform or the network among some lines.
pub fn infrastructure<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    lines.into_iter().find_map(|line| {
        let lower = line.to_lowercase();
        INFRASTRUCTURE_WORDS
            .into_iter()
            .find(|words| lower.contains(words))
    })
}

/// That the same failure was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Past {
    /// The pipeline that it ended.
    pub pipeline_id: String,
    /// What that pipeline built.
    pub branch: String,
    /// When it was seen.
    pub at: Timestamp,
    /// Whether the same commit passed the same pipeline afterwards.
    pub passed_later: bool,
}

/// How often a failure was seen before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sightings {
    /// How many pipelines it ended.
    pub seen: usize,
    /// On how many branches.
    pub branches: usize,
    /// On how many branches other than this one.
    pub others: usize,
    /// How many of those pipelines passed afterwards, with the same commit.
    pub passed_later: usize,
}

impl Sightings {
    /// What some past failures come to, for a pipeline of a branch. The pipeline itself does not count.
    pub fn of(past: &[Past], pipeline_id: &str, branch: &str) -> Self {
        let before: Vec<&Past> = past
            .iter()
            .filter(|past| past.pipeline_id != pipeline_id)
            .collect();
        let pipelines: BTreeSet<&str> = before.iter().map(|p| p.pipeline_id.as_str()).collect();
        let branches: BTreeSet<&str> = before.iter().map(|p| p.branch.as_str()).collect();
        let later: BTreeSet<&str> = before
            .iter()
            .filter(|past| past.passed_later)
            .map(|past| past.pipeline_id.as_str())
            .collect();
        Self {
            seen: pipelines.len(),
            others: branches.iter().filter(|of| **of != branch).count(),
            branches: branches.len(),
            passed_later: later.len(),
        }
    }

    /// Whether the failure comes and goes: without any change it did not come again, or it came where nobody
    /// made the same change.
    pub fn comes_and_goes(self) -> bool {
        self.passed_later > 0 || self.others >= OTHER_BRANCHES_MIN
    }
}

/// What is known of one failed job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Finding {
    /// The signature of its failure, when there is something to go by.
    pub signature: Option<String>,
    /// Why it is not what was built that failed.
    pub infrastructure: Option<String>,
    /// How often the same failure was seen before.
    pub sightings: Sightings,
}

/// What a red pipeline is worth, and why, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The kind.
    pub kind: Kind,
    /// Why.
    pub why: String,
    /// How often this was seen before: of several failures the one that was seen least.
    pub sightings: Sightings,
}

/// The verdict on a pipeline: its reason, what is known of its failed jobs, and how far back is looked, in words.
pub fn verdict(reason: &str, findings: &[Finding], window: &str) -> Verdict {
    let told = |kind, why: String, sightings| Verdict {
        kind,
        why,
        sightings,
    };
    let none = Sightings::default();
    if matches!(reason, "stuck" | "internal") {
        let why = format!("Semaphore gave the pipeline up ({reason})");
        return told(Kind::Infrastructure, why, none);
    }
    let known: Vec<&Finding> = findings
        .iter()
        .filter(|finding| finding.signature.is_some() || finding.infrastructure.is_some())
        .collect();
    if known.is_empty() {
        return told(Kind::Unknown, "no log tells why".to_owned(), none);
    }
    let own: Vec<&Finding> = known
        .iter()
        .copied()
        .filter(|finding| finding.infrastructure.is_none())
        .collect();
    let Some(least) = own
        .iter()
        .min_by_key(|finding| (finding.sightings.comes_and_goes(), finding.sightings.seen))
    else {
        let why = known
            .iter()
            .find_map(|finding| finding.infrastructure.clone());
        return told(Kind::Infrastructure, why.unwrap_or_default(), none);
    };
    let sightings = least.sightings;
    let kind = if sightings.comes_and_goes() {
        Kind::KnownFlake
    } else {
        Kind::New
    };
    told(kind, seen_words(sightings, window), sightings)
}

/// `seen 4 times on 3 branches in the last 14d, 2 of them passed afterwards with the same commit`.
fn seen_words(sightings: Sightings, window: &str) -> String {
    let times = |n: usize| match n {
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let branches = |n: usize| match n {
        1 => "1 branch".to_owned(),
        n => format!("{n} branches"),
    };
    if sightings.seen == 0 {
        return format!("not seen before in the last {window}");
    }
    let mut words = format!(
        "seen {} on {} in the last {window}",
        times(sightings.seen),
        branches(sightings.branches)
    );
    match (sightings.passed_later, sightings.seen) {
        (0, _) => {}
        (1, 1) => words.push_str(", and the same commit passed afterwards"),
        (n, _) => {
            let count = format!(", and {n} of these commits passed afterwards");
            words.push_str(&count);
        }
    }
    words
}

/// The signature of a pipeline: that of its failure, or of all of them together.
pub fn overall(findings: &[Finding]) -> String {
    let all: BTreeSet<&str> = findings
        .iter()
        .filter_map(|finding| finding.signature.as_deref())
        .collect();
    let mut each = all.iter();
    match (each.next(), each.next()) {
        (None, _) => String::new(),
        (Some(only), None) => (*only).to_owned(),
        (Some(_), Some(_)) => {
            let parts: Vec<&str> = all.into_iter().collect();
            digest(&parts).chars().take(SIGNATURE_CHARACTERS).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(pipeline: &str, branch: &str, passed_later: bool) -> Past {
        Past {
            pipeline_id: pipeline.into(),
            branch: branch.into(),
            at: Timestamp::UNIX_EPOCH,
            passed_later,
        }
    }

    fn finding(past: &[Past]) -> Finding {
        Finding {
            signature: Some("s".into()),
            infrastructure: None,
            sightings: Sightings::of(past, "p9", "main"),
        }
    }

    #[test]
    fn a_failure_comes_and_goes_when_it_went_without_a_change_or_came_on_other_branches() {
        for (before, kind, why) in [
            (vec![], Kind::New, "not seen before in the last 14d"),
            (
                vec![past("p9", "main", true)],
                Kind::New,
                "not seen before in the last 14d",
            ),
            (
                vec![past("p1", "main", false)],
                Kind::New,
                "seen once on 1 branch in the last 14d",
            ),
            (
                vec![past("p1", "main", true)],
                Kind::KnownFlake,
                "seen once on 1 branch in the last 14d, and the same commit passed afterwards",
            ),
            (
                vec![past("p1", "a", false), past("p2", "main", false)],
                Kind::New,
                "seen 2 times on 2 branches in the last 14d",
            ),
            (
                vec![
                    past("p1", "a", false),
                    past("p2", "b", true),
                    past("p3", "b", false),
                ],
                Kind::KnownFlake,
                "seen 3 times on 2 branches in the last 14d, and 1 of these commits passed afterwards",
            ),
        ] {
            let verdict = verdict("test", &[finding(&before)], "14d");
            assert_eq!(
                (verdict.kind, verdict.why.as_str()),
                (kind, why),
                "{before:?}"
            );
        }
    }

    #[test]
    fn one_new_failure_makes_a_pipeline_new() {
        let flake = finding(&[past("p1", "main", true)]);
        let platform = Finding {
            infrastructure: Some("no space left on device".into()),
            ..Finding::default()
        };
        let kind = |reason: &str, findings: &[Finding]| verdict(reason, findings, "14d").kind;
        let new = finding(&[]);
        assert_eq!(kind("test", &[flake.clone(), new.clone()]), Kind::New);
        assert_eq!(
            kind("test", &[flake.clone(), platform.clone()]),
            Kind::KnownFlake
        );
        assert_eq!(kind("test", &[platform.clone(), new.clone()]), Kind::New);
        assert_eq!(
            kind("test", std::slice::from_ref(&platform)),
            Kind::Infrastructure
        );
        assert_eq!(kind("stuck", &[new]), Kind::Infrastructure);
        assert_eq!(kind("test", &[Finding::default()]), Kind::Unknown);
        assert_eq!(kind("test", &[]), Kind::Unknown);
    }

    #[test]
    fn words_of_the_platform_are_known() {
        let lines = [
            "fatal: unable to access",
            "Could not resolve host: github.com",
        ];
        assert_eq!(infrastructure(lines), Some("could not resolve host"));
        assert_eq!(infrastructure(["expected 2, got 3"]), None);
    }

    #[test]
    fn several_failures_have_a_signature_together() {
        let of = |signature: &str| Finding {
            signature: Some(signature.into()),
            ..Finding::default()
        };
        assert_eq!(overall(&[of("a"), of("a")]), "a");
        assert_eq!(
            overall(&[of("a"), of("b")]),
            overall(&[of("b"), of("a"), of("b")])
        );
        assert_ne!(overall(&[of("a"), of("b")]), "a");
        assert_eq!(overall(&[]), "");
    }
}
