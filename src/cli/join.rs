//! A second `apply` with the id of a run that is there: the same plan joins it, goes on with it, or hears
//! how it ended; another plan is refused.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::args::Apply;
use super::execute::{Watch, Worked, conclude, estimates, lock, observers};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::observers::Collected;
use super::resume::{Again, go_on, is_rehearsal, no_rehearsal};
use super::runs::store;
use super::settings::Settings;
use super::signals;
use crate::clock::{Clock, Moment};
use crate::drivers::{Finish, StopRequest, run_local};
use crate::event::{Event, Recorded};
use crate::plan::{BoundInputs, Plan};
use crate::report::RunState;
use crate::store::{RunHeader, SqliteStore, Store as _, StoreErrorKind, StoredInput};

/// How often a run that somebody else works on is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was asked for.
pub(super) struct Wanted<'a> {
    pub(super) id: &'a str,
    pub(super) plan: &'a Plan,
    pub(super) inputs: &'a BoundInputs,
    pub(super) simulated: bool,
}

/// Joins the run of this id; none when there is no such run yet.
pub(super) fn join(
    around: &Surroundings,
    args: &Apply,
    settings: &Settings,
    wanted: &Wanted<'_>,
) -> Result<Option<Exit>, Failing> {
    let store = store(around, settings)?;
    let header = match store.header(wanted.id) {
        Ok(header) => header,
        Err(error) if error.kind == StoreErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let differences = differences(&header, &store.load(wanted.id)?, wanted);
    if !differences.is_empty() {
        let words = format!(
            "there is a run `{}` already, and it is another one: {}",
            wanted.id,
            differences.join("; ")
        );
        return Err(Failing::words(Exit::Usage, words)
            .hint("give this one another `--run-id`, or none to get a new one"));
    }
    loop {
        match lock(around, &store, wanted.id) {
            Ok(guard) => {
                let exit = take_over(around, args, (settings, wanted.id), &header)?;
                drop(guard);
                return Ok(Some(exit));
            }
            Err(failing) if failing.exit() == Exit::Locked => {
                let owner = store.owner(wanted.id)?;
                if let Some(owner) = owner {
                    around.say(&format!(
                        "the run `{}` is joined: {owner} works on it",
                        wanted.id
                    ));
                }
                let seen = run_local(follow(around, args, &store, wanted.id))??;
                if let Some(worked) = seen {
                    return conclude(around, &args.results, worked).map(Some);
                }
                // Its owner is gone without a word: somebody has to go on.
            }
            Err(failing) => return Err(failing),
        }
    }
}

/// A run that nobody works on: it is gone on with, or its end is told again.
fn take_over(
    around: &Surroundings,
    args: &Apply,
    (settings, id): (&Settings, &str),
    header: &RunHeader,
) -> Result<Exit, Failing> {
    let store = store(around, settings)?;
    let past = store.load(id)?;
    let again = Again {
        inputs: &args.inputs,
        results: &args.results,
        connection: &args.connection,
        park: args.park,
    };
    let ended = past
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::RunEnded(ended) => Some(ended.clone()),
            _ => None,
        });
    let collected = Collected::default();
    let broken = Arc::new(Mutex::new(None));
    match ended {
        Some(ended) if is_ended(&past) => {
            around.say(&format!("the run `{id}` has ended; nothing is done again"));
            let mut all = observers(around, &args.results, Watch::new(&collected, &broken));
            for recorded in &past {
                all.iter_mut().for_each(|observer| observer.event(recorded));
            }
            drop(all);
            let broken = broken.lock().unwrap_or_else(PoisonError::into_inner).take();
            let worked = Worked::seen(Finish::Ended(ended), collected.view(), broken);
            conclude(around, &args.results, worked)
        }
        Some(_) | None => {
            no_rehearsal(header)?;
            let worked = go_on(around, (settings, store, id), &again, (past, Vec::new()))?;
            conclude(around, &args.results, worked)
        }
    }
}

fn is_ended(past: &[Recorded]) -> bool {
    crate::report::RunView::of(past).ended().is_some()
}

/// Looks on until the run ends, is parked, or has lost its owner (none then).
async fn follow(
    around: &Surroundings,
    args: &Apply,
    store: &SqliteStore,
    id: &str,
) -> Result<Option<Worked>, Failing> {
    let clock = Clock::real();
    let collected = Collected::default();
    let broken = Arc::new(Mutex::new(None));
    let mut watch = Watch::new(&collected, &broken);
    watch.estimates = estimates(store, id);
    let mut all = observers(around, &args.results, watch);
    let (send, mut stop) = tokio::sync::mpsc::unbounded_channel();
    signals::listen(&send, false);
    loop {
        // Asked before the events: what an owner wrote before it went is seen then.
        let owner = store.owner(id)?;
        for recorded in store.load(id)?.iter().skip(seen(&collected)) {
            all.iter_mut().for_each(|observer| observer.event(recorded));
        }
        for observation in store.observations(id)? {
            all.iter_mut().for_each(|o| o.observation(&observation));
        }
        let state = collected.view().state;
        let finish = match (state, owner) {
            (RunState::Ended(ended), _) => Some(Finish::Ended(*ended)),
            (RunState::Parked { reason, .. }, None) => Some(Finish::Parked {
                reason,
                exit_code: Exit::Parked.code(),
            }),
            (RunState::Running, None) => return Ok(None),
            (RunState::Running | RunState::Parked { .. }, Some(_)) => None,
        };
        if let Some(finish) = finish {
            drop(all);
            let broken = broken.lock().unwrap_or_else(PoisonError::into_inner).take();
            return Ok(Some(Worked::seen(finish, collected.view(), broken)));
        }
        tokio::select! {
            biased;
            Some(StopRequest::Park { reason, exit_code }) = stop.recv() => {
                let exit = Exit::from_code(exit_code).unwrap_or(Exit::Parked);
                let words = format!("{reason}: nobody looks on any more, the run `{id}` goes on");
                return Err(Failing::words(exit, words));
            }
            () = clock.sleep(LOOK_EVERY) => {
                let now = Moment::start(clock.now());
                all.iter_mut().for_each(|observer| observer.tick(now));
            }
        }
    }
}

fn seen(collected: &Collected) -> usize {
    usize::try_from(collected.view().seq).unwrap_or(usize::MAX)
}

/// What makes a run another one than what is asked for now.
fn differences(header: &RunHeader, past: &[Recorded], wanted: &Wanted<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let changed = past
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::PlanChanged { digest, .. } => Some(digest),
            _ => None,
        });
    if *changed.unwrap_or(&header.digest) != wanted.plan.digest {
        found.push(format!(
            "it was made from another version of `{}`",
            crate::text::clean_line(&header.playbook, 200)
        ));
    }
    let names: BTreeSet<&String> = header
        .inputs
        .keys()
        .chain(wanted.inputs.values.keys())
        .collect();
    for name in names {
        let (had, has) = (header.inputs.get(name), wanted.inputs.values.get(name));
        let same = match (had, has) {
            (Some(StoredInput::Value(had)), Some(has)) => had == has,
            // The values of secrets are not kept, and so not compared.
            (Some(StoredInput::Secret(_)), Some(_)) => true,
            (had, has) => had.is_none() && has.is_none(),
        };
        if !same {
            found.push(format!("the input `{name}` differs"));
        }
    }
    if is_rehearsal(header) != wanted.simulated {
        found.push(if wanted.simulated {
            "it was no rehearsal".to_owned()
        } else {
            "it was a rehearsal".to_owned()
        });
    }
    found
}
