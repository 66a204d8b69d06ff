//! The commands, by the real program: joining by id, canceling, settling, locks, what cannot be written,
//! and the doctor.

use std::process::Stdio;

use runner::event::Event;
use runner::simulator::Done;
use serde_json::json;

use crate::program::{Finished, Program, Running, Semaphore};

const PLAYBOOK: &str = "
playbook: 1
name: release
inputs:
  reference: { type: string, default: refs/heads/main }
steps:
  build: { run_workflow: { project: demo, reference: '{{ inputs.reference }}' } }
outputs: { id: '{{ steps.build.pipeline_id }}' }
";

/// The run takes some seconds of real time.
fn world(run: &str, faults: &str) -> Semaphore {
    let scenario = format!(
        "projects:\n  - name: demo\n    pipelines:\n      .semaphore/semaphore.yml: {{ init: 1s, run: {run} }}\n{faults}"
    );
    Semaphore::yaml(&scenario, 1)
}

fn on(server: &Semaphore) -> Program {
    let program = Program::new().on(server);
    program.file("release.yml", PLAYBOOK);
    program
}

const APPLY: [&str; 4] = ["apply", "release.yml", "--run-id", "r1"];

/// A run that has started its workflow.
fn begun(program: &Program) -> Running {
    let mut running = program.start(&APPLY);
    running.until("workflow_id");
    running
}

fn stops(server: &Semaphore) -> usize {
    let is_stop =
        |deed: &Done| matches!(deed, Done::StopPipeline { .. } | Done::StopWorkflow { .. });
    server.acts().iter().filter(|a| is_stop(&a.deed)).count()
}

#[test]
fn the_same_id_hears_how_the_run_ended_and_another_plan_is_refused() {
    let server = world("1s", "");
    let program = on(&server);
    program.run(&APPLY).expect(0);
    let again = program.run(&[&APPLY[..], &["--output", "json"]].concat());
    let again = again.expect(0).says(&["has ended"]);
    assert_eq!(again.json()["run"]["outcome"], json!("passed"));
    assert_eq!(server.started().0, 1);

    program
        .run(&[&APPLY[..], &["-i", "reference=refs/heads/other"]].concat())
        .expect(2)
        .says(&["the input `reference` differs", "--run-id"]);
    program.file("release.yml", &PLAYBOOK.replace("id:", "pipeline:"));
    program
        .run(&APPLY)
        .expect(2)
        .says(&["another version of `release.yml`"]);
    assert_eq!(server.started().0, 1);
}

#[test]
fn the_same_id_joins_a_run_that_somebody_works_on() {
    let server = world("5s", "");
    let program = on(&server);
    let first = begun(&program);
    let mut second = program.start(&APPLY);
    let line = second.until("is joined");
    assert!(line.contains(&first.pid().to_string()), "{line}");
    let second = second.finish().expect(0);
    assert!(second.out.contains("passed"), "{}", second.out);
    first.finish().expect(0);
    assert_eq!(server.started().0, 1);
}

#[test]
fn who_joined_goes_on_when_the_owner_dies() {
    let server = world("4s", "");
    let program = on(&server);
    let first = begun(&program);
    let mut second = program.start(&APPLY);
    second.until("is joined");
    first.signal("KILL");
    assert_eq!(first.finish().code, 137);
    second.until("resumed for the first time");
    second.finish().expect(0);
    assert_eq!(server.started().0, 1);
}

#[test]
fn resume_says_who_works_on_a_run() {
    let server = world("3s", "");
    let program = on(&server);
    let first = begun(&program);
    let pid = first.pid().to_string();
    program
        .run(&["resume", "r1"])
        .expect(8)
        .says(&["held by process", &pid, "since 20"]);
    first.finish().expect(0);
    program
        .run(&["resume", "r1"])
        .expect(2)
        .says(&["has ended as passed", "--failed"]);
    program
        .run(&["resume", "r1", "--failed"])
        .expect(2)
        .says(&["nothing to do again"]);
}

#[test]
fn cancel_ends_a_run_that_somebody_works_on() {
    let server = world("5m", "");
    let program = on(&server);
    let first = begun(&program);
    program
        .run(&["cancel", "r1"])
        .expect(0)
        .says(&["is told to stop", &first.pid().to_string()]);
    let first = first.finish().expect(1).says(&["stopping: asked by"]);
    assert!(first.out.contains("was canceled"), "{}", first.out);
    assert_eq!(stops(&server), 1);
    program
        .run(&["cancel", "r1"])
        .expect(2)
        .says(&["has ended"]);
}

#[test]
fn cancel_ends_a_run_that_nobody_works_on() {
    let server = world("5m", "");
    let program = on(&server);
    let first = begun(&program);
    first.signal("KILL");
    first.finish();
    let offline = ["cancel", "r1", "--token-file", "none"];
    program
        .run(&offline)
        .expect(2)
        .says(&["the wish to cancel the run `r1` is kept"]);
    program.run(&["cancel", "r1"]).expect(0);
    assert_eq!(stops(&server), 1);
    let shown = program.run(&["show", "r1"]).expect(0);
    assert!(shown.out.contains("canceled"), "{}", shown.out);
}

#[cfg(unix)]
#[test]
fn a_signal_stops_what_was_started_when_the_playbook_says_so() {
    for (on_interrupt, code, stopped) in [("stop", 1, 1), ("leave", 143, 0)] {
        let server = world("5m", "");
        let program = on(&server);
        program.file(
            "release.yml",
            &PLAYBOOK.replace("steps:", &format!("on_interrupt: {on_interrupt}\nsteps:")),
        );
        let first = begun(&program);
        first.signal("TERM");
        first.finish().expect(code);
        assert_eq!(stops(&server), stopped, "{on_interrupt}");
    }
}

/// From an unknown write to a run that passed, with the commands that the program itself names.
#[test]
fn an_unknown_write_is_settled_by_hand() {
    let faults = "faults:\n  - { on: run_workflow, do: reset_after_acting }\n  - { on: list_workflows, nth: 2, count: 3, do: { answer: { status: 500 } } }\n";
    let server = world("1s", faults);
    let program = on(&server);
    let args = [&APPLY[..], &["--set", "writes.settle=1s"]].concat();
    let first = program.run(&args).expect(5);
    assert!(
        first.out.contains("runner resolve r1 build --not-sent"),
        "{}",
        first.out
    );
    program
        .run(&["resume", "r1"])
        .expect(5)
        .says(&["settle it first"]);
    program
        .run(&["resolve", "r1", "bild", "--not-sent"])
        .expect(2)
        .says(&["did you mean `build`"]);
    program
        .run(&["resolve", "r1", "build", "--is", "x"])
        .expect(2)
        .says(&["ids look like"]);
    program.run(&["resolve", "r1", "build"]).expect(2);
    let id = server.acts().iter().find_map(|act| match &act.deed {
        Done::RunWorkflow { workflow_id, .. } => Some(workflow_id.clone()),
        _ => None,
    });
    program
        .run(&["resolve", "r1", "build", "--is", &id.expect("it arrived")])
        .expect(0)
        .says(&["to go on: runner resume r1"]);
    let done = program.run(&["resume", "r1"]).expect(0).says(&["round 2"]);
    assert!(done.out.contains("passed"), "{}", done.out);
    assert_eq!(server.started().0, 1);
    program
        .run(&["resolve", "r1", "build", "--not-sent"])
        .expect(2)
        .says(&["is passed"]);
}

#[test]
fn a_group_keeps_a_second_run_out() {
    let server = world("4s", "");
    let program = on(&server);
    let text = |conflict: &str| {
        PLAYBOOK.replace(
            "steps:",
            &format!("concurrency: {{ group: lane, on_conflict: {conflict} }}\nsteps:"),
        )
    };
    program.file("release.yml", &text("wait"));
    program.file("fail.yml", &text("fail"));
    program.file("skip.yml", &text("skip"));
    let first = begun(&program);
    let pid = first.pid().to_string();
    let held = ["concurrency group `lane` is held by process", &pid];
    program.run(&["apply", "fail.yml"]).expect(8).says(&held);
    program.run(&["apply", "skip.yml"]).expect(0).says(&held);
    let mut waits = program.start(&["apply", "release.yml"]);
    waits.until("waiting: the concurrency group `lane`");
    first.finish().expect(0);
    waits.finish().expect(0);
    assert_eq!(server.started().0, 2);
}

#[test]
fn old_runs_are_pruned_and_runs_that_have_not_ended_stay() {
    let server = world("1s", "");
    let program = on(&server);
    program.run(&APPLY).expect(0);
    let parked = ["apply", "release.yml", "--run-id", "r2", "--park", "0s"];
    program.run(&parked).expect(75);
    let kept = program.run(&["runs", "prune"]).expect(0);
    assert_eq!(kept.out, "", "90 days are not over");
    let pruned = program.run(&["runs", "prune", "--older-than", "0s"]);
    assert_eq!(pruned.expect(0).out, "r1\n");
    let listed = program.run(&["runs", "--json"]).expect(0).json();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], json!("r2"));
}

#[test]
fn a_live_run_is_shown() {
    let server = world("3s", "");
    let program = on(&server);
    let first = begun(&program);
    let shown = program.run(&["show", "r1"]).expect(0);
    assert!(
        shown.out.contains("running") && shown.out.contains(&first.pid().to_string()),
        "{}",
        shown.out
    );
    first.signal("KILL");
    first.finish();
    let shown = program.run(&["show", "r1"]).expect(0);
    assert!(
        shown.out.contains("nobody works on it") && shown.out.contains("runner resume r1"),
        "{}",
        shown.out
    );
}

#[cfg(unix)]
#[test]
fn what_was_started_is_named_when_nothing_can_be_written() {
    let server = world("1s", "");
    let program = on(&server);
    let full = || {
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("the device")
    };
    let to_full = |args: &[&str]| -> Finished {
        let mut child = program
            .command(args)
            .stdout(full())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut err = String::new();
        let stderr = child.stderr.take().expect("it is piped");
        std::io::Read::read_to_string(&mut { stderr }, &mut err).expect("text");
        let status = child.wait().expect("a child of ours");
        Finished {
            code: status.code().unwrap_or(-1),
            out: String::new(),
            err,
        }
    };
    for args in [
        &["apply", "release.yml", "--output", "json"][..],
        &["apply", "release.yml", "--output", "events"][..],
        &["apply", "release.yml"][..],
    ] {
        to_full(args)
            .expect(9)
            .says(&["stdout could not be written", "build: workflow_id"]);
    }
    for command in [&["runs"][..], &["show", "last"][..], &["doctor"][..]] {
        to_full(command).expect(9);
    }
    let report = [
        "apply",
        "release.yml",
        "--report",
        "json=no/such/folder.json",
    ];
    program
        .run(&report)
        .expect(9)
        .says(&["could not be written", "build: workflow_id"]);
    assert_eq!(server.started().0, 4, "each run was seen to its end");
}

#[test]
fn damage_is_named_and_a_newer_store_is_refused() {
    let server = world("1s", "");
    let program = on(&server);
    program.run(&APPLY).expect(0);
    let path = program.state().join("runs.db");
    let database = rusqlite::Connection::open(&path).expect("a database");
    let sql = "UPDATE events SET json = replace(json, 'passed', 'failed') WHERE seq > 3";
    database.execute(sql, ()).expect("it is changed");
    for command in [&["show", "r1"][..], &["resume", "r1"][..], &APPLY[..]] {
        program
            .run(command)
            .expect(9)
            .says(&["of run `r1` is damaged", "nothing was guessed"]);
    }
    database
        .pragma_update(None, "user_version", 99)
        .expect("it is changed");
    for command in [&["runs"][..], &["show", "r1"][..], &APPLY[..]] {
        program
            .run(command)
            .expect(9)
            .says(&["newer version of runner"]);
    }
    program.run(&["doctor"]).expect(9).says(&[]);
    std::fs::write(&path, "this is no database, and never was one").expect("it is changed");
    program.run(&["runs"]).expect(9);
    assert_eq!(server.started().0, 1);
}

#[test]
fn a_state_folder_that_cannot_be_used_starts_nothing() {
    let server = world("1s", "");
    let program = on(&server);
    program.file("taken", "a file");
    program
        .run(&["apply", "release.yml", "--state-dir", "taken"])
        .expect(9);
    program
        .run(&["apply", "release.yml", "--state-dir", "/proc/nothing"])
        .expect(9);
    assert_eq!(server.requests(), 0);
}

#[test]
fn the_doctor_says_what_works_and_what_to_do_about_the_rest() {
    let server = world("1s", "");
    let program = on(&server);
    let good = program.run(&["doctor", "--set", "poll.min=3s"]).expect(0);
    for word in [
        "poll.min = 3s (command line)",
        "holds 0 runs and can be written",
        "it is accepted",
        "clock",
    ] {
        assert!(good.out.contains(word), "`{word}`:\n{}", good.out);
    }
    assert!(server.acts().is_empty(), "it changes nothing");
    let bad = |program: Program, code: i32, words: &[&str]| {
        let done = program.run(&["doctor"]).expect(code);
        for word in words {
            assert!(done.out.contains(word), "`{word}`:\n{}", done.out);
        }
    };
    let wrong = Program::new()
        .on(&server)
        .with("SEMAPHORE_API_TOKEN", "wrong-token");
    bad(wrong, 4, &["BAD", "token", "hint:", "can be written"]);
    bad(Program::new(), 4, &["BAD", "connection", "--url"]);
    let away = Program::new()
        .on(&server)
        .with("SEMAPHORE_ORGANIZATION_URL", "http://127.0.0.1:1");
    bad(away, 7, &["BAD", "host"]);
    let no_home = Program::new().on(&server).without("HOME");
    bad(no_home, 2, &["BAD", "state folder", "it is accepted"]);
}

/// Without a durable intent nothing is sent.
#[test]
fn a_store_that_cannot_keep_an_intent_sends_nothing() {
    use crate::lab::{End, Lab, Plot, plan};
    use runner::simulator::Scenario;
    use runner::store::{MemoryStore, StoreErrorKind};
    let mut kept = 0;
    for number in 2..12 {
        let memory = MemoryStore::new();
        memory.fail_commit(number, StoreErrorKind::Full);
        let scenario = Scenario::built_in("passing").expect("it");
        let mut lab = Lab::over(&plan(PLAYBOOK), scenario, std::sync::Arc::new(memory));
        let end = lab.session(&Plot::default());
        let sent = super::started(&lab).len();
        let open = lab
            .ledger
            .inner()
            .open_intents("r1")
            .expect("intents")
            .len();
        let known = lab.events().iter().any(|recorded| {
            matches!(&recorded.event, Event::CallEnded { key, outcome }
                if key.step == "build" && outcome.result.as_ref().is_ok_and(|a| !a.value["workflow_id"].is_null()))
        });
        match end {
            End::Broken(_) => {
                kept += usize::from(sent == 0);
                assert!(
                    sent == 0 || open == 1 || known,
                    "commit {number}: nobody knows of it"
                );
            }
            End::Finished(_) => assert_eq!(sent, 1),
            other => panic!("{other:?}"),
        }
    }
    assert!(kept > 0, "the intent itself could not be kept once");
}

const STAGED: &str = "
playbook: 1
name: release
steps:
  build: { run_workflow: { project: demo, reference: refs/heads/main } }
  guard: { needs: [build], check: { that: [\"1 == 2\"] } }
  note: { needs: [guard], set: { word: old } }
outputs: { word: '{{ steps.note.word }}' }
";

fn with_word(text: &str, word: &str) -> String {
    text.replace("old", word)
}

/// What has no result yet may change; what is at work may not, and without the flag nothing does.
#[test]
fn a_changed_playbook_counts_only_when_it_is_accepted() {
    let server = world("3s", "");
    let program = on(&server);
    let text = STAGED.replace("1 == 2", "1 == 1");
    program.file("release.yml", &text);
    let parked = [&APPLY[..], &["--park", "1s"]].concat();
    program.run(&parked).expect(75);

    program.file("release.yml", &text.replace("heads/main", "heads/other"));
    program
        .run(&["resume", "r1", "--accept-changes"])
        .expect(2)
        .says(&["`build` is at work", "without `--accept-changes`"]);
    let inputs = "inputs: { x: { type: string, default: y } }\nsteps:";
    program.file("release.yml", &text.replace("steps:", inputs));
    program
        .run(&["resume", "r1", "--accept-changes"])
        .expect(2)
        .says(&["`inputs` was fixed when the run began"]);

    let newer = with_word(&text, "new").replace("  note:", "  extra: { sleep: 1s }\n  note:");
    program.file("newer.yml", &newer);
    let accept = ["resume", "r1", "--accept-changes=newer.yml", "--park", "0s"];
    program
        .run(&accept)
        .expect(75)
        .says(&["the changed newer.yml"]);
    // The change is a fact of the run: it counts without being said again.
    let done = program
        .run(&["resume", "r1", "--output", "json"])
        .expect(0)
        .json();
    assert_eq!(done["outputs"]["word"], json!("new"));
    assert_eq!(done["steps"]["extra"]["outcome"], json!("passed"));
    assert_eq!(server.started().0, 1);
}

#[test]
fn what_failed_is_done_again_with_a_mended_playbook() {
    let server = world("1s", "");
    let program = on(&server);
    program.file("release.yml", STAGED);
    program.run(&APPLY).expect(1);
    program
        .run(&["resume", "r1", "--failed"])
        .expect(1)
        .says(&["round 2"]);
    let mended = with_word(&STAGED.replace("1 == 2", "1 == 1"), "new");
    program.file("release.yml", &mended.replace("heads/main", "heads/other"));
    program
        .run(&["resume", "r1", "--failed", "--accept-changes"])
        .expect(2)
        .says(&["`build` has passed already"]);
    program.file("release.yml", &mended);
    let done = program
        .run(&[
            "resume",
            "r1",
            "--failed",
            "--accept-changes",
            "--output",
            "json",
        ])
        .expect(0)
        .json();
    assert_eq!(done["outputs"]["word"], json!("new"));
    assert_eq!(server.started().0, 1, "what passed is not done again");
    let again = program.run(&[&APPLY[..], &["--output", "json"]].concat());
    assert_eq!(again.expect(0).json()["outputs"]["word"], json!("new"));
}
