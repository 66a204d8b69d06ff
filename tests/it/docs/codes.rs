//! `docs/diagnostics.md`: every code has a section with its title, an example, and what is said about it.

use std::fmt::Write as _;

use super::markdown::{Kind, Part, document};
use crate::program::Program;

/// All codes with their titles, table by table.
fn codes() -> Vec<(&'static str, &'static str)> {
    [
        runner::playbook::codes::ALL,
        runner::template::CODES,
        runner::simulator::CODES,
        runner::cli::settings::CODES,
    ]
    .concat()
}

#[test]
fn every_code_has_its_section_and_every_section_its_code() {
    let document = document("docs/diagnostics.md");
    let sections: Vec<String> = document
        .sections()
        .iter()
        .map(|(title, _)| (*title).to_owned())
        .filter(|title| title.contains(": "))
        .collect();
    let codes: Vec<String> = codes()
        .iter()
        .map(|(code, title)| format!("{code}: {title}"))
        .collect();
    assert_eq!(sections, codes);
}

#[test]
fn no_code_is_used_twice() {
    let mut all: Vec<&str> = codes().iter().map(|(code, _)| *code).collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count);
}

/// Codes that nothing can show today.
const NEVER: [&str; 1] = ["P019"];

/// The lines of what is said that name a code: the message, the place, the hint.
fn said(code: &str, err: &str) -> String {
    let starts = ["error", "warning"].map(|severity| format!("{severity}[{code}]: "));
    let starts = |line: &str| starts.iter().any(|start| line.starts_with(start));
    let mut out = String::new();
    let mut inside = false;
    for line in err.lines() {
        if line.starts_with("::error") && line.contains(&format!("title={code}::")) {
            let _ = writeln!(out, "{line}");
        }
        if line.starts_with("error[") || line.starts_with("warning[") {
            if inside {
                break;
            }
            inside = starts(line);
        }
        let hint = line.trim_start_matches([' ', '=']);
        let place = line.trim_start().starts_with("--> ");
        if inside && hint.starts_with("hint: ") {
            // A list of everything that there is grows, and says nothing here.
            let hint = match hint.split_once("the actions are ") {
                Some((before, _)) => format!("{before}the actions are …"),
                None => hint.to_owned(),
            };
            let _ = writeln!(out, "{hint}");
        } else if inside && (starts(line) || place) {
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    out
}

/// Runs the example of a section: a file, made by its block of YAML or TOML, and a command line.
fn tried(code: &str, parts: &[Part]) -> (String, String) {
    let program = Program::new();
    let mut args = vec!["check".to_owned(), "release.yml".to_owned()];
    let mut shown = String::new();
    for part in parts {
        let Kind::Block(language, text) = &part.kind else {
            continue;
        };
        match language.as_str() {
            "yaml" if text.contains("projects:") => {
                program.file("scenario.yml", text);
                args = vec!["simulate".to_owned(), "scenario.yml".to_owned()];
            }
            // Told once, in the section of P104.
            "yaml" if text.contains("promotions:") => {}
            "yaml" => drop(program.file("release.yml", text)),
            "toml" => drop(program.file("runner.toml", text)),
            "sh" => {
                args = text
                    .split_whitespace()
                    .skip(1)
                    .map(|word| word.trim_matches('\'').to_owned())
                    .collect();
            }
            "json" => drop(program.file("inputs.json", text)),
            "text" => shown.clone_from(text),
            other => panic!("{code}: `{other}`"),
        }
    }
    program_files(&program);
    if ["P104", "P105", "P106", "P107"].contains(&code) {
        let folder = program.work().join(".semaphore");
        std::fs::create_dir(&folder).expect("a folder");
        std::fs::write(folder.join("semaphore.yml"), pipeline_file()).expect("it can be written");
    }
    let done = program.without("HOME").run(&args);
    let codes: &[i32] = if done.err.contains("error[")
        || done.out.contains("::error")
        || !done.err.contains("warning[")
    {
        &[2, 3]
    } else {
        &[0]
    };
    assert!(codes.contains(&done.code), "{code}: {}", done.err);
    (said(code, &(done.err + &done.out)), shown)
}

/// The pipeline file that the document shows.
fn pipeline_file() -> String {
    let document = document("docs/diagnostics.md");
    let mut parts = document.sections().into_iter().flat_map(|(_, parts)| parts);
    let found = parts.find_map(|part| match &part.kind {
        Kind::Block(language, text) if language == "yaml" && text.contains("promotions:") => {
            Some(text.clone())
        }
        _ => None,
    });
    found.expect("it is shown")
}

/// What does not fit into a document: files that are too large, or no text.
fn program_files(program: &Program) {
    program.file("large.yml", &"# filler\n".repeat(200_000));
    std::fs::write(
        program.work().join("binary.yml"),
        b"playbook: 1\nname: \xff\n",
    )
    .expect("it can be written");
    program.file("empty.yml", "");
    std::fs::create_dir_all(program.work().join("steps.yml")).expect("it can be made");
    program.file(
        "locked.yml",
        "playbook: 1\ninputs: { group: { type: string, default: x } }\nconcurrency: { group: x }\nsteps: { a: { sleep: 1s } }\n",
    );
    let steps = |count: usize, step: &str| {
        let steps = (0..count).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "  s{n}: {step}");
            text
        });
        format!("playbook: 1\nsteps:\n{steps}")
    };
    program.file("wide.yml", &steps(1_001, "{ sleep: 1s }"));
    program.file("mistakes.yml", &steps(900, "{ sleep: 5, oops: 1 }"));
    let sum = " + 1".repeat(700);
    let step = format!("{{ set: {{ x: \"{{{{ 1{sum} }}}}\" }} }}");
    program.file("long.yml", &steps(1, &step));
    let path = ".a".repeat(600);
    let step = format!(
        "{{ describe_pipeline: {{ pipeline: 6cf4569c-f76c-4dea-b293-3e4282ba1153 }}, extract: {{ x: ${path} }} }}"
    );
    program.file("long_path.yml", &steps(1, &step));
}

#[test]
fn every_example_says_what_is_shown() {
    let document = document("docs/diagnostics.md");
    let mut wrong = String::new();
    for (title, parts) in document.sections() {
        let Some((code, _)) = title.split_once(": ") else {
            continue;
        };
        if NEVER.contains(&code) {
            continue;
        }
        let (now, shown) = tried(code, parts);
        if now != shown || now.is_empty() {
            let _ = write!(wrong, "=== {code}, now:\n{now}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
