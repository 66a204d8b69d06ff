//! `runner resume`: goes on with a run that has not ended, from the state folder alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::apply::{SIMULATED, inputs_file, planned, real};
use super::args::Resume;
use super::check::limits;
use super::connect::endpoint;
use super::execute::{Execution, conclude, lock};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::runs::store;
use crate::diagnostic::Source;
use crate::engine::{Budget, RunInfo};
use crate::event::{Event, Recorded, RunCreated};
use crate::plan::{BoundInputs, InputsFile, Limits};
use crate::store::{RunHeader, SecretOrigin, Store, StoredInput};

/// Goes on.
pub(super) fn resume(around: &Surroundings, args: &Resume) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    let header = store.header(&run)?;
    if header
        .settings
        .get(SIMULATED)
        .and_then(serde_json::Value::as_bool)
        == Some(true)
    {
        return Err(Failing::words(
            Exit::Usage,
            format!("the run `{run}` was a rehearsal, and its simulated Semaphore is gone"),
        )
        .hint("run it again with `runner apply ... --simulate`"));
    }
    let guard = lock(around, &store, &run)?;
    let past = store.load(&run)?;
    if past
        .iter()
        .any(|recorded| matches!(recorded.event, Event::RunEnded(_)))
    {
        return Err(
            Failing::words(Exit::Usage, format!("the run `{run}` has ended"))
                .hint(format!("`runner show {run}` tells how")),
        );
    }
    let limits = limits(&settings);
    let source = header
        .sources
        .first()
        .map(|source| Source::new(source.name.clone(), source.text.clone()));
    let Some(source) = source else {
        return Err(Failing::words(
            Exit::NotWritten,
            format!("the run `{run}` has lost its playbook"),
        ));
    };
    let plan = planned(around, &source, &limits)?;
    let inputs = inputs(around, &header, args, &limits)?;
    let endpoint = endpoint(around, &args.connection)?;
    let info = info(around, &header, &past, &settings);
    around.say(&format!("run {run}"));
    let execution = Execution {
        around,
        settings: &settings,
        results: &args.results,
        store: Arc::new(store),
        plan: Arc::new(plan),
        inputs,
        info,
        past,
        files_dir: PathBuf::from(&header.files_dir),
        park_after: args.park,
    };
    let worked = real(execution, endpoint)?;
    let exit = conclude(around, &args.results, worked);
    drop(guard);
    exit
}

/// What the run was made with: its salt and its times stand in its first event. A run that was parked
/// before that event was written down begins anew: nothing was sent.
fn info(
    around: &Surroundings,
    header: &RunHeader,
    past: &[Recorded],
    settings: &super::settings::Settings,
) -> RunInfo {
    let created: Option<&RunCreated> = past.iter().find_map(|recorded| match &recorded.event {
        Event::RunCreated(created) => Some(created),
        _ => None,
    });
    let number = |name: &str| {
        header
            .settings
            .get(name)
            .and_then(serde_json::Value::as_u64)
    };
    let time = |name: &str| {
        let text = header.settings.get(name)?.as_str()?;
        crate::duration::parse(text).ok()
    };
    let mark = header
        .settings
        .get("writes.mark")
        .and_then(serde_json::Value::as_str)
        != Some("false");
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
    }
}

/// The inputs as they were, the secret ones read again from where they came.
fn inputs(
    around: &Surroundings,
    header: &RunHeader,
    args: &Resume,
    limits: &Limits,
) -> Result<BoundInputs, Failing> {
    let mut files: BTreeMap<String, InputsFile> = BTreeMap::new();
    let mut bound = BoundInputs::default();
    for (name, stored) in &header.inputs {
        let value = match stored {
            StoredInput::Value(value) => value.clone(),
            StoredInput::Secret(origin) => {
                bound.secrets.push(name.clone());
                let again = args
                    .inputs
                    .file
                    .as_ref()
                    .map(|path| path.display().to_string());
                let found = match (&again, origin) {
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
                        "set it there again, or give a file that holds it with `--inputs FILE`",
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
    Ok(bound)
}
