//! Rule family: what is taken back was done, and what takes it back does something.

use crate::catalog::SAFE_METHODS;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Invocation, Mistakes, Step, codes};

use super::super::Phase;
use super::super::names::Indexed;
use super::web;

/// Checks an undo and the step that it stands in.
pub(crate) fn fits(indexed: Indexed<'_>, undo: &Step, mistakes: &mut Mistakes) {
    let step = indexed.step;
    let wrong = |message: String, hint: &str| {
        Diagnostic::error(codes::NOTHING_TO_UNDO, undo.place.clone(), message).hint(hint)
    };
    if indexed.phase == Phase::Finally {
        mistakes.push(wrong(
            format!(
                "step `{}` stands under `finally` and is never taken back: all undos run before it",
                step.id
            ),
            "remove the undo, or move the step to the others",
        ));
    }
    let used = [&step.action, &undo.action];
    if let Some(used) = used.into_iter().find(|action| action.action.name == "use") {
        mistakes.push(
            Diagnostic::error(
                codes::NOTHING_TO_UNDO,
                used.place.clone(),
                "a playbook that is used is taken back by the undos of its own steps",
            )
            .hint("put the undo on the steps of the playbook that is used"),
        );
        return;
    }
    if !changes(&step.action) {
        mistakes.push(wrong(
            format!(
                "`{}` changes nothing that could be taken back",
                step.action.action.name
            ),
            "put the undo on the step that changes something",
        ));
    }
    if !changes(&undo.action) {
        mistakes.push(
            Diagnostic::error(
                codes::NOTHING_TO_UNDO,
                undo.action.place.clone(),
                format!("`{}` changes nothing, and so it takes nothing back", undo.action.action.name),
            )
            .hint("an undo is an action that changes something, such as `run_task`, `stop_workflow` or `http`"),
        );
    }
}

/// Whether an action may change something on Semaphore or elsewhere.
fn changes(step: &Invocation) -> bool {
    let reads = web::method(step).is_some_and(|method| SAFE_METHODS.contains(&method.as_str()));
    step.action.changes() && !reads
}
