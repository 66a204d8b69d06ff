//! `runner test`: runs test files in virtual time, and says what came of them.

use std::path::PathBuf;
use std::time::Instant;

use super::args::{Test, TestReport, TestReportFormat};
use super::execute::effect_settings;
use super::exit::Exit;
use super::failing::Failing;
use super::found;
use super::main::Surroundings;
use super::output::write_report;
use super::test_files::{ENDING, load};
use crate::diagnostic::Diagnostics;
use crate::report::json_pretty;
use crate::testing::{
    FileResult, PlaySettings, Sweeps, case_words, coverage_words, results_json, results_junit, run,
    summary_words,
};

/// Runs tests.
pub(super) fn test(around: &Surroundings, args: &Test) -> Result<Exit, Failing> {
    let began = Instant::now();
    let paths = found(&args.paths)?;
    let mut mistakes = Diagnostics::new();
    let mut files = Vec::new();
    for path in &paths {
        let loaded = load(around, path)?;
        mistakes.extend(loaded.wrong);
        mistakes.extend(loaded.wrong_playbook);
        files.extend(loaded.file);
    }
    if mistakes.has_errors() {
        return Err(Failing::mistakes(Exit::Invalid, mistakes));
    }
    let settings = around.settings(paths.first().map(PathBuf::as_path))?;
    let scratch = Scratch::new();
    let results = run(
        &files,
        args.filter.as_deref(),
        &Sweeps {
            faults: args.faults,
            seeds: args.seeds.unwrap_or(0),
            only: args.seed,
        },
        &PlaySettings {
            scratch: scratch.0.clone(),
            effects: effect_settings(&settings, PathBuf::new()),
            exit_of: |outcome, failure| Exit::of_run(outcome, failure).code(),
        },
    );
    drop(scratch);
    told(around, args, &results, began)
}

/// Says what came of it.
fn told(
    around: &Surroundings,
    args: &Test,
    results: &[FileResult],
    began: Instant,
) -> Result<Exit, Failing> {
    let cases: usize = results.iter().map(|file| file.cases.len()).sum();
    if cases == 0 {
        let words = Failing::words(Exit::Usage, "no case was run");
        return Err(match &args.filter {
            Some(filter) => words.hint(format!("no name of a case holds `{filter}`")),
            None => words,
        });
    }
    let mut sections: Vec<String> = Vec::new();
    for file in results {
        sections.extend(file.cases.iter().filter_map(|case| case_words(file, case)));
    }
    if args.coverage {
        sections.extend(results.iter().map(coverage_words));
    }
    sections.push(summary_words(results, began.elapsed()));
    around
        .output
        .data(&format!("{}\n", sections.join("\n\n")))?;
    let mut exit = if results.iter().all(FileResult::passed) {
        Exit::Passed
    } else {
        Exit::Red
    };
    for report in &args.reports {
        if let Err(error) = written(around, report, results) {
            around.output.talk(&format!("error: {error}"));
            exit = exit.or(Exit::NotWritten);
        }
    }
    Ok(exit)
}

fn written(
    around: &Surroundings,
    report: &TestReport,
    results: &[FileResult],
) -> Result<(), String> {
    let text = match report.format {
        TestReportFormat::Json => json_pretty(&around.redactor.value(&results_json(results))),
        TestReportFormat::Junit => match results_junit(results) {
            Some(text) => around.redactor.text(&text).to_string(),
            None => return Err("the results cannot be written as XML".to_owned()),
        },
    };
    write_report(&report.path, &text).map_err(|error| error.to_string())
}

/// The test files that are meant: files as they are, folders with all that is below them.
fn found(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failing> {
    let here = [PathBuf::from(".")];
    let paths = if paths.is_empty() { &here[..] } else { paths };
    let all = found::files(paths, &|name, _| name.ends_with(ENDING));
    if all.is_empty() {
        return Err(
            Failing::words(Exit::Usage, format!("there is no file `*{ENDING}` here")).hint(
                "write a `release.test.yml` beside a `release.yml`; `docs/testing.md` shows how",
            ),
        );
    }
    Ok(all)
}

/// A folder for what the runs write, gone when the tests are over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        let name = format!("runner-test-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // When no run wrote anything, there is nothing to remove.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
