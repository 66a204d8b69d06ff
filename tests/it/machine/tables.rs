//! How steps and runs end, and why, as tables: the words of the language against the machine.

use std::time::Duration;

use runner::engine::call::Call;
use runner::engine::{Due, Ev};
use runner::event::{Event, FailureKind, Fate};
use runner::outcome::{RunOutcome, StepOutcome};
use serde_json::json;

use super::bench::{Bench, PIPELINE, Reply, failure, good, red};
use StepOutcome::{Blocked, Canceled, Failed, Passed, Skipped, Unknown};

fn well(_: &runner::event::EffectKey, call: &Call) -> Reply {
    Ok(good(call))
}

fn ran(playbook: &str) -> Bench {
    let mut bench = Bench::new(playbook);
    bench.go(well);
    bench
}

/// Every call of this word fails like this.
fn failing(
    word: &'static str,
    kind: FailureKind,
    fate: Fate,
    status: Option<u16>,
) -> impl FnMut(&runner::event::EffectKey, &Call) -> Reply {
    move |_, call| {
        if call.word() == word {
            Err(failure(kind, fate, status))
        } else {
            Ok(good(call))
        }
    }
}

/// A step that ends in each way, for others to need.
const ENDS: &str = "
  first: { set: { v: 1 } }
  passed: { needs: [first], set: { v: 1 } }
  failed: { needs: [first], check: [\"1 == 2\"] }
  skipped: { needs: [first], when: \"1 == 2\", set: { v: 1 } }
  blocked: { needs: { passed: failed }, set: { v: 1 } }
";

#[test]
fn needs_look_at_the_real_outcome() {
    // The word, and whether each of passed, failed, skipped, blocked satisfies it.
    let table: [(&str, [bool; 4]); 8] = [
        ("passed", [true, false, true, false]),
        ("failed", [false, true, false, false]),
        ("any", [true, true, true, true]),
        ("skipped", [false, false, true, false]),
        ("blocked", [false, false, false, true]),
        ("[passed]", [true, false, false, false]),
        ("[failed, blocked]", [false, true, false, true]),
        ("[passed, failed]", [true, true, false, false]),
    ];
    for (word, satisfied) in table {
        for (needed, satisfied) in ["passed", "failed", "skipped", "blocked"]
            .into_iter()
            .zip(satisfied)
        {
            if word == "skipped" && needed != "skipped" {
                continue; // Refused at load: it has no `when`.
            }
            let text = format!(
                "playbook: 1\nsteps:{ENDS}  x: {{ needs: {{ {needed}: {word} }}, set: {{ v: 1 }} }}\n"
            );
            let bench = ran(&text);
            let expected = if satisfied { Passed } else { Blocked };
            assert_eq!(
                bench.step("x").outcome,
                expected,
                "{needed}: {word}: {:?}",
                bench.why("x")
            );
            assert_eq!(bench.step(needed).outcome.as_str(), needed);
        }
    }
}

#[test]
fn what_did_not_run_says_why() {
    let bench = ran(&format!(
        "playbook: 1\ninputs: {{ lane: {{ type: string, default: blue }} }}\nsteps:{ENDS}  \
         values: {{ when: \"inputs.lane == 'green' and steps.passed.v > 1\", set: {{ v: 1 }} }}\n  \
         chain: {{ needs: [failed], set: {{ v: 1 }} }}\n  \
         chained: {{ needs: [chain], set: {{ v: 1 }} }}\n  \
         after_all: {{ needs: {{ chained: any }}, set: {{ v: 1 }} }}\n"
    ));
    for (step, outcome, why) in [
        ("skipped", Skipped, "`when` is false: `1 == 2`"),
        ("blocked", Blocked, "needs `passed: failed`, but it passed"),
        ("chain", Blocked, "needs `failed: passed`, but it failed"),
        (
            "chained",
            Blocked,
            "needs `chain: passed`, but it was blocked",
        ),
        ("failed", Failed, "`1 == 2` does not hold"),
    ] {
        assert_eq!((bench.step(step).outcome, bench.why(step)), (outcome, why));
    }
    assert_eq!(bench.step("values").outcome, Skipped);
    assert!(
        bench
            .why("values")
            .contains("where `inputs.lane` is \"blue\""),
        "{}",
        bench.why("values")
    );
    assert_eq!(bench.step("after_all").outcome, Passed);
    assert_eq!(bench.outcome(), RunOutcome::Failed);
    assert_eq!(bench.ended().why.as_deref(), Some("`failed` failed"));
}

#[test]
fn a_step_that_may_fail_does_not_fail_the_run_but_its_dependants_see_it() {
    let bench = ran(
        "playbook: 1\nsteps:\n  lint: { check: [\"1 == 2\"], allow_failure: true }\n  \
         ship: { needs: [lint], set: { v: 1 } }\n  tell: { needs: { lint: failed }, set: { v: \"{{ steps.lint.error.kind }}\" } }\n",
    );
    assert_eq!(
        bench.outcomes(),
        [("lint", Failed), ("ship", Blocked), ("tell", Passed)]
    );
    assert_eq!(bench.step("tell").outputs["v"], json!("check"));
    assert_eq!(bench.outcome(), RunOutcome::Passed);
    // It does not cover what nobody knows.
    let mut bench = Bench::new(
        "playbook: 1\nsteps:\n  build: { run_workflow: { project: demo, reference: main, wait: false }, allow_failure: true }\n",
    );
    bench.go(failing(
        "run_workflow",
        FailureKind::FateUnknown,
        Fate::Unknown,
        None,
    ));
    assert_eq!(bench.outcomes(), [("build", Unknown)]);
    assert_eq!(bench.outcome(), RunOutcome::Unknown);
    assert_eq!(bench.ended().failure, Some(FailureKind::FateUnknown));
}

const FINALLY: &str =
    "finally:\n  tell:\n    set: { how: \"{{ run.outcome }}\", what: \"{{ run.failed }}\" }\n";

#[test]
fn finally_sees_how_the_run_would_end() {
    // The steps, what is done after the first turn, the outcome, and the steps in `run.failed`.
    type Disturb = fn(&mut Bench);
    let undisturbed: Disturb = |_| {};
    let table: [(&str, Disturb, RunOutcome, &[&str]); 5] = [
        (
            "  a: { set: { v: 1 } }\n",
            undisturbed,
            RunOutcome::Passed,
            &[],
        ),
        (
            "  a: { check: [\"1 == 2\"] }\n  b: { sleep: 1s }\n",
            undisturbed,
            RunOutcome::Failed,
            &["a"],
        ),
        (
            "  a: { sleep: 1h }\n",
            Bench::cancel,
            RunOutcome::Canceled,
            &[],
        ),
        (
            "  a: { sleep: 90m }\n",
            undisturbed,
            RunOutcome::Deadline,
            &[],
        ),
        (
            "  a: { run_workflow: { project: 11111111-1111-4111-8111-111111111111, reference: main }, allow_failure: true }\n",
            |bench| {
                let (key, _) = bench.calls().remove(0);
                bench.answer(
                    &key,
                    Err(failure(FailureKind::FateUnknown, Fate::Unknown, None)),
                );
            },
            RunOutcome::Unknown,
            &["a"],
        ),
    ];
    for (steps, disturb, outcome, failed) in table {
        let mut bench = Bench::new(&format!(
            "playbook: 1\ntimeout: 1h\nsteps:\n{steps}{FINALLY}"
        ));
        disturb(&mut bench);
        bench.go(well);
        assert_eq!(bench.outcome(), outcome, "{steps}");
        let told = &bench.step("tell").outputs;
        assert_eq!(told["how"], json!(outcome.as_str()), "{steps}");
        let names: Vec<&str> = told["what"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|f| f["step"].as_str())
            .collect();
        assert_eq!(names, failed, "{steps}");
    }
}

#[test]
fn finally_has_its_own_time_and_its_failure_is_the_runs() {
    let text = |steps: &str| {
        format!(
            "playbook: 1\nfinally_timeout: 2m\nsteps:\n  a: {{ set: {{ v: 1 }} }}\nfinally:\n{steps}"
        )
    };
    let bench = ran(&text("  tell: { check: [\"1 == 2\"] }\n"));
    assert_eq!(
        (bench.outcome(), bench.step("tell").outcome),
        (RunOutcome::Failed, Failed)
    );
    let bench = ran(&text("  tell: { sleep: 1h }\n"));
    assert_eq!(
        (bench.outcome(), bench.step("tell").outcome),
        (RunOutcome::Deadline, Canceled)
    );
    assert_eq!(
        bench.ended().why.as_deref(),
        Some("the time of `finally` was over after 2m")
    );
    assert_eq!(bench.at.active_ms, 120_000);
    let mut bench = Bench::new(&text("  tell: { sleep: 1m }\n"));
    bench.cancel();
    assert_eq!(
        (bench.outcome(), bench.step("tell").outcome),
        (RunOutcome::Canceled, Canceled)
    );
    // A red run stays red, whatever becomes of its `finally`.
    let mut bench = Bench::new(
        "playbook: 1\nsteps:\n  a: { check: [\"1 == 2\"] }\nfinally:\n  tell: { sleep: 1m }\n",
    );
    bench.cancel();
    assert_eq!(bench.outcome(), RunOutcome::Failed);
}

#[test]
fn the_deadline_of_the_run_waits_for_a_write_that_is_under_way() {
    let text = "playbook: 1\ntimeout: 10m\nsteps:\n  build: { run_workflow: { project: 11111111-1111-4111-8111-111111111111, reference: main } }\n  \
                nap: { sleep: 1h }\n  later: { needs: [nap], set: { v: 1 } }\n";
    let begin = || {
        let mut bench = Bench::new(text);
        let (key, _) = bench.calls().remove(0);
        bench.pass(Duration::from_secs(600));
        bench.tell(Some(Ev::Timer {
            key: "run-deadline".into(),
        }));
        assert_eq!(bench.outcomes(), [("nap", Canceled), ("later", Blocked)]);
        assert_eq!(bench.why("nap"), "the deadline of the run passed after 10m");
        assert!(
            bench.open.contains_key(&key.to_string()),
            "the write was dropped"
        );
        (bench, key)
    };
    // It arrived: what it made is on record, and nothing more is asked.
    let (mut bench, key) = begin();
    let (_, call) = bench.calls().remove(0);
    bench.answer(&key, Ok(good(&call)));
    assert_eq!(bench.step("build").outcome, Canceled);
    assert_eq!(bench.step("build").outputs["pipeline_id"], json!(PIPELINE));
    assert_eq!(bench.outcome(), RunOutcome::Deadline);
    // It was refused: nothing happened.
    let (mut bench, key) = begin();
    bench.answer(
        &key,
        Err(failure(FailureKind::RateLimited, Fate::NotDone, Some(429))),
    );
    assert_eq!(
        (bench.step("build").outcome, bench.outcome()),
        (Canceled, RunOutcome::Deadline)
    );
    // Nobody knows: that is not hidden.
    let (mut bench, key) = begin();
    bench.answer(
        &key,
        Err(failure(FailureKind::Timeout, Fate::Unknown, None)),
    );
    assert_eq!(
        (bench.step("build").outcome, bench.outcome()),
        (Unknown, RunOutcome::Unknown)
    );
}

#[test]
fn a_write_in_doubt_is_unknown_whatever_stops_its_step() {
    let promote = format!("promote: {{ pipeline: {PIPELINE}, name: Production }}");
    let text = format!("playbook: 1\nsteps:\n  deploy: {{ {promote}, timeout: 90s }}\n");
    let lost = || {
        failing(
            "trigger_promotion",
            FailureKind::Network,
            Fate::Unknown,
            None,
        )
    };
    let until_backoff = |bench: &mut Bench| {
        let mut reply = lost();
        for _ in 0..3 {
            let (key, call) = bench.calls().remove(0);
            let given = reply(&key, &call);
            bench.answer(&key, given);
        }
        assert!(bench.calls().is_empty(), "it waits to be tried again");
    };
    // Canceled between two tries.
    let mut bench = Bench::new(&text);
    until_backoff(&mut bench);
    bench.cancel();
    assert_eq!(
        (bench.step("deploy").outcome, bench.outcome()),
        (Unknown, RunOutcome::Unknown)
    );
    assert!(
        bench.why("deploy").contains("canceled by a test"),
        "{}",
        bench.why("deploy")
    );
    // A later try is refused: an earlier one may have arrived, so it is looked for.
    let mut bench = Bench::new(&text);
    until_backoff(&mut bench);
    let mut asked = Vec::new();
    bench.go(|_, call| {
        asked.push(call.word());
        match call.word() {
            "trigger_promotion" => {
                Err(failure(FailureKind::Unauthorized, Fate::NotDone, Some(401)))
            }
            "await_promotion" => Err(failure(FailureKind::Unauthorized, Fate::NotDone, Some(401))),
            _ => Ok(good(call)),
        }
    });
    assert_eq!(asked, ["trigger_promotion", "await_promotion"]);
    assert_eq!(bench.outcome(), RunOutcome::Unknown);
    // The time of the step is over between two tries.
    let mut bench = Bench::new(&text.replace("90s", "3500ms"));
    bench.go(lost());
    assert_eq!(
        (bench.step("deploy").outcome, bench.outcome()),
        (Unknown, RunOutcome::Unknown)
    );
}

#[test]
fn a_steps_time_ends_a_backoff_that_would_not_fit() {
    let mut bench = Bench::new(&format!(
        "playbook: 1\nsteps:\n  look:\n    describe_pipeline: {{ pipeline: {PIPELINE} }}\n    timeout: 10s\n    \
         retry: {{ attempts: 50, backoff: {{ first: 4s, factor: 1, max: 4s, jitter: 0 }} }}\n"
    ));
    bench.go(failing(
        "describe_pipeline",
        FailureKind::Server,
        Fate::NotDone,
        Some(500),
    ));
    let told = bench.step("look");
    assert_eq!(told.outcome, Failed);
    assert_eq!(bench.kind("look"), Some(FailureKind::Deadline));
    assert_eq!(
        bench.why("look"),
        "the step's time of 10s is over; the last error was: server, as the test wants"
    );
    assert!(
        bench.at.active_ms < 10_000,
        "it does not wait for what cannot be"
    );
}

#[test]
fn a_sleep_is_cut_by_the_steps_own_time() {
    let bench = ran(
        "playbook: 1\nsteps:\n  nap: { sleep: 10m, timeout: 1m }\n  quick: { sleep: 30s, timeout: 1m }\n",
    );
    assert_eq!(bench.outcomes(), [("nap", Failed), ("quick", Passed)]);
    assert_eq!(bench.kind("nap"), Some(FailureKind::Deadline));
}

#[test]
fn with_on_failure_stop_nothing_new_begins() {
    let text = "playbook: 1\non_failure: stop\nsteps:\n  bad: { needs: [nap], check: [\"1 == 2\"] }\n  nap: { sleep: 1s }\n  \
                long: { sleep: 1m }\n  next: { needs: [long], set: { v: 1 } }\n  logs: { needs: { bad: failed }, set: { v: 1 } }\n  \
                shut: { needs: [bad], set: { v: 1 } }\nfinally:\n  tell: { set: { v: 1 } }\n";
    let bench = ran(text);
    use StepOutcome::Passed as P;
    assert_eq!(
        bench.outcomes(),
        [
            ("bad", Failed),
            ("nap", P),
            ("long", P),
            ("next", Canceled),
            ("logs", Canceled),
            ("shut", Blocked),
            ("tell", P)
        ]
    );
    assert_eq!(
        bench.why("next"),
        "not started: `bad` failed, and `on_failure` is `stop`"
    );
    assert_eq!(bench.outcome(), RunOutcome::Failed);
}

#[test]
fn outputs_are_computed_at_the_end() {
    let bench =
        ran("playbook: 1\nsteps:\n  a: { set: { v: 7 } }\noutputs: { v: \"{{ steps.a.v }}\" }\n");
    assert_eq!(bench.ended().outputs["v"], json!(7));
    // A green run whose output cannot be computed is red.
    let text = |a: &str| {
        format!("playbook: 1\nsteps:\n  a: {a}\noutputs: {{ v: \"{{{{ steps.a.v }}}}\" }}\n")
    };
    let bench = ran(&text("{ when: \"1 == 2\", set: { v: 1 } }"));
    assert_eq!(bench.outcome(), RunOutcome::Failed);
    assert_eq!(bench.ended().failure, Some(FailureKind::Template));
    let why = bench.ended().why.clone().unwrap_or_default();
    assert!(
        why.starts_with("the output `v` cannot be computed: test.yml:4:"),
        "{why}"
    );
    // On a red one it may be missing.
    let bench =
        ran(&text("{ check: [\"1 == 2\"] }").replace("steps.a.v", "steps.a.error.hint | length"));
    assert_eq!(
        (bench.outcome(), bench.ended().outputs.len()),
        (RunOutcome::Failed, 0)
    );
    assert_eq!(bench.ended().failure, Some(FailureKind::Check));
}

#[test]
fn templates_that_fail_at_run_time_say_where() {
    let bench = ran(
        "playbook: 1\nsteps:\n  a: { when: \"1 == 2\", set: { v: 1 } }\n  b:\n    set: { w: \"{{ steps.a.v }}\" }\n  \
         c:\n    when: steps.a.v > 1\n    needs: { a: any }\n    set: { w: 1 }\n  d:\n    sleep: 1s\n    timeout: \"{{ steps.a.outcome }}\"\n  \
         e:\n    wait_pipeline: { pipeline: \"{{ steps.a.outcome }}\" }\n",
    );
    for (step, kind, place, word) in [
        ("b", FailureKind::Template, "test.yml:5:", "steps.a.v"),
        ("c", FailureKind::Template, "test.yml:7:", "steps.a.v"),
        ("d", FailureKind::Parameter, "test.yml:12:", "skipped"),
        ("e", FailureKind::Parameter, "test.yml:14:", "is no id"),
    ] {
        assert_eq!(
            (bench.step(step).outcome, bench.kind(step)),
            (Failed, Some(kind)),
            "{step}"
        );
        let why = bench.why(step);
        assert!(why.contains(place) && why.contains(word), "{step}: {why}");
    }
}

#[test]
fn extract_and_assert_fail_a_step_and_say_what_was_found() {
    let step = |more: &str| {
        format!(
            "playbook: 1\nsteps:\n  a:\n    describe_pipeline: {{ pipeline: {PIPELINE} }}\n{more}"
        )
    };
    let one = ran(&step(
        "    extract: { sha: $.pipeline.commit_sha }\n    assert: [\"this.sha == '4f2a81c'\"]\n",
    ));
    assert_eq!(
        (one.step("a").outcome, one.step("a").outputs["sha"].clone()),
        (Passed, json!("4f2a81c"))
    );
    let none = ran(&step("    extract: { sha: $.pipeline.nothing }\n"));
    assert_eq!(
        (none.step("a").outcome, none.kind("a")),
        (Failed, Some(FailureKind::Extract))
    );
    assert!(
        none.why("a").contains("test.yml:5:") && none.why("a").contains("$.pipeline.nothing"),
        "{}",
        none.why("a")
    );
    let not = ran(&step("    assert: [\"this.result == 'failed'\"]\n"));
    assert_eq!(
        (not.step("a").outcome, not.kind("a")),
        (Failed, Some(FailureKind::Assert))
    );
    assert_eq!(
        not.why("a"),
        "`assert` does not hold: `this.result == 'failed'`, where `this.result` is \"passed\""
    );
    // On a step that failed, what there is is taken, and the first error stays.
    let mut bench = Bench::new(&format!(
        "playbook: 1\nsteps:\n  a:\n    wait_pipeline: {{ pipeline: {PIPELINE} }}\n    extract: {{ sha: $.pipeline.commit_sha }}\n"
    ));
    bench.go(|_, call| Ok(red(call)));
    assert_eq!(
        (bench.kind("a"), bench.step("a").outputs["sha"].clone()),
        (Some(FailureKind::PipelineFailed), json!("4f2a81c"))
    );
}

#[test]
fn attempts_count_answers() {
    let text = format!(
        "playbook: 1\nsteps:\n  a: {{ describe_pipeline: {{ pipeline: {PIPELINE} }}, retry: {{ attempts: 3 }} }}\n"
    );
    let mut bench = Bench::new(&text);
    bench.go(failing(
        "describe_pipeline",
        FailureKind::Server,
        Fate::NotDone,
        Some(500),
    ));
    let tries = bench
        .events()
        .filter(|e| matches!(e, Event::CallStarted { .. }))
        .count();
    let again = bench
        .events()
        .filter(|e| matches!(e, Event::CallRetried { .. }))
        .count();
    assert_eq!((tries, again, bench.step("a").outcome), (3, 2, Failed));
    // What never left is no answer.
    let mut bench = Bench::new(&text);
    let mut tries = 0;
    bench.go(|_, call| {
        tries += 1;
        match tries {
            1..=4 => Err(failure(FailureKind::Network, Fate::NotSent, None)),
            5..=6 => Err(failure(FailureKind::Server, Fate::NotDone, Some(500))),
            _ => Ok(good(call)),
        }
    });
    assert_eq!((tries, bench.step("a").outcome), (7, Passed));
}

#[test]
fn without_a_network_the_run_is_parked_and_asks_again_when_it_is_resumed() {
    let mut bench = Bench::new(&format!(
        "playbook: 1\nsteps:\n  a: {{ describe_pipeline: {{ pipeline: {PIPELINE} }} }}\n  b: {{ needs: [a], set: {{ v: 1 }} }}\n"
    ));
    let mut away = failing(
        "describe_pipeline",
        FailureKind::Network,
        Fate::NotSent,
        None,
    );
    bench.go(&mut away);
    assert!(bench.parked && !bench.machine.has_ended());
    // Nobody has answered yet: a typo in the host must not hang for a quarter of an hour.
    assert!(
        (30_000..45_000).contains(&bench.at.active_ms),
        "{}",
        bench.at.active_ms
    );
    assert!(
        bench.steps().next().is_none(),
        "the network is no failure of a step"
    );
    bench.park_and_resume(1);
    bench.go(&mut away);
    assert!(bench.parked, "the budget begins anew");
    bench.park_and_resume(2);
    bench.go(well);
    assert_eq!(bench.outcomes(), [("a", Passed), ("b", Passed)]);
    // A run that is canceled while it is parked ends.
    let mut bench = Bench::new(&format!(
        "playbook: 1\nsteps:\n  a: {{ describe_pipeline: {{ pipeline: {PIPELINE} }} }}\n"
    ));
    bench.go(failing(
        "describe_pipeline",
        FailureKind::Network,
        Fate::NotSent,
        None,
    ));
    bench.cancel();
    assert_eq!(
        (bench.outcome(), bench.step("a").outcome),
        (RunOutcome::Canceled, Canceled)
    );
}

#[test]
fn what_comes_after_the_end_changes_nothing() {
    let mut bench = ran("playbook: 1\nsteps:\n  a: { set: { v: 1 } }\n");
    let before = bench.turns.len();
    bench.cancel();
    bench.tell(Some(Ev::Timer {
        key: "run-deadline".into(),
    }));
    bench.park_and_resume(1);
    assert!(
        bench.turns[before..]
            .iter()
            .all(|(_, _, turn)| turn.events.is_empty() && turn.commands.is_empty())
    );
}

#[test]
fn a_sleep_goes_by_the_wall_and_a_retry_by_the_time_that_was_worked() {
    let bench = Bench::new(&format!(
        "playbook: 1\nsteps:\n  nap: {{ sleep: 5m }}\n  look: {{ describe_pipeline: {{ pipeline: {PIPELINE} }} }}\n"
    ));
    let due = |bench: &Bench, prefix: &str| {
        bench
            .open
            .iter()
            .find(|(key, _)| key.starts_with(prefix))
            .map(|(_, command)| command.clone())
    };
    assert!(matches!(
        due(&bench, "sleep:nap"),
        Some(runner::engine::Cmd::Timer {
            due: Due::Wall(_),
            ..
        })
    ));
    let mut bench = bench;
    let (key, _) = bench.calls().remove(0);
    bench.answer(
        &key,
        Err(failure(FailureKind::Server, Fate::NotDone, Some(500))),
    );
    assert!(matches!(
        due(&bench, "retry:look"),
        Some(runner::engine::Cmd::Timer {
            due: Due::Active(_),
            ..
        })
    ));
}

#[test]
fn a_fresh_id_may_be_unknown_for_a_moment_and_an_old_one_not() {
    let text = "playbook: 1\nsteps:\n  build: { run_workflow: { project: demo, reference: main, wait: false } }\n  \
         look: { needs: [build], describe_pipeline: { pipeline: \"{{ steps.build.pipeline_id }}\" } }\n".to_string();
    for (fresh, expected) in [(true, Passed), (false, Failed)] {
        let text = if fresh {
            text.to_owned()
        } else {
            text.replace(
                "\"{{ steps.build.pipeline_id }}\"",
                "2c0ffee0-0000-4000-8000-00000000ffff",
            )
        };
        let mut bench = Bench::new(&text);
        let mut tries = 0;
        bench.go(|_, call| {
            if call.word() == "describe_pipeline" {
                tries += 1;
                if tries < 3 {
                    return Err(failure(FailureKind::NotFound, Fate::NotDone, Some(404)));
                }
            }
            Ok(good(call))
        });
        assert_eq!(
            bench.step("look").outcome,
            expected,
            "{fresh}: {}",
            bench.why("look")
        );
    }
}

/// A workflow that never gets a pipeline is asked for it with pauses, until the time of the step is over.
#[test]
fn a_task_whose_workflow_has_no_pipeline_ends_in_time() {
    let text =
        "playbook: 1\nsteps:\n  a: { run_task: { project: demo, task: nightly }, timeout: 1m }\n";
    let mut asked = 0;
    let mut bench = Bench::new(text);
    bench.go(|_, call| {
        Ok(match call {
            Call::RunTask { .. } => runner::event::Answer {
                value: json!({"workflow_id": super::bench::WORKFLOW}),
                ..Default::default()
            },
            Call::DescribeWorkflow { .. } => {
                asked += 1;
                runner::event::Answer::default()
            }
            call => good(call),
        })
    });
    assert_eq!(bench.step("a").outcome, StepOutcome::Failed);
    assert!((10..30).contains(&asked), "{asked}");
}
