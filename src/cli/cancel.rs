//! `runner cancel`: stops a run for good, and what it started on Semaphore.
//!
//! The wish is written down first, so that it counts whoever works on the run, now or later. When nobody
//! does, this process ends the run itself.

use super::args::Cancel;
use super::execute::{conclude, lock};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::resume::{Again, go_on, no_rehearsal};
use super::runs::store;
use crate::store::{InboxMessage, Store as _};

/// Cancels.
pub(super) fn cancel(around: &Surroundings, args: &Cancel) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    let by = format!(
        "{}@{}",
        around.environment.user(),
        around.environment.host()
    );
    store.post(&run, &InboxMessage::Cancel { by })?;
    let guard = match lock(around, &store, &run) {
        Ok(guard) => guard,
        Err(failing) if failing.exit() == Exit::Locked => {
            let owner = store.owner(&run)?;
            let owner = owner.map_or_else(|| "its runner".to_owned(), |owner| owner.to_string());
            around.say(&format!("the run `{run}` is told to stop: {owner} ends it"));
            around.say(&format!("`runner show {run}` tells how far it is"));
            return Ok(Exit::Passed);
        }
        Err(failing) => return Err(failing),
    };
    no_rehearsal(&store.header(&run)?)?;
    let past = store.load(&run)?;
    let again = Again {
        inputs: &args.inputs,
        results: &args.results,
        connection: &args.connection,
        park: None,
    };
    let worked = go_on(around, (&settings, store, &run), &again, (past, Vec::new()));
    let worked = worked.inspect_err(|_| {
        around.say(&format!(
            "the wish to cancel the run `{run}` is kept: it counts as soon as the run is gone on with"
        ));
    })?;
    let canceled = worked.was_canceled();
    let exit = conclude(around, &args.results, worked)?;
    drop(guard);
    // It is what was asked for; only what could not be written down is a failure.
    Ok(match exit {
        Exit::Red if canceled => Exit::Passed,
        exit => exit,
    })
}
