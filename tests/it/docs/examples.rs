//! The examples of the documents: playbooks pass the checks, scenarios are read, settings are settings,
//! reports fit the schema, and what the README shows is what the program says.

use regex::Regex;
use runner::cli::settings::{Layers, Settings};
use runner::diagnostic::{Diagnostics, Source};
use runner::plan::{self, Limits};
use runner::simulator::Scenario;

use super::markdown::{Kind, document, documents, root};
use crate::program::{Program, valid_report};

fn words(mistakes: &Diagnostics) -> Vec<String> {
    mistakes
        .sorted()
        .iter()
        // An example that shows declarations alone reads none of them.
        .filter(|d| d.code != runner::playbook::codes::UNUSED_INPUT)
        .map(|d| {
            let place = d.place.as_ref().map(ToString::to_string);
            format!("{} {}: {}", d.code, place.unwrap_or_default(), d.message)
        })
        .collect()
}

/// What is wrong with an example, by what it is.
fn wrong(language: &str, text: &str) -> Vec<String> {
    let source = Source::new("example", text);
    match language {
        "yaml" if text.contains("playbook: 1") => {
            words(&plan::check(&source, &Limits::default()).1)
        }
        "yaml" if text.contains("\ncases:") => {
            words(&runner::testing::read(&source, &Limits::default()).1)
        }
        "yaml" if text.contains("projects:") => match Scenario::parse(&source) {
            Ok(_) => Vec::new(),
            Err(mistakes) => words(&mistakes),
        },
        "yaml" => vec!["neither a playbook nor a scenario".to_owned()],
        "toml" => {
            let layers = Layers {
                files: vec![source],
                ..Layers::default()
            };
            words(&Settings::resolve(&layers).1)
        }
        "json" => serde_json::from_str::<serde_json::Value>(text)
            .err()
            .map(|error| error.to_string())
            .into_iter()
            .collect(),
        "sh" | "console" | "text" | "mermaid" | "" => Vec::new(),
        other => vec![format!("`{other}` is a language that no test knows")],
    }
}

#[test]
fn every_example_is_right() {
    let mut said = Vec::new();
    let mut seen = 0;
    for document in documents() {
        // Its examples are wrong on purpose, and have a test of their own.
        if document.path == "docs/diagnostics.md" {
            continue;
        }
        for part in &document.parts {
            let Kind::Block(language, text) = &part.kind else {
                continue;
            };
            seen += usize::from(language == "yaml");
            for mistake in wrong(language, text) {
                said.push(format!("{}:{}: {mistake}", document.path, part.line));
            }
        }
    }
    assert!(seen > 15, "only {seen} examples");
    assert!(said.is_empty(), "{said:#?}");
}

#[test]
fn the_report_that_is_shown_fits_the_schema() {
    let document = document("docs/report.md");
    let reports: Vec<serde_json::Value> = document
        .blocks("json")
        .map(|(_, text)| serde_json::from_str(text).expect("it is JSON"))
        .collect();
    assert!(!reports.is_empty());
    for report in &reports {
        valid_report(report);
    }
}

#[test]
fn the_playbook_of_the_readme_is_the_one_of_the_library() {
    let file = std::fs::read_to_string(root().join("playbooks/release.yml")).unwrap();
    let start = file.find("playbook: 1").expect("it begins somewhere");
    let readme = document("README.md");
    let (_, shown) = readme.blocks("yaml").next().expect("it shows a playbook");
    assert_eq!(shown, &file[start..]);
}

/// What differs from run to run is named, and columns may be wider.
fn plain(text: &str, program: &Program) -> String {
    let state = program.state().display().to_string();
    let text = text.replace(&state, "~/.local/state/runner");
    let changes = [
        (r"release-\d{8}-\d{4}-[0-9a-f]{6}", "RUN"),
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
        (r"\b(\d+[hms])+\b", "TIME"),
        (r"unit-[0-9a-f]{8}", "unit-ID"),
        (r" +", " "),
    ];
    changes.iter().fold(text, |text, (from, to)| {
        let from = Regex::new(from).expect("a regular expression");
        from.replace_all(&text, *to).into_owned()
    })
}

#[test]
fn the_readme_shows_what_the_program_says() {
    let program = Program::new();
    let readme = document("README.md");
    let shown: Vec<String> = readme
        .blocks("text")
        .map(|(_, text)| plain(text, &program))
        .collect();
    let playbook = root().join("playbooks/release.yml").display().to_string();
    for (scenario, code, at) in [("passing", 0, 0), ("failing", 1, 1)] {
        let simulate = format!("--simulate={scenario}");
        let args = ["apply", &playbook, &simulate, "--speed", "max"];
        let done = program.run(&args).expect(code);
        assert_eq!(plain(&done.out, &program), shown[at], "{scenario}");
    }
    program.file(
        "wrong.yml",
        "playbook: 1\nsteps:\n  build:\n    run_workflow: { project: demo, reference: main }\n  deploy:\n    promote: { pipeline: \"{{ steps.buidl.pipeline_id }}\", name: Production }\n",
    );
    let done = program.run(&["check", "wrong.yml"]).expect(3);
    assert!(
        plain(&done.err, &program).starts_with(&shown[2]),
        "{}",
        done.err
    );
}

/// Each of the two commands stands alone in a block, so that it can be copied.
#[test]
fn the_readme_gives_its_two_commands_alone() {
    let readme = document("README.md");
    let alone: Vec<&str> = readme
        .blocks("sh")
        .map(|(_, text)| text.trim())
        .filter(|text| text.lines().count() == 1)
        .collect();
    assert!(
        alone.contains(&"cargo run --release -- apply playbooks/release.yml --simulate"),
        "{alone:?}"
    );
    let tests: Vec<&&str> = alone
        .iter()
        .filter(|t| t.starts_with("cargo test"))
        .collect();
    assert_eq!(tests.len(), 1, "{alone:?}");
    // What runs on a clean machine takes the first line of the README that begins so.
    let first = readme.text.lines().find(|l| l.starts_with("cargo test"));
    assert_eq!(first, Some(*tests[0]));
}
