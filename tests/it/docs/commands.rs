//! The command lines of the documents parse, and the documents know every command and flag.

use std::collections::BTreeSet;

use clap::error::ErrorKind;
use clap::{Command, CommandFactory as _};
use runner::cli::args::CommandLine;

use super::markdown::{Kind, document, documents};

/// What README says before the name of a command.
const CARGO: &str = "cargo run --release -- ";

/// The words of a command line as a shell would split them; none when it is not ours.
fn words(line: &str) -> Option<Vec<String>> {
    let line = line.trim().trim_start_matches("$ ");
    let line = match line.strip_prefix(CARGO) {
        Some(rest) => format!("runner {rest}"),
        None => line.to_owned(),
    };
    // `runner` is the program; `runner.toml` and sentences are not command lines.
    line.strip_prefix("runner ")?;
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut began = false;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => words.last_mut()?.push(c),
            (None, '"' | '\'') => (quote, began) = (Some(c), true),
            (None, ' ') => {
                if began {
                    words.push(String::new());
                }
                began = false;
            }
            // The rest is the shell's.
            (None, '#' | '>' | '|' | '<' | ';' | '&') if !began => break,
            (None, c) => {
                words.last_mut()?.push(c);
                began = true;
            }
        }
    }
    if !began {
        words.pop();
    }
    Some(words)
}

fn parse(line: &str, named: bool) -> Option<Result<(), String>> {
    let words = words(line)?;
    Some(match CommandLine::read(words) {
        Ok(_) => Ok(()),
        Err(error) if error.exit_code() == 0 => Ok(()),
        // In a sentence the name of a command may stand alone.
        Err(error) if named && error.kind() == ErrorKind::MissingRequiredArgument => Ok(()),
        Err(error) => Err(error.to_string()),
    })
}

#[test]
fn every_command_line_of_a_document_parses() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        for part in &document.parts {
            let named = matches!(part.kind, Kind::Code(_));
            let lines: Vec<&str> = match &part.kind {
                Kind::Block(language, text) if ["sh", "console"].contains(&language.as_str()) => {
                    text.lines().collect()
                }
                // In a sentence `…` and `...` stand for the rest of a line.
                Kind::Code(text) if !text.contains('…') && !text.contains("...") => vec![text],
                _ => continue,
            };
            for line in lines {
                match parse(line, named) {
                    None => {}
                    Some(Ok(())) => seen += 1,
                    Some(Err(why)) => wrong.push(format!(
                        "{}:{}: `{line}`: {}",
                        document.path,
                        part.line,
                        why.lines().next().unwrap_or_default()
                    )),
                }
            }
        }
    }
    assert!(seen > 30, "only {seen} command lines were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The commands that people see, those of commands too: `runs prune`.
fn commands() -> Vec<(String, Command)> {
    fn collect(of: &Command, before: &str, found: &mut Vec<(String, Command)>) {
        for command in of.get_subcommands() {
            if command.get_name() != "help" && !command.is_hide_set() {
                let name = format!("{before}{}", command.get_name());
                found.push((name.clone(), command.clone()));
                collect(command, &format!("{name} "), found);
            }
        }
    }
    let mut program = CommandLine::command();
    program.build();
    let mut found = Vec::new();
    collect(&program, "", &mut found);
    found
}

/// Each command has a heading of its own in `docs/cli.md`, and its flags stand under it; those of every
/// command stand under `Everywhere`, those of several under a heading of their group.
#[test]
fn the_document_of_the_command_line_knows_every_command_and_flag_and_no_other() {
    let document = document("docs/cli.md");
    let sections = document.sections();
    let named = |title: &str| -> Vec<String> {
        let section = sections.iter().find(|(found, _)| *found == title);
        let (_, parts) = section.unwrap_or_else(|| panic!("docs/cli.md has no heading `{title}`"));
        let codes = parts.iter().filter_map(|part| match &part.kind {
            Kind::Code(text) => Some(text),
            _ => None,
        });
        codes.flat_map(|text| flags(text)).collect()
    };
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (name, command) in commands() {
        let title = format!("runner {name}");
        let own = named(&title);
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long() else {
                continue;
            };
            let flag = format!("--{long}");
            known.insert(flag.clone());
            if argument.is_hide_set() || ["help", "version"].contains(&long) {
                continue;
            }
            let group = match argument.get_help_heading() {
                Some(heading @ ("Everywhere" | "Connection" | "Inputs" | "Results")) => {
                    named(heading)
                }
                _ => own.clone(),
            };
            assert!(
                group.contains(&flag) || own.contains(&flag),
                "docs/cli.md does not say what `{flag}` of `{title}` is"
            );
        }
    }
    for (title, parts) in &sections {
        if let Some(name) = title.strip_prefix("runner ") {
            let there = commands().iter().any(|(known, _)| known == name);
            assert!(
                there,
                "docs/cli.md has a command `{name}` that is not there"
            );
        }
        for part in *parts {
            let Kind::Code(text) = &part.kind else {
                continue;
            };
            for flag in flags(text) {
                assert!(
                    known.contains(&flag),
                    "docs/cli.md:{}: there is no `{flag}`",
                    part.line
                );
            }
        }
    }
}

/// The long flags in a piece of code.
fn flags(text: &str) -> Vec<String> {
    text.split([' ', '=', ',', '|', '['])
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(str::to_owned)
        .collect()
}
