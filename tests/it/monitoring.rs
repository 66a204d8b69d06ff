//! Those outside who are told how a run ended: figures for Prometheus, cron monitors, collectors of traces.

mod exposition;
mod heartbeats;
mod receiver;
#[cfg(feature = "otel")]
mod traces;

use exposition::Exposition;

use crate::program::{Program, Semaphore};

const PLAYBOOK: &str = "
playbook: 1
name: release
steps:
  build: { run_workflow: { project: demo, reference: refs/heads/main } }
  after: { needs: [build], set: { done: true } }
";

fn world(result: &str) -> Semaphore {
    let scenario = format!(
        "projects:\n  - name: demo\n    pipelines:\n      .semaphore/semaphore.yml: {{ run: 2s, result: {result} }}\n"
    );
    Semaphore::yaml(&scenario, 1_000)
}

fn program(server: &Semaphore) -> Program {
    let program = Program::new().on(server);
    program.file("release.yml", PLAYBOOK);
    program
}

const QUICK: [&str; 4] = ["--set", "poll.min=1s", "--set", "poll.max=1s"];

fn with_quick<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &QUICK].concat()
}

/// The file of figures.
fn figures(program: &Program) -> Exposition {
    let path = program.work().join("nightly.prom");
    let text = std::fs::read_to_string(path).expect("it was written");
    Exposition::parse(&text)
}

const METRICS: [&str; 4] = ["apply", "release.yml", "--metrics", "nightly.prom"];

#[test]
fn figures_tell_how_a_run_ended_and_when_one_last_passed() {
    let green = world("passed");
    let program = program(&green);
    program.run(&with_quick(&METRICS)).expect(0);
    let passed = figures(&program);
    let name = [("name", "nightly")];
    assert_eq!(passed.value("runner_run_exit_code", &name), Some(0.0));
    let outcome = |page: &Exposition, word: &str| {
        page.value("runner_run_outcome", &[name[0], ("outcome", word)])
    };
    assert_eq!(outcome(&passed, "passed"), Some(1.0));
    assert_eq!(outcome(&passed, "failed"), Some(0.0));
    let steps = |page: &Exposition, word: &str| {
        page.value("runner_run_steps", &[name[0], ("outcome", word)])
    };
    assert_eq!(steps(&passed, "passed"), Some(2.0));
    assert!(passed.value("runner_run_requests", &name) > Some(2.0));
    let start = passed.value("runner_run_start_time_seconds", &name);
    let end = passed.value("runner_run_end_time_seconds", &name);
    assert!(start < end && start > Some(1.6e9), "{start:?} {end:?}");
    let success = passed.value("runner_last_success_time_seconds", &name);
    assert_eq!(success, end);

    let red = world("failed");
    let program = program.on(&red);
    program.run(&with_quick(&METRICS)).expect(1);
    let failed = figures(&program);
    assert_eq!(failed.value("runner_run_exit_code", &name), Some(1.0));
    assert_eq!(outcome(&failed, "failed"), Some(1.0));
    assert_eq!(
        (steps(&failed, "failed"), steps(&failed, "blocked")),
        (Some(1.0), Some(1.0))
    );
    assert_eq!(
        failed.value("runner_last_success_time_seconds", &name),
        success
    );
    assert_eq!(
        failed.series(),
        passed.series(),
        "the same series after every run"
    );

    // A playbook that is refused has no run, and is told too.
    program.file("release.yml", "playbook: 1\nsteps: { a: { sett: {} } }\n");
    program.run(&METRICS).expect(3);
    let refused = figures(&program);
    assert_eq!(refused.value("runner_run_exit_code", &name), Some(3.0));
    assert_eq!(outcome(&refused, "refused"), Some(1.0));
    assert_eq!(
        refused.value("runner_last_success_time_seconds", &name),
        success
    );
    assert_eq!(refused.series(), passed.series());
}

#[test]
fn figures_of_a_parked_run_are_written_and_resume_writes_them_again() {
    let server = world("passed");
    let program = program(&server);
    let parked = ["--park", "0s", "--run-id", "r1"];
    program
        .run(&with_quick(&[&METRICS[..], &parked].concat()))
        .expect(75);
    let parked = figures(&program);
    let is = |page: &Exposition, word: &str| {
        page.value(
            "runner_run_outcome",
            &[("name", "nightly"), ("outcome", word)],
        )
    };
    assert_eq!(is(&parked, "parked"), Some(1.0));
    let name = [("name", "nightly")];
    assert_eq!(
        parked.value("runner_last_success_time_seconds", &name),
        None
    );
    let resume = ["resume", "r1", "--metrics", "nightly.prom"];
    program.run(&with_quick(&resume)).expect(0);
    let ended = figures(&program);
    assert_eq!(is(&ended, "passed"), Some(1.0));
    let info = [
        ("name", "nightly"),
        ("playbook", "release.yml"),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    assert_eq!(ended.value("runner_run_info", &info), Some(1.0));
}

#[test]
fn figures_that_cannot_be_written_end_with_nine() {
    let server = world("passed");
    let program = program(&server);
    let nowhere = ["apply", "release.yml", "--metrics", "no/such/folder/x.prom"];
    let done = program.run(&with_quick(&nowhere)).expect(9);
    done.says(&[
        "no/such/folder/x.prom",
        "could not be written",
        "workflow_id",
    ]);
}

#[cfg(unix)]
#[test]
fn figures_are_for_every_reader_and_come_whole() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = world("passed");
    let program = program(&server);
    let path = program.file("nightly.prom", "half a li");
    program.run(&with_quick(&METRICS)).expect(0);
    let mode = path.metadata().expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    figures(&program);
    let left: Vec<_> = std::fs::read_dir(program.work())
        .expect("the folder is there")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
