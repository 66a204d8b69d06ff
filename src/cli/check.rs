//! `runner check`: everything that can be known without sending anything.

use std::path::Path;
use std::sync::Arc;

use super::args::{Check, CheckFormat};
use super::checkout;
use super::exit::Exit;
use super::failing::Failing;
use super::found;
use super::main::Surroundings;
use super::playbooks::files;
use super::render;
use super::settings::Settings;
use super::test_files::{self, ENDING, is_test};
use crate::diagnostic::{Diagnostics, Severity, Source};
use crate::plan::{self, Limits};
use crate::playbook::source_from_bytes;

/// How many files were looked into.
#[derive(Default)]
struct Checked {
    playbooks: usize,
    tests: usize,
}

/// Checks playbooks and test files; warnings alone do not fail, unless they are denied.
pub(super) fn check(around: &Surroundings, args: &Check) -> Result<Exit, Failing> {
    let paths = found::files(&args.playbooks, &|name, path| {
        name.ends_with(ENDING) || is_playbook(name, path)
    });
    if paths.is_empty() {
        return Err(
            Failing::words(Exit::Usage, "there is no playbook here".to_owned()).hint(
                "a playbook is a file `*.yml` with a line `playbook: 1`; name it, or another folder",
            ),
        );
    }
    let mut all = Diagnostics::new();
    let mut checked = Checked::default();
    // What cannot be read must not hide what is wrong with the others.
    let mut unreadable = None;
    for path in &paths {
        let (one, count): (fn(_, _) -> _, _) = if is_test(path) {
            (test_file, &mut checked.tests)
        } else {
            (playbook, &mut checked.playbooks)
        };
        match one(around, path) {
            Ok(mistakes) | Err(Failing::Mistakes(Exit::Invalid, mistakes)) => {
                all.extend(mistakes);
                *count += 1;
            }
            Err(other) => drop(unreadable.get_or_insert(other)),
        }
    }
    tell(around, args, &all, &checked)?;
    let refused = all.has_errors() || args.deny_warnings && !all.is_empty();
    match unreadable {
        Some(failing) => Err(failing),
        None if refused => Ok(Exit::Invalid),
        None => Ok(Exit::Passed),
    }
}

fn playbook(around: &Surroundings, path: &Path) -> Result<Diagnostics, Failing> {
    let limits = limits(&around.settings(Some(path))?);
    let checkout = |named: &_| checkout::around(path, named, &limits);
    let source = source(path, &limits)?;
    let files = files(around, (&source, path), &limits);
    Ok(plan::check_beside(&source, &files, &limits, &checkout).1)
}

/// Of its playbook only what keeps the test from being read: the rest is told of the playbook.
fn test_file(around: &Surroundings, path: &Path) -> Result<Diagnostics, Failing> {
    let loaded = test_files::load(around, path)?;
    let mut mistakes = loaded.wrong;
    if loaded.wrong_playbook.has_errors() {
        for mistake in loaded.wrong_playbook.sorted() {
            if mistake.severity == Severity::Error {
                mistakes.push(mistake.clone());
            }
        }
    }
    Ok(mistakes)
}

/// Whether a file below a folder is meant as a playbook.
fn is_playbook(name: &str, path: &Path) -> bool {
    if !name.ends_with(".yml") && !name.ends_with(".yaml") {
        return false;
    }
    let text = source(path, &Limits::default());
    text.is_ok_and(|source| {
        let mut lines = source.text.lines();
        lines.any(|line| line.starts_with("playbook:"))
    })
}

fn tell(
    around: &Surroundings,
    args: &Check,
    all: &Diagnostics,
    checked: &Checked,
) -> Result<(), Failing> {
    let output = &around.output;
    match args.format {
        CheckFormat::Human => {
            if all.has_errors() || args.deny_warnings || !around.global.quiet {
                output.talk(&render::human(all, around.width(), output.err_colour()));
            }
            if let (true, Some(counted)) = (all.is_empty(), counted(checked)) {
                around.say(&format!("{counted} in order"));
            }
        }
        CheckFormat::Json => {
            let entries = serde_json::to_value(render::entries(all)).unwrap_or_default();
            output.json(&output.redactor().value(&entries))?;
        }
        CheckFormat::Github => output.commands(&render::github(all))?,
    }
    Ok(())
}

/// `2 playbooks and 1 test file are`; none when nothing was looked into.
fn counted(checked: &Checked) -> Option<String> {
    let some = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        _ => Some(format!("{number} {what}s")),
    };
    let kinds = [
        some(checked.playbooks, "playbook"),
        some(checked.tests, "test file"),
    ];
    let kinds: Vec<String> = kinds.into_iter().flatten().collect();
    let verb = if checked.playbooks + checked.tests == 1 {
        "is"
    } else {
        "are"
    };
    (!kinds.is_empty()).then(|| format!("{} {verb}", kinds.join(" and ")))
}

/// Reads the text of a playbook.
pub(super) fn source(path: &Path, limits: &Limits) -> Result<Arc<Source>, Failing> {
    use std::io::Read as _;
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        Failing::words(Exit::Usage, format!("`{name}` cannot be read: {error}"))
    };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    file.take(limits.file_bytes_max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    source_from_bytes(&name, bytes, limits)
        .map_err(|mistake| Failing::mistake(Exit::Invalid, *mistake))
}

/// How large a playbook may be.
pub(super) fn limits(settings: &Settings) -> Limits {
    let small = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
        file_bytes_max: small(settings.limits.playbook_bytes),
        depth_max: small(settings.limits.playbook_depth),
        nodes_max: small(settings.limits.playbook_nodes),
        aliases_max: small(settings.limits.aliases),
        steps_max: small(settings.limits.steps),
        edges_max: small(settings.limits.edges),
        includes_max: small(settings.limits.includes),
        include_depth_max: small(settings.limits.include_depth),
        ..Limits::default()
    }
}
