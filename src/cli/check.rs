//! `runner check`: everything that can be known without sending anything.

use std::path::Path;
use std::sync::Arc;

use super::args::{Check, CheckFormat};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::playbooks::files;
use super::render;
use super::settings::Settings;
use crate::diagnostic::{Diagnostics, Source};
use crate::plan::{self, Limits};
use crate::playbook::source_from_bytes;

/// Checks playbooks; warnings alone do not fail.
pub(super) fn check(around: &Surroundings, args: &Check) -> Result<Exit, Failing> {
    let mut all = Diagnostics::new();
    for path in &args.playbooks {
        let settings = around.settings(Some(path))?;
        let limits = limits(&settings);
        match source(path, &limits) {
            Ok(source) => {
                let files = files(around, (&source, path), &limits);
                all.extend(plan::check_with(&source, &files, &limits).1);
            }
            Err(Failing::Mistakes(_, mistakes)) => all.extend(mistakes),
            Err(other) => return Err(other),
        }
    }
    let output = &around.output;
    match args.format {
        CheckFormat::Human => {
            output.talk(&render::human(&all, around.width(), output.err_colour()));
            if all.is_empty() {
                around.say(&format!("{} in order", counted(args.playbooks.len())));
            }
        }
        CheckFormat::Json => {
            let entries = serde_json::to_value(render::entries(&all)).unwrap_or_default();
            output.json(&output.redactor().value(&entries))?;
        }
        CheckFormat::Github => output.commands(&render::github(&all))?,
    }
    Ok(if all.has_errors() {
        Exit::Invalid
    } else {
        Exit::Passed
    })
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
