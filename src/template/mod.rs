//! Expressions, interpolation, JSONPath, and which names a template mentions.
//!
//! This layer knows nothing of steps or playbooks: it is given a `Scope` of named values and says
//! what a text makes of them, or where in the text it went wrong.

mod chain;
mod code;
mod comparison;
mod cut;
mod environment;
mod error;
mod expression;
mod filters;
mod interpolate;
mod json;
mod jsonpath;
mod jsonpath_counts;
mod jsonpath_forms;
mod scope;
mod taint;
mod token;
mod tree;

pub use chain::{Compared, Mention};
pub use error::{CODES, LocatedError, TemplateError};
pub use expression::Expression;
pub use interpolate::Template;
pub use jsonpath::{JsonPath, Take};
pub use scope::{Data, Scope};
pub use tree::{Key, Node, Tree};
