//! An action is one word in all its places: the catalog, the engine, the schema, the page of actions.

use std::collections::BTreeSet;

use super::markdown::{document, root};

#[test]
fn every_action_is_whole() {
    let schema = runner::playbook::playbook_schema().to_string();
    let page = document("docs/actions.md");
    let headings: BTreeSet<&str> = page.sections().iter().map(|(title, _)| *title).collect();
    let mut wrong = Vec::new();
    for action in runner::catalog::all() {
        let name = action.name;
        for folder in ["src/catalog", "src/engine/actions"] {
            let path = format!("{folder}/{name}.rs");
            // A playbook that is used is run by the machine itself.
            let by_itself = path == "src/engine/actions/use.rs";
            if !by_itself && !root().join(&path).is_file() {
                wrong.push(format!("{path} is missing"));
            }
        }
        if !schema.contains(&format!("\"{name}\":")) {
            wrong.push(format!("the schema does not know `{name}`"));
        }
        if !headings.contains(name) {
            wrong.push(format!("docs/actions.md has no heading `{name}`"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
