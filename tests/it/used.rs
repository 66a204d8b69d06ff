//! `use`: another playbook as a step: its scope, its end, what stops it, what is done again.

use std::sync::Arc;
use std::time::Duration;

use runner::drivers::StopRequest;
use runner::engine::Ev;
use runner::event::{Event, FailureKind, Recorded, StepEnded};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::plan::Plan;
use runner::simulator::Scenario;
use serde_json::{Value, json};

use crate::lab::{Lab, Plot};

/// A plan whose steps called `use: { playbook: inner.yml, …` use another.
fn using(outer: &str, inner: &str) -> Arc<Plan> {
    let outer = outer.replace("use: { playbook: inner.yml, ", "set: { out: 0, ");
    let inner = crate::lab::plan(inner);
    let mut plan = (*crate::lab::plan(&outer)).clone();
    for step in &mut plan.steps {
        if step.params.contains_key("out") {
            step.used = Some(Arc::clone(&inner));
        }
    }
    Arc::new(plan)
}

fn lab(outer: &str, inner: &str, world: &str) -> Lab {
    let source = runner::diagnostic::Source::new("scenario.yml", format!("projects: []\n{world}"));
    Lab::new(
        &using(outer, inner),
        Scenario::parse(&source).expect("a scenario"),
    )
}

fn run(outer: &str, inner: &str) -> Lab {
    let mut lab = lab(outer, inner, "");
    lab.until_the_end(&[], &mut |_| {});
    lab
}

fn ends(lab: &Lab) -> Vec<String> {
    let ended = |recorded: &Recorded| match &recorded.event {
        Event::StepEnded(ended) => Some(format!("{} {}", ended.step, ended.outcome)),
        _ => None,
    };
    lab.events().iter().filter_map(ended).collect()
}

fn told(lab: &Lab, id: &str) -> StepEnded {
    let events = lab.events();
    let found = events
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::StepEnded(told) if told.step == id => Some(told.clone()),
            _ => None,
        });
    found.unwrap_or_else(|| panic!("`{id}` has not ended: {:?}", ends(lab)))
}

fn end(lab: &Lab) -> (RunOutcome, Option<String>, Value) {
    let events = lab.events();
    let found = events
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::RunEnded(ended) => Some(ended.clone()),
            _ => None,
        });
    let found = found.unwrap_or_else(|| panic!("no end: {:?}", ends(lab)));
    (found.outcome, found.why, Value::Object(found.outputs))
}

const DOUBLE: &str = r#"playbook: 1
inputs: { n: { type: integer }, more: { type: integer, default: 0 } }
vars: { twice: "{{ inputs.n * 2 }}" }
steps:
  one: { set: { v: "{{ vars.twice }}" } }
  two: { set: { v: "{{ steps.one.v + inputs.more }}" } }
outputs: { out: "{{ steps.two.v }}" }
"#;

#[test]
fn a_playbook_is_a_step_with_inputs_and_outputs() {
    let lab = run(
        r#"playbook: 1
vars: { twice: 1000 }
steps:
  a: { use: { playbook: inner.yml, with: { n: "{{ 4 + 1 }}" } } }
  b: { use: { playbook: inner.yml, with: { n: "{{ steps.a.out }}", more: 1 } } }
outputs: { out: "{{ steps.b.out }}" }
"#,
        DOUBLE,
    );
    assert_eq!(
        ends(&lab),
        [
            "a/one passed",
            "a/two passed",
            "a passed",
            "b/one passed",
            "b/two passed",
            "b passed"
        ]
    );
    assert_eq!(end(&lab), (RunOutcome::Passed, None, json!({ "out": 21 })));
    assert_eq!(told(&lab, "a").outputs["out"], 10);
    let events = lab.events();
    let second = events.iter().find_map(|recorded| match &recorded.event {
        Event::StepAdded(info) if info.id == "a/two" => Some(info),
        _ => None,
    });
    let second = second.expect("it is told");
    assert_eq!(second.parent.as_deref(), Some("a"));
    assert_eq!(second.needs, [("a/one".to_owned(), "passed".to_owned())]);
}

#[test]
fn a_wrong_value_for_an_input_fails_the_step_before_anything_begins() {
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: { n: \"{{ 'x' }}\" } } }\n",
        DOUBLE,
    );
    assert_eq!(ends(&lab), ["a failed"]);
    let error = told(&lab, "a").error.expect("an error");
    assert_eq!(error.kind, FailureKind::Parameter);
    assert!(error.message.contains("`n`"), "{}", error.message);
}

const RED: &str = r#"playbook: 1
steps:
  one: { when: "run.id != ''", fail: it went wrong }
  two: { needs: [one], set: { v: 1 } }
finally:
  tell: { set: { how: "{{ run.outcome }}", what: "{{ run.failed | map(attribute='step') | list }}" } }
outputs: { out: "{{ steps.two.v | default(7) }}" }
"#;

#[test]
fn a_playbook_that_fails_is_a_step_that_failed() {
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n  b: { needs: { a: failed }, set: { v: \"{{ steps.a.error.kind }}\" } }\nfinally:\n  say: { set: { what: \"{{ run.failed | map(attribute='step') | list }}\" } }\n",
        RED,
    );
    assert_eq!(
        ends(&lab),
        [
            "a/one failed",
            "a/two blocked",
            "a/tell passed",
            "a failed",
            "b passed",
            "say passed"
        ]
    );
    let a = told(&lab, "a");
    assert_eq!(a.why.as_deref(), Some("`a/one` failed: it went wrong"));
    assert_eq!(a.outputs["out"], 7);
    assert_eq!(told(&lab, "a/tell").outputs["how"], "failed");
    assert_eq!(told(&lab, "a/tell").outputs["what"], json!(["a/one"]));
    assert_eq!(told(&lab, "say").outputs["what"], json!(["a/one"]));
    assert_eq!(told(&lab, "b").outputs["v"], "fail");
    let (outcome, why, _) = end(&lab);
    assert_eq!(
        (outcome, why.as_deref()),
        (RunOutcome::Failed, Some("`a` failed"))
    );
}

#[test]
fn a_step_that_may_fail_covers_its_playbook() {
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} }, allow_failure: true }\n",
        RED,
    );
    assert_eq!(told(&lab, "a").outcome, StepOutcome::Failed);
    assert_eq!(end(&lab).0, RunOutcome::Passed);
}

#[test]
fn stop_on_failure_stops_the_playbook_that_says_so() {
    let inner = "playbook: 1\non_failure: stop\nsteps:\n  two: { sleep: 1s }\n  one: { fail: x }\n  three: { needs: [two], sleep: 1s }\n";
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n  b: { sleep: 1s }\n  c: { needs: [b], sleep: 1s }\n",
        inner,
    );
    assert_eq!(told(&lab, "a/three").outcome, StepOutcome::Canceled);
    assert_eq!(told(&lab, "c").outcome, StepOutcome::Passed);
}

const SLOW: &str = "playbook: 1\nsteps:\n  one: { sleep: 2h }\n  two: { needs: [one], sleep: 2h }\nfinally:\n  tell: { sleep: 1m }\n";

#[test]
fn the_time_of_the_step_bounds_its_playbook() {
    for (outer, inner) in [
        (", timeout: 1h", SLOW.to_owned()),
        ("", SLOW.replace("steps:", "timeout: 1h\nsteps:")),
        (
            ", timeout: 3h",
            SLOW.replace("steps:", "timeout: 1h\nsteps:"),
        ),
    ] {
        let lab = run(
            &format!(
                "playbook: 1\nsteps:\n  a: {{ use: {{ playbook: inner.yml, with: {{}} }}{outer} }}\n  b: {{ needs: {{ a: failed }}, set: {{ v: 1 }} }}\n"
            ),
            &inner,
        );
        assert_eq!(
            ends(&lab),
            [
                "a/one canceled",
                "a/two blocked",
                "a/tell passed",
                "a failed",
                "b passed"
            ]
        );
        let error = told(&lab, "a").error.expect("an error");
        assert_eq!(error.kind, FailureKind::Deadline);
        assert_eq!(error.message, "the time of `a` was over after 1h");
    }
}

#[test]
fn the_deadline_of_the_run_ends_what_is_used_and_its_finally_has_its_turn() {
    let lab = run(
        "playbook: 1\ntimeout: 1h\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\nfinally:\n  say: { sleep: 1s }\n",
        SLOW,
    );
    assert_eq!(
        ends(&lab),
        [
            "a/one canceled",
            "a/two blocked",
            "a/tell passed",
            "a canceled",
            "say passed"
        ]
    );
    assert_eq!(end(&lab).0, RunOutcome::Deadline);
}

#[test]
fn a_finally_without_end_is_ended() {
    let inner = "playbook: 1\nfinally_timeout: 1m\nsteps:\n  one: { sleep: 1s }\nfinally:\n  tell: { sleep: 1h }\n";
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n",
        inner,
    );
    assert_eq!(ends(&lab), ["a/one passed", "a/tell canceled", "a failed"]);
    assert_eq!(
        told(&lab, "a").error.expect("an error").kind,
        FailureKind::Deadline
    );
}

#[test]
fn a_canceled_run_cancels_what_is_used() {
    let mut lab = lab(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n",
        SLOW,
        "",
    );
    let plot = Plot {
        stops: vec![(
            Duration::from_secs(60),
            StopRequest::Cancel { by: "ann".into() },
        )],
        ..Plot::default()
    };
    lab.session(&plot);
    assert_eq!(
        ends(&lab),
        [
            "a/one canceled",
            "a/two blocked",
            "a/tell passed",
            "a canceled"
        ]
    );
    assert_eq!(end(&lab).0, RunOutcome::Canceled);
}

#[test]
fn an_output_that_cannot_be_computed_fails_the_step() {
    let inner = "playbook: 1\nsteps:\n  one: { when: 'false', set: { v: 1 } }\noutputs: { out: \"{{ steps.one.v }}\" }\n";
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n",
        inner,
    );
    assert_eq!(told(&lab, "a").outcome, StepOutcome::Failed);
    assert!(
        told(&lab, "a")
            .why
            .expect("a why")
            .contains("the output `out`")
    );
}

#[test]
fn items_may_be_playbooks() {
    let lab = run(
        "playbook: 1\nsteps:\n  a: { for_each: '[1, 2]', use: { playbook: inner.yml, with: { n: \"{{ item }}\" } } }\n  b: { set: { all: \"{{ steps.a.each | map(attribute='out') | list }}\" } }\n",
        DOUBLE,
    );
    let mut all = ends(&lab);
    all.sort();
    assert_eq!(
        all,
        [
            "a passed",
            "a[1] passed",
            "a[1]/one passed",
            "a[1]/two passed",
            "a[2] passed",
            "a[2]/one passed",
            "a[2]/two passed",
            "b passed"
        ]
    );
    assert_eq!(told(&lab, "b").outputs["all"], json!([2, 4]));
}

#[test]
fn a_playbook_may_have_items() {
    let inner = "playbook: 1\nsteps:\n  one: { for_each: '[1, 2, 3]', sleep: 1s }\noutputs: { out: \"{{ steps.one.each | length }}\" }\n";
    let lab = run(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\noutputs: { out: \"{{ steps.a.out }}\" }\n",
        inner,
    );
    assert_eq!(end(&lab).2, json!({ "out": 3 }));
    assert!(ends(&lab).contains(&"a/one[3] passed".to_owned()));
}

const DEED: &str = r#"playbook: 1
steps:
  one:
    http: { method: POST, url: "https://a.example/one" }
    undo: { http: { method: DELETE, url: "https://a.example/one/{{ this.body.id }}" } }
  two:
    needs: [one]
    http: { method: POST, url: "https://a.example/two" }
    undo: { http: { method: DELETE, url: "https://a.example/two/{{ steps.one.body.id }}" } }
"#;

fn heard(lab: &Lab) -> Vec<String> {
    let world = lab.world.lock().expect("not poisoned");
    let line = |heard: &runner::simulator::Heard| {
        let path = heard.request.path.trim_start_matches("https://a.example/");
        format!("{} {path}", heard.request.method)
    };
    world.heard().iter().map(line).collect()
}

#[test]
fn what_a_used_playbook_did_is_taken_back_with_the_rest() {
    let world = "http:\n  - { url: '*', json: { id: 7 } }\n";
    let mut lab = lab(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n  b: { needs: [a], fail: x }\n",
        DEED,
        world,
    );
    lab.until_the_end(&[], &mut |_| {});
    assert_eq!(
        heard(&lab),
        ["POST one", "POST two", "DELETE two/7", "DELETE one/7"]
    );
    assert!(ends(&lab).contains(&"a/two/undo passed".to_owned()));
    // Another round does again what was taken back.
    let by = "ann".to_owned();
    lab.session(&Plot {
        opening: vec![Ev::RoundRequested { failed: true, by }],
        ..Plot::default()
    });
    assert_eq!(heard(&lab)[4..6], ["POST one", "POST two"]);
}

#[test]
fn another_round_goes_on_inside_a_used_playbook() {
    let world =
        "http:\n  - { url: '*/two', status: 422, count: 1 }\n  - { url: '*', json: { id: 7 } }\n";
    let inner = r#"playbook: 1
steps:
  one: { http: { method: POST, url: "https://a.example/one" } }
  two: { needs: [one], http: { method: POST, url: "https://a.example/two" } }
  three: { needs: [two], set: { v: 3 } }
finally:
  tell: { set: { how: "{{ run.outcome }}" } }
outputs: { out: "{{ steps.three.v }}" }
"#;
    let mut lab = lab(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n  b: { set: { v: \"{{ steps.a.out }}\" } }\n",
        inner,
        world,
    );
    lab.until_the_end(&[], &mut |_| {});
    let first = ends(&lab);
    assert_eq!(
        first,
        [
            "a/one passed",
            "a/two failed",
            "a/three blocked",
            "a/tell passed",
            "a failed",
            "b blocked"
        ]
    );
    let by = "ann".to_owned();
    lab.session(&Plot {
        opening: vec![Ev::RoundRequested { failed: true, by }],
        ..Plot::default()
    });
    assert_eq!(
        ends(&lab)[first.len()..],
        [
            "a/two passed",
            "a/three passed",
            "a/tell passed",
            "a passed",
            "b passed"
        ]
    );
    assert_eq!(heard(&lab), ["POST one", "POST two", "POST two"]);
    assert_eq!(told(&lab, "a/tell").outputs["how"], "passed");
    assert_eq!(end(&lab).0, RunOutcome::Passed);
}

#[test]
fn what_may_fail_inside_a_playbook_that_passed_had_its_turn() {
    let world = "http:\n  - { url: '*/red', status: 422, count: 2 }\n  - { url: '*' }\n";
    let inner = r#"playbook: 1
steps:
  one: { allow_failure: true, http: { method: POST, url: "https://a.example/red" } }
outputs: { out: 1 }
"#;
    let mut lab = lab(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n  b: { needs: [a], http: { method: POST, url: \"https://a.example/red\" } }\n",
        inner,
        world,
    );
    lab.until_the_end(&[], &mut |_| {});
    let first = ends(&lab);
    assert_eq!(first, ["a/one failed", "a passed", "b failed"]);
    let by = "ann".to_owned();
    lab.session(&Plot {
        opening: vec![Ev::RoundRequested { failed: true, by }],
        ..Plot::default()
    });
    assert_eq!(ends(&lab)[first.len()..], ["b passed"]);
}

#[test]
fn a_playbook_that_is_not_come_to_again_ends_its_steps() {
    let world = "http:\n  - { url: '*/undo' }\n  - { url: '*/gate', status: 200, count: 1 }\n  - { url: '*', status: 422 }\n";
    let inner = "playbook: 1\nsteps:\n  one: { http: { method: POST, url: 'https://a.example/one' } }\n  two: { needs: [one], sleep: 1s }\n";
    let mut lab = lab(
        "playbook: 1\nsteps:\n  gate: { http: { method: PUT, url: 'https://a.example/gate' }, undo: { http: { method: PUT, url: 'https://a.example/gate/undo' } } }\n  a: { needs: [gate], use: { playbook: inner.yml, with: {} } }\n",
        inner,
        world,
    );
    lab.until_the_end(&[], &mut |_| {});
    assert_eq!(told(&lab, "a").outcome, StepOutcome::Failed);
    let by = "ann".to_owned();
    lab.session(&Plot {
        opening: vec![Ev::RoundRequested { failed: true, by }],
        ..Plot::default()
    });
    assert_eq!(told(&lab, "gate").outcome, StepOutcome::Failed);
    assert_eq!(told(&lab, "a").outcome, StepOutcome::Blocked);
    assert_eq!(told(&lab, "a/one").outcome, StepOutcome::Blocked);
    assert_eq!(end(&lab).0, RunOutcome::Failed);
}

#[test]
fn a_killed_runner_goes_on_inside() {
    let world = "http:\n  - { url: '*', json: { id: 7 } }\n";
    for after in 1..12 {
        let mut lab = lab(
            "playbook: 1\nsteps:\n  a: { for_each: { in: '[1, 2]', max_parallel: 1 }, use: { playbook: inner.yml, with: {} } }\n",
            DEED,
            world,
        );
        lab.until_the_end(
            &[Plot {
                after: Some(Duration::from_millis(after * 30)),
                ..Plot::default()
            }],
            &mut |_| {},
        );
        assert_eq!(
            heard(&lab),
            ["POST one", "POST two", "POST one", "POST two"]
        );
        assert_eq!(end(&lab).0, RunOutcome::Passed);
    }
}

#[test]
fn an_unknown_write_inside_makes_the_step_unknown_and_a_person_settles_it() {
    let source = runner::diagnostic::Source::new(
        "scenario.yml",
        "projects:\n  - name: demo\n    pipelines:\n      .semaphore/semaphore.yml: { init: 1s, run: 30s }\nfaults:\n  - { on: run_workflow, do: reset_after_acting }\n  - { on: list_workflows, nth: 2, count: 12, do: { answer: { status: 500 } } }\n",
    );
    let scenario = Scenario::parse(&source).expect("a scenario");
    let plan = using(
        "playbook: 1\nsteps:\n  a: { use: { playbook: inner.yml, with: {} } }\n  b: { set: { v: \"{{ steps.a.out }}\" } }\n",
        "playbook: 1\nsteps:\n  build: { run_workflow: { project: demo, reference: refs/heads/main } }\noutputs: { out: \"{{ steps.build.result }}\" }\n",
    );
    let mut lab = Lab::new(&plan, scenario);
    lab.until_the_end(&[], &mut |_| {});
    assert_eq!(ends(&lab), ["a/build unknown", "a unknown", "b blocked"]);
    let (outcome, why, _) = end(&lab);
    assert_eq!(outcome, RunOutcome::Unknown);
    assert!(why.expect("a why").contains("`a/build`"));
    let message = runner::store::InboxMessage::Resolve {
        step: "a/build".into(),
        resolution: runner::event::Resolution::NotSent,
        by: "ann".into(),
    };
    use runner::store::Store as _;
    lab.ledger.post("r1", &message).expect("it is kept");
    lab.session(&Plot {
        opening: vec![Ev::RoundRequested {
            failed: false,
            by: "ann".into(),
        }],
        ..Plot::default()
    });
    assert_eq!(ends(&lab)[3..], ["a/build passed", "a passed", "b passed"]);
    assert_eq!(end(&lab).0, RunOutcome::Passed);
}

#[test]
fn a_report_shows_items_within_items_under_their_own_steps() {
    let lab = run(
        r#"playbook: 1
steps:
  each: { for_each: { in: "['a', 'b']", key: item }, use: { playbook: inner.yml, } }
"#,
        r#"playbook: 1
steps:
  one: { for_each: { in: "['x', 'y]z']", key: item }, set: { v: 1 } }
"#,
    );
    let view = runner::report::RunView::of(&lab.events());
    let report = runner::report::report(&view, 0, &runner::report::ApiUse::default());
    let report = serde_json::to_value(&report).expect("a report");
    let keys = |step: &str| {
        let each = report["steps"][step]["each"].as_array().expect("items");
        each.iter()
            .map(|item| item["key"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(keys("each"), ["a", "b"]);
    assert_eq!(keys("each[a]/one"), ["x", "y]z"]);
    assert_eq!(keys("each[b]/one"), ["x", "y]z"]);
}
