//! The figures of a run for a monitoring system, in the text format of Prometheus.
//!
//! Duty: text from what is known of a run, for a file that the textfile collector of node_exporter (or any
//! other reader of the format) takes in. Pure: whoever writes it gives the time, and what the file said
//! before. Invariants: every series has `HELP` and `TYPE`, the same series are there after every run, and
//! the time of the last success outlives failures. Names and values only, never a text of the API.

use jiff::Timestamp;

use super::json::ApiUse;
use super::view::{RunState, RunView};
use crate::text::clean_line;

/// The longest value of a label.
const LABEL_CHARACTERS_MAX: usize = 200;
const LAST_SUCCESS: &str = "runner_last_success_time_seconds";

/// How a run can end, or not; `refused` when it never began.
const RUN_OUTCOMES: [&str; 8] = [
    "passed", "failed", "canceled", "unknown", "deadline", "parked", "running", "refused",
];
/// How a step can end, or where it stands.
const STEP_OUTCOMES: [&str; 8] = [
    "passed", "failed", "skipped", "blocked", "canceled", "unknown", "pending", "running",
];

/// What the figures are made of.
#[derive(Debug, Clone, Copy)]
pub struct Figures<'a> {
    /// What tells these figures from those of other jobs: the name of the file, without its folder and end.
    pub name: &'a str,
    /// The path of the playbook, as it was given.
    pub playbook: &'a str,
    /// What is known of the run; none when it never began.
    pub run: Option<(&'a RunView, &'a ApiUse)>,
    /// The code that the process ends with.
    pub exit_code: u8,
    /// When the process began, and when it ends.
    pub process: (Timestamp, Timestamp),
    /// What the file said before.
    pub before: &'a str,
}

/// The text.
pub fn metrics(figures: &Figures<'_>) -> String {
    let nothing = (RunView::new(), ApiUse::default());
    let (view, api) = figures.run.unwrap_or((&nothing.0, &nothing.1));
    let outcome = figures.run.map_or("refused", |(view, _)| view.word());
    let mut page = Page::new(figures.name);
    page.family("runner_run_info", "What was run, and by which version.");
    page.line(
        &[
            ("playbook", figures.playbook),
            ("version", env!("CARGO_PKG_VERSION")),
        ],
        "1",
    );
    page.family(
        "runner_run_outcome",
        "How the last run ended: 1 for its outcome, 0 for the others.",
    );
    for word in RUN_OUTCOMES {
        page.line(
            &[("outcome", word)],
            if word == outcome { "1" } else { "0" },
        );
    }
    for (name, help, value) in plain(figures, view, api) {
        page.family(name, help);
        page.line(&[], &value);
    }
    page.family("runner_run_steps", "Its steps by how they ended.");
    for word in STEP_OUTCOMES {
        let count = view.steps.values().filter(|step| step.word() == word);
        page.line(&[("outcome", word)], &count.count().to_string());
    }
    let success = match figures.exit_code {
        0 => Some(seconds(figures.process.1)),
        _ => last_success(figures.before),
    };
    if let Some(success) = success {
        page.family(
            LAST_SUCCESS,
            "When a run last ended with exit code 0, in seconds since 1970; kept across failures.",
        );
        page.line(&[], &success);
    }
    page.text
}

/// What has no label of its own: name, help, value.
fn plain(
    figures: &Figures<'_>,
    view: &RunView,
    api: &ApiUse,
) -> [(&'static str, &'static str, String); 6] {
    let (began, ends) = figures.process;
    [
        (
            "runner_run_exit_code",
            "The exit code of the last run.",
            figures.exit_code.to_string(),
        ),
        (
            "runner_run_start_time_seconds",
            "When the last run was made, in seconds since 1970.",
            seconds(view.started_at.unwrap_or(began)),
        ),
        (
            "runner_run_end_time_seconds",
            "When the runner stopped working on it, in seconds since 1970.",
            seconds(ends),
        ),
        (
            "runner_run_duration_seconds",
            "For how long it was worked on; time in which it was parked does not count.",
            millis(active(view, ends)),
        ),
        (
            "runner_run_requests",
            "Requests that it took.",
            api.requests.max(view.requests).to_string(),
        ),
        (
            "runner_run_retries",
            "Requests that repeated one that went wrong.",
            api.retries.max(view.retries).to_string(),
        ),
    ]
}

fn active(view: &RunView, now: Timestamp) -> u64 {
    match view.state {
        // A run whose session broke off was worked on up to its last event.
        RunState::Running => view.last.map_or(0, |last| last.active_ms),
        RunState::Parked { .. } | RunState::Ended(_) => view.active_ms(now),
    }
}

/// The time of the last success that an earlier text holds.
fn last_success(before: &str) -> Option<String> {
    let line = before.lines().find(|line| {
        line.strip_prefix(LAST_SUCCESS)
            .is_some_and(|rest| rest.starts_with(['{', ' ']))
    })?;
    let value = line.rsplit(' ').next()?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, part) = value.split_once('.').unwrap_or((value, "0"));
    // Whatever else stands there was not written by us.
    (digits(whole) && digits(part) && value.len() <= 20).then(|| value.to_owned())
}

fn seconds(at: Timestamp) -> String {
    millis(u64::try_from(at.as_millisecond()).unwrap_or(0))
}

/// Thousandths as a decimal fraction, without the detour over floating point.
fn millis(count: u64) -> String {
    format!("{}.{:03}", count / 1_000, count % 1_000)
}

/// A page of series, all of them gauges with the same first label.
struct Page {
    text: String,
    name: String,
    family: &'static str,
}

impl Page {
    fn new(name: &str) -> Self {
        Self {
            text: String::new(),
            name: escaped(name),
            family: "",
        }
    }

    fn family(&mut self, family: &'static str, help: &str) {
        self.family = family;
        let head = [
            "# HELP ",
            family,
            " ",
            help,
            "\n# TYPE ",
            family,
            " gauge\n",
        ];
        self.text.push_str(&head.concat());
    }

    fn line(&mut self, labels: &[(&str, &str)], value: &str) {
        let mut all = format!("name=\"{}\"", self.name);
        for (label, text) in labels {
            all.push_str(&[",", label, "=\"", &escaped(text), "\""].concat());
        }
        let line = [
            self.family,
            "{",
            &all,
            "} ",
            value,
            "
",
        ];
        self.text.push_str(&line.concat());
    }
}

fn escaped(text: &str) -> String {
    clean_line(text, LABEL_CHARACTERS_MAX)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(before: &str, exit_code: u8, name: &str) -> String {
        let at = |text: &str| text.parse().unwrap();
        metrics(&Figures {
            name,
            playbook: "dir\\a \"b\"\n.yml",
            run: None,
            exit_code,
            process: (at("2026-11-28T10:00:00Z"), at("2026-11-28T10:00:01.5Z")),
            before,
        })
    }

    #[test]
    fn the_last_success_outlives_failures() {
        let first = refused("", 3, "nightly");
        assert!(!first.contains(LAST_SUCCESS), "{first}");
        let passed = refused(&first, 0, "nightly");
        let line = "runner_last_success_time_seconds{name=\"nightly\"} 1795860001.500\n";
        assert!(passed.contains(line), "{passed}");
        let failed = refused(&passed, 1, "nightly");
        assert!(failed.contains(line), "{failed}");
        assert!(refused(&failed, 7, "nightly").contains(line));
        for foreign in [
            "x",
            "1 2",
            "NaN",
            "-1",
            "1e9",
            "",
            "99999999999999999999999",
        ] {
            let before = format!("{LAST_SUCCESS}{{name=\"n\"}} {foreign}\n");
            let after = refused(&before, 1, "n");
            let kept = after.contains(&format!(" {foreign}\n")) && foreign != "1 2";
            assert!(!kept || foreign.is_empty(), "{foreign}: {after}");
        }
    }

    #[test]
    fn labels_hold_whatever_a_path_holds() {
        let text = refused("", 3, "a\"b\\c\nd");
        assert!(
            text.contains(r#"{name="a\"b\\c d",playbook="dir\\a \"b\" .yml","#),
            "{text}"
        );
        assert!(
            text.contains("runner_run_outcome{name=\"a\\\"b\\\\c d\",outcome=\"refused\"} 1\n")
        );
    }
}
