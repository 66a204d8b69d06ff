//! The JSON Schema and the page of actions: what the catalog gives, and what they refuse.

use super::*;

fn validator() -> jsonschema::Validator {
    jsonschema::validator_for(&runner::playbook::playbook_schema()).expect("the schema is one")
}

/// The same values as the decoder sees: YAML 1.2 without the words of YAML 1.1.
fn json(path: &Path) -> Option<serde_json::Value> {
    let text = std::fs::read_to_string(path).ok()?;
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(&text, options).ok()
}

#[test]
fn every_good_playbook_fits() {
    let validator = validator();
    for folder in ["tests/fixtures/corpus/good", "playbooks"] {
        for (name, path) in playbooks(folder) {
            let value = json(&path).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(&value)
                .map(|e| format!("{}: {e}", e.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}");
        }
    }
}

/// What the shape alone shows to be wrong is refused by the schema too.
#[test]
fn playbooks_of_a_wrong_shape_do_not_fit() {
    let validator = validator();
    let structural = [
        "P010", "P011", "P012", "P013", "P014", "P015", "P016", "P017", "P018", "P020", "P021",
        "P024", "P030", "P031", "P032", "P033", "P034", "P035",
    ];
    // A key that is a number is text to a reader of JSON, `1.0` is the number 1, and `expose` needs names to
    // be compared.
    let beyond = [
        "number_as_key",
        "secret_shown",
        "expose_names_nothing",
        "version_float",
    ];
    let mut refused = 0;
    for (name, path) in playbooks("tests/fixtures/corpus/bad") {
        let expected = std::fs::read_to_string(path.with_extension("expect")).unwrap();
        let shape = expected
            .lines()
            .any(|line| structural.iter().any(|code| line.starts_with(code)));
        if !shape || beyond.contains(&name.as_str()) {
            continue;
        }
        let Some(value) = json(&path) else { continue };
        assert!(!validator.is_valid(&value), "{name} fits");
        refused += 1;
    }
    assert!(refused >= 40, "only {refused}");
}

#[test]
fn the_file_of_the_schema_is_what_the_catalog_gives() {
    let now = serde_json::to_string_pretty(&runner::playbook::playbook_schema()).unwrap() + "\n";
    let file = std::fs::read_to_string(folder("schemas/playbook.schema.json")).unwrap_or_default();
    if file != now {
        let fresh = std::env::temp_dir().join("playbook.schema.json");
        std::fs::write(&fresh, now).unwrap();
        panic!(
            "schemas/playbook.schema.json has drifted: take {}",
            fresh.display()
        );
    }
}

#[test]
fn the_page_of_the_actions_is_what_the_catalog_gives() {
    let now = runner::catalog::actions_markdown();
    let file = std::fs::read_to_string(folder("docs/actions.md")).unwrap_or_default();
    if file != now {
        let fresh = std::env::temp_dir().join("actions.md");
        std::fs::write(&fresh, now).unwrap();
        panic!("docs/actions.md has drifted: take {}", fresh.display());
    }
}

/// Editors show what a key is for: everything that may be written says so.
#[test]
fn every_key_of_the_schema_is_described() {
    fn look(at: &str, value: &serde_json::Value, silent: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(map) => {
                for (name, property) in map
                    .get("properties")
                    .and_then(|p| p.as_object())
                    .into_iter()
                    .flatten()
                {
                    let said = property["description"]
                        .as_str()
                        .is_some_and(|text| !text.is_empty());
                    if !said {
                        silent.push(format!("{at}/{name}"));
                    }
                }
                // Conditions name keys that are described elsewhere.
                let shown = |name: &str| !["if", "then", "dependencies"].contains(&name);
                for (name, inner) in map.iter().filter(|(name, _)| shown(name)) {
                    look(&format!("{at}/{name}"), inner, silent);
                }
            }
            serde_json::Value::Array(items) => {
                for item in items {
                    look(at, item, silent);
                }
            }
            _ => {}
        }
    }
    let mut silent = Vec::new();
    look(
        "playbook",
        &runner::playbook::playbook_schema(),
        &mut silent,
    );
    assert!(silent.is_empty(), "{silent:#?}");
}
