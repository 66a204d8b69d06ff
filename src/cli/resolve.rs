//! `runner resolve`: a person says what became of a write whose outcome is unknown.
//!
//! It is only written down, for whoever goes on with the run: nothing is sent, and no connection is needed.

use super::args::Resolve;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::runs::store;
use crate::diagnostic::nearest;
use crate::event::Resolution;
use crate::ids::Id;
use crate::outcome::StepOutcome;
use crate::report::RunView;
use crate::store::{InboxMessage, Store as _};

/// Settles.
pub(super) fn resolve(around: &Surroundings, args: &Resolve) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    let view = RunView::of(&store.load(&run)?);
    unknown_step(&view, &args.step)?;
    let resolution = match &args.is {
        Some(id) => Resolution::Is(
            Id::parse(id)
                .map_err(|error| Failing::words(Exit::Usage, error.to_string()))?
                .to_string(),
        ),
        None => Resolution::NotSent,
    };
    let message = InboxMessage::Resolve {
        step: args.step.clone(),
        resolution,
        by: around.environment.user(),
    };
    store.post(&run, &message)?;
    let next = match (store.owner(&run)?, view.ended()) {
        (Some(owner), _) => format!("noted: {owner} goes on with it"),
        (None, _) => format!("noted; to go on: runner resume {run}"),
    };
    around.say(&next);
    Ok(Exit::Passed)
}

/// Only what is unknown can be settled.
fn unknown_step(view: &RunView, id: &str) -> Result<(), Failing> {
    let unknown = || {
        view.steps
            .iter()
            .filter(|(_, step)| step.outcome() == Some(StepOutcome::Unknown))
            .map(|(id, _)| id.as_str())
    };
    let shown = crate::text::clean_line(id, 80);
    let hint = match unknown().collect::<Vec<_>>().as_slice() {
        [] => "no step of this run is unknown".to_owned(),
        steps => format!("unknown is: `{}`", steps.join("`, `")),
    };
    match view.steps.get(id) {
        None => {
            let ids = view.steps.keys().map(String::as_str);
            let near = nearest(id, ids).map_or(hint, |near| format!("did you mean `{near}`?"));
            let words = format!("the run has no step `{shown}`");
            Err(Failing::words(Exit::Usage, words).hint(near))
        }
        Some(step) if step.outcome() != Some(StepOutcome::Unknown) => {
            let words = format!(
                "the step `{shown}` is {}: there is nothing to settle",
                step.word()
            );
            Err(Failing::words(Exit::Usage, words).hint(hint))
        }
        Some(_) => Ok(()),
    }
}
