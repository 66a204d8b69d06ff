//! Random schedules of faults and crashes, over fixed and over random playbooks, each a function of its
//! seed.
//!
//! The default run tries `SEEDS` of them. `RUNNER_TEST_SEEDS=100000 cargo test --test it chaos` tries
//! more, `RUNNER_TEST_SEED=N` begins with that seed; a failure prints the one command that plays its
//! seed again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use runner::clock::later;
use runner::drivers::StopRequest;
use runner::plan::Plan;
use runner::simulator::{
    Cue, Deed, FaultRule, Mishap, Promote, Scenario, Span, Start, Target, Visit,
};

use super::crashes::{RELEASE, run, scenario};
use super::faults::{at_request, mishaps};
use super::plans;
use crate::dice::Dice;
use crate::lab::{self, Lab, Plot, Side};
use crate::rig;

/// Enough for every day.
const SEEDS: u64 = 12_000;

/// Two workflows side by side, each with its promotion, logs of what failed, and a word at the end.
const TWINS: &str = "
playbook: 1
timeout: 5h
steps:
  left: { run_workflow: { project: demo, reference: refs/heads/left } }
  right:
    run_workflow: { project: demo, reference: refs/heads/right, wait: false }
    allow_failure: true
  wait: { wait_pipeline: { pipeline: \"{{ steps.right.pipeline_id }}\" } }
  nap: { sleep: 30s }
  ship_left: { promote: { pipeline: \"{{ steps.left.pipeline_id }}\", name: Staging } }
  ship_right:
    needs: { wait: passed, ship_left: any }
    promote: { pipeline: \"{{ steps.wait.pipeline_id }}\", name: Production, wait: false }
  logs:
    needs: { wait: failed }
    fetch_logs: { pipeline: \"{{ steps.wait.pipeline_id }}\" }
finally:
  done: { set: { how: \"{{ run.outcome }}\" } }
outputs:
  how: \"{{ steps.done.how | default('') }}\"
";

/// The other writes: what a person could have done by hand.
const OTHERS: &str = "
playbook: 1
timeout: 5h
steps:
  ensure:
    ensure_pipeline: { project: demo, reference: refs/heads/main, commit_sha: 4f2a81c04f2a81c04f2a81c04f2a81c04f2a81c0 }
  tests:
    run_workflow: { project: demo, reference: refs/heads/topic }
    rerun: { max: 1, scope: failed }
  whole:
    run_workflow: { project: demo, reference: refs/heads/whole }
    rerun: { max: 1, scope: all }
    allow_failure: true
  nightly:
    run_task: { project: demo, task: nightly, wait: false }
    allow_failure: true
  again:
    needs: { tests: passed }
    rerun_workflow: { workflow: \"{{ steps.tests.workflow_id }}\", wait: false }
  nap: { needs: [again], sleep: 20s }
  halt:
    needs: [again, nap]
    stop_workflow: { workflow: \"{{ steps.again.workflow_id }}\" }
  mend:
    needs: { halt: passed }
    rebuild_pipeline: { pipeline: \"{{ steps.again.pipeline_id }}\", wait: false }
    allow_failure: true
";

/// A built-in scenario whose jobs take seconds: most of a run is waiting, and one look is like the other.
fn brief(name: &str) -> Scenario {
    let mut brief = scenario(name);
    let pipelines = brief
        .projects
        .iter_mut()
        .flat_map(|project| project.pipelines.values_mut());
    for job in pipelines
        .flat_map(|pipeline| &mut pipeline.blocks)
        .flat_map(|block| &mut block.jobs)
    {
        job.run = Span::seconds(12);
    }
    brief
}

/// Before a thing happens, or after it.
fn side(dice: &mut Dice) -> Side {
    if dice.one_in(2) {
        Side::Before
    } else {
        Side::After
    }
}

/// A mishap of the whole wire for a while, or of one request.
fn fault(dice: &mut Dice) -> FaultRule {
    let all = mishaps();
    let (_, mishap) = &all[dice.roll(all.len() as u64) as usize];
    let mut rule = at_request(1 + dice.roll(60), mishap.clone());
    match dice.roll(6) {
        0 => {
            rule.nth = 1;
            rule.percent = Some(2 + dice.roll(12) as u8);
            rule.count = Some(20);
        }
        1 => {
            rule.on = [
                "run_workflow",
                "promote",
                "writes",
                "list_promotions",
                "rerun_workflow",
                "rebuild_pipeline",
                "run_task",
                "stop_workflow",
                "describe_pipeline",
            ][dice.roll(9) as usize]
                .to_owned();
            rule.nth = 1 + dice.roll(3);
            rule.count = Some(1 + dice.roll(3));
        }
        _ => rule.count = Some(1 + dice.roll(2)),
    }
    // A server that never answers many times over would only take long.
    if matches!(rule.mishap, Mishap::Hang) {
        rule.count = Some(1);
        rule.percent = None;
    }
    rule
}

fn plot(dice: &mut Dice) -> Plot {
    let mut plot = Plot::default();
    match dice.roll(8) {
        0 | 1 => plot.at_commit = Some((1 + dice.roll(10), side(dice))),
        2 | 3 => plot.at_request = Some((1 + dice.roll(40), side(dice))),
        4 => plot.after = Some(Duration::from_millis(dice.roll(120_000))),
        5 => {
            let reason = "SIGTERM".to_owned();
            let request = StopRequest::Park {
                reason,
                exit_code: 143,
            };
            plot.stops
                .push((Duration::from_millis(dice.roll(100_000)), request));
        }
        6 => plot.park_after = Some(Duration::from_secs(dice.roll(60))),
        _ => {}
    }
    if dice.one_in(40) {
        let request = StopRequest::Cancel { by: "chaos".into() };
        plot.stops
            .push((Duration::from_millis(dice.roll(100_000)), request));
    }
    plot
}

/// A colleague at the wrong moment.
fn visit(dice: &mut Dice) -> Visit {
    let project = || "demo".to_owned();
    let deed = match dice.roll(5) {
        0 => Deed::Rerun(Target { project: project() }),
        1 => Deed::Rebuild(Target { project: project() }),
        2 => Deed::Promote(Promote {
            project: project(),
            name: ["Production", "Staging"][dice.roll(2) as usize].to_owned(),
            parameters: IndexMap::new(),
            overriding: dice.one_in(2),
        }),
        _ => Deed::Start(Start {
            project: project(),
            reference: ["refs/heads/main", "refs/heads/left"][dice.roll(2) as usize].to_owned(),
            commit_sha: String::new(),
            pipeline_file: ".semaphore/semaphore.yml".to_owned(),
            parameters: IndexMap::new(),
        }),
    };
    let on = match dice.roll(5) {
        0 => None,
        1 => Some(Cue::PipelineDone),
        2 => Some(Cue::Promotion),
        _ => Some(Cue::RunWorkflow),
    };
    Visit {
        at: Span::millis([0, 0, 1, 700, 2_000, 20_000][dice.roll(6) as usize]),
        on,
        who: "dddddddd-0000-4000-8000-00000000000d".to_owned(),
        deed,
    }
}

/// Plays one seed; a panic says what is wrong.
fn play(plans: &[Arc<Plan>], worlds: &[(&str, Scenario)], seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let random = dice.one_in(2).then(|| plans::random(&mut dice));
    // The last one takes three times as long as the others.
    let fixed = &plans[[0, 0, 0, 1, 1, 1, 2][dice.roll(7) as usize]];
    let plan = random.as_ref().map_or(fixed, |random| &random.plan);
    let http = vec![plans::hook(&mut dice)];
    let (name, world) = &worlds[[0, 0, 1, 2][dice.roll(4) as usize]];
    let faults: Vec<FaultRule> = (0..dice.roll(5)).map(|_| fault(&mut dice)).collect();
    let plots: Vec<Plot> = (0..dice.roll(5)).map(|_| plot(&mut dice)).collect();
    let people: Vec<Visit> = (0..dice.roll(4).saturating_sub(1))
        .map(|_| visit(&mut dice))
        .collect();
    let text = random.as_ref().map_or("", |random| random.text.as_str());
    let about = format!("seed {seed}: {name} {faults:?} {people:?} {plots:?}\n{text}");
    let mut lab = Lab::new(
        plan,
        Scenario {
            faults,
            people,
            http,
            ..world.clone()
        },
    );
    for step in random.iter().flat_map(|random| &random.approvals) {
        lab.answer(step, !dice.one_in(3));
    }
    if dice.one_in(8) {
        let from = later(rig::start_time(), Duration::from_millis(dice.roll(100_000)));
        lab.wire
            .away(from, later(from, Duration::from_secs(dice.roll(2_400))));
    }
    run(&mut lab, &plots, &about);
}

#[test]
fn random_faults_and_crashes_break_no_promise() {
    let plans = [lab::plan(RELEASE), lab::plan(TWINS), lab::plan(OTHERS)];
    let worlds = ["passing", "failing", "flaky"].map(|name| (name, brief(name)));
    let first = rig::knob("RUNNER_TEST_SEED", 1);
    let seeds = rig::knob("RUNNER_TEST_SEEDS", SEEDS);
    let began = Instant::now();
    let lanes = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let broken = |lane: usize| {
        let mine = (first..first + seeds).skip(lane).step_by(lanes);
        let breaks =
            |seed: &u64| catch_unwind(AssertUnwindSafe(|| play(&plans, &worlds, *seed))).is_err();
        mine.filter(breaks).collect::<Vec<u64>>()
    };
    let wrong: Vec<u64> = std::thread::scope(|scope| {
        let lanes: Vec<_> = (0..lanes)
            .map(|lane| scope.spawn(move || broken(lane)))
            .collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().expect("a lane catches its panics"))
            .collect()
    });
    let rate = seeds as f64 / began.elapsed().as_secs_f64();
    println!("{seeds} seeds from {first} on, {rate:.1} in a second");
    let again = |seed: &u64| {
        format!("RUNNER_TEST_SEED={seed} RUNNER_TEST_SEEDS=1 cargo test --test it chaos")
    };
    let again: Vec<String> = wrong.iter().map(again).collect();
    assert!(wrong.is_empty(), "play them again:\n{}", again.join("\n"));
}
