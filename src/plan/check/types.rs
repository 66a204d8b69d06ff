//! Rule family: where both types are known, they fit.

use crate::catalog::{Shape, Type};
use crate::diagnostic::Diagnostic;
use crate::playbook::{Mistakes, Step, codes};
use crate::template::{Node, Tree};

use super::super::names::{self, Names, Output};
use super::super::walk::{self, Found};

/// Where a value stands.
#[derive(Clone, Copy)]
pub(crate) struct At<'a, 'p> {
    pub(crate) names: &'a Names<'p>,
    /// The step that it belongs to, whose item it may read.
    pub(crate) step: Option<&'a Step>,
}

/// Checks the templates of all parameters of a step against their types.
pub(crate) fn params(step: &Step, at: At<'_, '_>, mistakes: &mut Mistakes) {
    let action = step.action.action;
    for (name, tree) in &step.action.params {
        let Some(param) = action.param(name) else {
            continue;
        };
        // A value that stands alone is known to people by the name of the action.
        let what = match action.shape {
            Shape::Scalar => action.name,
            Shape::Map | Shape::Names | Shape::ListOrMap => param.name,
        };
        fits(param.ty, what, tree, at, mistakes);
    }
}

/// Checks a template that must give a value of this type.
pub(crate) fn fits(wanted: Type, what: &str, tree: &Tree, at: At<'_, '_>, mistakes: &mut Mistakes) {
    match (&tree.node, wanted) {
        (Node::List(items), Type::List(item)) => {
            for tree in items {
                fits(*item, what, tree, at, mistakes);
            }
        }
        (Node::Map(entries), Type::Map(item)) => {
            for (key, tree) in entries {
                fits(*item, &key.name, tree, at, mistakes);
            }
        }
        (Node::Template(template), _) if template.is_whole() => {
            let mut alone = None;
            walk::tree(tree, &mut |found| {
                if is_alone(template.source(), found) {
                    alone = Some(found);
                }
            });
            let Some(found) = alone else { return };
            let Some(have) = mentioned(found, at) else {
                return;
            };
            if let Some(hint) = misfit(have, wanted, found) {
                mistakes.push(
                    Diagnostic::error(
                        codes::WRONG_TYPE,
                        found.place(),
                        format!(
                            "`{what}` must be {}, and `{}` is {}",
                            wanted.words(),
                            found.path().collect::<Vec<_>>().join("."),
                            have.words()
                        ),
                    )
                    .hint(hint),
                );
            }
        }
        _ => {}
    }
}

/// Whether the expression is nothing but this mention.
fn is_alone(source: &str, found: Found<'_>) -> bool {
    let inner = source
        .trim()
        .trim_start_matches('$')
        .trim_start_matches("{{")
        .trim_end_matches("}}")
        .trim_matches('-')
        .trim();
    source.get(found.mention.range.clone()) == Some(inner)
}

/// The type of what is mentioned, when it is known.
pub(crate) fn mentioned(found: Found<'_>, at: At<'_, '_>) -> Option<Type> {
    let (names, parts) = (at.names, found.path().collect::<Vec<_>>());
    match parts.as_slice() {
        ["inputs", name] => names.playbook.inputs.get(*name).map(names::input_type),
        ["vars", name] => names.playbook.vars.get(*name).map(names::tree_type),
        ["steps", id, name] => match names.output(names.step(id)?.step, name) {
            Output::Known(ty) => Some(ty),
            Output::NotWaited | Output::None => None,
        },
        ["run", "id" | "name" | "started_at" | "url" | "outcome"] => Some(Type::Text),
        ["run", "failed"] => Some(Type::List(&Type::Any)),
        ["index"] => Some(Type::Integer),
        ["key"] => Some(Type::Text),
        ["item"] => item(at.step?, names),
        _ => None,
    }
}

/// The type of the items of a step, when they are those of an input that says it.
pub(crate) fn item(step: &Step, names: &Names<'_>) -> Option<Type> {
    let source = step.for_each.as_ref()?.items.value.source().trim();
    let input = names.playbook.inputs.get(source.strip_prefix("inputs.")?)?;
    input.items.map(names::type_of)
}

/// A hint, when a value of type `have` cannot stand where `want` is.
fn misfit(have: Type, want: Type, found: Found<'_>) -> Option<String> {
    let path = found.path().collect::<Vec<_>>().join(".");
    let is_text = |ty: Type| matches!(ty, Type::Text | Type::Id | Type::IdOrName | Type::OneOf(_));
    if have == Type::Any || want == Type::Any || want == Type::Expressions {
        return None;
    }
    let fits = match want {
        Type::Text | Type::Id | Type::IdOrName | Type::OneOf(_) => is_text(have),
        Type::Integer => matches!(have, Type::Integer | Type::Number),
        Type::Number => matches!(have, Type::Integer | Type::Number | Type::Duration),
        Type::Boolean => have == Type::Boolean,
        Type::Duration => have == Type::Duration || is_text(have),
        Type::Since => have == Type::Duration || is_text(have),
        Type::Size => have == Type::Size || is_text(have),
        Type::List(_) => matches!(have, Type::List(_)),
        Type::Map(_) => matches!(have, Type::Map(_)),
        Type::Any | Type::Expressions => true,
    };
    if fits {
        return None;
    }
    let scalar = !matches!(have, Type::List(_) | Type::Map(_));
    Some(match want {
        Type::Text if have == Type::Duration => format!("write `{{{{ {path} | duration }}}}`"),
        Type::Text if scalar => format!("write `{{{{ {path} | string }}}}`"),
        Type::Integer if is_text(have) => format!("write `{{{{ {path} | int }}}}`"),
        Type::Number if is_text(have) => format!("write `{{{{ {path} | float }}}}`"),
        Type::Duration if scalar && path.starts_with("inputs.") => {
            "declare the input as `type: duration`".to_owned()
        }
        _ => "text is never turned into other types by itself, nor they into text".to_owned(),
    })
}

/// Whether a value that was put together may be of the type that is wanted: a list a list, text what is
/// written as text.
pub(crate) fn same_kind(have: Type, want: Type) -> bool {
    match have {
        Type::List(_) => matches!(want, Type::List(_) | Type::Any),
        Type::Map(_) => matches!(want, Type::Map(_) | Type::Any),
        Type::Text => matches!(want, Type::Text | Type::Duration | Type::Any),
        _ => true,
    }
}
