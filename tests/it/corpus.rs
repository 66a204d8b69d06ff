//! The corpus: playbooks as data, each with exactly what is said about it.
//!
//! `tests/fixtures/corpus/bad/NAME.yml` is refused with what stands in `NAME.expect`, one mistake per
//! line: code, line, column, message, and the hint after a bar. `warned/NAME.yml` is taken with exactly these
//! warnings, `checkout/NAME/playbook.yml` with those that its `.semaphore` gives. `good/NAME.yml` gives nothing
//! at all.

mod catalog;
mod checkouts;
mod graph;
mod hostile;
mod inputs;
mod schema;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use runner::diagnostic::{Diagnostic, Diagnostics};
use runner::plan::{self, Limits, Plan};
use runner::playbook::{codes, source_from_bytes};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// All playbooks of a folder, by name.
fn playbooks(name: &str) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = std::fs::read_dir(folder(name))
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "yml"))
        .filter(|path| !path.to_string_lossy().ends_with(".test.yml"))
        .map(|path| {
            let name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            (name.unwrap_or_default(), path)
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{name} is empty");
    found
}

fn check(name: &str, bytes: Vec<u8>) -> (Option<Plan>, Diagnostics) {
    let limits = Limits::default();
    let (plan, diagnostics) = match source_from_bytes(name, bytes, &limits) {
        Ok(source) => plan::check(&source, &limits),
        Err(diagnostic) => {
            let mut diagnostics = Diagnostics::new();
            diagnostics.push(*diagnostic);
            (None, diagnostics)
        }
    };
    // Line and column say the same as the bytes, of which the excerpts are made.
    for place in diagnostics
        .sorted()
        .into_iter()
        .filter_map(|d| d.place.as_ref())
    {
        assert_eq!(&place.source.place(place.span.clone()), place, "{name}");
    }
    (plan, diagnostics)
}

fn line(diagnostic: &Diagnostic) -> String {
    let place = diagnostic
        .place
        .as_ref()
        .map_or_else(|| "-".to_owned(), |p| format!("{}:{}", p.line, p.column));
    let hint = diagnostic.hint.as_deref().unwrap_or("-");
    format!(
        "{} {place} {} | {hint}",
        diagnostic.code, diagnostic.message
    )
}

fn lines(diagnostics: &Diagnostics) -> String {
    diagnostics
        .sorted()
        .into_iter()
        .fold(String::new(), |mut all, diagnostic| {
            let _ = writeln!(all, "{}", line(diagnostic));
            all
        })
}

#[test]
fn every_wrong_playbook_is_refused_with_exactly_these_words() {
    let mut wrong = String::new();
    let cases = playbooks("tests/fixtures/corpus/bad");
    assert!(cases.len() >= 160, "only {} cases", cases.len());
    for (name, path) in cases {
        let (plan, diagnostics) = check(&format!("{name}.yml"), std::fs::read(&path).unwrap());
        let actual = lines(&diagnostics);
        let expected = std::fs::read_to_string(path.with_extension("expect")).unwrap_or_default();
        if plan.is_some() || !diagnostics.has_errors() || actual != expected {
            let _ = write!(wrong, "=== {name}\n{actual}");
        }
    }
    assert!(wrong.is_empty(), "what is said now:\n{wrong}");
}

#[test]
fn every_doubtful_playbook_is_taken_with_exactly_these_warnings() {
    let mut wrong = String::new();
    for (name, path) in playbooks("tests/fixtures/corpus/warned") {
        let (plan, diagnostics) = check(&format!("{name}.yml"), std::fs::read(&path).unwrap());
        let actual = lines(&diagnostics);
        let expected = std::fs::read_to_string(path.with_extension("expect")).unwrap_or_default();
        if plan.is_none() || diagnostics.is_empty() || actual != expected {
            let _ = write!(wrong, "=== {name}\n{actual}");
        }
    }
    assert!(wrong.is_empty(), "what is said now:\n{wrong}");
}

#[test]
fn every_good_playbook_passes_without_a_word() {
    for folder in ["tests/fixtures/corpus/good", "playbooks"] {
        for (name, path) in playbooks(folder) {
            let (plan, diagnostics) = check(&name, std::fs::read(&path).unwrap());
            assert!(diagnostics.is_empty(), "{name}:\n{}", lines(&diagnostics));
            assert!(plan.is_some(), "{name}");
        }
    }
}

#[test]
fn every_code_of_the_table_is_met_and_every_code_that_is_met_is_in_the_table() {
    let known: BTreeSet<&str> = codes::ALL.iter().map(|(code, _)| *code).collect();
    let templates: BTreeSet<&str> = runner::template::CODES
        .iter()
        .map(|(code, _)| *code)
        .collect();
    let mut met: BTreeSet<&str> = BTreeSet::new();
    let alone = ["bad", "warned"].into_iter().flat_map(|folder| {
        let cases = playbooks(&format!("tests/fixtures/corpus/{folder}"));
        let read = |(_, path): (String, PathBuf)| check("x.yml", std::fs::read(path).unwrap()).1;
        cases.into_iter().map(read)
    });
    let all: Vec<Diagnostics> = alone
        .chain(checkouts::all().map(|(_, said, _)| said))
        .collect();
    for diagnostics in &all {
        for diagnostic in diagnostics.sorted() {
            assert!(
                known.contains(diagnostic.code) || templates.contains(diagnostic.code),
                "{}",
                line(diagnostic)
            );
            met.insert(diagnostic.code);
        }
    }
    // These are met in tests of their own: they need many bytes, many steps, or inputs; and no action
    // of the catalog takes a size yet.
    let elsewhere = [
        codes::NOT_SIZE,
        codes::NO_SUCH_PLAYBOOK,
        codes::FILE_TOO_LARGE,
        codes::TOO_MANY_MISTAKES,
        codes::TOO_MANY_STEPS,
        codes::MISSING_INPUT,
        codes::NO_SUCH_INPUT,
        codes::WRONG_INPUT,
        codes::SHORT_SECRET_INPUT,
        codes::INPUTS_FILE,
        codes::SECRET_ON_COMMAND_LINE,
        codes::USED_UNREADABLE,
        codes::USED_IN_CIRCLE,
        codes::TOO_MANY_USED,
        codes::ONLY_AT_THE_TOP,
    ];
    let missing: Vec<_> = known
        .iter()
        .filter(|code| !met.contains(*code) && !elsewhere.contains(code))
        .collect();
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn every_fix_mends_what_it_is_for() {
    let mut tried = 0;
    let bad = playbooks("tests/fixtures/corpus/bad");
    let warned = playbooks("tests/fixtures/corpus/warned");
    for (name, path) in bad.into_iter().chain(warned) {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let (_, diagnostics) = check(&name, text.clone().into_bytes());
        for diagnostic in diagnostics.sorted() {
            let (Some(fix), Some(place)) = (&diagnostic.fix, &diagnostic.place) else {
                continue;
            };
            let mut mended = text.clone();
            mended.replace_range(place.span.clone(), fix);
            let (_, after) = check(&name, mended.clone().into_bytes());
            let told = line(diagnostic);
            let again = after.sorted().into_iter().any(|other| line(other) == told);
            assert!(!again, "{name}: `{fix}` does not mend: {told}\n{mended}");
            tried += 1;
        }
    }
    assert!(tried > 120, "only {tried}");
}
