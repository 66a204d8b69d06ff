//! `undo`: one action that takes its step back, with its own time and retries.

use indexmap::IndexMap;

use super::super::mistakes::Mistakes;
use super::super::model::{Retry, Step, Timeout};
use super::super::tree::Entry;
use super::fields::Fields;
use super::step::{Owner, one_action, timeout};
use super::{action, retry};
use crate::text;

/// The keys that stand beside the action.
const KEYS: [&str; 2] = ["timeout", "retry"];

/// The undo of a step, as a step of its own called `STEP/undo`.
pub(super) fn undo(
    entry: &Entry,
    id: &str,
    base: &Retry,
    mistakes: &mut Mistakes,
) -> Option<Box<Step>> {
    let what = format!("the undo of step `{}`", text::clean_line(id, 60));
    let mut fields = Fields::open(&entry.value, &what, mistakes)?;
    let retry = fields
        .take("retry")
        .and_then(|e| retry::retry(&e.value, base, mistakes));
    let timeout = fields
        .take("timeout")
        .and_then(|e| timeout(&e.value, mistakes))
        .map(|value| Timeout { value });
    let owner = Owner {
        kind: "an undo",
        what: &what,
        place: &entry.key.place,
        keys: &KEYS,
    };
    let found = one_action(&owner, &mut fields, mistakes);
    fields.finish(mistakes);
    let (written, action) = found?;
    Some(Box::new(Step {
        id: format!("{id}/undo"),
        place: entry.key.place.clone(),
        description: None,
        needs: None,
        when: None,
        retry,
        rerun: None,
        until: None,
        timeout,
        allow_failure: false,
        extract: IndexMap::new(),
        asserts: Vec::new(),
        undo: None,
        for_each: None,
        action: action::invocation(written, action, mistakes),
    }))
}
