//! What is made from the code is what the program prints now, and the short tables say what the long ones do.

use std::collections::BTreeSet;

use super::markdown::{document, root};
use crate::program::Program;

#[test]
fn the_program_prints_the_files_that_are_made_from_it() {
    let program = Program::new();
    for (what, path) in [
        ("playbook", "schemas/playbook.schema.json"),
        ("report", "schemas/report.v1.schema.json"),
        ("event", "schemas/event.v1.schema.json"),
        ("explain", "schemas/explain.v1.schema.json"),
        ("test", "schemas/test.schema.json"),
        ("actions", "docs/actions.md"),
        ("library", "docs/library.md"),
    ] {
        let printed = program.run(&["schema", what]);
        assert_eq!(printed.code, 0, "{}", printed.err);
        let file = std::fs::read_to_string(root().join(path)).unwrap_or_default();
        assert!(
            file == printed.out,
            "{path} has drifted: `runner schema {what} > {path}`"
        );
    }
    let settings = program.run(&["schema", "settings"]);
    assert!(document("docs/settings.md").text.contains(&settings.out));
}

/// The short table of the README names every code of the long one.
#[test]
fn the_readme_names_every_exit_code() {
    let readme = document("README.md").text;
    let (_, section) = readme
        .split_once("## Exit codes")
        .expect("there is a section");
    let named: BTreeSet<u8> = section
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .map(|code| code.trim().parse().expect("a code"))
        .collect();
    let known: BTreeSet<u8> = (0..=255)
        .filter(|code| runner::cli::exit::Exit::from_code(*code).is_some())
        .collect();
    assert_eq!(named, known);
}
