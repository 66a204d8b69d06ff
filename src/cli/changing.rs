//! `resume --accept-changes`: a run goes on with its playbook as it is on disk, when nothing changed that has
//! its result already.

use std::path::Path;
use std::sync::Arc;

use super::apply::{narrowed_as, planned};
use super::check::{limits, source};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::playbooks::{files, kept, of_files, texts};
use super::resume::info;
use super::settings::Settings;
use crate::diagnostic::Source;
use crate::drivers::replayed;
use crate::engine::{Ev, Machine};
use crate::event::{Event, Recorded};
use crate::plan::{self, BoundInputs, Limits, Plan};
use crate::playbook::{BuiltIn, Files};
use crate::store::{RunHeader, StoredInput};

/// The run that changes.
pub(super) struct Changing<'a> {
    pub(super) header: &'a RunHeader,
    pub(super) past: &'a [Recorded],
    pub(super) failed: bool,
}

/// The fact that the run goes on with the playbook on disk; none when nothing changed.
pub(super) fn accepted(
    around: &Surroundings,
    settings: &Settings,
    run: &Changing<'_>,
    path: Option<&Path>,
) -> Result<Option<Ev>, Failing> {
    let limits = limits(settings);
    let path = path.unwrap_or_else(|| Path::new(&run.header.playbook));
    let source = source(path, &limits)?;
    let files = files(around, (&source, path), &limits);
    let new = narrowed_as(run.header, planned(around, (&source, &files), &limits)?)?;
    let machine = as_it_stands(around, settings, run, &limits)?;
    if machine.plan_digest() == new.digest {
        around.say("the playbook means what it meant: nothing changes");
        return Ok(None);
    }
    let mut refused = machine.refuse(&new, run.failed);
    // The environment is that of the beginning, or decisions would not be made again as they were.
    let unread = plan::variables(&new).into_iter().filter(|name| {
        !run.header.env.contains_key(name) && around.environment.get(name).is_some()
    });
    refused.extend(unread.map(|name| {
        format!("it reads the environment variable `{name}`, which nothing read when the run began")
    }));
    if !refused.is_empty() {
        let words = format!(
            "the run `{}` cannot go on with the changed `{}`: {}",
            run.header.id,
            path.display(),
            refused.join("; ")
        );
        return Err(Failing::words(Exit::Usage, words).hint(
            "only what has no result yet can change; without `--accept-changes` the run goes on with the playbook it has",
        ));
    }
    let files = if new.sources.len() > 1 {
        texts(&new)
    } else {
        Vec::new()
    };
    Ok(Some(Ev::PlanChanged {
        digest: new.digest,
        name: source.name.clone(),
        text: source.text.clone(),
        files,
        by: around.environment.user(),
    }))
}

/// The machine of a run as its record leaves it. The values of secrets decide nothing that is recorded as it
/// is, so they may be missing here.
fn as_it_stands(
    around: &Surroundings,
    settings: &Settings,
    run: &Changing<'_>,
    limits: &Limits,
) -> Result<Machine, Failing> {
    let header = run.header;
    let (source, files) = kept(header)?;
    let plan = planned(around, (&source, &files), limits)?;
    let plan = Arc::new(narrowed_as(header, plan)?);
    let mut inputs = BoundInputs::default();
    for (name, stored) in &header.inputs {
        let value = match stored {
            StoredInput::Value(value) => value.clone(),
            StoredInput::Secret(_) => {
                inputs.secrets.push(name.clone());
                crate::secret::MASK.into()
            }
        };
        inputs.values.insert(name.clone(), value);
    }
    for (name, stored) in &header.env {
        let value = match stored {
            StoredInput::Value(value) => value.as_str().unwrap_or_default(),
            StoredInput::Secret(_) => crate::secret::MASK,
        };
        inputs.env.insert(name.clone(), value.to_owned());
    }
    let info = info(around, header, run.past, settings);
    let mut machine = Machine::new(info, plan, inputs, &around.redactor)
        .map_err(|error| Failing::words(Exit::Invalid, error.to_string()))?;
    for plan in later((around, header), run.past, &[], limits)? {
        machine.learn(plan);
    }
    replayed(&mut machine, run.past)?;
    Ok(machine)
}

/// The plans that a run went on with later, and the one that it is to go on with now.
pub(super) fn later(
    (around, header): (&Surroundings, &RunHeader),
    past: &[Recorded],
    opening: &[Ev],
    limits: &Limits,
) -> Result<Vec<Arc<Plan>>, Failing> {
    let recorded = past.iter().filter_map(|recorded| match &recorded.event {
        Event::PlanChanged {
            name, text, files, ..
        } => Some((name, text, files)),
        _ => None,
    });
    let opened = opening.iter().filter_map(|fact| match fact {
        Ev::PlanChanged {
            name, text, files, ..
        } => Some((name, text, files)),
        _ => None,
    });
    recorded
        .chain(opened)
        .map(|(name, text, files)| {
            let (source, kept) = of_files(files);
            let source = source.unwrap_or_else(|| Source::new(name.clone(), text.clone()));
            let files: &dyn Files = if files.is_empty() { &BuiltIn } else { &kept };
            let plan = planned(around, (&source, files), limits)?;
            narrowed_as(header, plan).map(Arc::new)
        })
        .collect()
}
