//! `approve` and `fail`: a person's yes or no, whenever it comes, and branches that end red.

use std::sync::Arc;
use std::time::Duration;

use runner::drivers::Finish;
use runner::event::{Event, FailureKind};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::store::{InboxMessage, MemoryStore, Store as _};
use serde_json::json;

use crate::program::Program;
use crate::rig::{Ran, Rig};

const GATE: &str = "playbook: 1\nsteps:\n  before:\n    sleep: 10s\n  gate:\n    needs: before\n    approve: { message: 'shall {{ run.id }} go?' }\n  after:\n    set: { by: '{{ steps.gate.approved_by }}', at: '{{ steps.gate.at }}' }\n";
const EMPTY: &str = "projects: []\n";

type Given = (Duration, &'static str, bool, &'static str);

fn rig(playbook: &str, answers: &[Given]) -> Rig {
    let mut rig = Rig::from_yaml(playbook, EMPTY);
    rig.answers = answers.to_vec();
    rig
}

fn run(playbook: &str, answers: &[Given]) -> Ran {
    rig(playbook, answers).run()
}

const fn after(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_yes_lets_the_run_go_on_and_is_told() {
    let ran = run(GATE, &[(after(60), "gate", true, "ada")]);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.step("after").outputs["by"], json!("ada"));
    assert_eq!(
        ran.step("after").outputs["at"],
        ran.step("gate").outputs["at"]
    );
    assert!(ran.virtual_time >= after(60) && ran.virtual_time <= after(61));
    let asked = ran
        .events
        .iter()
        .find_map(|recorded| match &recorded.event {
            Event::Asked { step, message } => Some((step.clone(), message.clone())),
            _ => None,
        });
    assert_eq!(asked, Some(("gate".into(), "shall r1 go?".into())));
    assert_eq!(ran.requests, 0, "nobody else is asked");
}

#[test]
fn a_no_fails_the_step() {
    let ran = run(GATE, &[(after(60), "gate", false, "ada")]);
    assert_eq!(ran.outcome(), Some(RunOutcome::Failed));
    let error = ran.step("gate").error.clone().unwrap();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (FailureKind::Rejected, "rejected by ada")
    );
    assert!(!ran.step("gate").outputs.contains_key("approved_by"));
    assert_eq!(ran.step("after").outcome, StepOutcome::Blocked);
}

#[test]
fn an_answer_that_comes_early_is_kept_and_the_last_word_counts() {
    let early: [Given; 2] = [
        (after(2), "gate", false, "bob"),
        (after(4), "gate", true, "ada"),
    ];
    let ran = run(GATE, &early);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
    assert_eq!(ran.virtual_time, after(10));
    assert_eq!(ran.step("after").outputs["by"], json!("ada"));
    assert!(ran.step("gate").outputs["at"].as_str().unwrap() < "2026-11-24T08:00:06Z");
}

#[test]
fn an_answer_to_nobody_changes_nothing() {
    let others: [Given; 3] = [
        (after(12), "before", false, "eve"),
        (after(13), "after", false, "eve"),
        (after(14), "nobody", false, "eve"),
    ];
    let mut answers = others.to_vec();
    answers.push((after(20), "gate", true, "ada"));
    let ran = run(GATE, &answers);
    assert_eq!(
        ran.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        ran.words()
    );
}

#[test]
fn without_an_answer_its_own_time_or_that_of_the_run_ends_it() {
    let own = GATE.replace("go?' }", "go?' }\n    timeout: 30m");
    let ran = run(&own, &[]);
    let error = ran.step("gate").error.clone().unwrap();
    assert_eq!(error.kind, FailureKind::Deadline);
    assert_eq!(error.message, "the step's time of 30m is over");
    assert_eq!(ran.virtual_time, after(30 * 60 + 10));

    // Neither the hour of every step nor the default of the playbook counts.
    let whole = GATE.replace("steps:", "timeout: 3h\ndefaults: { timeout: 10m }\nsteps:");
    let ran = run(&whole, &[]);
    assert_eq!(ran.outcome(), Some(RunOutcome::Deadline));
    assert_eq!(ran.step("gate").outcome, StepOutcome::Canceled);
    assert_eq!(ran.virtual_time, after(3 * 3600));
}

#[test]
fn an_answer_to_a_parked_run_counts_when_it_is_resumed() {
    for (approved, outcome) in [(true, RunOutcome::Passed), (false, RunOutcome::Failed)] {
        let store = Arc::new(MemoryStore::new());
        let mut first = rig(GATE, &[]);
        first.park_after = Some(after(60));
        let parked = first.session(&store, None);
        assert!(matches!(
            parked.finish,
            Finish::Parked { exit_code: 75, .. }
        ));
        let message = InboxMessage::Answer {
            step: "gate".into(),
            approved,
            by: "ada".into(),
        };
        store.post("r1", &message).unwrap();
        let resumed = rig(GATE, &[]).session(&store, None);
        assert_eq!(resumed.outcome(), Some(outcome), "{:#?}", resumed.words());
    }
}

#[test]
fn a_step_that_waits_for_a_person_waits_on_after_a_resume() {
    let store = Arc::new(MemoryStore::new());
    let own = GATE.replace("go?' }", "go?' }\n    timeout: 5m");
    let mut first = rig(&own, &[]);
    first.park_after = Some(after(60));
    first.session(&store, None);
    let resumed = rig(&own, &[(after(30), "gate", true, "ada")]).session(&store, None);
    assert_eq!(
        resumed.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        resumed.words()
    );
    // The time in which nobody worked on it does not count.
    let store = Arc::new(MemoryStore::new());
    let mut first = rig(&own, &[]);
    first.park_after = Some(after(60));
    first.session(&store, None);
    let late = rig(&own, &[]).session(&store, None);
    assert_eq!(
        late.step("gate").error.clone().unwrap().kind,
        FailureKind::Deadline
    );
    assert_eq!(late.virtual_time, after(250));
}

#[test]
fn fail_ends_its_branch_red_and_no_other() {
    let playbook = "playbook: 1\nvars: { target: Production }\nsteps:\n  refuse:\n    when: vars.target == 'Production'\n    fail: 'nothing goes to {{ vars.target }}'\n  deploy:\n    needs: { refuse: passed }\n    set: { a: 1 }\n  other:\n    set: { a: 1 }\n  soft:\n    fail: never mind\n    allow_failure: true\n";
    let ran = run(playbook, &[]);
    assert_eq!(ran.outcome(), Some(RunOutcome::Failed));
    let error = ran.step("refuse").error.clone().unwrap();
    assert_eq!(
        (error.kind, error.message.as_str()),
        (FailureKind::Fail, "nothing goes to Production")
    );
    assert_eq!(ran.step("deploy").outcome, StepOutcome::Blocked);
    assert_eq!(ran.step("other").outcome, StepOutcome::Passed);
    let calm = run(
        &playbook.replace("target: Production", "target: Staging"),
        &[],
    );
    assert_eq!(
        calm.outcome(),
        Some(RunOutcome::Passed),
        "{:#?}",
        calm.words()
    );
    assert_eq!(calm.step("refuse").outcome, StepOutcome::Skipped);
}

const ASKS: &str = "playbook: 1\nsteps:\n  gate:\n    approve: { message: \"go?\\e[31m\" }\n  after:\n    set: { by: '{{ steps.gate.approved_by }}' }\noutputs:\n  by: '{{ steps.after.by }}'\n";

#[test]
fn the_program_takes_an_answer_from_elsewhere() {
    for (word, code, said) in [
        ("", 0, "approved by ada"),
        ("--reject", 1, "rejected by ada"),
    ] {
        let program = Program::new().with("USER", "ada");
        program.file("p.yml", ASKS);
        program.file("s.yml", EMPTY);
        let mut run = program.start(&["apply", "p.yml", "--simulate=s.yml", "--run-id", "r1"]);
        let line = run.until("gate: waits for");
        assert!(
            line.ends_with("gate: waits for `runner approve r1 gate` (or `--reject`): go?"),
            "{line}"
        );
        let mut args = vec!["approve", "last", "gate"];
        args.extend((!word.is_empty()).then_some(word));
        program.run(&args).expect(0);
        run.finish().expect(code).says(&[said]);
        // It is over: nobody asks any more.
        program.run(&args).expect(2).says(&["has ended"]);
    }
}

#[test]
fn the_program_says_what_cannot_be_answered() {
    let program = Program::new();
    program.file("p.yml", ASKS);
    program.file("s.yml", EMPTY);
    let mut run = program.start(&["apply", "p.yml", "--simulate=s.yml", "--run-id", "r1"]);
    run.until("gate: waits for");
    program
        .run(&["approve", "r1", "gat"])
        .expect(2)
        .says(&["the run has no step `gat`", "did you mean `gate`?"]);
    program.run(&["approve", "r1", "after"]).expect(2).says(&[
        "the step `after` asks for no approval",
        "an approval is asked for by: `gate`",
    ]);
    program.run(&["approve", "r2", "gate"]).expect(2);
    program.run(&["approve", "r1", "gate"]).expect(0);
    run.finish().expect(0);
}

/// A rehearsal has nobody to ask: the scenario answers.
#[test]
fn a_scenario_answers_in_a_rehearsal() {
    for (answer, code) in [("approve", 0), ("reject", 1)] {
        let program = Program::new();
        program.file("p.yml", ASKS);
        program.file(
            "s.yml",
            &format!("projects: []\napprovals: {{ gate: {answer} }}\n"),
        );
        program
            .run(&["apply", "p.yml", "--simulate=s.yml", "--speed", "max"])
            .expect(code);
    }
}
