//! `runner runs` and `runner show`: the runs of the state folder.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use super::args::{Prune, Runs, RunsCommand, Show};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::screen::Screen;
use super::settings::Settings;
use super::show;
use super::usage::api_use;
use crate::clock::{Clock, millis_between};
use crate::event::Recorded;
use crate::report::{RunState as Stands, RunView, report, report_text};
use crate::store::{ListFilter, RunState, RunSummary, SqliteStore, Store, Usage};

/// Opens the store of the state folder.
pub(super) fn store(around: &Surroundings, settings: &Settings) -> Result<SqliteStore, Failing> {
    let folder = match &settings.state.dir {
        Some(dir) => dir.clone(),
        None => around
            .environment
            .state_folder()
            .map_err(|mistake| Failing::mistake(Exit::Usage, *mistake))?,
    };
    Ok(SqliteStore::open(&folder)?.with_redactor(around.redactor.clone()))
}

/// Lists runs, newest first.
pub(super) fn runs(around: &Surroundings, args: &Runs) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    if let Some(RunsCommand::Prune(args)) = &args.command {
        return prune(around, &settings, &store, args);
    }
    let summaries = store.list(&ListFilter::default())?;
    if args.json {
        around
            .output
            .json(&around.redactor.value(&json!(summaries)))?;
        return Ok(Exit::Passed);
    }
    let now = Clock::real().now();
    let rows: Vec<show::RunRow> = summaries.iter().map(|summary| row(summary, now)).collect();
    let screen = Screen::new(around.width(), &around.redactor).colour(around.output.out_colour());
    around.output.data(&show::runs(&rows, now, &screen))?;
    Ok(Exit::Passed)
}

/// Removes what ended long ago, and says what.
fn prune(
    around: &Surroundings,
    settings: &Settings,
    store: &SqliteStore,
    args: &Prune,
) -> Result<Exit, Failing> {
    let before = kept_since(args.older_than.unwrap_or(settings.state.keep));
    let pruned = store.prune(before)?;
    for run in &pruned {
        around.output.data(&format!("{run}\n"))?;
    }
    let count = match pruned.len() {
        1 => "1 run was removed".to_owned(),
        n => format!("{n} runs were removed"),
    };
    around.say(&format!("{count}; runs that have not ended stay"));
    Ok(Exit::Passed)
}

/// The time before which what has ended is not kept.
fn kept_since(keep: Duration) -> Timestamp {
    let keep = jiff::SignedDuration::try_from(keep).unwrap_or(jiff::SignedDuration::MAX);
    let now = Clock::real().now();
    now.saturating_sub(keep).unwrap_or(Timestamp::MIN)
}

/// The same at the end of a run, without a word: who runs from cron never thinks of it. That nothing could
/// be removed is no failure of the run.
pub(super) fn tidy(around: &Surroundings, settings: &Settings, store: &dyn Store) {
    if let Err(error) = store.prune(kept_since(settings.state.keep)) {
        around.say(&format!(
            "warning: old runs were not removed: {}",
            error.message
        ));
    }
}

fn row(summary: &RunSummary, now: Timestamp) -> show::RunRow {
    let until = summary.ended_at.unwrap_or(now);
    let state = match (summary.state, summary.outcome) {
        (RunState::Ended, Some(outcome)) => outcome.to_string(),
        (state, _) => state.to_string(),
    };
    show::RunRow {
        id: summary.id.clone(),
        name: summary.name.clone(),
        state,
        started_at: Some(summary.started_at),
        active_ms: millis_between(summary.started_at, until),
        why: match &summary.owner {
            Some(owner) => Some(owner.to_string()),
            None => summary.parked.clone(),
        },
    }
}

/// Shows one run.
pub(super) fn show(around: &Surroundings, args: &Show) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    let events = store.load(&run)?;
    let mut view = RunView::of(&events);
    view.rehearsal = store.header(&run)?.is_simulated();
    for observation in store.observations(&run)? {
        view.observe(&observation);
    }
    if args.json {
        around.output.json_text(&report_text(
            &document(&events, &store.usage(&run)?),
            &around.redactor,
        ))?;
        return Ok(Exit::Passed);
    }
    let screen = Screen::new(around.width(), &around.redactor).colour(around.output.out_colour());
    if view.ended().is_none() {
        let owner = match store.owner(&run)? {
            Some(owner) => format!("{owner} works on it\n"),
            None => format!("nobody works on it; to go on: runner resume {run}\n"),
        };
        around.output.data(&owner)?;
    }
    around
        .output
        .data(&show::show(&view, Clock::real().now(), &screen))?;
    Ok(Exit::Passed)
}

/// The report of a run that was kept.
pub(super) fn document(events: &[Recorded], usage: &Usage) -> crate::report::v1::Report {
    let view = RunView::of(events);
    report(&view, exit_of(&view).code(), &api_use(&view, usage))
}

/// The code that the runner ended with; of a run that it never ended, the one for what can be resumed.
pub(super) fn exit_of(view: &RunView) -> Exit {
    match &view.state {
        Stands::Ended(ended) => Exit::of_run(ended.outcome, ended.failure),
        Stands::Parked { exit_code, .. } => Exit::from_code(*exit_code).unwrap_or(Exit::Parked),
        Stands::Running => Exit::Parked,
    }
}
