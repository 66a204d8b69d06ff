//! Expressions, interpolation, JSONPath, and which names a template mentions.
//!
//! This layer knows nothing of steps or playbooks: it is given a [`Scope`] of named values and says
//! what a text makes of them, or where in the text it went wrong.

mod error;
mod expression;
mod interpolate;
mod jsonpath;
mod scope;
mod tree;

pub use error::{LocatedError, TemplateError};
pub use expression::{Expression, Mention};
pub use interpolate::Template;
pub use jsonpath::{JsonPath, Take};
pub use scope::{Data, Scope};
pub use tree::{Key, Node, Tree};
