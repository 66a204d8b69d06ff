//! The real program, from the command line to the exit code: over HTTP on loopback, with signals, with bad
//! networks, and in odd surroundings.

mod answers;
mod checks;
mod explain;
mod kills;
mod refusals;
mod runs;
mod stops;
mod surroundings;

use crate::program::{Program, Semaphore};

/// Short waits: the servers of these tests are faster than ours.
const QUICK: [&str; 4] = ["--set", "poll.min=1s", "--set", "poll.max=1s"];

/// The playbook of the library.
fn release() -> String {
    format!("{}/playbooks/release.yml", env!("CARGO_MANIFEST_DIR"))
}

/// `runner apply` of the library's playbook, with short waits and a report.
fn apply<'a>(playbook: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["apply", playbook, "--report", "json=report.json"];
    args.extend(QUICK);
    args.extend(more);
    args
}

/// `runner resume` with short waits and a report.
fn resume<'a>(run: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["resume", run, "--report", "json=report.json"];
    args.extend(QUICK);
    args.extend(more);
    args
}

/// A program on a server that plays a built-in scenario.
fn on(scenario: &str, speed: u32) -> (Program, Semaphore) {
    let server = Semaphore::built_in(scenario, speed);
    (Program::new().on(&server), server)
}
