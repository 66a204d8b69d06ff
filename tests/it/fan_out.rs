//! `for_each`: a step done once for each item, whatever becomes of them.

use runner::engine::Ev;
use runner::event::Event;
use runner::outcome::RunOutcome;
use serde_json::{Value, json};

use crate::lab::{Lab, Plot, plan};
use crate::rig::{Ran, Rig};

const NOTHING: &str = "projects: []\n";

fn run(playbook: &str) -> Ran {
    Rig::from_yaml(playbook, NOTHING).run()
}

/// The steps and how they ended, in the order in which they did.
pub(crate) fn outcomes(ran: &Ran) -> Vec<String> {
    ran.outcomes()
        .into_iter()
        .map(|(step, outcome)| format!("{step} {outcome}"))
        .collect()
}

fn outputs(ran: &Ran) -> Value {
    let ended = ran
        .events
        .iter()
        .rev()
        .find_map(|recorded| match &recorded.event {
            Event::RunEnded(ended) => Some(ended.outputs.clone()),
            _ => None,
        });
    Value::Object(ended.expect("an end"))
}

fn error_of(ran: &Ran, step: &str) -> String {
    let ended = ran.step(step);
    ended
        .error
        .as_ref()
        .map(|e| e.message.clone())
        .unwrap_or_default()
}

#[test]
fn every_item_is_a_step_and_each_tells_of_all() {
    let ran = run(r#"playbook: 1
steps:
  double:
    for_each: "[1, 2, 3]"
    set: { twice: "{{ item * 2 }}", at: "{{ key }}/{{ index }}" }
  sum:
    check: { that: ["steps.double.each | map(attribute='twice') | sum == 12"] }
outputs:
  all: "{{ steps.double.each }}"
"#);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(
        outcomes(&ran),
        [
            "double[1] passed",
            "double[2] passed",
            "double[3] passed",
            "double passed",
            "sum passed"
        ]
    );
    let all = &outputs(&ran)["all"];
    assert_eq!(
        all[1],
        json!({ "twice": 4, "at": "2/1", "key": "2", "item": 2, "outcome": "passed", "why": null })
    );
}

#[test]
fn the_items_of_a_map_have_its_keys_and_a_list_may_say_its_own() {
    let ran = run(r#"playbook: 1
vars:
  hosts: { web: 1, api: 2 }
  projects: [ { name: one, n: 1 }, { name: two, n: 2 } ]
steps:
  a: { for_each: vars.hosts, set: { v: "{{ item }}" } }
  b: { for_each: { in: vars.projects, key: item.name }, set: { v: "{{ item.n }}" } }
  c: { for_each: vars.projects, set: { v: "{{ key }}" } }
"#);
    let mut ids = outcomes(&ran);
    ids.sort();
    let wanted = [
        "a passed",
        "a[api] passed",
        "a[web] passed",
        "b passed",
        "b[one] passed",
        "b[two] passed",
        "c passed",
        "c[0] passed",
        "c[1] passed",
    ];
    assert_eq!(ids, wanted);
}

#[test]
fn an_empty_list_passes() {
    let ran = run(
        "playbook: 1\nsteps:\n  a: { for_each: '[]', sleep: 1h }\n  b: { check: { that: ['steps.a.each | length == 0'] } }\n",
    );
    assert_eq!(
        outcomes(&ran),
        ["a passed", "b passed"],
        "{:#?}",
        ran.words()
    );
}

#[test]
fn no_more_than_max_parallel_are_at_work_at_once() {
    for (at_once, hours) in [(1, 6), (2, 3), (6, 1)] {
        let ran = run(&format!(
            "playbook: 1\nsteps:\n  a: {{ for_each: {{ in: 'range(6) | list', max_parallel: {at_once} }}, sleep: 1h }}\n"
        ));
        assert_eq!(
            ran.outcome(),
            Some(RunOutcome::Passed),
            "{:#?}",
            ran.words()
        );
        let took = ran.virtual_time.as_secs_f64() / 3600.0;
        assert!((took - f64::from(hours)).abs() < 0.01, "{at_once}: {took}");
        let mut at_work = 0;
        let mut most = 0;
        for recorded in &ran.events {
            match &recorded.event {
                Event::StepStarted { step, .. } if step != "a" => at_work += 1,
                Event::StepEnded(ended) if ended.step != "a" => at_work -= 1,
                _ => {}
            }
            most = most.max(at_work);
        }
        assert_eq!(most, at_once);
    }
}

#[test]
fn one_item_that_fails_fails_the_step_and_the_others_go_on() {
    let ran = run(r#"playbook: 1
steps:
  a:
    for_each: { in: "[3, 1, 2]", max_parallel: 1 }
    check: { that: ["item != 1"] }
  b: { needs: { a: failed }, set: { bad: "{{ steps.a.each | selectattr('outcome', 'equalto', 'failed') | map(attribute='key') | list }}" } }
outputs: { bad: "{{ steps.b.bad }}" }
"#);
    assert_eq!(ran.outcome(), Some(RunOutcome::Failed));
    assert_eq!(outputs(&ran)["bad"], json!(["1"]));
    assert!(
        error_of(&ran, "a").starts_with("1 of 3 items failed: `1` ("),
        "{}",
        error_of(&ran, "a")
    );
    let ended = ran.events.iter().find_map(|r| match &r.event {
        Event::RunEnded(ended) => ended.why.clone(),
        _ => None,
    });
    assert_eq!(ended.as_deref(), Some("`a[1]` failed"));
}

#[test]
fn after_a_failure_the_rest_is_not_begun_when_the_step_says_so() {
    let ran = run(r#"playbook: 1
steps:
  a:
    for_each: { in: "[3, 1, 2]", max_parallel: 1, on_failure: stop }
    check: { that: ["item != 1"] }
"#);
    assert_eq!(
        outcomes(&ran),
        ["a[3] passed", "a[1] failed", "a[2] canceled", "a failed"]
    );
}

#[test]
fn items_that_may_fail_do_not_fail_the_run() {
    let ran = run(
        "playbook: 1\nsteps:\n  a: { for_each: '[1, 2]', check: { that: ['item == 1'] }, allow_failure: true }\n  b: { needs: { a: any }, set: { o: \"{{ steps.a.outcome }}\" } }\n",
    );
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert!(outcomes(&ran).contains(&"a failed".to_owned()));
}

#[test]
fn what_is_no_list_is_told() {
    for (expression, words) in [
        ("'text'", "which is no list and no map"),
        ("[1, 2] + [1]", "two items"),
        ("range(1001) | list", "at most 1000 are allowed"),
        ("{'': 1}", "cannot be the key of an item"),
    ] {
        let key = if expression.contains("+ [1]") {
            ", key: item"
        } else {
            ""
        };
        let ran = run(&format!(
            "playbook: 1\nsteps:\n  a: {{ for_each: {{ in: {}{key} }}, sleep: 1s }}\n",
            json!(expression)
        ));
        assert!(
            error_of(&ran, "a").contains(words),
            "{}",
            error_of(&ran, "a")
        );
    }
}

#[test]
fn a_thousand_items_are_done() {
    let ran = run(
        "playbook: 1\nsteps:\n  a: { for_each: 'range(1000) | list', set: { v: \"{{ item }}\" } }\n  b: { check: { that: ['steps.a.each | length == 1000'] } }\n",
    );
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.outcome()
    );
}

#[test]
fn condition_and_needs_are_asked_once_before() {
    let ran = run(
        "playbook: 1\nsteps:\n  a: { when: 'false', for_each: '[1, 2]', sleep: 1s }\n  b: { needs: { a: failed }, for_each: '[1]', sleep: 1s }\n",
    );
    assert_eq!(outcomes(&ran), ["a skipped", "b blocked"]);
}

#[test]
fn every_item_has_its_own_time() {
    let ran = run("playbook: 1\nsteps:\n  a: { for_each: ['1h', '3h'], sleep: \"{{ item }}\", timeout: 2h }\n".replace("['1h', '3h']", "\"['1h', '3h']\"").as_str());
    assert_eq!(
        outcomes(&ran),
        ["a[1h] passed", "a[3h] failed", "a failed"],
        "{:#?}",
        ran.words()
    );
}

#[test]
fn what_items_did_is_taken_back_item_by_item() {
    let playbook = r#"playbook: 1
steps:
  a:
    for_each: { in: "['x', 'y']", max_parallel: 1 }
    http: { method: POST, url: "https://a.example/{{ item }}" }
    undo: { http: { method: DELETE, url: "https://a.example/{{ item }}/{{ this.body.id }}" } }
  b: { needs: a, fail: "no" }
"#;
    let all_well = "projects: []\nhttp:\n  - { url: '*', json: { id: 7 } }\n";
    let ran = Rig::from_yaml(playbook, all_well).run();
    let heard: Vec<String> = ran
        .heard
        .iter()
        .map(|h| format!("{} {}", h.request.method, h.request.path))
        .collect();
    let paths: Vec<&str> = heard.iter().map(String::as_str).collect();
    assert_eq!(paths.len(), 4, "{paths:?} {:#?}", ran.words());
    assert!(
        paths[2].ends_with("/y/7") && paths[3].ends_with("/x/7"),
        "{paths:?}"
    );
    assert!(outcomes(&ran).contains(&"a[y]/undo passed".to_owned()));
}

#[test]
fn a_deadline_gives_up_what_is_at_work_and_begins_no_more() {
    let ran = run(
        "playbook: 1\ntimeout: 90m\nsteps:\n  a: { for_each: { in: 'range(3) | list', max_parallel: 1 }, sleep: 1h }\n",
    );
    assert_eq!(ran.outcome(), Some(RunOutcome::Deadline));
    assert_eq!(
        outcomes(&ran),
        [
            "a[0] passed",
            "a[1] canceled",
            "a[2] canceled",
            "a canceled"
        ]
    );
}

#[test]
fn another_round_does_only_what_did_not_pass() {
    let playbook = r#"playbook: 1
steps:
  a:
    for_each: { in: "['x', 'y', 'z']", max_parallel: 1, on_failure: stop }
    http: { method: POST, url: "https://a.example/{{ item }}" }
"#;
    let source = runner::diagnostic::Source::new(
        "scenario.yml",
        "projects: []\nhttp:\n  - { url: '*/y', status: 422, count: 1 }\n  - { url: '*' }\n",
    );
    let scenario = runner::simulator::Scenario::parse(&source).expect("a scenario");
    let mut lab = Lab::new(&plan(playbook), scenario);
    lab.session(&Plot::default());
    let ends = |lab: &Lab| -> Vec<String> {
        let ended = |recorded: &runner::event::Recorded| match &recorded.event {
            Event::StepEnded(ended) => Some(format!("{} {}", ended.step, ended.outcome)),
            _ => None,
        };
        lab.events().iter().filter_map(ended).collect()
    };
    let first = ["a[x] passed", "a[y] failed", "a[z] canceled", "a failed"];
    assert_eq!(ends(&lab), first);
    let by = "ann".to_owned();
    let again = Plot {
        opening: vec![Ev::RoundRequested { failed: true, by }],
        ..Plot::default()
    };
    let end = lab.session(&again);
    assert_eq!(
        ends(&lab)[4..],
        ["a[y] passed", "a[z] passed", "a passed"],
        "{end:?}"
    );
}
