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

#[test]
fn error_kinds_are_those_that_steps_can_give() {
    use runner::event::FailureKind;
    for action in all() {
        for (kind, when) in action.errors {
            let known = serde_json::from_value::<FailureKind>(serde_json::json!(kind));
            assert!(known.is_ok(), "{}: there is no kind `{kind}`", action.name);
            assert!(!when.is_empty(), "{}: {kind}", action.name);
        }
    }
}

#[test]
fn what_the_client_says_of_a_pipeline_is_described() {
    use runner::semaphore::wire::Pipeline;
    let answer = serde_json::json!({
        "ppl_id": "6cf4569c-f76c-4dea-b293-3e4282ba1153", "state": "DONE", "result": "PASSED",
    });
    let pipeline = Pipeline::parse(&answer)
        .expect("it is a pipeline")
        .to_value();
    let action = runner::catalog::find("describe_pipeline").expect("it is in the catalog");
    for name in pipeline.as_object().expect("it is a map").keys() {
        assert!(action.output(name).is_some(), "`{name}` is not described");
    }
}
