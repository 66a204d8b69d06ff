//! What each action is: its parameters, outputs and words, described once.
//!
//! The decoder, the nearest-name hints, the checks of `steps.x.y`, the JSON Schema and
//! `docs/actions.md` all come from these descriptions. What an action *does* stands in
//! `engine/actions/`, under the same name.

mod types;

pub use types::{Action, Field, Param, Reach, Shape, Type};
