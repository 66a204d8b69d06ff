//! The one table of settings: name, type, default, what it is for, and where it goes.

use std::path::PathBuf;
use std::time::Duration;

use super::Settings;
use crate::address::Address;

/// A setting.
pub(super) struct Setting {
    pub(super) name: &'static str,
    /// As people write it; empty for none.
    pub(super) default: &'static str,
    pub(super) doc: &'static str,
    pub(super) slot: Slot,
}

/// The type of a setting, its bounds, and the field it goes to.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    /// At least so many milliseconds.
    Duration(u64, fn(&mut Settings) -> &mut Duration),
    /// From so many bytes to so many.
    Size(u64, u64, fn(&mut Settings) -> &mut u64),
    /// From so many to so many.
    Count(u64, u64, fn(&mut Settings) -> &mut u64),
    Boolean(fn(&mut Settings) -> &mut bool),
    Path(fn(&mut Settings) -> &mut Option<PathBuf>),
    /// An address that is a secret: it is never shown.
    Address(fn(&mut Settings) -> &mut Option<Address>),
}

impl Slot {
    fn word(self) -> &'static str {
        match self {
            Self::Duration(..) => "duration",
            Self::Size(..) => "size",
            Self::Count(..) => "integer",
            Self::Boolean(_) => "boolean",
            Self::Path(_) => "path",
            Self::Address(_) => "address",
        }
    }
}

const fn setting(
    name: &'static str,
    default: &'static str,
    slot: Slot,
    doc: &'static str,
) -> Setting {
    Setting {
        name,
        default,
        doc,
        slot,
    }
}

const SECOND: u64 = 1_000;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// All settings, section by section.
pub(super) const SETTINGS: [Setting; 30] = [
    setting(
        "state.dir",
        "",
        Slot::Path(|s| &mut s.state.dir),
        "the folder in which runs are kept; default `$XDG_STATE_HOME/runner`, else `~/.local/state/runner`",
    ),
    setting(
        "state.keep",
        "90d",
        Slot::Duration(0, |s| &mut s.state.keep),
        "for how long runs that have ended are kept; `runner apply` removes older ones when it is done",
    ),
    setting(
        "http.connect_timeout",
        "10s",
        Slot::Duration(1, |s| &mut s.http.connect_timeout),
        "the longest time to connect",
    ),
    setting(
        "http.idle_timeout",
        "30s",
        Slot::Duration(1, |s| &mut s.http.idle_timeout),
        "the longest silence within an answer",
    ),
    setting(
        "http.total_timeout",
        "60s",
        Slot::Duration(1, |s| &mut s.http.total_timeout),
        "the longest time for a request, its answer included",
    ),
    setting(
        "http.ca_file",
        "",
        Slot::Path(|s| &mut s.http.ca_file),
        "certificates (PEM) to trust beside those of the system, for installations with a CA of their own",
    ),
    setting(
        "retry.budget",
        "15m",
        Slot::Duration(0, |s| &mut s.retry.budget),
        "for how long Semaphore may be out of reach before the run is given up",
    ),
    setting(
        "retry.first_contact",
        "30s",
        Slot::Duration(0, |s| &mut s.retry.first_contact),
        "the same before the first answer ever, so that a typo in the address shows soon",
    ),
    setting(
        "writes.settle",
        "60s",
        Slot::Duration(0, |s| &mut s.writes.settle),
        "for how long what a lost answer may have started is looked for",
    ),
    setting(
        "writes.mark",
        "true",
        Slot::Boolean(|s| &mut s.writes.mark),
        "whether workflows that are started carry the parameter `RUNNER_KEY`, by which they are found again",
    ),
    setting(
        "poll.min",
        "2s",
        Slot::Duration(SECOND, |s| &mut s.poll.min),
        "the shortest time between two looks at the same thing",
    ),
    setting(
        "poll.max",
        "30s",
        Slot::Duration(SECOND, |s| &mut s.poll.max),
        "the longest time between two looks at the same thing",
    ),
    setting(
        "poll.requests_per_second",
        "10",
        Slot::Count(1, 100, |s| &mut s.poll.requests_per_second),
        "the most requests of the whole process to Semaphore in a second",
    ),
    setting(
        "logs.max_size",
        "64MiB",
        Slot::Size(KIB, 64 * GIB, |s| &mut s.logs.max_size),
        "a longer log of a job is cut, with a note",
    ),
    setting(
        "triage.jobs",
        "3",
        Slot::Count(0, 20, |s| &mut s.triage.jobs),
        "of how many failed jobs of a red pipeline the logs are read, to find out why; 0 for none",
    ),
    setting(
        "triage.window",
        "14d",
        Slot::Duration(60 * SECOND, |s| &mut s.triage.window),
        "how far back the same failure counts as seen before",
    ),
    setting(
        "heartbeat.url",
        "",
        Slot::Address(|s| &mut s.heartbeat.url),
        "the address of a cron monitor that is told how `runner apply` and `runner resume` end; a secret",
    ),
    setting(
        "heartbeat.start",
        "true",
        Slot::Boolean(|s| &mut s.heartbeat.start),
        "whether the monitor is told the beginning too, at `/start`",
    ),
    setting(
        "limits.playbook_bytes",
        "1MiB",
        Slot::Size(KIB, 64 * MIB, |s| &mut s.limits.playbook_bytes),
        "the longest playbook",
    ),
    setting(
        "limits.playbook_depth",
        "64",
        Slot::Count(8, 128, |s| &mut s.limits.playbook_depth),
        "the deepest nesting of a playbook",
    ),
    setting(
        "limits.playbook_nodes",
        "50000",
        Slot::Count(100, 10_000_000, |s| &mut s.limits.playbook_nodes),
        "the most values of a playbook, aliases filled in",
    ),
    setting(
        "limits.aliases",
        "100",
        Slot::Count(0, 100_000, |s| &mut s.limits.aliases),
        "the most uses of anchors in a playbook",
    ),
    setting(
        "limits.steps",
        "1000",
        Slot::Count(1, 100_000, |s| &mut s.limits.steps),
        "the most steps of a playbook",
    ),
    setting(
        "limits.edges",
        "10000",
        Slot::Count(1, 1_000_000, |s| &mut s.limits.edges),
        "the most edges between the steps of a playbook",
    ),
    setting(
        "limits.includes",
        "32",
        Slot::Count(0, 1_000, |s| &mut s.limits.includes),
        "the most other playbooks that a playbook uses",
    ),
    setting(
        "limits.include_depth",
        "8",
        Slot::Count(0, 64, |s| &mut s.limits.include_depth),
        "how deep playbooks use each other",
    ),
    setting(
        "limits.json_bytes",
        "8MiB",
        Slot::Size(64 * KIB, GIB, |s| &mut s.limits.json_bytes),
        "the longest JSON answer that is read",
    ),
    setting(
        "limits.header_bytes",
        "64KiB",
        Slot::Size(KIB, MIB, |s| &mut s.limits.header_bytes),
        "the longest headers of an answer that are read",
    ),
    setting(
        "limits.pages",
        "500",
        Slot::Count(1, 100_000, |s| &mut s.limits.pages),
        "the most pages of a list that are read",
    ),
    setting(
        "limits.report_bytes",
        "16MiB",
        Slot::Size(64 * KIB, GIB, |s| &mut s.limits.report_bytes),
        "a longer report is shortened, with a note",
    ),
];

/// The environment variable of a setting.
pub(super) fn env_name(name: &str) -> String {
    format!("RUNNER_{}", name.replace('.', "_").to_uppercase())
}

/// The table as `docs/settings.md` holds it.
pub fn settings_markdown() -> String {
    let mut out = String::from(
        "| setting | environment variable | type | default | what it is |\n|---|---|---|---|---|\n",
    );
    for setting in &SETTINGS {
        let default = match setting.default {
            "" => String::new(),
            text => format!("`{text}`"),
        };
        let cells = [
            format!("`{}`", setting.name),
            format!("`{}`", env_name(setting.name)),
            setting.slot.word().to_owned(),
            default,
            setting.doc.to_owned(),
        ];
        out.push_str(&["| ", &cells.join(" | "), " |\n"].concat());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_holds_the_table() {
        let document = include_str!("../../../docs/settings.md");
        assert!(
            document.contains(&settings_markdown()),
            "{}",
            settings_markdown()
        );
    }
}
