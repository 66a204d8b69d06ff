//! `runner library` and `runner new`: the playbooks that are built in, to look at and to begin with.

mod page;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::args::{Library, LibraryCommand, New};
use super::exit::Exit;
use super::failing::Failing;
use super::main::Surroundings;
use super::screen::{Screen, pad};
use crate::diagnostic::{Source, nearest};
use crate::plan::{self, Limits, Plan};
use crate::playbook::library;

pub(super) use self::page::page;

/// The line by which editors find the schema.
const SCHEMA_LINE: &str = "# yaml-language-server: $schema=";
/// The folder that holds the schemas of the playbooks around it: those of the program that wrote them.
const SCHEMAS: &str = ".runner";
/// The longest name of a new playbook.
const NAME_BYTES_MAX: usize = 60;

/// A line of the list.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    description: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    steps: usize,
}

/// Lists or shows.
pub(super) fn library(around: &Surroundings, args: &Library) -> Result<Exit, Failing> {
    match &args.command {
        LibraryCommand::List(list) => {
            let entries = entries();
            if list.json {
                around
                    .output
                    .json(&around.redactor.value(&json!(entries)))?;
            } else {
                let screen = Screen::new(around.width(), &around.redactor);
                around.output.data(&table(&entries, &screen))?;
            }
        }
        LibraryCommand::Show(show) => {
            around.output.data(text_of(&show.name)?)?;
        }
    }
    Ok(Exit::Passed)
}

/// The plan of a playbook that is built in; a test holds that each has one.
fn plan_of(name: &str, text: &str) -> Option<Plan> {
    plan::check(
        &Source::new(format!("{name}.yml"), text),
        &Limits::default(),
    )
    .0
}

fn entries() -> Vec<Entry> {
    library::all()
        .filter_map(|(name, text)| {
            let plan = plan_of(name, text)?;
            Some(Entry {
                name,
                description: plan.description.clone().unwrap_or_default(),
                inputs: plan.inputs.keys().cloned().collect(),
                outputs: plan.outputs.keys().cloned().collect(),
                steps: plan.steps.len(),
            })
        })
        .collect()
}

fn table(entries: &[Entry], screen: &Screen<'_>) -> String {
    let width = entries.iter().map(|e| e.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for entry in entries {
        let first = format!("{}  ", pad(entry.name, width));
        let others = " ".repeat(width + 2);
        for line in screen.wrapped(&entry.description, &first, &others) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
    }
    out
}

fn text_of(name: &str) -> Result<&'static str, Failing> {
    library::find(name).ok_or_else(|| {
        let shown = crate::text::clean_line(name, 80);
        let failing = Failing::words(
            Exit::Usage,
            format!("there is no playbook `{shown}` in the library"),
        );
        failing.hint(
            match nearest(name, library::all().map(|(known, _)| known)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`runner library list` shows them".to_owned(),
            },
        )
    })
}

/// Writes a playbook and its test into the working folder, and the schemas by which editors know both.
pub(super) fn new(around: &Surroundings, args: &New) -> Result<Exit, Failing> {
    let name = checked_name(&args.name)?;
    let (playbook, test) = match &args.from {
        Some(from) => {
            let text = text_of(from)?;
            let test = library::test_of(from).unwrap_or_default();
            (own(text, from, name), own(test, from, name))
        }
        None => (
            own(TEMPLATE, "NAME", name),
            own(TEMPLATE_TEST, "NAME", name),
        ),
    };
    let files = [
        (PathBuf::from(format!("{name}.yml")), playbook),
        (PathBuf::from(format!("{name}.test.yml")), test),
    ];
    // Both or none: whoever has one of them keeps it.
    for (path, _) in &files {
        if path.symlink_metadata().is_ok() {
            return Err(exists(path));
        }
    }
    for (path, text) in &files {
        write(path, text)?;
    }
    schemas()?;
    for line in [
        format!("wrote {name}.yml and {name}.test.yml"),
        format!("next: runner apply {name}.yml --simulate"),
        format!("      runner test {name}.test.yml"),
    ] {
        around.say(&line);
    }
    Ok(Exit::Passed)
}

/// Made of the program, so that they are written again whenever it has changed.
fn schemas() -> Result<(), Failing> {
    let folder = Path::new(SCHEMAS);
    std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for (file, schema) in [
        ("playbook.schema.json", crate::playbook::playbook_schema()),
        ("test.schema.json", crate::testing::test_schema()),
    ] {
        let path = folder.join(file);
        let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
        std::fs::write(&path, text + "\n").map_err(|error| unwritable(&path, &error))?;
    }
    Ok(())
}

fn exists(path: &Path) -> Failing {
    Failing::words(
        Exit::Usage,
        format!("there is a file `{}` already", path.display()),
    )
    .hint("give the new playbook another name: nothing is overwritten")
}

fn write(path: &Path, text: &str) -> Result<(), Failing> {
    let made = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path);
    let mut file = match made {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(exists(path));
        }
        other => other.map_err(|error| unwritable(path, &error))?,
    };
    file.write_all(text.as_bytes())
        .map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failing {
    let words = format!("`{}` cannot be written: {error}", path.display());
    Failing::words(Exit::NotWritten, words)
}

/// A name that is a file of this folder, and one that `use` can name.
fn checked_name(name: &str) -> Result<&str, Failing> {
    let name = name.strip_suffix(".yml").unwrap_or(name);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let good = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(fits)
        && name.len() <= NAME_BYTES_MAX;
    if good {
        return Ok(name);
    }
    let shown = crate::text::clean_line(name, 80);
    Err(Failing::words(
        Exit::Usage,
        format!("`{shown}` cannot be the name of a playbook"),
    )
    .hint("a name has letters, digits, `-` and `_`; the files are written to the working folder"))
}

/// A text of the library under another name.
fn own(text: &str, from: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let line = match line.strip_prefix(SCHEMA_LINE) {
            Some(path) => {
                let file = path.rsplit('/').next().unwrap_or(path);
                format!("{SCHEMA_LINE}{SCHEMAS}/{file}")
            }
            None => match line {
                _ if line == format!("name: {from}") => format!("name: {name}"),
                _ if line.starts_with("test: ") => format!("test: {name}.yml"),
                _ if line.starts_with('#') => line
                    .replace(&format!("playbooks/{from}."), &format!("{name}."))
                    .replace(&format!("{from}."), &format!("{name}.")),
                _ => line.to_owned(),
            },
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

const TEMPLATE: &str = include_str!("library/template.yml");
const TEMPLATE_TEST: &str = include_str!("library/template.test.yml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_playbook_of_the_library_is_listed_and_can_be_begun_with() {
        let entries = entries();
        assert_eq!(entries.len(), library::all().count());
        for (name, text) in library::all() {
            assert!(
                plan_of("mine", &own(text, name, "mine")).is_some(),
                "{name}"
            );
            let entry = entries.iter().find(|entry| entry.name == name).unwrap();
            assert!(
                !entry.description.is_empty() && !entry.inputs.is_empty(),
                "{name}"
            );
            assert!(!entry.outputs.is_empty(), "{name}");
            assert!(text.lines().count() <= 60, "{name}");
            assert!(library::test_of(name).is_some());
        }
        assert!(plan_of("mine", &own(TEMPLATE, "NAME", "mine")).is_some());
    }

    #[test]
    fn a_name_is_a_file_of_this_folder() {
        for good in ["release", "my-release_2", "release.yml"] {
            assert!(checked_name(good).is_ok(), "{good}");
        }
        for bad in ["", "../x", "a/b", ".hidden", "-i", "a b", "a.b"] {
            assert!(checked_name(bad).is_err(), "{bad}");
        }
    }
}
