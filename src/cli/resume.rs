//! `runner resume`: goes on with a run from the state folder alone. One that has ended goes on in a new
//! round: when its unknown writes are settled, or when what failed is to be done again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::apply::{ORIGIN, inputs_file, narrowed_as, planned, real};
use super::args::{Connection, Inputs, Results, Resume};
use super::changing::{self, Changing};
use super::check::limits;
use super::connect::endpoint;
use super::execute::{Execution, Worked, conclude, lock};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::playbooks::kept;
use super::runs::store;
use super::settings::Settings;
use crate::engine::{Budget, Ev, RunInfo};
use crate::event::{Event, Fate, Recorded, RunCreated};
use crate::outcome::{RunOutcome, StepOutcome};
use crate::plan::{self, BoundInputs, InputsFile, Limits};
use crate::report::RunView;
use crate::semaphore::Origin;
use crate::store::{RunHeader, SecretOrigin, SqliteStore, Store as _, StoredInput};

/// What a run that is gone on with is given beside what the state folder knows.
pub(super) struct Again<'a> {
    pub(super) inputs: &'a Inputs,
    pub(super) results: &'a Results,
    pub(super) connection: &'a Connection,
    pub(super) park: Option<Duration>,
}

/// Goes on.
pub(super) fn resume(around: &Surroundings, args: &Resume) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    only_secrets(&args.inputs, &store.header(&run)?)?;
    let guard = lock(around, &store, &run)?;
    let past = store.load(&run)?;
    let mut opening = opening(around, &run, &RunView::of(&past), args.failed)?;
    if let Some(path) = &args.accept_changes {
        let header = store.header(&run)?;
        let changed = Changing {
            header: &header,
            past: &past,
            failed: args.failed,
        };
        // Before a round is opened: it is made of the new steps.
        let fact = changing::accepted(around, &settings, &changed, path.as_deref())?;
        opening.splice(0..0, fact);
    }
    let again = Again {
        inputs: &args.inputs,
        results: &args.results,
        connection: &args.connection,
        park: args.park,
    };
    let worked = go_on(around, (&settings, store, &run), &again, (past, opening))?;
    let still_unknown = worked.is_unsettled();
    let exit = conclude(around, &args.results, worked);
    drop(guard);
    if still_unknown {
        around.say("a step is still unknown: settle it first with `runner resolve`, then resume");
    }
    exit
}

/// The inputs of a run stand since it was made; what is given again are the secrets, which are not kept.
fn only_secrets(given: &Inputs, header: &RunHeader) -> Result<(), Failing> {
    let other = given
        .input
        .iter()
        .find(|typed| !matches!(header.inputs.get(&typed.name), Some(StoredInput::Secret(_))));
    match other {
        None => Ok(()),
        Some(typed) => {
            let name = crate::text::clean_line(&typed.name, 80);
            let words =
                format!("the input `{name}` of a run cannot be given again: only secret ones are");
            Err(Failing::words(Exit::Usage, words)
                .hint("other inputs make another run: `runner apply`"))
        }
    }
}

/// What a run is told first: one that has ended needs another round.
fn opening(
    around: &Surroundings,
    run: &str,
    view: &RunView,
    failed: bool,
) -> Result<Vec<Ev>, Failing> {
    let by = around.environment.user();
    let Some(ended) = view.ended() else {
        return if failed {
            let words = format!("the run `{run}` has not ended: there is no new round to open");
            Err(Failing::words(Exit::Usage, words)
                .hint(format!("`runner resume {run}` goes on with it")))
        } else {
            Ok(Vec::new())
        };
    };
    if ended.outcome == RunOutcome::Unknown {
        return Ok(vec![Ev::RoundRequested { failed, by }]);
    }
    let did_not_pass = view.steps.values().any(|step| {
        !matches!(
            step.outcome(),
            Some(StepOutcome::Passed | StepOutcome::Skipped)
        )
    });
    match (failed, did_not_pass) {
        (true, true) => Ok(vec![Ev::RoundRequested { failed, by }]),
        (true, false) => Err(Failing::words(
            Exit::Usage,
            format!("every step of the run `{run}` has passed: there is nothing to do again"),
        )),
        (false, _) => Err(Failing::words(
            Exit::Usage,
            format!("the run `{run}` has ended as {}", ended.outcome),
        )
        .hint(format!(
            "`runner show {run}` tells how; `runner resume {run} --failed` does again what did not pass"
        ))),
    }
}

/// Works on a run that the state folder knows, and whose lock is held.
pub(super) fn go_on(
    around: &Surroundings,
    (settings, store, run): (&Settings, SqliteStore, &str),
    again: &Again<'_>,
    (past, opening): (Vec<Recorded>, Vec<Ev>),
) -> Result<Worked, Failing> {
    let header = store.header(run)?;
    no_rehearsal(&header)?;
    let limits = limits(settings);
    let (source, files) = kept(&header)?;
    let plan = planned(around, (&source, &files), &limits)?;
    let plan = Arc::new(narrowed_as(&header, plan)?);
    let later = changing::later((around, &header), &past, &opening, &limits)?;
    let inputs = inputs(around, &header, again.inputs, &limits)?;
    for plan in later.iter().chain([&plan]) {
        for text in plan::secret_texts(plan, &inputs) {
            around.redactor.learn(&text);
        }
    }
    let endpoint = endpoint(around, again.connection)?;
    let is_writing = !store.open_intents(run)?.is_empty();
    same_semaphore((&header, &past), is_writing, &endpoint.origin)?;
    let info = info(around, &header, &past, settings);
    around.say(&format!("run {run}"));
    let execution = Execution {
        around,
        settings,
        results: again.results,
        store: Arc::new(store),
        plan,
        inputs,
        info,
        past,
        opening,
        later,
        files_dir: PathBuf::from(&header.files_dir),
        park_after: again.park,
    };
    real(execution, endpoint)
}

/// A run goes on where it began: what it started elsewhere would be started once more here. One that has
/// heard nothing yet, and has nothing under way, may have had the wrong address.
fn same_semaphore(
    (header, past): (&RunHeader, &[Recorded]),
    is_writing: bool,
    here: &Origin,
) -> Result<(), Failing> {
    let (known, here) = (header.settings.get(ORIGIN), here.url());
    let Some(known) = known.and_then(Value::as_str).filter(|url| *url != here) else {
        return Ok(());
    };
    let arrived = |recorded: &Recorded| match &recorded.event {
        Event::CallEnded { outcome, .. } => match &outcome.result {
            Ok(_) => true,
            Err(failure) => failure.fate == Fate::Unknown,
        },
        _ => false,
    };
    if !is_writing && !past.iter().any(arrived) {
        return Ok(());
    }
    let words = format!("the run `{}` is on {known}, and this is {here}", header.id);
    Err(Failing::words(Exit::Usage, words).hint(format!(
        "give it `--url {known}`; what is to run on another Semaphore is another run"
    )))
}

/// A rehearsal cannot be gone on with.
pub(super) fn no_rehearsal(header: &RunHeader) -> Result<(), Failing> {
    if !is_rehearsal(header) {
        return Ok(());
    }
    let words = format!(
        "the run `{}` was a rehearsal, and its simulated Semaphore is gone",
        header.id
    );
    Err(Failing::words(Exit::Usage, words).hint("run it again with `runner apply ... --simulate`"))
}

/// Whether the Semaphore of a run was a simulated one.
pub(super) fn is_rehearsal(header: &RunHeader) -> bool {
    header.is_simulated()
}

/// What the run was made with: its salt and its times stand in its first event. A run that was parked
/// before that event was written down begins anew: nothing was sent.
pub(super) fn info(
    around: &Surroundings,
    header: &RunHeader,
    past: &[Recorded],
    settings: &Settings,
) -> RunInfo {
    let created: Option<&RunCreated> = past.iter().find_map(|recorded| match &recorded.event {
        Event::RunCreated(created) => Some(created),
        _ => None,
    });
    let number = |name: &str| header.settings.get(name).and_then(Value::as_u64);
    let time = |name: &str| {
        let text = header.settings.get(name)?.as_str()?;
        crate::duration::parse(text).ok()
    };
    let mark = header.settings.get("writes.mark").and_then(Value::as_str) != Some("false");
    RunInfo {
        id: header.id.clone(),
        salt: created.map_or_else(
            || crate::ids::digest(&[&header.id, &header.created_at.to_string()]),
            |c| c.salt.clone(),
        ),
        path: header.playbook.clone(),
        runner: created.map_or_else(
            || env!("CARGO_PKG_VERSION").to_owned(),
            |c| c.runner.clone(),
        ),
        url: created.map_or_else(|| around.environment.job_url(), |c| c.url.clone()),
        started_at: header.created_at,
        timeout: number("timeout_ms").map(Duration::from_millis),
        // Decisions are made again as they were made: with the budget that the run began with.
        budget: Budget {
            retry: time("retry.budget").unwrap_or(settings.retry.budget),
            first_contact: time("retry.first_contact").unwrap_or(settings.retry.first_contact),
        },
        mark,
        // A run of a version that did not know it goes on as it began.
        triage: (header.settings.get("triage.jobs").and_then(Value::as_str))
            .and_then(|jobs| jobs.parse().ok())
            .unwrap_or(0),
    }
}

/// The inputs as they were, the secret ones read again from where they came.
fn inputs(
    around: &Surroundings,
    header: &RunHeader,
    given: &Inputs,
    limits: &Limits,
) -> Result<BoundInputs, Failing> {
    let mut files: BTreeMap<String, InputsFile> = BTreeMap::new();
    let mut bound = BoundInputs::default();
    for (name, stored) in &header.inputs {
        let value = match stored {
            StoredInput::Value(value) => value.clone(),
            StoredInput::Secret(origin) => {
                bound.secrets.push(name.clone());
                let again = given.file.as_ref().map(|path| path.display().to_string());
                let typed = given.input.iter().rev().find(|typed| typed.name == *name);
                let found = match (&again, origin) {
                    _ if typed.is_some() => typed.map(|typed| typed.value.clone().into()),
                    (Some(path), _) | (None, SecretOrigin::File(path)) => {
                        if !files.contains_key(path) {
                            files.insert(path.clone(), inputs_file(Path::new(path), limits)?);
                        }
                        files
                            .get(path)
                            .and_then(|file| file.get(name))
                            .map(|found| found.value.clone())
                    }
                    (None, SecretOrigin::Env(variable)) => {
                        around.environment.get(variable).map(Into::into)
                    }
                    (None, SecretOrigin::CommandLine) => None,
                };
                let Some(found) = found else {
                    return Err(Failing::words(
                        Exit::Invalid,
                        format!("the secret input `{name}` is missing: it came from {origin}"),
                    )
                    .hint(
                        "set it there again, or give it with `-i` or in a file with `--inputs FILE`",
                    ));
                };
                if let Some(text) = found.as_str() {
                    around.redactor.learn(text);
                }
                found
            }
        };
        bound.values.insert(name.clone(), value);
    }
    for (name, stored) in &header.env {
        bound
            .env
            .insert(name.clone(), variable(around, name, stored)?);
    }
    Ok(bound)
}

/// A variable of the environment that a used playbook reads, as it was; a secret is read again.
fn variable(around: &Surroundings, name: &str, stored: &StoredInput) -> Result<String, Failing> {
    let found = match stored {
        StoredInput::Value(value) => value.as_str().map(str::to_owned),
        StoredInput::Secret(_) => around.environment.get(name).map(str::to_owned),
    };
    found.ok_or_else(|| {
        Failing::words(
            Exit::Invalid,
            format!("the environment variable `{name}` is missing: a used playbook reads a secret from it"),
        )
        .hint("set it again")
    })
}
