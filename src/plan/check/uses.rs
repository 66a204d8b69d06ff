//! Rule family: what a step uses is given what it wants, and can be used at all.

use crate::catalog::{STEP_FIELDS, Type};
use crate::diagnostic::{Diagnostic, Place};
use crate::playbook::input_value::{self, Misfit};
use crate::playbook::{Input, InputType, Mistakes, Playbook, Step, codes};
use crate::template::{Key, Node, Tree};
use crate::text;

use super::super::names::{self, Names};
use super::mentions::near;
use super::secrets;
use super::types::{self, At};

/// Checks a step that uses another playbook.
pub(crate) fn check(step: &Step, names: &Names<'_>, mistakes: &mut Mistakes) {
    let Some(used) = names.used_by(step) else {
        return;
    };
    let place = &step.action.place;
    at_the_top(used, place, mistakes);
    reserved(used, place, mistakes);
    let given: &[(Key, Tree)] = match step.action.params.get("with").map(|tree| &tree.node) {
        Some(Node::Map(entries)) => entries,
        _ => &[],
    };
    for (key, tree) in given {
        let Some(input) = used.inputs.get(&key.name) else {
            unknown(used, key, mistakes);
            continue;
        };
        value(
            input,
            (key, tree),
            At {
                names,
                step: Some(step),
            },
            mistakes,
        );
        if let Some(secret) = secrets::source_in(tree, step, names).filter(|_| !input.secret) {
            mistakes.push(passed(input, (key, tree), &secret));
        }
    }
    for (name, input) in &used.inputs {
        let missing = input.default.is_none() && !input.optional && input.env.is_none();
        if missing && !given.iter().any(|(key, _)| key.name == *name) {
            mistakes.push(
                Diagnostic::error(
                    codes::MISSING_INPUT,
                    place.clone(),
                    format!("input `{name}` of `{}` has no value", used.name),
                )
                .label(input.place.clone(), "the input is declared here")
                .hint(format!("give it with `with: {{ {name}: … }}`")),
            );
        }
    }
}

/// What only the playbook that is applied can say.
fn at_the_top(used: &Playbook, place: &Place, mistakes: &mut Mistakes) {
    for key in &used.at_the_top {
        mistakes.push(
            Diagnostic::error(
                codes::ONLY_AT_THE_TOP,
                place.clone(),
                format!(
                    "`{}` says `{}`, which only the playbook that is applied can say",
                    used.name, key.value
                ),
            )
            .label(key.place.clone(), "it stands here")
            .hint("say it in the playbook that uses it"),
        );
    }
}

/// The outputs stand beside what every step has.
fn reserved(used: &Playbook, place: &Place, mistakes: &mut Mistakes) {
    for (name, tree) in &used.outputs {
        if STEP_FIELDS.iter().any(|field| field.name == name) {
            mistakes.push(
                Diagnostic::error(
                    codes::RESERVED_NAME,
                    place.clone(),
                    format!(
                        "`{}` has an output `{name}`, and every step has one",
                        used.name
                    ),
                )
                .label(tree.place.clone(), "the output stands here")
                .hint("give the output another name"),
            );
        }
    }
}

fn unknown(used: &Playbook, key: &Key, mistakes: &mut Mistakes) {
    if used
        .broken
        .iter()
        .any(|known| *known == format!("inputs.{}", key.name))
    {
        return;
    }
    mistakes.push_with(|| {
        let found = Diagnostic::error(
            codes::NO_SUCH_INPUT,
            key.place.clone(),
            format!(
                "`{}` has no input `{}`",
                used.name,
                text::clean_line(&key.name, 60)
            ),
        );
        let all: Vec<String> = used.inputs.keys().map(|name| format!("`{name}`")).collect();
        let all = if all.is_empty() {
            "it has none at all".to_owned()
        } else {
            format!("its inputs are {}", all.join(", "))
        };
        near(
            found,
            &key.name,
            used.inputs.keys().map(String::as_str),
            &all,
        )
    });
}

/// A value as far as it is known.
fn value(input: &Input, (key, tree): (&Key, &Tree), at: At<'_, '_>, mistakes: &mut Mistakes) {
    if let Some(constant) = tree.constant() {
        if constant.is_null() {
            return;
        }
        if let Err(misfit) = input_value::check(input, &constant) {
            mistakes.push(wrong(input, (key, tree), &misfit));
        }
        return;
    }
    let wanted = wanted(input);
    let have = names::tree_type(tree);
    let whole = matches!(&tree.node, Node::Template(template) if template.is_whole());
    if whole || types::same_kind(have, wanted) {
        types::fits(wanted, &key.name, tree, at, mistakes);
        return;
    }
    let message = format!(
        "input `{}` must be {}, and this is {}",
        key.name,
        wanted.words(),
        have.words()
    );
    mistakes.push(
        Diagnostic::error(codes::WRONG_TYPE, tree.place.clone(), message)
            .label(input.place.clone(), "the input is declared here")
            .hint("a value keeps its type only when the whole text is one `{{ expression }}`"),
    );
}

/// The type of an input, with that of its items.
fn wanted(input: &Input) -> Type {
    let Some(items) = input.items else {
        return names::input_type(input);
    };
    Type::List(match items {
        InputType::String => &Type::Text,
        InputType::Integer => &Type::Integer,
        InputType::Number => &Type::Number,
        InputType::Boolean => &Type::Boolean,
        InputType::Duration => &Type::Duration,
        InputType::List => &Type::List(&Type::Any),
        InputType::Object => &Type::Map(&Type::Any),
    })
}

fn wrong(input: &Input, (key, tree): (&Key, &Tree), misfit: &Misfit) -> Diagnostic {
    let code = match misfit {
        Misfit::Wrong(_) => codes::WRONG_INPUT,
        Misfit::ShortSecret => codes::SHORT_SECRET_INPUT,
    };
    Diagnostic::error(code, tree.place.clone(), misfit.message(&key.name))
        .label(input.place.clone(), "the input is declared here")
        .hint("a value in `with` must fit the declaration of its input")
}

fn passed(input: &Input, (key, tree): (&Key, &Tree), secret: &str) -> Diagnostic {
    Diagnostic::error(
        codes::SECRET_PASSED,
        tree.place.clone(),
        format!(
            "input `{}` is not secret, and is given the secret `{secret}`",
            key.name
        ),
    )
    .label(input.place.clone(), "the input is declared here")
    .hint("declare it as `secret: true` there, so that its value stays masked")
}
