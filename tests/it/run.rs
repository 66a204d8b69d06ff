//! Whole runs in virtual time against the simulator in process.

use std::time::Duration;

use runner::event::FailureKind;
use runner::outcome::{RunOutcome, StepOutcome};
use serde_json::json;

use crate::rig::Rig;

const RELEASE: &str = include_str!("../../playbooks/release.yml");

#[test]
fn a_release_that_passes_is_promoted() {
    let ran = Rig::new(RELEASE, "passing").run();
    use StepOutcome::{Blocked, Passed};
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(
        ran.outcomes(),
        [
            ("build", Passed),
            ("tests", Passed),
            ("logs", Blocked),
            ("deploy", Passed)
        ],
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.step("deploy").outputs["result"], json!("passed"));
    assert_eq!(
        ran.step("logs").why.as_deref(),
        Some("needs `tests: failed`, but it passed")
    );
    assert!(
        ran.virtual_time > Duration::from_secs(240),
        "{:?}",
        ran.virtual_time
    );
}

#[test]
fn a_release_that_fails_is_not_promoted_and_its_logs_are_fetched() {
    let ran = Rig::new(RELEASE, "failing").run();
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Failed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.step("deploy").outcome, StepOutcome::Blocked);
    let tests = ran.step("tests").error.clone().expect("an error");
    assert_eq!(tests.kind, FailureKind::PipelineFailed);
    assert_eq!(
        tests.message,
        "the pipeline `Build & Test` failed (test): `unit`"
    );
    let commands = &ran.step("logs").outputs["failed_commands"];
    assert_eq!(commands[0]["command"], json!("make test"));
    assert_eq!(commands[0]["exit_code"], json!(2));
    let files = std::fs::read_dir(ran.files.path().join("logs"))
        .expect("the folder")
        .count();
    assert_eq!(files, 1);
}
