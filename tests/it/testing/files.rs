//! Test files: those that are refused, the schema, and the tests of the library.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use runner::diagnostic::{Diagnostics, Source};
use runner::plan::{self, Limits};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All test files of a folder.
fn tests_of(folder: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root().join(folder))
        .expect("the folder is there")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(".test.yml"))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{folder} is empty");
    found
}

/// All mistakes of a test file, its playbook included.
fn mistakes(path: &Path) -> Diagnostics {
    let limits = Limits::default();
    let name = path.file_name().expect("a name").to_string_lossy();
    let text = std::fs::read_to_string(path).expect("it can be read");
    let (draft, wrong) = runner::testing::read(&Source::new(name, text), &limits);
    let Some(draft) = draft else {
        return wrong;
    };
    let playbook = path.with_file_name(&draft.playbook.value);
    let text = std::fs::read_to_string(playbook).expect("its playbook");
    let (plan, wrong) = plan::check(&Source::new("play.yml", text), &limits);
    let plan = plan.unwrap_or_else(|| panic!("{wrong:#?}"));
    draft.with("play.yml".to_owned(), plan.into(), &limits).1
}

/// Code, place, message, and the hint after a bar: as in the corpus of playbooks.
#[test]
fn every_wrong_test_file_is_refused_with_exactly_these_words() {
    let mut wrong = String::new();
    for path in tests_of("tests/fixtures/testing/bad") {
        let mut lines = String::new();
        for mistake in mistakes(&path).sorted() {
            let place = mistake.place.as_ref().expect("a place");
            let hint = mistake.hint.as_deref().unwrap_or("-");
            let _ = writeln!(
                lines,
                "{} {}:{} {} | {hint}",
                mistake.code, place.line, place.column, mistake.message
            );
        }
        let expect = path.with_extension("expect");
        if std::fs::read_to_string(&expect).unwrap_or_default() != lines {
            let _ = writeln!(wrong, "{}:\n{lines}", expect.display());
        }
        assert!(!lines.is_empty(), "{} is right", path.display());
    }
    assert!(wrong.is_empty(), "these say something else:\n{wrong}");
}

fn json(path: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(path).ok()?;
    serde_saphyr::from_str(&text).ok()
}

#[test]
fn the_schema_takes_what_is_right_and_refuses_what_is_wrong_in_shape() {
    let schema = runner::testing::test_schema();
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    for path in tests_of("playbooks") {
        let value = json(&path).expect("it is YAML");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
    for name in ["keys", "others"] {
        let path = root().join(format!("tests/fixtures/testing/bad/{name}.test.yml"));
        assert!(
            !validator.is_valid(&json(&path).expect("it is YAML")),
            "{name} fits"
        );
    }
}

/// Every playbook of the library has a test with at least a passing, a failing, a faulty and a killed case.
#[test]
fn every_playbook_of_the_library_is_tested() {
    let all = std::fs::read_dir(root().join("playbooks")).expect("the folder is there");
    let playbooks: Vec<PathBuf> = all
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path.to_string_lossy();
            name.ends_with(".yml") && !name.ends_with(".test.yml")
        })
        .collect();
    assert!(!playbooks.is_empty());
    for playbook in playbooks {
        let test = json(&playbook.with_extension("test.yml"));
        let test = test.unwrap_or_else(|| panic!("{} has no test", playbook.display()));
        let cases: Vec<&serde_json::Value> = test["cases"]
            .as_object()
            .expect("there are cases")
            .values()
            .collect();
        let outcome = |word| cases.iter().any(|case| case["expect"]["outcome"] == word);
        assert!(
            outcome("passed") && outcome("failed"),
            "{}",
            playbook.display()
        );
        assert!(cases.iter().any(|case| case["world"]["faults"].is_array()));
        assert!(cases.iter().any(|case| !case["kill_at"].is_null()));
    }
}
