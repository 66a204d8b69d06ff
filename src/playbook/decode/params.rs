//! One parameter by its type: what is literal is checked here, what is a template later.

use serde_json::Value;

use super::super::mistakes::Mistakes;
use super::super::tree::{Entry, Yaml, YamlNode};
use super::super::{codes, places};
use super::fields::wrong_shape;
use super::{scalars, values};
use crate::catalog::{Param, Type};
use crate::diagnostic::Diagnostic;
use crate::ids::Id;
use crate::template::{Node, Tree};
use crate::{duration, size};

/// The value of a parameter, or nothing when it is wrong.
pub(super) fn value(param: &Param, yaml: &Yaml, mistakes: &mut Mistakes) -> Option<Tree> {
    let what = format!("`{}`", param.name);
    let tree = typed(param.ty, yaml, &what, mistakes)?;
    if param.written
        && let Node::Template(template) = &tree.node
        && template.constant().is_none()
    {
        let hint = match param.ty {
            Type::Map(_) => "write the map out; its values may be templates",
            _ => "what is used is known before anything runs: write it out",
        };
        mistakes.push(
            Diagnostic::error(
                codes::NOT_WRITTEN_OUT,
                yaml.place.clone(),
                format!("{what} cannot be a template"),
            )
            .hint(hint),
        );
        return None;
    }
    if let Node::Literal(Value::String(text)) = &tree.node {
        if param.required && text.trim().is_empty() && param.ty == Type::Text {
            mistakes.push(
                Diagnostic::error(codes::EMPTY, yaml.place.clone(), format!("{what} is empty"))
                    .hint("give it a value"),
            );
            return None;
        }
        if param.inside && !stays_inside(text) {
            mistakes.push(
                Diagnostic::error(
                    codes::PATH_NOT_INSIDE,
                    yaml.place.clone(),
                    format!("{what} must stay inside the folder of the run's files"),
                )
                .hint("write a relative path without `..`, such as `logs`"),
            );
            return None;
        }
    }
    if let YamlNode::Map(entries) = &yaml.node {
        for entry in entries {
            reserved(param, entry, mistakes);
        }
    }
    Some(tree)
}

/// Whether a relative path cannot leave its folder.
fn stays_inside(path: &str) -> bool {
    !path.starts_with(['/', '\\'])
        && !path.contains([':', '\0'])
        && path.split(['/', '\\']).all(|part| part != "..")
}

fn reserved(param: &Param, entry: &Entry, mistakes: &mut Mistakes) {
    let name = entry.key.name.as_str();
    if !param.reserved.contains(&name) {
        return;
    }
    mistakes.push(
        Diagnostic::error(
            codes::RESERVED_PARAMETER,
            entry.key.place.clone(),
            format!("no parameter can be called `{name}`"),
        )
        .hint(match param.reserved {
            [_] => "the runner marks what it starts with it: choose another name",
            _ => "Semaphore reads this name itself: rename the parameter in the pipeline file",
        }),
    );
}

fn typed(ty: Type, yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<Tree> {
    match ty {
        Type::Any => return values::tree(yaml, mistakes),
        Type::Expressions => {
            let found = values::expressions(yaml, what, mistakes)?;
            return Some(Tree {
                place: yaml.place.clone(),
                node: Node::Expressions(found.into_iter().map(|e| (e.value, e.place)).collect()),
            });
        }
        Type::Text
        | Type::Id
        | Type::IdOrName
        | Type::Integer
        | Type::Number
        | Type::Boolean
        | Type::Duration
        | Type::Since
        | Type::Size
        | Type::OneOf(_)
        | Type::List(_)
        | Type::Map(_) => {}
    }
    match &yaml.node {
        YamlNode::Text(text) => {
            let tree = values::template(yaml, text, mistakes)?;
            if let Node::Template(template) = &tree.node {
                if template.is_whole() || template.constant().is_some() || takes_text(ty) {
                    return Some(tree);
                }
                mistakes.push(mixed(ty, yaml, what));
                return None;
            }
            text_literal(ty, yaml, text, what, mistakes).then_some(tree)
        }
        YamlNode::List(items) if let Type::List(item) = ty => {
            let what = format!("each item of {what}");
            let trees: Vec<_> = items
                .iter()
                .map(|yaml| typed(*item, yaml, &what, mistakes))
                .collect();
            Some(Tree {
                place: yaml.place.clone(),
                node: Node::List(trees.into_iter().collect::<Option<_>>()?),
            })
        }
        YamlNode::Map(entries) if let Type::Map(item) = ty => {
            let trees: Vec<_> = entries
                .iter()
                .map(|entry| {
                    let what = format!("`{}`", crate::text::clean_line(&entry.key.name, 60));
                    Some((
                        entry.key.clone(),
                        typed(*item, &entry.value, &what, mistakes)?,
                    ))
                })
                .collect();
            Some(Tree {
                place: yaml.place.clone(),
                node: Node::Map(trees.into_iter().collect::<Option<_>>()?),
            })
        }
        _ => other_literal(ty, yaml, what, mistakes),
    }
}

/// Whether a text that was put together from several pieces may stand there.
fn takes_text(ty: Type) -> bool {
    match ty {
        Type::Text
        | Type::Id
        | Type::IdOrName
        | Type::Duration
        | Type::Since
        | Type::Size
        | Type::OneOf(_)
        | Type::Any => true,
        Type::Integer
        | Type::Number
        | Type::Boolean
        | Type::List(_)
        | Type::Map(_)
        | Type::Expressions => false,
    }
}

fn mixed(ty: Type, yaml: &Yaml, what: &str) -> Diagnostic {
    Diagnostic::error(
        codes::WRONG_TYPE,
        yaml.place.clone(),
        format!(
            "{what} must be {}, and this template makes text",
            ty.words()
        ),
    )
    .hint("a value keeps its type only when the whole text is one `{{ expression }}`")
}

/// Where an id comes from: nobody types one.
fn from_a_step(what: &str) -> String {
    let kind = what.trim_matches('`');
    match kind {
        "pipeline" | "workflow" => {
            format!("take it from a step: `\"{{{{ steps.build.{kind}_id }}}}\"`")
        }
        _ => "take it from an output of a step".to_owned(),
    }
}

/// A literal text where this type is wanted.
fn text_literal(ty: Type, yaml: &Yaml, text: &str, what: &str, mistakes: &mut Mistakes) -> bool {
    let whole = places::with_quotes(&yaml.place);
    let mistake = match ty {
        Type::Text | Type::Any | Type::Expressions => return true,
        Type::Id | Type::IdOrName if text.trim().is_empty() => {
            Diagnostic::error(codes::NOT_AN_ID, whole, format!("{what} is empty"))
                .hint(format!("name what is meant, or {}", from_a_step(what)))
        }
        Type::IdOrName => return true,
        Type::Id => match Id::parse(text) {
            Ok(_) => return true,
            Err(error) => Diagnostic::error(
                codes::NOT_AN_ID,
                yaml.place.clone(),
                format!("{what}: {error}"),
            )
            .hint(from_a_step(what)),
        },
        Type::Integer | Type::Number => {
            mistakes.extend(scalars::not_number(yaml, &ty.words(), what));
            return false;
        }
        Type::Boolean => scalars::not_boolean(yaml, text, what),
        Type::Duration => match duration::parse(text) {
            Ok(_) => return true,
            Err(error) => scalars::no_duration(yaml, text, &error, what),
        },
        Type::Since if text.parse::<jiff::Timestamp>().is_ok() => return true,
        Type::Since => match duration::parse(text) {
            Ok(_) => return true,
            Err(_) => Diagnostic::error(
                codes::NOT_DURATION,
                yaml.place.clone(),
                format!("{what} is neither a duration nor a time"),
            )
            .hint("write how long ago (`2h`), or a time like `2026-11-24T08:00:00Z`"),
        },
        Type::Size => match size::parse(text) {
            Ok(_) => return true,
            Err(error) => Diagnostic::error(
                codes::NOT_SIZE,
                yaml.place.clone(),
                format!("{what}: {error}"),
            ),
        },
        Type::OneOf(words) if words.contains(&text) => return true,
        Type::OneOf(words) => scalars::wrong_word(yaml, text, words, what),
        Type::List(_) | Type::Map(_) => {
            let wanted = if matches!(ty, Type::List(_)) {
                "a list"
            } else {
                "a map"
            };
            wrong_shape(yaml, what, wanted, mistakes);
            return false;
        }
    };
    mistakes.push(mistake);
    false
}

/// A literal that is no text where this type is wanted.
fn other_literal(ty: Type, yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<Tree> {
    let literal = |value: Value| Some(Tree::literal(yaml.place.clone(), value));
    match ty {
        Type::Text | Type::Id | Type::IdOrName | Type::OneOf(_) => {
            scalars::text(yaml, what, mistakes)?;
        }
        Type::Boolean => return literal(Value::Bool(scalars::boolean(yaml, what, mistakes)?)),
        Type::Integer => {
            return literal(scalars::integer(yaml, 0..=1_000_000_000, what, mistakes)?.into());
        }
        Type::Number => match &yaml.node {
            YamlNode::Number(number) => return literal(Value::Number(number.clone())),
            _ => mistakes.extend(scalars::not_number(yaml, "a number", what)),
        },
        Type::Duration | Type::Since => scalars::not_duration(yaml, what, mistakes),
        Type::Size => wrong_shape(yaml, what, "a size like `10MiB`", mistakes),
        Type::List(_) => wrong_shape(yaml, what, "a list", mistakes),
        Type::Map(_) => wrong_shape(yaml, what, "a map", mistakes),
        Type::Any | Type::Expressions => {}
    }
    None
}
