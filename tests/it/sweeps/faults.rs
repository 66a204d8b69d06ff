//! One fault at every request, one at a time: none may change what a run does or how it ends.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use runner::clock::later;
use runner::event::{Event, Recorded};
use runner::outcome::StepOutcome;
use runner::plan::Plan;
use runner::simulator::{
    Answer, Cue, Deed, FaultRule, Mishap, Scenario, Span, Start, Target, Visit,
};

use super::crashes::{Ending, RELEASE, run, scenario};
use crate::lab::{self, Lab};
use crate::rig;

fn answer(status: u16, body: &str, headers: &[(&str, &str)]) -> Mishap {
    Mishap::Answer(Answer {
        status,
        body: body.to_owned(),
        headers: headers
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<IndexMap<_, _>>(),
        acts: false,
    })
}

/// What can happen to one request. Each passes.
pub(super) fn mishaps() -> Vec<(&'static str, Mishap)> {
    let acted = |status: u16, body: &str| match answer(status, body, &[]) {
        Mishap::Answer(answer) => Mishap::Answer(Answer {
            acts: true,
            ..answer
        }),
        other => other,
    };
    vec![
        ("500", answer(500, "\"Internal error\"", &[])),
        ("502 after it acted", acted(502, "<html>bad gateway</html>")),
        ("503", answer(503, "upstream connect error", &[])),
        ("429 with Retry-After", Mishap::RateLimit(Span::seconds(7))),
        (
            "503 with Retry-After",
            answer(503, "", &[("retry-after", "20")]),
        ),
        ("403 without a word", answer(403, "", &[])),
        ("reset before it acted", Mishap::ResetBeforeActing),
        ("reset after it acted", Mishap::ResetAfterActing),
        ("hang", Mishap::Hang),
        ("cut body", Mishap::CutBody(20)),
        ("late answer", Mishap::Delay(Span::seconds(45))),
        ("slow backend", Mishap::SlowBackend(Span::default())),
        (
            "slow backend that acts late",
            Mishap::SlowBackend(Span::seconds(9)),
        ),
        ("no JSON", acted(200, "<html>ok</html>")),
        ("stale list", Mishap::StaleList(Span::seconds(20))),
    ]
}

/// A rule that hits the request of this number.
pub(super) fn at_request(number: u64, mishap: Mishap) -> FaultRule {
    FaultRule {
        on: "any".to_owned(),
        nth: number,
        count: None,
        from: None,
        until: None,
        percent: None,
        mishap,
    }
}

fn with_faults(name: &str, faults: Vec<FaultRule>) -> Scenario {
    Scenario {
        faults,
        ..scenario(name)
    }
}

fn calm(plan: &Arc<Plan>, name: &str) -> (Ending, u64) {
    let mut lab = Lab::new(plan, scenario(name));
    let calm = run(&mut lab, &[], name);
    (calm, lab.wire.log().len() as u64)
}

/// Each step with its outcome and why.
fn words(lab: &Lab) -> Vec<String> {
    let words = |recorded: &Recorded| match &recorded.event {
        Event::StepEnded(told) => Some(format!("{} {} {:?}", told.step, told.outcome, told.why)),
        _ => None,
    };
    lab.events().iter().filter_map(words).collect()
}

/// Plays all faults, one at a time, and says how many runs that were.
fn sweep(name: &str) -> String {
    let plan = lab::plan(RELEASE);
    let (calm, requests) = calm(&plan, name);
    let mut wrong = Vec::new();
    let mut runs = 0;
    for number in 1..=requests {
        if !rig::worth_a_try(number, requests) {
            continue;
        }
        for (place, (what, mishap)) in (number..).zip(mishaps()) {
            // Each kind meets each kind of request; each single one meets it when all are asked for.
            if !place.is_multiple_of(4) && !rig::exhaustive() {
                continue;
            }
            let about = format!("{name}: {what} at request {number}");
            let mut lab = Lab::new(&plan, with_faults(name, vec![at_request(number, mishap)]));
            let ending = run(&mut lab, &[], &about);
            runs += 1;
            if ending != calm {
                let whys = words(&lab);
                let log = lab.wire.log();
                wrong.push(format!(
                    "{about} ({:?}): {whys:#?}",
                    log.get(number as usize - 1).map(|s| &s.what)
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ: {}",
        wrong.len(),
        wrong.join("\n")
    );
    format!("{name}: {requests} requests, {runs} runs")
}

#[test]
fn one_fault_changes_nothing_in_a_release_that_passes() {
    println!("{}", sweep("passing"));
}

#[test]
fn one_fault_changes_nothing_in_a_release_that_fails() {
    println!("{}", sweep("failing"));
}

/// The moments at which the requests of an undisturbed run leave, those of a kind only a few times.
fn moments(lab: &Lab) -> Vec<Timestamp> {
    let log = lab.wire.log();
    let requests = log.len() as u64;
    let mut moments: Vec<Timestamp> = (1..)
        .zip(&log)
        .filter(|(number, _)| rig::worth_a_try(*number, requests))
        .map(|(_, sent)| sent.at)
        .collect();
    moments.dedup();
    moments
}

/// The network is away for less than the budget, from any request on: the run goes on as if nothing was.
/// Away for longer, it is parked, and goes on when it is resumed.
#[test]
fn the_network_may_be_away_for_a_while_and_for_long() {
    let plan = lab::plan(RELEASE);
    let mut undisturbed = Lab::new(&plan, scenario("passing"));
    let calm = run(&mut undisturbed, &[], "calm");
    for from in moments(&undisturbed) {
        // Before the first answer patience is short, so that a typo in the host does not hang.
        let brief = if from == rig::start_time() { 20 } else { 600 };
        for (seconds, parked) in [(brief, false), (3_000, true)] {
            let mut lab = Lab::new(&plan, scenario("passing"));
            lab.wire
                .away(from, later(from, Duration::from_secs(seconds)));
            let about = format!("away for {seconds} s from {from} on");
            let ending = run(&mut lab, &[], &about);
            assert_eq!(ending, calm, "{about}: {:#?}", words(&lab));
            assert_eq!(
                lab.seen.len() > 1,
                parked,
                "{about}: {} sessions",
                lab.seen.len()
            );
        }
    }
}

/// The answer to our start is lost, and a colleague does something of the same kind at that very moment:
/// what we take for ours is ours.
#[test]
fn a_lost_start_is_found_among_those_of_others() {
    let plan = lab::plan(RELEASE);
    let project = || "demo".to_owned();
    let start = || Start {
        project: project(),
        reference: "refs/heads/main".to_owned(),
        commit_sha: String::new(),
        pipeline_file: ".semaphore/semaphore.yml".to_owned(),
        parameters: IndexMap::new(),
    };
    let deeds = [
        // A rerun repeats the parameters, our mark among them.
        Deed::Rerun(Target { project: project() }),
        Deed::Start(start()),
        Deed::Start(Start {
            commit_sha: "4f2a81c04f2a81c04f2a81c04f2a81c04f2a81c0".to_owned(),
            ..start()
        }),
    ];
    for (number, deed) in deeds.into_iter().enumerate() {
        for millis in [0, 500, 3_000] {
            let people = vec![Visit {
                at: Span::millis(millis),
                on: Some(Cue::RunWorkflow),
                who: "dddddddd-0000-4000-8000-00000000000d".to_owned(),
                deed: deed.clone(),
            }];
            let lost = FaultRule {
                on: "run_workflow".to_owned(),
                ..at_request(1, Mishap::ResetAfterActing)
            };
            let scenario = Scenario {
                people,
                ..with_faults("passing", vec![lost])
            };
            let mut lab = Lab::new(&plan, scenario);
            let about = format!("deed {number} after {millis} ms");
            let ending = run(&mut lab, &[], &about);
            let build = &ending.1[0];
            assert_eq!(
                (build.0.as_str(), build.1),
                ("build", StepOutcome::Passed),
                "{about}: {:#?}",
                words(&lab)
            );
        }
    }
}
