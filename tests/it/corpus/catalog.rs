//! The catalog is whole: every action has its words and an example that works.

use super::*;
use runner::catalog::{STEP_FIELDS, all};

#[test]
fn every_example_is_a_playbook_that_shows_its_action() {
    for action in all() {
        let (plan, diagnostics) = check(action.name, action.example.as_bytes().to_vec());
        assert!(
            diagnostics.is_empty(),
            "{}: {}",
            action.name,
            lines(&diagnostics)
        );
        let shown = plan
            .unwrap()
            .steps
            .iter()
            .any(|step| step.action.name == action.name);
        assert!(shown, "the example of {} does not show it", action.name);
    }
}

#[test]
fn names_are_unique_and_have_their_words() {
    let mut names = BTreeSet::new();
    for action in all() {
        assert!(names.insert(action.name), "{}", action.name);
        assert!(
            action.summary.ends_with('.') && !action.doc.is_empty(),
            "{}",
            action.name
        );
        let mut outputs = BTreeSet::new();
        for field in action.outputs {
            assert!(outputs.insert(field.name), "{}.{}", action.name, field.name);
            assert!(field.doc.ends_with('.'), "{}.{}", action.name, field.name);
            assert!(
                STEP_FIELDS.iter().all(|own| own.name != field.name),
                "{}.{} hides what every step has",
                action.name,
                field.name
            );
        }
        for param in action.params {
            assert!(param.doc.ends_with('.'), "{}.{}", action.name, param.name);
            assert!(
                !param.required || param.default.is_empty(),
                "{}.{}",
                action.name,
                param.name
            );
        }
        for name in action
            .exactly_one
            .iter()
            .chain(action.only_with.iter().map(|(n, _)| n))
        {
            assert!(action.param(name).is_some(), "{}.{name}", action.name);
        }
    }
}
