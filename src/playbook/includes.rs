//! A playbook with all that it uses: each file is read once, and its mistakes are told in it.

use std::collections::HashMap;
use std::sync::Arc;

use super::codes;
use super::files::{Files, shown};
use super::limits::Limits;
use super::load;
use super::model::{Playbook, Step};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Source};

/// Reads a playbook and all that it uses.
pub(super) fn load_all(
    source: &Arc<Source>,
    files: &dyn Files,
    limits: &Limits,
) -> (Option<Playbook>, Diagnostics) {
    let mut loader = Loader {
        files,
        limits,
        diagnostics: Diagnostics::new(),
        done: HashMap::new(),
        path: Vec::new(),
        told: false,
    };
    let playbook = loader.load(source);
    (playbook, loader.diagnostics)
}

struct Loader<'a> {
    files: &'a dyn Files,
    limits: &'a Limits,
    diagnostics: Diagnostics,
    /// What was read, by the name of the source; nothing for what could not be read.
    done: HashMap<String, Option<Arc<Playbook>>>,
    /// The names of the sources that use each other down to the one that is being read.
    path: Vec<String>,
    /// Whether it was told that there are too many.
    told: bool,
}

impl Loader<'_> {
    fn load(&mut self, source: &Arc<Source>) -> Option<Playbook> {
        let (playbook, mistakes) = load::one(source, self.limits);
        self.diagnostics.extend(mistakes);
        let mut playbook = playbook?;
        self.path.push(source.name.clone());
        let steps = playbook.steps.values().chain(playbook.finally.values());
        let uses: Vec<(String, Place)> = steps.filter_map(used).collect();
        for (written, place) in uses {
            if playbook.used.contains_key(&written) {
                continue;
            }
            if let Some(found) = self.open(source, &written, &place) {
                playbook.used.insert(written, found);
            }
        }
        self.path.pop();
        Some(playbook)
    }

    fn open(&mut self, from: &Arc<Source>, written: &str, place: &Place) -> Option<Arc<Playbook>> {
        let source = match self.files.open(from, written) {
            Ok(source) => source,
            Err(mut mistake) => {
                if mistake.place.is_none() {
                    mistake.place = Some(place.clone());
                } else {
                    // It is told in its own file, and the way there is shown.
                    *mistake = mistake.label(place.clone(), "it is used here");
                }
                self.diagnostics.push(*mistake);
                return None;
            }
        };
        if let Some(at) = self.path.iter().position(|name| *name == source.name) {
            self.diagnostics
                .push(circle(self.path.get(at..).unwrap_or_default(), place));
            return None;
        }
        if let Some(known) = self.done.get(&source.name) {
            return known.clone();
        }
        if let Some(words) = self.too_many() {
            if !self.told {
                self.told = true;
                self.diagnostics.push(
                    Diagnostic::error(codes::TOO_MANY_USED, place.clone(), words)
                        .hint("write fewer, larger playbooks, or raise the limits"),
                );
            }
            return None;
        }
        self.done.insert(source.name.clone(), None);
        let playbook = self.load(&source).map(Arc::new);
        self.done.insert(source.name.clone(), playbook.clone());
        playbook
    }

    fn too_many(&self) -> Option<String> {
        if self.path.len() > self.limits.include_depth_max {
            return Some(format!(
                "playbooks use each other more than {} deep",
                self.limits.include_depth_max
            ));
        }
        (self.done.len() >= self.limits.includes_max).then(|| {
            format!(
                "more than {} other playbooks are used",
                self.limits.includes_max
            )
        })
    }
}

/// What a step uses, and where that is written.
fn used(step: &Step) -> Option<(String, Place)> {
    let tree = step.used()?;
    let written = tree.constant()?;
    Some((written.as_str()?.to_owned(), tree.place.clone()))
}

fn circle(path: &[String], place: &Place) -> Diagnostic {
    let names = path.iter().chain(path.first());
    let names: Vec<String> = names.map(|name| format!("`{}`", shown(name))).collect();
    Diagnostic::error(
        codes::USED_IN_CIRCLE,
        place.clone(),
        format!(
            "playbooks use each other in a circle: {}",
            names.join(" → ")
        ),
    )
    .hint("each uses the one after the arrow: cut one of them")
}
