//! A step: its common keys and its one action.

use indexmap::IndexMap;

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::{Extract, Retry, Step, Timeout};
use super::super::tree::{Entry, Yaml, YamlNode};
use super::fields::{self, Fields};
use super::{action, for_each, needs, repeat, retry, scalars, undo, values};
use crate::catalog::{self, Action};
use crate::diagnostic::{self, Diagnostic, Place};
use crate::template::{JsonPath, Take, Tree};
use crate::{duration, text};

/// The steps of a map, and the ids of those that could not be read.
pub(super) struct Steps {
    /// Those that could be read, as far as they could.
    pub(super) steps: IndexMap<String, Step>,
    /// The ids of the others: a mention of them is no mistake of its own.
    pub(super) broken: Vec<String>,
}

/// `steps` or `finally`; `base` is the retry of the playbook's defaults.
pub(super) fn steps(entry: &Entry, base: &Retry, mistakes: &mut Mistakes) -> Steps {
    let mut found = Steps {
        steps: IndexMap::new(),
        broken: Vec::new(),
    };
    let what = format!("`{}`", entry.key.name);
    let nothing = entry.value.node == YamlNode::Null;
    let entries = if nothing {
        &[]
    } else {
        let Some(entries) = fields::map(&entry.value, &what, mistakes) else {
            return found;
        };
        entries
    };
    if entries.is_empty() {
        mistakes.push(
            Diagnostic::error(
                codes::EMPTY,
                entry.value.place.clone(),
                format!("{what} is empty, and at least one step was expected"),
            )
            .hint("write a step: `build: { run_workflow: { … } }`"),
        );
    }
    for entry in entries {
        if scalars::name(&entry.key, "a step", mistakes) && entry.key.name == "undo" {
            mistakes.push(
                Diagnostic::error(
                    codes::RESERVED_NAME,
                    entry.key.place.clone(),
                    "`undo` is the name of what takes a step back",
                )
                .hint("choose another name; the undo of a step stands inside the step"),
            );
        }
        let id = entry.key.name.clone();
        match step(entry, base, mistakes) {
            Some(step) => {
                found.steps.insert(id, step);
            }
            None => found.broken.push(id),
        }
    }
    found
}

fn step(entry: &Entry, base: &Retry, mistakes: &mut Mistakes) -> Option<Step> {
    let id = entry.key.name.clone();
    let what = format!("step `{}`", text::clean_line(&id, 60));
    let mut fields = Fields::open(&entry.value, &what, mistakes)?;
    let description = fields
        .take("description")
        .and_then(|e| scalars::text(&e.value, "`description`", mistakes))
        .map(str::to_owned);
    let needs = fields
        .take("needs")
        .and_then(|e| needs::needs(e, &id, mistakes));
    let when = fields
        .take("when")
        .and_then(|e| values::expression(&e.value, "`when`", mistakes));
    let retry = fields
        .take("retry")
        .and_then(|e| retry::retry(&e.value, base, mistakes));
    let repeat = repeat::Entries::take(&mut fields);
    let for_each = fields
        .take("for_each")
        .and_then(|e| for_each::for_each(e, mistakes));
    let timeout = fields
        .take("timeout")
        .and_then(|e| timeout(&e.value, mistakes))
        .map(|value| Timeout { value });
    let allow_failure = fields
        .take("allow_failure")
        .and_then(|e| scalars::boolean(&e.value, "`allow_failure`", mistakes))
        .unwrap_or_default();
    let extract = fields.take("extract");
    let asserts = fields
        .take("assert")
        .and_then(|e| values::expressions(&e.value, "`assert`", mistakes))
        .unwrap_or_default();
    let undo = fields
        .take("undo")
        .and_then(|e| undo::undo(e, &id, base, mistakes));
    let owner = Owner {
        kind: "a step",
        what: &what,
        place: &entry.key.place,
        keys: &KEYS,
    };
    let action = one_action(&owner, &mut fields, mistakes);
    let extract = extract.map(|e| extracts(e, action.as_ref().map(|(_, a)| *a), mistakes));
    if let Some((_, action)) = action {
        params_beside(action, &what, &mut fields, mistakes);
    }
    fields.finish(mistakes);
    let (written, action) = action?;
    let action = action::invocation(written, action, mistakes);
    Some(Step {
        id,
        place: entry.key.place.clone(),
        description,
        needs,
        when,
        retry,
        rerun: repeat.rerun(&action, mistakes),
        until: repeat.until(&action, mistakes),
        timeout,
        allow_failure,
        extract: extract.unwrap_or_default(),
        asserts,
        undo,
        for_each,
        action,
    })
}

/// The keys that stand beside the action of a step.
const KEYS: [&str; 13] = [
    "description",
    "needs",
    "when",
    "for_each",
    "retry",
    "rerun",
    "until",
    "poll",
    "timeout",
    "allow_failure",
    "extract",
    "assert",
    "undo",
];

/// What has one action: a step, or its undo.
pub(super) struct Owner<'a> {
    pub(super) kind: &'a str,
    /// It, in messages.
    pub(super) what: &'a str,
    pub(super) place: &'a Place,
    /// The keys that stand beside its action.
    pub(super) keys: &'a [&'a str],
}

/// The one action among what is left.
pub(super) fn one_action<'y>(
    owner: &Owner<'_>,
    fields: &mut Fields<'y>,
    mistakes: &mut Mistakes,
) -> Option<(&'y Entry, &'static Action)> {
    let found = fields.take_where(|entry| catalog::find(&entry.key.name).is_some());
    for second in found.iter().skip(1) {
        let diagnostic = Diagnostic::error(
            codes::TWO_ACTIONS,
            second.key.place.clone(),
            format!(
                "{} has one action, and {} has a second one, `{}`",
                owner.kind, owner.what, second.key.name
            ),
        )
        .hint("make a step of its own for it");
        mistakes.push(match found.first() {
            Some(first) => diagnostic.label(first.key.place.clone(), "the first one stands here"),
            None => diagnostic,
        });
    }
    if let Some(first) = found.first() {
        return Some((first, catalog::find(&first.key.name)?));
    }
    let names = || catalog::all().iter().map(|action| action.name);
    // What was meant as the action: a name that is near to one, else a map that no key explains.
    let near = fields
        .rest()
        .find(|e| diagnostic::nearest(&e.key.name, names()).is_some());
    let meant = near.or_else(|| {
        fields.rest().find(|e| {
            matches!(e.value.node, YamlNode::Map(_))
                && diagnostic::nearest(&e.key.name, owner.keys.iter().copied()).is_none()
        })
    });
    let Some(meant) = meant else {
        mistakes.push(
            Diagnostic::error(
                codes::NO_ACTION,
                owner.place.clone(),
                format!("{} has no action", owner.what),
            )
            .hint(format!("the actions are {}", listed())),
        );
        return None;
    };
    let name = meant.key.name.clone();
    fields.take_where(|entry| entry.key.name == name);
    let diagnostic = Diagnostic::error(
        codes::UNKNOWN_ACTION,
        meant.key.place.clone(),
        format!("there is no action `{}`", text::clean_line(&name, 60)),
    );
    mistakes.push(match diagnostic::nearest(&name, names()) {
        Some(near) => diagnostic.nearest(&name, [near]).fix(near),
        None => diagnostic.hint(format!("the actions are {}", listed())),
    });
    None
}

/// Parameters that stand beside their action instead of inside.
fn params_beside(action: &Action, what: &str, fields: &mut Fields<'_>, mistakes: &mut Mistakes) {
    let of_action = |name: &str| action.params.iter().any(|param| param.name == name);
    for outside in fields.take_where(|entry| of_action(&entry.key.name)) {
        let name = &outside.key.name;
        mistakes.push(
            Diagnostic::error(
                codes::UNKNOWN_KEY,
                outside.key.place.clone(),
                format!("{what} has no key `{name}`"),
            )
            .hint(format!(
                "`{name}` is a parameter of `{0}`: write it inside, `{0}: {{ {name}: … }}`",
                action.name
            )),
        );
    }
}

fn listed() -> String {
    catalog::all()
        .iter()
        .map(|action| format!("`{}`", action.name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// A duration, or a template that gives one.
pub(super) fn timeout(yaml: &Yaml, mistakes: &mut Mistakes) -> Option<Tree> {
    let YamlNode::Text(text) = &yaml.node else {
        scalars::not_duration(yaml, "`timeout`", mistakes);
        return None;
    };
    let tree = values::template(yaml, text, mistakes)?;
    if let Some(constant) = tree.constant() {
        let text = constant.as_str().unwrap_or_default();
        match duration::parse(text) {
            Ok(found) if !found.is_zero() => {}
            Ok(_) => {
                mistakes.push(
                    Diagnostic::error(
                        codes::NOT_DURATION,
                        yaml.place.clone(),
                        "`timeout` is zero, and so nothing could ever be done in time",
                    )
                    .hint("give it a time, or leave the key out"),
                );
                return None;
            }
            Err(error) => {
                mistakes.push(scalars::no_duration(yaml, text, &error, "`timeout`"));
                return None;
            }
        }
    }
    Some(tree)
}

fn extracts(
    entry: &Entry,
    action: Option<&'static Action>,
    mistakes: &mut Mistakes,
) -> IndexMap<String, Extract> {
    let mut found = IndexMap::new();
    if let Some(action) = action
        && action.response.is_empty()
    {
        mistakes.push(
            Diagnostic::error(
                codes::NO_RESPONSE,
                entry.key.place.clone(),
                format!("`{}` has no response to extract from", action.name),
            )
            .hint("only steps that speak to Semaphore or to another server have one"),
        );
        return found;
    }
    let outputs: Vec<&str> = action
        .map(|a| a.outputs.iter().map(|o| o.name).collect())
        .unwrap_or_default();
    for entry in fields::map(&entry.value, "`extract`", mistakes).unwrap_or_default() {
        let fits = scalars::name(&entry.key, "an output", mistakes)
            && action::free(entry, &outputs, mistakes);
        if let Some(extract) = extract(entry, mistakes)
            && fits
        {
            found.insert(entry.key.name.clone(), extract);
        }
    }
    found
}

const TAKE: [(Take, &str); 4] = [
    (Take::One, "one"),
    (Take::First, "first"),
    (Take::All, "all"),
    (Take::Optional, "optional"),
];

/// `name: $.path`, or `name: { path: $.path, take: first }`.
fn extract(entry: &Entry, mistakes: &mut Mistakes) -> Option<Extract> {
    let what = format!("`{}`", entry.key.name);
    let (path, take) = if let YamlNode::Map(_) = entry.value.node {
        let mut fields = Fields::open(&entry.value, &what, mistakes)?;
        let path = fields.require("path", &entry.key.place, mistakes);
        let take = fields
            .take("take")
            .map(|e| scalars::word(&e.value, &TAKE, "`take`", mistakes));
        fields.finish(mistakes);
        (&path?.value, take.unwrap_or(Some(Take::One)))
    } else {
        (&entry.value, Some(Take::One))
    };
    let text = scalars::text(path, &what, mistakes)?;
    match JsonPath::parse(text) {
        Ok(found) => Some(Extract {
            place: path.place.clone(),
            path: found,
            take: take?,
        }),
        Err(error) => {
            mistakes.push(values::located(error, &path.place, text));
            None
        }
    }
}
