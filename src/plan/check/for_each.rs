//! Rule family: what a step is done for gives items.

use crate::catalog::Type;
use crate::diagnostic::Diagnostic;
use crate::playbook::{ForEach, Mistakes, codes};

use super::super::names::Names;
use super::super::walk;
use super::types::{self, At};

/// Checks what gives the items of a step.
pub(crate) fn check(for_each: &ForEach, names: &Names<'_>, mistakes: &mut Mistakes) {
    let at = At { names, step: None };
    if let Some(count) = &for_each.max_parallel {
        types::fits(Type::Integer, "max_parallel", count, at, mistakes);
    }
    let items = &for_each.items;
    walk::expression(&items.value, &items.place, &mut |found| {
        let source = items.value.source();
        let alone = source.get(found.mention.range.clone()) == Some(source.trim());
        let Some(have) = types::mentioned(found, at).filter(|_| alone) else {
            return;
        };
        if matches!(have, Type::List(_) | Type::Map(_) | Type::Any) {
            return;
        }
        mistakes.push(
            Diagnostic::error(
                codes::WRONG_TYPE,
                found.place(),
                format!(
                    "`for_each` must be a list or a map, and `{}` is {}",
                    found.path().collect::<Vec<_>>().join("."),
                    have.words()
                ),
            )
            .hint("name what holds the items"),
        );
    });
}
