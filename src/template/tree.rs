//! A YAML value whose text scalars are templates, each with its place.

use serde_json::{Map, Value, json};

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
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect(&self, found: &mut Vec<(Mention, Place)>) {
        let mut add = |mentions: &[Mention], place: &Place| {
            let placed = mentions
                .iter()
                .map(|m| (m.clone(), place.within(m.range.clone())));
            found.extend(placed);
        };
        match &self.node {
            Node::Literal(_) => {}
            Node::Template(template) => add(template.mentions(), &self.place),
            Node::Expressions(list) => {
                for (expression, place) in list {
                    add(expression.mentions(), place);
                }
            }
            Node::List(items) => items.iter().for_each(|item| item.collect(found)),
            Node::Map(entries) => entries.iter().for_each(|(_, item)| item.collect(found)),
        }
    }

    /// The value when nothing needs to be filled in.
    pub fn constant(&self) -> Option<Value> {
        match &self.node {
            Node::Literal(value) => Some(value.clone()),
            Node::Template(template) => template.constant().map(Value::String),
            Node::Expressions(list) => list.is_empty().then(|| Value::Array(Vec::new())),
            Node::List(items) => items.iter().map(Self::constant).collect(),
            Node::Map(entries) => entries
                .iter()
                .map(|(key, item)| Some((key.name.clone(), item.constant()?)))
                .collect::<Option<Map<_, _>>>()
                .map(Value::Object),
        }
    }

    /// The value in a scope, rendered once. A scalar that is one expression and comes out as none is
    /// left out of its map or list; `Ok(None)` says that of the tree itself.
    pub fn render(&self, scope: &Scope) -> Result<Option<Value>, LocatedError> {
        match &self.node {
            Node::Literal(value) => Ok(Some(value.clone())),
            Node::Template(template) => {
                let value = template.render(scope).map_err(|e| e.at(&self.place))?;
                Ok(Some(value).filter(|v| !v.is_null()))
            }
            Node::Expressions(list) => {
                let asked = list
                    .iter()
                    .map(|(expression, place)| ask(expression, place, scope));
                let asked: Vec<Value> = asked.collect::<Result<_, _>>()?;
                Ok(Some(Value::Array(asked)))
            }
            Node::List(items) => {
                let rendered = items
                    .iter()
                    .filter_map(|item| item.render(scope).transpose());
                let rendered: Vec<Value> = rendered.collect::<Result<_, _>>()?;
                Ok(Some(Value::Array(rendered)))
            }
            Node::Map(entries) => {
                let mut map = Map::new();
                for (key, item) in entries {
                    if let Some(value) = item.render(scope)? {
                        map.insert(key.name.clone(), value);
                    }
                }
                Ok(Some(Value::Object(map)))
            }
        }
    }
}

fn ask(expression: &Expression, place: &Place, scope: &Scope) -> Result<Value, LocatedError> {
    let holds = expression.holds(scope).map_err(|e| e.at(place))?;
    let values: Map<_, _> = expression.explain(scope).into_iter().collect();
    Ok(json!({ "expression": expression.source(), "holds": holds, "values": values }))
}
