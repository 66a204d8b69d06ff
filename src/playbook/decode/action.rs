//! An action with its parameters, by its description in the catalog.

use indexmap::IndexMap;
use serde_json::Value;

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::Invocation;
use super::super::tree::{Entry, Yaml, YamlNode};
use super::fields::{self, Fields};
use super::params;
use super::{scalars, values};
use crate::catalog::{Action, Param, STEP_FIELDS, Shape};
use crate::diagnostic::Diagnostic;
use crate::template::Tree;

/// The action under its key. Parameters that are wrong are left out, after they were told.
pub(super) fn invocation(
    entry: &Entry,
    action: &'static Action,
    mistakes: &mut Mistakes,
) -> Invocation {
    let params = match action.shape {
        Shape::Map => map(entry, action, mistakes),
        Shape::Scalar => scalar(entry, action, mistakes),
        Shape::Names => names(&entry.value, action, mistakes),
        Shape::ListOrMap if matches!(entry.value.node, YamlNode::Map(_)) => {
            map(entry, action, mistakes)
        }
        Shape::ListOrMap => scalar(entry, action, mistakes),
    };
    Invocation {
        place: entry.key.place.clone(),
        action,
        params,
    }
}

fn map(entry: &Entry, action: &'static Action, mistakes: &mut Mistakes) -> IndexMap<String, Tree> {
    let what = format!("`{}`", action.name);
    let mut given = IndexMap::new();
    if let YamlNode::Text(_) | YamlNode::Number(_) | YamlNode::Bool(_) | YamlNode::List(_) =
        entry.value.node
    {
        let keys = action
            .params
            .iter()
            .map(|param| format!("`{}`", param.name));
        let keys = keys.collect::<Vec<_>>().join(", ");
        mistakes.push(not_so(entry, "a map").hint(format!("its keys are {keys}")));
        return given;
    }
    let Some(mut fields) = Fields::open(&entry.value, &what, mistakes) else {
        return given;
    };
    let mut present: Vec<(&'static str, &Entry)> = Vec::new();
    for param in action.params {
        let found = if param.required {
            fields.require(param.name, &entry.key.place, mistakes)
        } else {
            fields.take(param.name)
        };
        let Some(found) = found else { continue };
        present.push((param.name, found));
        if let Some(tree) = params::value(param, &found.value, mistakes) {
            given.insert(param.name.to_owned(), tree);
        }
    }
    fields.finish(mistakes);
    combinations(entry, action, &present, mistakes);
    given
}

/// Which parameters go together.
fn combinations(
    entry: &Entry,
    action: &Action,
    present: &[(&'static str, &Entry)],
    mistakes: &mut Mistakes,
) {
    let find = |name: &str| present.iter().find(|(p, _)| *p == name).map(|(_, e)| *e);
    let chosen: Vec<&Entry> = action.exactly_one.iter().filter_map(|n| find(n)).collect();
    let listed: Vec<String> = action
        .exactly_one
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    match chosen.as_slice() {
        [] if !listed.is_empty() => mistakes.push(
            Diagnostic::error(
                codes::MISSING_KEY,
                entry.key.place.clone(),
                format!("`{}` needs {}", action.name, scalars::one_of(&listed)),
            )
            .hint(format!("add one of them: {}", scalars::one_of(&listed))),
        ),
        [first, second, ..] => mistakes.push(
            Diagnostic::error(
                codes::WRONG_COMBINATION,
                second.key.place.clone(),
                format!(
                    "`{}` takes {}, and only one of them",
                    action.name,
                    scalars::one_of(&listed)
                ),
            )
            .label(first.key.place.clone(), "the first one stands here")
            .hint("remove one of them"),
        ),
        [] | [_] => {}
    }
    for (name, other) in action.only_with {
        if let (Some(entry), None) = (find(name), find(other)) {
            mistakes.push(
                Diagnostic::error(
                    codes::WRONG_COMBINATION,
                    entry.key.place.clone(),
                    format!("`{name}` means something only beside `{other}`"),
                )
                .hint(format!("add `{other}`, or remove `{name}`")),
            );
        }
    }
}

/// The value of an action is of another kind than it takes.
fn not_so(entry: &Entry, wanted: &str) -> Diagnostic {
    Diagnostic::error(
        codes::WRONG_SHAPE,
        entry.value.place.clone(),
        format!(
            "`{}` must be {wanted}, and this is {}",
            entry.key.name,
            entry.value.kind()
        ),
    )
}

/// One value alone is the first parameter.
fn scalar(
    entry: &Entry,
    action: &'static Action,
    mistakes: &mut Mistakes,
) -> IndexMap<String, Tree> {
    let yaml = &entry.value;
    let mut given = IndexMap::new();
    if let (Shape::Scalar, YamlNode::Map(_), Some(first)) =
        (action.shape, &yaml.node, action.params.first())
    {
        let hint = format!("write it alone: `{}: …`", action.name);
        mistakes.push(not_so(entry, &first.ty.words()).hint(hint));
        return given;
    }
    if let Some(first) = action.params.first() {
        let named = Param {
            name: action.name,
            ..*first
        };
        if let Some(tree) = params::value(&named, yaml, mistakes) {
            given.insert(first.name.to_owned(), tree);
        }
    }
    given
}

/// Free names; they become the outputs.
fn names(yaml: &Yaml, action: &Action, mistakes: &mut Mistakes) -> IndexMap<String, Tree> {
    let what = format!("`{}`", action.name);
    let mut given = IndexMap::new();
    let Some(entries) = fields::map(yaml, &what, mistakes) else {
        return given;
    };
    if entries.is_empty() {
        mistakes.push(
            Diagnostic::error(codes::EMPTY, yaml.place.clone(), format!("{what} is empty"))
                .hint("write at least one name with its value"),
        );
    }
    for entry in entries {
        let fits = scalars::name(&entry.key, "an output", mistakes) && free(entry, &[], mistakes);
        if let Some(tree) = values::tree(&entry.value, mistakes)
            && fits
        {
            given.insert(entry.key.name.clone(), tree);
        }
    }
    given
}

/// Whether a name is none of those that every step has, nor one of the action's outputs.
pub(super) fn free(entry: &Entry, outputs: &[&str], mistakes: &mut Mistakes) -> bool {
    let name = entry.key.name.as_str();
    let taken = if STEP_FIELDS.iter().any(|field| field.name == name) {
        "every step has"
    } else if outputs.contains(&name) {
        "the action gives"
    } else {
        return true;
    };
    mistakes.push(
        Diagnostic::error(
            codes::RESERVED_NAME,
            entry.key.place.clone(),
            format!("`{name}` is a name that {taken} already"),
        )
        .hint(format!("choose another name, such as `my_{name}`")),
    );
    false
}

/// Whether a parameter is given and certainly false.
pub(crate) fn is_literally_false(tree: Option<&Tree>) -> bool {
    tree.and_then(Tree::constant) == Some(Value::Bool(false))
}
