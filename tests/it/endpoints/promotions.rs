//! Promotions: refusals, parameter mistakes, events that never show, and others who promote at the same
//! moment.

use std::time::Duration;

use runner::event::FailureKind;
use runner::outcome::StepOutcome;
use runner::simulator::Done;

use super::*;

const COLLEAGUE: &str = "dddddddd-0000-4000-8000-00000000000d";

fn promote(parameters: &str) -> String {
    format!(
        r#"
build: {{ run_workflow: {{ project: demo, reference: main }} }}
it: {{ promote: {{ pipeline: "{{{{ steps.build.pipeline_id }}}}", {parameters} }} }}"#
    )
}

fn is_promotion(deed: &Done) -> bool {
    matches!(deed, Done::Promote { .. })
}

#[test]
fn a_refusal_is_told_with_what_to_do() {
    for (parameters, kind, words, hint) in [
        (
            "name: Guarded",
            FailureKind::Refused,
            "is cordoned",
            "deployment target decides",
        ),
        (
            "name: Unscheduled",
            FailureKind::PromotionFailed,
            "could not start",
            "queue may be full",
        ),
        (
            "name: Vanishing",
            FailureKind::PromotionFailed,
            "did not show its pipeline",
            "deployment target may have refused",
        ),
        (
            "name: Strict",
            FailureKind::Server,
            "500",
            "check the names of the parameters",
        ),
        (
            "name: Strict, parameters: { REGION: mars }",
            FailureKind::Server,
            "no promotion appeared",
            "options",
        ),
        (
            "name: Production, parameters: { COMIT: abc }",
            FailureKind::Server,
            "no promotion appeared",
            "names of the parameters",
        ),
        (
            "name: Red",
            FailureKind::PipelineFailed,
            "`Broken deploy` failed",
            "",
        ),
    ] {
        let ran = run(&promote(parameters), "");
        ended(&ran, StepOutcome::Failed);
        let error = ran.step("it").error.clone().expect("an error");
        assert_eq!(error.kind, kind, "{parameters}: {error:#?}");
        assert!(
            error.message.contains(words),
            "{parameters}: {}",
            error.message
        );
        let told = error.hint.unwrap_or_default();
        assert!(told.contains(hint), "{parameters}: {told}");
        // Wrong parameters look like an outage, and are still not tried for ever.
        assert!(ran.virtual_time < Duration::from_secs(300), "{parameters}");
    }
}

#[test]
fn what_has_not_passed_or_has_no_promotions_is_not_promoted() {
    for (steps, words) in [
        (
            r#"
build: { run_workflow: { project: demo, reference: red, wait: false } }
red: { wait_pipeline: { pipeline: "{{ steps.build.pipeline_id }}", expect: failed } }
it: { promote: { pipeline: "{{ steps.red.pipeline_id }}", name: Production } }"#,
            "ended as failed: it is not promoted",
        ),
        (
            r#"
build: { run_workflow: { project: demo, reference: main, wait: false } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production } }"#,
            "it has not passed",
        ),
        (
            r#"
build: { run_workflow: { project: demo, reference: main, pipeline_file: .semaphore/alone.yml } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production } }"#,
            "has no promotions",
        ),
    ] {
        let ran = run(steps, "");
        ended(&ran, StepOutcome::Failed);
        let error = ran.step("it").error.clone().expect("an error");
        assert!(error.message.contains(words), "{}", error.message);
        assert!(ours(&ran, is_promotion).is_empty());
    }
}

#[test]
fn with_override_a_pipeline_is_promoted_as_soon_as_it_can_be() {
    let steps = r#"
build: { run_workflow: { project: demo, reference: slow, wait: false } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production, override: true } }"#;
    let ran = run(steps, "");
    ended(&ran, StepOutcome::Passed);
    assert!(ran.virtual_time < Duration::from_secs(60));
}

#[test]
fn the_moment_in_which_promotions_do_not_know_of_the_end_is_sat_out() {
    let ran = run(
        &promote("name: Production"),
        "server: { promotions_told_after: 12s }",
    );
    ended(&ran, StepOutcome::Passed);
    assert_eq!(ours(&ran, is_promotion).len(), 1);
}

#[test]
fn what_was_promoted_before_is_joined_or_not_as_wished() {
    for (parameters, outcome, promotions) in [
        ("name: Production", StepOutcome::Passed, 1),
        ("name: Production, if_exists: fail", StepOutcome::Failed, 1),
        ("name: Production, if_exists: again", StepOutcome::Passed, 2),
    ] {
        let steps = format!(
            r#"
build: {{ run_workflow: {{ project: demo, reference: main }} }}
first: {{ promote: {{ pipeline: "{{{{ steps.build.pipeline_id }}}}", name: Production, wait: false }} }}
it: {{ needs: [first], promote: {{ pipeline: "{{{{ steps.build.pipeline_id }}}}", {parameters} }} }}"#
        );
        let ran = run(&steps, "");
        ended(&ran, outcome);
        assert_eq!(ours(&ran, is_promotion).len(), promotions, "{parameters}");
        let same = ran.step("it").outputs.get("pipeline_id")
            == ran.step("first").outputs.get("pipeline_id");
        assert_eq!(
            same,
            promotions == 1 && outcome == StepOutcome::Passed,
            "{parameters}"
        );
    }
}

/// A colleague promotes some seconds before or after us: the time of our trigger tells ours.
#[test]
fn a_colleague_who_promotes_too_is_told_from_us() {
    for at in ["4s", "6s", "20s"] {
        // Ours is held up by a full answer of the list, so that theirs comes in between.
        let people = format!(
            "people:\n  - {{ at: {at}, on: promotion, do: {{ promote: {{ project: demo, name: Production }} }} }}\n\
             faults:\n  - {{ on: list_promotions, from: 30s, do: {{ stale_list: 8s }} }}\n"
        );
        let ran = run(
            &promote("name: Production, parameters: { COMMIT: abc }"),
            &people,
        );
        ended(&ran, StepOutcome::Passed);
        assert_ne!(output(&ran, "triggered_by"), COLLEAGUE, "{at}");
        let all = ran.acts.iter().filter(|act| is_promotion(&act.deed));
        assert_eq!(all.count(), 2, "{at}: the colleague did not promote");
    }
}

/// At the same moment, with the same parameters: nothing tells the two apart, and nobody guesses.
#[test]
fn a_colleague_at_the_same_moment_makes_it_unknown() {
    let people = "people:\n  - { at: 0s, on: promotion, do: { promote: { project: demo, name: Production, parameters: { COMMIT: abc } } } }\n";
    let ran = run(
        &promote("name: Production, parameters: { COMMIT: abc }"),
        people,
    );
    ended(&ran, StepOutcome::Unknown);
    let error = ran.step("it").error.clone().expect("an error");
    assert_eq!(error.candidates.len(), 2, "{error:#?}");
    assert_eq!(ours(&ran, is_promotion).len(), 1);
}

/// At the same moment with other parameters: the promoted pipelines tell.
#[test]
fn parameters_tell_which_promoted_pipeline_is_ours() {
    let people = "people:\n  - { at: 0s, on: promotion, do: { promote: { project: demo, name: Production, parameters: { COMMIT: other } } } }\n";
    let ran = run(
        &promote("name: Production, parameters: { COMMIT: abc }"),
        people,
    );
    ended(&ran, StepOutcome::Passed);
    assert_ne!(output(&ran, "triggered_by"), COLLEAGUE);
}

/// Ours never shows; a colleague's of a minute later is not taken for it.
#[test]
fn the_event_of_a_colleague_does_not_stand_for_one_that_never_shows() {
    let more = r#"
people:
  - { at: 40s, on: promotion, do: { promote: { project: demo, name: Production } } }
faults:
  - { on: promote, do: { answer: { status: 200, body: '"Promotion successfully triggered."' } } }
  - { on: list_pipelines, nth: 1000, do: hang }
"#;
    // The cue is a promotion through the API: another step of ours gives it, under another name.
    let steps = r#"
build: { run_workflow: { project: demo, reference: main } }
it: { promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production } }
other: { needs: { build: passed }, when: steps.build.result == 'passed', promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Red }, allow_failure: true }"#;
    let ran = run(steps, more);
    let it = ran.step("it");
    assert_ne!(it.outcome, StepOutcome::Passed, "{:#?}", ran.words());
    assert_ne!(
        it.outputs.get("triggered_by").and_then(|by| by.as_str()),
        Some(COLLEAGUE)
    );
}

#[test]
fn an_auto_promotion_that_is_there_is_joined_and_one_that_races_is_not_ours() {
    let auto = world("").replace(
        "pipeline_file: .semaphore/production.yml, parameters: [{ name: COMMIT }] }",
        "pipeline_file: .semaphore/production.yml, parameters: [{ name: COMMIT }], auto: [passed] }",
    );
    let joined = r#"
build: { run_workflow: { project: demo, reference: main } }
nap: { needs: [build], sleep: 20s }
it: { needs: [nap], promote: { pipeline: "{{ steps.build.pipeline_id }}", name: Production } }"#;
    let ran = Rig::from_yaml(&playbook(joined), &auto).run();
    ended(&ran, StepOutcome::Passed);
    assert_eq!(output(&ran, "triggered_by"), "Pipeline Done request");
    assert!(ours(&ran, is_promotion).is_empty());
    let races = promote("name: Production, if_exists: again");
    let ran = Rig::from_yaml(&playbook(&races), &auto).run();
    ended(&ran, StepOutcome::Passed);
    assert_ne!(output(&ran, "triggered_by"), "Pipeline Done request");
    assert_eq!(ours(&ran, is_promotion).len(), 1);
}

/// The server always answers 500 and acts all the same: whether it did is a person's to see.
#[test]
fn a_server_that_never_says_yes_leaves_it_unknown() {
    let faults = "faults:\n  - { on: promote, count: 99, do: { slow_backend: 0s } }\n";
    let ran = run(&promote("name: Production"), faults);
    ended(&ran, StepOutcome::Unknown);
    let error = ran.step("it").error.clone().expect("an error");
    assert_eq!(error.candidates.len(), 1, "{error:#?}");
    assert_eq!(ours(&ran, is_promotion).len(), 1);
}
