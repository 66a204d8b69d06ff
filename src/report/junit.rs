//! The report as JUnit XML: a test case per step, so that a CI system shows a run as it shows tests.
//!
//! Whoever reads it may look at nothing but failures and errors: there is one of them exactly when the
//! run is not `passed`.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::account::{Account, Command, Detail, Link, Step, Told, Triage, within};
use super::gate::Gate;
use super::json::time_v1;
use super::view::StepState;
use crate::outcome::StepOutcome;
use crate::secret::Redactor;

/// Errors of these classes say that something was tried and did not hold; the others, that it could not
/// be tried or found out.
const FAILURES: [&str; 9] = [
    "pipeline_failed",
    "pipeline_stopped",
    "promotion_failed",
    "assert",
    "check",
    "fail",
    "extract",
    "rejected",
    "step_failed",
];

/// The text of the report.
pub(super) fn junit(told: &Told<'_>, redactor: &Redactor) -> String {
    within(told.bytes_max, |detail| written(told, redactor, detail))
}

fn written(told: &Told<'_>, redactor: &Redactor, detail: &Detail) -> String {
    let account = Account::of(told, Gate::new(redactor), detail);
    let mut suite = TestSuite::new(account.name.as_str());
    let started = told.view.started_at.map(time_v1);
    suite.timestamp = started.and_then(|text| text.parse().ok());
    suite.set_time(Duration::from_millis(account.duration_ms));
    for (name, value) in properties(&account) {
        suite.add_property((name, value));
    }
    if !account.notes.is_empty() {
        let notes = account.notes.iter().map(|note| {
            let step = note.step.as_ref().map(|id| format!("`{id}`: "));
            format!(
                "{}: {}{}",
                note.kind,
                step.unwrap_or_default(),
                note.message
            )
        });
        suite.set_system_out(notes.collect::<Vec<_>>().join("\n"));
    }
    for step in &account.steps {
        if is_told(&account, step) {
            suite.add_test_case(case(&account, told, step));
        }
    }
    if account.state != "passed" && suite.failures + suite.errors == 0 {
        suite.add_test_case(whole_run(&account));
    }
    let mut report = Report::new(format!("runner: {}", account.name));
    report.timestamp = suite.timestamp;
    report.set_time(Duration::from_millis(account.duration_ms));
    report.add_test_suite(suite);
    // Writing to memory cannot fail; an empty text would be seen by every reader.
    report.to_string().unwrap_or_default()
}

fn properties(account: &Account) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = [
        ("run", &account.id),
        ("playbook", &account.playbook),
        ("digest", &account.digest),
        ("runner", &account.runner),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .collect();
    all.push(("outcome".to_owned(), account.state.to_owned()));
    all.push(("exit_code".to_owned(), account.exit_code.to_string()));
    for (kind, values) in [("input", &account.inputs), ("output", &account.outputs)] {
        let named = values.iter();
        all.extend(named.map(|v| (format!("{kind}.{}", v.name), v.value.clone())));
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// The parts of a step stand for it: to count both would count twice. When none of them says what went
/// wrong, the step does.
fn is_told(account: &Account, step: &Step) -> bool {
    let bad = |step: &Step| {
        matches!(
            step.stands,
            StepState::Ended(StepOutcome::Failed | StepOutcome::Unknown | StepOutcome::Canceled)
        )
    };
    !step.has_parts || (bad(step) && !account.parts_of(step).any(bad))
}

fn case(account: &Account, told: &Told<'_>, step: &Step) -> TestCase {
    let mut case = TestCase::new(step.id.as_str(), status(account, step));
    let class = match step.prefix.trim_end_matches('/') {
        "" => account.name.clone(),
        nested => format!("{}.{}", account.name, nested.replace('/', ".")),
    };
    case.set_classname(class);
    case.set_time(Duration::from_millis(step.duration_ms));
    let seen = told.view.steps.get_index(step.n.saturating_sub(1));
    let started = seen.and_then(|(_, step)| step.started_at).map(time_v1);
    case.timestamp = started.and_then(|text| text.parse().ok());
    let mut property = |name: &str, value: &str| {
        if !value.is_empty() {
            case.add_property((name, value));
        }
    };
    property("action", &step.action);
    property("outcome", step.state);
    property("spent", &step.spent);
    if step.retries > 0 {
        property("retries", &step.retries.to_string());
    }
    if let Some(triage) = &step.triage {
        property("triage", triage.kind);
        property("signature", &triage.signature);
    }
    property("undoes", step.undoes.as_deref().unwrap_or_default());
    property("undone_by", step.undone_by.as_deref().unwrap_or_default());
    let out = system_out(step);
    if !out.is_empty() {
        case.set_system_out(out);
    }
    case
}

fn status(account: &Account, step: &Step) -> TestCaseStatus {
    let why = step.why.clone().unwrap_or_default();
    let skipped = |words: String| {
        let mut status = TestCaseStatus::skipped();
        status.set_message(words);
        status
    };
    match step.stands {
        StepState::Ended(StepOutcome::Passed) => TestCaseStatus::success(),
        // What is allowed to fail must not turn a run red that has passed.
        StepState::Ended(StepOutcome::Failed) if step.allowed_to_fail => {
            skipped(format!("failed, as it is allowed to: {why}"))
        }
        StepState::Ended(StepOutcome::Failed | StepOutcome::Unknown | StepOutcome::Canceled) => {
            let class = step.error.as_ref().map_or(step.state, |error| error.kind);
            let failed = step.stands == StepState::Ended(StepOutcome::Failed);
            let kind = if failed && FAILURES.contains(&class) {
                NonSuccessKind::Failure
            } else {
                NonSuccessKind::Error
            };
            let mut status = TestCaseStatus::non_success(kind);
            status.set_type(class);
            status.set_message(if why.is_empty() {
                step.state.to_owned()
            } else {
                why
            });
            status.set_description(description(account, step));
            status
        }
        StepState::Ended(StepOutcome::Skipped | StepOutcome::Blocked) => {
            skipped(format!("{}: {why}", step.state))
        }
        StepState::Pending => skipped("it has not begun".to_owned()),
        StepState::Running => skipped("it has not ended".to_owned()),
    }
}

/// What a person needs: hint, pipeline, commands, links, what to type.
fn description(account: &Account, step: &Step) -> String {
    let mut lines: Vec<String> = step.why.iter().cloned().collect();
    if let Some(error) = &step.error {
        let status = error
            .status
            .map_or_else(String::new, |s| format!(", HTTP {s}"));
        lines.push(format!("kind: {}{status}", error.kind));
        lines.extend(error.hint.iter().map(|hint| format!("hint: {hint}")));
    }
    let cause = account.causes.iter().find(|cause| cause.n == step.n);
    if let Some(cause) = cause {
        lines.extend(cause.pipeline.iter().map(|p| format!("pipeline: {p}")));
        let lies_in = cause.lies_in.iter();
        lines.extend(lies_in.map(|place| format!("the cause lies in {place}")));
        lines.extend(cause.triage.iter().map(triage));
        if !cause.failed_jobs.is_empty() {
            lines.push(format!("failed jobs: {}", cause.failed_jobs.join(", ")));
        }
    }
    lines.extend(step.commands.iter().map(command));
    let candidates = step.candidates.iter();
    lines.extend(candidates.map(|c| format!("it may have made {}: {}", c.id, c.about)));
    lines.extend(step.links.iter().map(link));
    if let Some(cause) = cause {
        if !cause.stopped.is_empty() {
            lines.push(format!(
                "not run because of it: {}",
                cause.stopped.join(", ")
            ));
        }
        let next = cause.next.iter();
        lines.extend(next.map(|next| format!("{}: {}", next.purpose, next.command)));
    }
    lines.join("\n")
}

fn triage(triage: &Triage) -> String {
    let signature = match triage.signature.as_str() {
        "" => String::new(),
        signature => format!(" (signature {signature})"),
    };
    format!("triage: {}: {}{signature}", triage.kind, triage.why)
}

fn command(command: &Command) -> String {
    let code = command
        .exit_code
        .map_or_else(String::new, |code| format!(" ended with exit code {code}"));
    let place = match (command.job.as_str(), command.block.as_str()) {
        ("", _) => String::new(),
        (job, "") => format!("job `{job}`: "),
        (job, block) => format!("job `{job}` of block `{block}`: "),
    };
    let said = match (command.command.as_str(), command.note.as_deref()) {
        ("", Some(note)) => note.to_owned(),
        ("", None) => "no command is known".to_owned(),
        (what, Some(note)) => format!("`{what}`{code}; {note}"),
        (what, None) => format!("`{what}`{code}"),
    };
    let mut lines = vec![format!("{place}{said}")];
    lines.extend(command.lines.lines().map(|line| format!("  | {line}")));
    lines.join("\n")
}

fn link(link: &Link) -> String {
    format!("{}: {}", link.to, link.text)
}

fn system_out(step: &Step) -> String {
    let mut lines: Vec<String> = step.links.iter().map(link).collect();
    let files = step.files.iter();
    lines.extend(files.map(|file| format!("file: {} ({})", file.name, file.value)));
    lines.join("\n")
}

/// Stands for the run when no step says that it did not pass.
fn whole_run(account: &Account) -> TestCase {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type(account.state);
    let why = account.why.as_deref().unwrap_or_default();
    status.set_message(format!("the run {}: {why}", account.verdict));
    let next: Vec<String> = account
        .next
        .iter()
        .map(|next| format!("{}: {}", next.purpose, next.command))
        .collect();
    status.set_description(next.join("\n"));
    let mut case = TestCase::new("the whole run", status);
    case.set_classname(account.name.as_str());
    case
}
