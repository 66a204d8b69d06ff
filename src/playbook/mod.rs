//! From text to a `Playbook`, collecting every mistake.
//!
//! Two steps: `tree.rs` reads YAML into a tree with spans, and `decode/` turns that tree into the types of
//! `model.rs`, which cannot be wrong in what the file alone shows. Nothing here knows other playbooks'
//! steps, the graph, or Semaphore.

/// The stable codes of mistakes: one table.
pub mod codes;
mod decode;
mod disk;
mod files;
mod includes;
/// Whether a value fits the declaration of an input.
pub mod input_value;
/// The playbooks that are built into the program.
pub mod library;
mod limits;
mod load;
mod mistakes;
mod model;
mod places;
mod schema;
mod stored;
mod syntax;
mod tree;
mod unquoted;

pub(crate) use decode::{is_literally_false, literal};
/// Reading single values of any of our files, with the words that playbooks are told.
pub(crate) mod reading {
    pub(crate) use super::decode::{
        boolean, duration, integer, text, unknown_key, wrong_shape, wrong_word,
    };
    pub(crate) use super::tree::{Entry, Yaml};
}
pub use disk::DiskFiles;
pub use files::{BuiltIn, Files};
pub use limits::Limits;
pub use load::load;
pub(crate) use mistakes::Mistakes;
pub use model::{
    Concurrency, Defaults, Extract, ForEach, Input, InputType, Invocation, Located, Needs,
    OnConflict, OnFailure, OnInterrupt, Playbook, Rerun, RerunScope, Retry, RetryOn, Step, Timeout,
    Until,
};
pub(crate) use places::{fixed_line, part};
pub use schema::playbook_schema;
pub use stored::{StoredFile, StoredFiles};
pub use syntax::source_from_bytes;
pub(crate) use tree::{YamlNode, parse};
