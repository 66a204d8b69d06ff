//! Every mention of a tree, with the scalar it stands in; places are computed only when one is shown.

use std::ops::Range;

use crate::diagnostic::Place;
use crate::outcome::Accept;
use crate::playbook::{Step, part};
use crate::template::{Expression, Mention, Node, Tree};

/// A mention where it stands.
#[derive(Clone, Copy)]
pub(super) struct Found<'t> {
    pub(super) mention: &'t Mention,
    scalar: &'t Place,
    source: &'t str,
}

impl<'t> Found<'t> {
    /// The parts of the name, from the root.
    pub(super) fn path(&self) -> impl Iterator<Item = &'t str> + use<'t> {
        self.mention.path.iter().map(String::as_str)
    }

    /// A part of the name.
    pub(super) fn hop(&self, at: usize) -> Option<&'t str> {
        self.mention.path.get(at).map(String::as_str)
    }

    /// The place of the whole mention.
    pub(super) fn place(&self) -> Place {
        part(self.scalar, self.source, &self.mention.range)
    }

    /// The name as it is written.
    pub(super) fn written(&self) -> &'t str {
        self.source
            .get(self.mention.range.clone())
            .unwrap_or_default()
    }

    /// The place of something else in the same scalar.
    pub(super) fn part(&self, range: &Range<usize>) -> Place {
        part(self.scalar, self.source, range)
    }

    /// The place of one part of its name: for `steps.build.x` part 1 is `build`.
    pub(super) fn hop_place(&self, at: usize) -> Place {
        let range = &self.mention.range;
        let text = self.source.get(range.clone()).unwrap_or_default();
        let wanted = self.hop(at).unwrap_or_default();
        let skip: usize = self.path().take(at).map(|p| p.len() + 1).sum();
        let from = text
            .get(skip..)
            .and_then(|rest| rest.find(wanted))
            .map(|found| range.start + skip + found);
        match from {
            Some(from) => part(self.scalar, self.source, &(from..from + wanted.len())),
            None => self.place(),
        }
    }
}

/// What a part of a step sees beside `inputs`, `vars`, `steps` and `run`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sees {
    /// `this`, the step's own record.
    pub(super) this: bool,
    /// `item`, `key` and `index`, when the step has `for_each`.
    pub(super) item: bool,
}

/// Visits every mention of a step but those of its undo, with what may be seen there and which outcome
/// of a mentioned step will do. The condition comes last: it decides, and that holds for the whole step.
pub(super) fn step<'t>(step: &'t Step, visit: &mut impl FnMut(Found<'t>, Sees, Accept)) {
    let (once, each) = (
        Sees::default(),
        Sees {
            this: false,
            item: true,
        },
    );
    if let Some(for_each) = &step.for_each {
        let (items, key) = (&for_each.items, for_each.key.iter());
        expression(&items.value, &items.place, &mut |found| {
            visit(found, once, Accept::PASSED);
        });
        for key in key {
            expression(&key.value, &key.place, &mut |found| {
                visit(found, each, Accept::PASSED);
            });
        }
        if let Some(count) = &for_each.max_parallel {
            tree(count, &mut |found| visit(found, once, Accept::PASSED));
        }
    }
    let max = step.rerun.iter().map(|rerun| &rerun.max);
    for part in step.trees().chain(max) {
        tree(part, &mut |found| visit(found, each, Accept::PASSED));
    }
    let of_this = step
        .asserts
        .iter()
        .chain(step.rerun.iter().filter_map(|rerun| rerun.when.as_ref()))
        .chain(step.until.iter().flat_map(|until| &until.that));
    let this = Sees { this: true, ..each };
    for part in of_this {
        expression(&part.value, &part.place, &mut |found| {
            visit(found, this, Accept::PASSED);
        });
    }
    if let Some(when) = &step.when {
        expression(&when.value, &when.place, &mut |found| {
            visit(found, once, Accept::ANY);
        });
    }
}

/// Visits every mention of a tree, in the order of the file.
pub(super) fn tree<'t>(tree: &'t Tree, visit: &mut impl FnMut(Found<'t>)) {
    match &tree.node {
        Node::Literal(_) => {}
        Node::Template(template) => {
            for mention in template.mentions() {
                visit(Found {
                    mention,
                    scalar: &tree.place,
                    source: template.source(),
                });
            }
        }
        Node::Expressions(list) => {
            for (found, place) in list {
                expression(found, place, visit);
            }
        }
        Node::List(items) => items.iter().for_each(|item| self::tree(item, visit)),
        Node::Map(entries) => entries.iter().for_each(|(_, item)| self::tree(item, visit)),
    }
}

/// Visits every mention of an expression.
pub(super) fn expression<'t>(
    found: &'t Expression,
    place: &'t Place,
    visit: &mut impl FnMut(Found<'t>),
) {
    for mention in found.mentions() {
        visit(Found {
            mention,
            scalar: place,
            source: found.source(),
        });
    }
}
