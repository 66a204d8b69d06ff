//! Test files as they are read: for `runner test`, which runs them, and for `runner check`, which does not.

use std::path::Path;
use std::sync::Arc;

use super::check::{limits, source};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::playbooks::files;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::{self, Limits, Plan};
use crate::playbook::codes;
use crate::testing::{Draft, TestFile, read};

/// What the name of a test file ends with.
pub(super) const ENDING: &str = ".test.yml";

/// Whether a file that was named is meant as a test file, not as a playbook: by its name, or by its first words.
pub(super) fn is_test(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.ends_with(ENDING) || name.ends_with(".test.yaml") {
        return true;
    }
    let text = source(path, &Limits::default());
    text.is_ok_and(|source| {
        let begins = |word: &str| source.text.lines().any(|line| line.starts_with(word));
        begins("test:") && !begins("playbook:")
    })
}

/// A test file and its playbook, with all mistakes of both; there is no file when there is an error.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) file: Option<TestFile>,
    /// What is wrong with the test file.
    pub(super) wrong: Diagnostics,
    /// What is wrong with its playbook.
    pub(super) wrong_playbook: Diagnostics,
}

/// Reads a test file and its playbook.
pub(super) fn load(around: &Surroundings, path: &Path) -> Result<Loaded, Failing> {
    let limits = limits(&around.settings(Some(path))?);
    let mut loaded = Loaded::default();
    let Some(text) = kept(source(path, &limits), &mut loaded.wrong)? else {
        return Ok(loaded);
    };
    let (draft, wrong) = read(&text, &limits);
    loaded.wrong.extend(wrong);
    let Some(draft) = draft else {
        return Ok(loaded);
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let playbook = folder.join(&draft.playbook.value);
    if !playbook.is_file() {
        loaded.wrong.push(no_playbook(&draft));
        return Ok(loaded);
    }
    let plan = planned(around, &playbook, &limits, &mut loaded.wrong_playbook)?;
    let Some(plan) = plan else {
        return Ok(loaded);
    };
    let name = playbook.display().to_string();
    let (file, wrong) = draft.with(name, Arc::new(plan), &limits);
    loaded.wrong.extend(wrong);
    loaded.file = file;
    Ok(loaded)
}

fn planned(
    around: &Surroundings,
    playbook: &Path,
    limits: &Limits,
    mistakes: &mut Diagnostics,
) -> Result<Option<Plan>, Failing> {
    let Some(text) = kept(source(playbook, limits), mistakes)? else {
        return Ok(None);
    };
    let files = files(around, (&text, playbook), limits);
    let (plan, wrong) = plan::check_with(&text, &files, limits);
    let refused = wrong.has_errors();
    mistakes.extend(wrong);
    Ok(plan.filter(|_| !refused))
}

fn no_playbook(draft: &Draft) -> Diagnostic {
    let named = &draft.playbook;
    let shown = crate::text::clean_line(&named.value, 100);
    Diagnostic::error(
        codes::NO_SUCH_PLAYBOOK,
        named.place.clone(),
        format!("there is no playbook `{shown}`"),
    )
    .hint("the path begins in the folder of the test file")
}

/// What was read; mistakes are kept, and anything else that went wrong is not theirs.
fn kept<T>(read: Result<T, Failing>, mistakes: &mut Diagnostics) -> Result<Option<T>, Failing> {
    match read {
        Ok(text) => Ok(Some(text)),
        Err(Failing::Mistakes(Exit::Invalid, wrong)) => {
            mistakes.extend(wrong);
            Ok(None)
        }
        Err(other) => Err(other),
    }
}
