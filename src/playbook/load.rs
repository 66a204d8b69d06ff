//! The one way in: a text becomes a playbook, with all that it uses.

use std::sync::Arc;

use super::files::Files;
use super::includes;
use super::limits::Limits;
use super::mistakes::Mistakes;
use super::model::Playbook;
use super::{codes, decode, tree};
use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::playbook::tree::YamlNode;

/// Reads a playbook and all that it uses. With mistakes it may still be given, but then it is not
/// [complete](Playbook::complete): only its graph may be checked, so that all mistakes are told at
/// once.
pub fn load(
    source: &Arc<Source>,
    files: &dyn Files,
    limits: &Limits,
) -> (Option<Playbook>, Diagnostics) {
    includes::load_all(source, files, limits)
}

/// Reads one file.
pub(super) fn one(source: &Arc<Source>, limits: &Limits) -> (Option<Playbook>, Diagnostics) {
    let mut mistakes = Mistakes::new(limits);
    let mut playbook = read(source, limits, &mut mistakes);
    if let Some(playbook) = &mut playbook {
        playbook.complete = mistakes.errors() == 0;
    }
    (playbook, mistakes.finish())
}

fn read(source: &Arc<Source>, limits: &Limits, mistakes: &mut Mistakes) -> Option<Playbook> {
    let yaml = tree::parse(source, limits, mistakes)?;
    if yaml.node == YamlNode::Null {
        mistakes.push(
            Diagnostic::error(codes::EMPTY_FILE, source.place(0..0), "the file is empty")
                .hint("a playbook begins with `playbook: 1`"),
        );
        return None;
    }
    decode::playbook(source, &yaml, mistakes)
}
