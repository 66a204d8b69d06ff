//! `runner report`: what is known of a run, written to files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::apply::narrowed_as;
use super::args::{ReportOf, RunReportFormat};
use super::check::limits;
use super::execute::{bytes_max, effect_settings};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::output::write_report;
use super::playbooks::kept;
use super::runs::{exit_of, store};
use super::usage::api_use;
use crate::diagnostic::Source;
use crate::event::Recorded;
use crate::plan::{self, Limits, Plan};
use crate::report::{Format, RunView, Told, text_in};
use crate::store::{RunHeader, Store as _};
use crate::testing::{
    FileResult, Incident, PlaySettings, Sweeps, case_words, read, run, test_of_run,
};

/// Writes what is asked for.
pub(super) fn report(around: &Surroundings, args: &ReportOf) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    let events = store.load(&run)?;
    let mut view = RunView::of(&events);
    for observation in store.observations(&run)? {
        view.observe(&observation);
    }
    let told = Told {
        view: &view,
        exit_code: exit_of(&view).code(),
        api: &api_use(&view, &store.usage(&run)?),
        bytes_max: bytes_max(&settings),
    };
    let text = |format| text_in(format, &told, &around.redactor);
    for wanted in &args.reports {
        let text = match wanted.format {
            RunReportFormat::Json => text(Format::Json),
            RunReportFormat::Junit => text(Format::Junit),
            RunReportFormat::Markdown => text(Format::Markdown),
            RunReportFormat::Html => text(Format::Html),
            RunReportFormat::Test => test(around, &store.header(&run)?, &events, &wanted.path)?,
        };
        write_report(&wanted.path, &text)
            .map_err(|error| Failing::words(Exit::NotWritten, error.to_string()))?;
        around.say(&format!("wrote {}", wanted.path.display()));
    }
    Ok(Exit::Passed)
}

/// The text of a test that tells the run again; it is tried out at once.
fn test(
    around: &Surroundings,
    header: &RunHeader,
    events: &[Recorded],
    path: &Path,
) -> Result<String, Failing> {
    let settings = around.settings(None)?;
    let limits = limits(&settings);
    let plan = Arc::new(recorded_plan(header, &limits)?);
    let playbook = beside(&header.playbook, path)?;
    let text = test_of_run(&Incident {
        events,
        plan: &plan,
        playbook: &playbook,
        redactor: &around.redactor,
        exit_of: |outcome, failure| Exit::of_run(outcome, failure).code(),
    });
    let Some(text) = text else {
        return Err(Failing::words(
            Exit::Usage,
            format!("the run `{}` never began", header.id),
        ));
    };
    let play = PlaySettings {
        scratch: std::env::temp_dir().join(format!("runner-report-{}", std::process::id())),
        effects: effect_settings(&settings, PathBuf::new()),
        exit_of: |outcome, failure| Exit::of_run(outcome, failure).code(),
    };
    for words in differences((&text, path), (playbook, plan), &limits, &play)? {
        around.say(&words);
        around.say("hint: not all that happened can be seen; mend the file, or its `expect`");
    }
    // What it wrote is gone with its runs; the folder around them is empty.
    let _ = std::fs::remove_dir(&play.scratch);
    Ok(text)
}

/// What a run in the world of a test does otherwise than the run it was made of.
fn differences(
    (text, path): (&str, &Path),
    (playbook, plan): (String, Arc<Plan>),
    limits: &Limits,
    play: &PlaySettings,
) -> Result<Vec<String>, Failing> {
    let source = Source::new(path.display().to_string(), text);
    let (draft, wrong) = read(&source, limits);
    let Some(draft) = draft else {
        return Err(Failing::mistakes(Exit::Bug, wrong));
    };
    let (file, wrong) = draft.with(playbook, plan, limits);
    let Some(file) = file else {
        return Err(Failing::mistakes(Exit::Bug, wrong));
    };
    let results = run(&[file], None, &Sweeps::default(), play);
    let words = |file: &FileResult| -> Vec<String> {
        file.cases
            .iter()
            .filter_map(|case| case_words(file, case))
            .collect()
    };
    Ok(results.iter().flat_map(words).collect())
}

/// The plan of a run, from the text that was kept with it.
fn recorded_plan(header: &RunHeader, limits: &Limits) -> Result<Plan, Failing> {
    let (source, files) = kept(header)?;
    let (plan, wrong) = plan::check_with(&source, &files, limits);
    let plan = plan
        .filter(|_| !wrong.has_errors())
        .ok_or_else(|| Failing::mistakes(Exit::Invalid, wrong))?;
    narrowed_as(header, plan)
}

/// The path of a playbook from the folder of its test, which must be above it.
fn beside(playbook: &str, test: &Path) -> Result<String, Failing> {
    let whole = |path: &Path| {
        std::path::absolute(path).map_err(|error| Failing::words(Exit::Usage, error.to_string()))
    };
    let test = whole(test)?;
    let playbook = whole(Path::new(playbook))?;
    let folder = test.parent().unwrap_or(Path::new("/"));
    match playbook.strip_prefix(folder) {
        Ok(path) => Ok(path.display().to_string()),
        Err(_) => Err(Failing::words(
            Exit::Usage,
            "a test must stand beside its playbook, or above it",
        )
        .hint(format!(
            "the playbook is `{}`: write the test to its folder",
            playbook.display()
        ))),
    }
}
