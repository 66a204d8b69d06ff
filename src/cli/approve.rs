//! `runner approve`: a person's yes or no to a step that waits for one.
//!
//! It is only written down, for whoever works on the run, now or later: nothing is sent, and no connection
//! is needed. A step that has not asked yet finds the answer there when it does.

use super::args::Approve;
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::runs::store;
use crate::diagnostic::nearest;
use crate::report::RunView;
use crate::store::{InboxMessage, Store as _};

/// Answers.
pub(super) fn approve(around: &Surroundings, args: &Approve) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let run = store.find(&args.run)?;
    let view = RunView::of(&store.load(&run)?);
    if view.ended().is_some() {
        let words = format!("the run `{run}` has ended: nobody asks any more");
        return Err(Failing::words(Exit::Usage, words));
    }
    open_approval(&view, &args.step)?;
    let message = InboxMessage::Answer {
        step: args.step.clone(),
        approved: !args.reject,
        by: around.environment.user(),
    };
    store.post(&run, &message)?;
    let word = if args.reject { "rejected" } else { "approved" };
    let next = match store.owner(&run)? {
        Some(owner) => format!("{word}: {owner} goes on with it"),
        None => format!("{word}; to go on: runner resume {run}"),
    };
    around.say(&next);
    Ok(Exit::Passed)
}

/// Only a step that asks, or will ask, can be answered.
fn open_approval(view: &RunView, id: &str) -> Result<(), Failing> {
    let shown = crate::text::clean_line(id, 80);
    let refuse = |words: String| Failing::words(Exit::Usage, words);
    let open: Vec<&str> = view
        .steps
        .iter()
        .filter(|(_, step)| step.info.action == "approve" && step.outcome().is_none())
        .map(|(id, _)| id.as_str())
        .collect();
    let hint = match open.as_slice() {
        [] => "no step of this run waits for an approval".to_owned(),
        steps => format!("an approval is asked for by: `{}`", steps.join("`, `")),
    };
    match view.steps.get(id) {
        None => {
            let near = nearest(id, open.iter().copied());
            let hint = near.map_or(hint, |near| format!("did you mean `{near}`?"));
            Err(refuse(format!("the run has no step `{shown}`")).hint(hint))
        }
        Some(step) if step.info.action != "approve" => {
            let words = format!("the step `{shown}` asks for no approval");
            Err(refuse(words).hint(hint))
        }
        Some(step) if step.outcome().is_some() => {
            let words = format!("the step `{shown}` is {} already", step.word());
            Err(refuse(words).hint(hint))
        }
        Some(_) => Ok(()),
    }
}
