//! The real program over HTTP, killed with `kill -9` at random instants and sent on until its run ends:
//! nothing is started twice, nothing that was started is forgotten, and the exit code tells the truth.
//!
//! The default run plays a few seeds. `RUNNER_TEST_KILLS=200 cargo test --test it kills` plays more,
//! `RUNNER_TEST_SEED=N` begins with that seed.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{QUICK, on, release};
use crate::dice::Dice;
use crate::program::{Program, Running, Semaphore};
use crate::rig;

/// Enough for every day.
const RUNS: u64 = 6;

/// How many requests an undisturbed run makes at least.
const REQUESTS: u64 = 14;

/// How many runs go on at a time.
const LANES: usize = 6;

/// No run needs more sessions than it is killed, and a few.
const SESSIONS_MAX: u32 = 12;

/// How a person goes on after a kill.
#[derive(Clone, Copy)]
enum Onward {
    /// `runner resume last`, or `apply` when no run is known.
    Resume,
    /// The same `apply --run-id` again.
    Apply,
}

fn start(program: &Program, onward: Onward) -> Running {
    let release = release();
    let mut args = match onward {
        Onward::Apply => vec!["apply", &release, "--run-id", "the-release"],
        Onward::Resume if knows_a_run(program) => vec!["resume", "last"],
        Onward::Resume => vec!["apply", &release],
    };
    args.extend(["--report", "json=report.json"]);
    args.extend(QUICK);
    // This server does not lag: what is not there at once never came.
    args.extend(["--set", "writes.settle=1s"]);
    program.start(&args)
}

fn knows_a_run(program: &Program) -> bool {
    let runs = program.run(&["runs", "--json"]).expect(0).json();
    !runs.as_array().expect("a list").is_empty()
}

/// Waits for an instant: so many requests have come in since, and some microseconds more have passed.
/// Gives whether the child is still there then.
fn instant(child: &mut Running, server: &Semaphore, dice: &mut Dice) -> bool {
    let aim = server.requests() + dice.roll(REQUESTS);
    while server.requests() < aim {
        if !child.is_alive() {
            return false;
        }
        std::thread::yield_now();
    }
    let reached = Instant::now();
    let more = Duration::from_micros(dice.roll(30_000));
    while reached.elapsed() < more {
        std::thread::yield_now();
    }
    child.is_alive()
}

/// Plays one seed; gives how often it was killed.
fn play(seed: u64) -> u32 {
    let mut dice = Dice(seed);
    let (program, server) = on("passing", 400);
    let onward = if dice.one_in(2) {
        Onward::Resume
    } else {
        Onward::Apply
    };
    let wanted = 1 + dice.roll(4) as u32;
    let mut kills = 0;
    for _ in 0..SESSIONS_MAX {
        let mut child = start(&program, onward);
        if kills < wanted && instant(&mut child, &server, &mut dice) {
            child.signal("KILL");
        }
        let done = child.finish();
        match done.code {
            137 => {
                kills += 1;
                continue;
            }
            0 => {}
            // It was killed when the run had ended already, and only its report was missing.
            2 if done.err.contains("has ended as passed") => {
                let report = ["report", "last", "json=report.json"];
                program.run(&report).expect(0);
            }
            code => panic!("seed {seed} ended with {code}:\n{}", done.err),
        }
        assert_eq!(
            server.started(),
            (1, 1),
            "seed {seed}, killed {kills} times"
        );
        let report = program.report("report.json");
        assert_eq!(report["run"]["outcome"], json!("passed"), "seed {seed}");
        return kills;
    }
    panic!("seed {seed} does not end");
}

#[test]
fn killed_at_random_instants_a_run_starts_nothing_twice_and_ends() {
    let first = rig::knob("RUNNER_TEST_SEED", 1);
    let runs = rig::knob("RUNNER_TEST_KILLS", RUNS);
    // The runs wait most of the time.
    let kills: u32 = std::thread::scope(|scope| {
        let side_by_side = |lane: u64| {
            let seeds = (first + lane..first + runs).step_by(LANES);
            scope.spawn(move || seeds.map(play).sum::<u32>())
        };
        let lanes: Vec<_> = (0..LANES as u64).map(side_by_side).collect();
        let kills = lanes
            .into_iter()
            .map(|lane| lane.join().expect("no lane fails"));
        kills.sum()
    });
    println!("{runs} runs from seed {first} on, {kills} kills");
    assert!(u64::from(kills) >= runs / 2, "only {kills} kills");
}
