//! From a tree to a `Playbook`: every mistake is told, and what is right is kept.
//!
//! Each file knows one part of the language. None knows the graph: whether a step that is named
//! exists is asked later.

mod action;
mod fields;
mod for_each;
mod habits;
mod inputs;
mod needs;
mod params;
mod playbook;
mod repeat;
mod retry;
mod scalars;
mod step;
mod undo;
mod values;

pub(crate) use action::is_literally_false;
pub(crate) use fields::{unknown_key, wrong_shape};
pub(crate) use inputs::literal;
pub(crate) use playbook::playbook;
pub(crate) use scalars::{boolean, duration, integer, text, wrong_word};
