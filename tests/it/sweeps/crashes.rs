//! A crash at every commit and at every request.

use std::sync::Arc;

use runner::drivers::Finish;
use runner::event::FailureKind;
use runner::outcome::{RunOutcome, StepOutcome};
use runner::plan::Plan;
use runner::simulator::Scenario;

use crate::invariants::{broken, broken_at_the_end};
use crate::lab::{self, Lab, Plot, Side};
use crate::rig;

pub(super) const RELEASE: &str = include_str!("../../../playbooks/release.yml");

/// How a run ended, as far as crashes must not change it.
pub(super) type Ending = (RunOutcome, Vec<(String, StepOutcome, Option<FailureKind>)>);

pub(super) fn ending(lab: &Lab, finish: &Finish) -> Ending {
    use runner::event::Event;
    let Finish::Ended(ended) = finish else {
        panic!("the run has not ended");
    };
    let mut steps: Vec<(String, StepOutcome, Option<FailureKind>)> = lab
        .events()
        .into_iter()
        .filter_map(|recorded| match recorded.event {
            Event::StepEnded(told) => {
                let kind = told.error.map(|error| error.kind);
                Some((told.step, told.outcome, kind))
            }
            _ => None,
        })
        .collect();
    steps.sort_by(|a, b| a.0.cmp(&b.0));
    (ended.outcome, steps)
}

/// A run with these plots; what is broken at any instant is told with the plots.
pub(super) fn run(lab: &mut Lab, plots: &[Plot], about: &str) -> Ending {
    let mut each = |lab: &Lab| {
        let broken = broken(lab);
        assert!(broken.is_empty(), "{about}: {broken:#?}");
    };
    let finish = lab.until_the_end(plots, &mut each);
    let broken = broken_at_the_end(lab, &finish);
    assert!(broken.is_empty(), "{about}: {broken:#?}");
    ending(lab, &finish)
}

pub(super) fn scenario(name: &str) -> Scenario {
    Scenario::built_in(name).expect("a built-in scenario")
}

fn crash(plan: &Arc<Plan>, name: &str, plots: &[Plot], calm: &Ending) {
    let about = format!("{name} {plots:?}");
    let mut lab = Lab::new(plan, scenario(name));
    let ending = run(&mut lab, plots, &about);
    assert_eq!(ending, *calm, "{about}");
}

/// Crashes at every point, and says how many there were.
fn sweep(text: &str, name: &str) -> String {
    let plan = lab::plan(text);
    let mut lab = Lab::new(&plan, scenario(name));
    let calm = run(&mut lab, &[], name);
    let (commits, _) = lab.ledger.commits();
    let requests = lab.wire.log().len() as u64;
    let mut points = 0;
    for side in [Side::Before, Side::After] {
        for commit in 1..=commits {
            for times in [1, 3] {
                let plot = Plot {
                    at_commit: Some((commit, side)),
                    ..Plot::default()
                };
                crash(&plan, name, &vec![plot; times], &calm);
                points += 1;
            }
        }
        for request in (1..=requests).filter(|number| rig::worth_a_try(*number, requests)) {
            // Every other one again and again, as a process that never gets past it.
            let times = if request.is_multiple_of(2) { 1 } else { 3 };
            let plot = Plot {
                at_request: Some((request, side)),
                ..Plot::default()
            };
            crash(&plan, name, &vec![plot; times], &calm);
            points += 1;
        }
    }
    format!("{name}: {commits} commits, {requests} requests, {points} crashes")
}

#[test]
fn a_release_that_passes_survives_a_crash_anywhere() {
    println!("{}", sweep(RELEASE, "passing"));
}

#[test]
fn a_release_that_fails_survives_a_crash_anywhere() {
    println!("{}", sweep(RELEASE, "failing"));
}
