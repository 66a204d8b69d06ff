//! `runner test`: test files are read or refused with the right words, cases judge rightly, sweeps run,
//! incidents become tests, and the tutorial is true.

mod files;
mod incidents;
mod judging;
mod program;
mod tutorial;

use std::path::Path;
use std::sync::Arc;

use runner::cli::exit::Exit;
use runner::diagnostic::{Diagnostics, Source};
use runner::effects::EffectSettings;
use runner::plan::{self, Limits};
use runner::testing::{CaseResult, FileResult, PlaySettings, Sweeps, TestFile};

/// The playbook of most tests here.
const PLAYBOOK: &str = r#"
playbook: 1
inputs:
  project: { type: string, default: demo }
  hook: { type: string, secret: true, optional: true }
steps:
  build:
    run_workflow: { project: "{{ inputs.project }}", reference: refs/heads/main }
  deploy:
    promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, parameters: { COMMIT: abc } }
  logs:
    needs: { build: failed }
    fetch_logs: { pipeline: "{{ steps.build.pipeline_id }}", save_to: logs }
outputs:
  result: "{{ steps.build.result | default('none') }}"
"#;

/// Reads a test of a playbook.
fn load(playbook: &str, test: &str) -> Result<TestFile, Diagnostics> {
    let limits = Limits::default();
    let (plan, wrong) = plan::check(&Source::new("play.yml", playbook), &limits);
    let plan = plan.unwrap_or_else(|| panic!("{wrong:#?}"));
    let (draft, wrong) = runner::testing::read(&Source::new("play.test.yml", test), &limits);
    let Some(draft) = draft else {
        return Err(wrong);
    };
    let (file, wrong) = draft.with("play.yml".to_owned(), Arc::new(plan), &limits);
    file.ok_or(wrong)
}

fn settings(scratch: &Path) -> PlaySettings {
    PlaySettings {
        scratch: scratch.to_owned(),
        effects: EffectSettings::default(),
        exit_of: |outcome, failure| Exit::of_run(outcome, failure).code(),
    }
}

/// Runs a test of a playbook.
fn run(playbook: &str, test: &str, sweeps: &Sweeps) -> FileResult {
    let file = load(playbook, test).unwrap_or_else(|wrong| panic!("{:#?}", messages(&wrong)));
    let scratch = tempfile::tempdir().expect("a folder");
    let mut results = runner::testing::run(&[file], None, sweeps, &settings(scratch.path()));
    let left = std::fs::read_dir(scratch.path())
        .expect("it is there")
        .count();
    assert_eq!(left, 0, "runs leave nothing behind");
    results.remove(0)
}

/// Runs one case: what stands under its name.
fn case(case: &str) -> CaseResult {
    let indented: String = case.lines().map(|line| format!("    {line}\n")).collect();
    let test = format!("test: play.yml\ncases:\n  it:\n{indented}");
    run(PLAYBOOK, &test, &Sweeps::default()).cases.remove(0)
}

fn messages(wrong: &Diagnostics) -> Vec<String> {
    wrong
        .sorted()
        .iter()
        .map(|d| {
            format!(
                "{:?} {}",
                d.place.as_ref().map(ToString::to_string),
                d.message
            )
        })
        .collect()
}
