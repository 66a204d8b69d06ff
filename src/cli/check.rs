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
use crate::diagnostic::{Diagnostics, Source};
use crate::plan::{self, Limits};
use crate::playbook::source_from_bytes;

/// Checks playbooks; warnings alone do not fail, unless they are denied.
pub(super) fn check(around: &Surroundings, args: &Check) -> Result<Exit, Failing> {
    let playbooks = found::files(&args.playbooks, &is_playbook);
    if playbooks.is_empty() {
        return Err(
            Failing::words(Exit::Usage, "there is no playbook here".to_owned()).hint(
                "a playbook is a file `*.yml` with a line `playbook: 1`; name it, or another folder",
            ),
        );
    }
    let mut all = Diagnostics::new();
    // What cannot be read must not hide what is wrong with the others.
    let mut unreadable = None;
    for path in &playbooks {
        match one(around, path) {
            Ok(mistakes) | Err(Failing::Mistakes(Exit::Invalid, mistakes)) => all.extend(mistakes),
            Err(other) => drop(unreadable.get_or_insert(other)),
        }
    }
    tell(
        around,
        args,
        &all,
        playbooks.len() - usize::from(unreadable.is_some()),
    )?;
    let refused = all.has_errors() || args.deny_warnings && !all.is_empty();
    match unreadable {
        Some(failing) => Err(failing),
        None if refused => Ok(Exit::Invalid),
        None => Ok(Exit::Passed),
    }
}

fn one(around: &Surroundings, path: &Path) -> Result<Diagnostics, Failing> {
    let limits = limits(&around.settings(Some(path))?);
    let checkout = |named: &_| checkout::around(path, named, &limits);
    let source = source(path, &limits)?;
    let files = files(around, (&source, path), &limits);
    Ok(plan::check_beside(&source, &files, &limits, &checkout).1)
}

/// Whether a file below a folder is meant as a playbook.
fn is_playbook(name: &str, path: &Path) -> bool {
    let yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    if !yaml || name.ends_with(".test.yml") {
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
    checked: usize,
) -> Result<(), Failing> {
    let output = &around.output;
    match args.format {
        CheckFormat::Human => {
            if all.has_errors() || args.deny_warnings || !around.global.quiet {
                output.talk(&render::human(all, around.width(), output.err_colour()));
            }
            if all.is_empty() && checked > 0 {
                around.say(&format!("{} in order", counted(checked)));
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

fn counted(number: usize) -> String {
    if number == 1 {
        "1 playbook is".to_owned()
    } else {
        format!("{number} playbooks are")
    }
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
