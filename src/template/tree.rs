//! A YAML value whose text scalars are templates, each with its place.

use serde_json::Value;

use super::{Expression, LocatedError, Mention, Scope, Template};
use crate::diagnostic::Place;

/// The key of a map, with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    /// The text; keys are never templates.
    pub name: String,
    /// Where it stands.
    pub place: Place,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Where the value stands (for text: the text itself, without its quotes).
    pub place: Place,
    /// The value.
    pub node: Node,
}

/// What a [`Tree`] may be.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// A value with nothing to fill in.
    Literal(Value),
    /// Text with something to fill in.
    Template(Template),
    /// A list of bare expressions (`check.that`). It renders to a list of
    /// `{"expression": text, "holds": bool, "values": {name: value}}`.
    Expressions(Vec<(Expression, Place)>),
    /// A list.
    List(Vec<Tree>),
    /// A map, in the order of the file.
    Map(Vec<(Key, Tree)>),
}

impl Tree {
    /// A value with nothing to fill in.
    pub fn literal(place: Place, value: Value) -> Self {
        Self {
            place,
            node: Node::Literal(value),
        }
    }

    /// Everything that is mentioned anywhere in it, with its place.
    pub fn mentions(&self) -> Vec<(Mention, Place)> {
        unimplemented!()
    }

    /// The value when nothing needs to be filled in.
    pub fn constant(&self) -> Option<Value> {
        unimplemented!()
    }

    /// The value in a scope, rendered once. A scalar that is one expression and comes out as none is
    /// left out of its map or list; `Ok(None)` says that of the tree itself.
    pub fn render(&self, _scope: &Scope) -> Result<Option<Value>, LocatedError> {
        unimplemented!()
    }
}
