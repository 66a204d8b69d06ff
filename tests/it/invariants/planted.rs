//! Bugs planted on purpose: each rule broken once, by a store, by effects, or by a driver that does what
//! it must not, and the promise that sees it. A check that lets its bug pass is no check.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use runner::engine::call::Call;
use runner::engine::{CallRequest, Effects, IntentError, Intents};
use runner::event::{FailureKind, Fate, Intent, Outcome};
use runner::outcome::RunOutcome;
use runner::simulator::{FaultRule, Mishap, Scenario, Span};

use super::{broken, broken_at_the_end};
use crate::lab::{self, Breach, End, Lab, Plot, Side};
use crate::rig;

const RELEASE: &str = include_str!("../../../playbooks/release.yml");

fn lab(faults: Vec<FaultRule>) -> Lab {
    let scenario = Scenario::built_in("passing").expect("a scenario");
    Lab::new(&lab::plan(RELEASE), Scenario { faults, ..scenario })
}

fn fault(on: &str, mishap: Mishap) -> FaultRule {
    FaultRule {
        on: on.to_owned(),
        nth: 1,
        count: None,
        from: None,
        until: None,
        percent: None,
        mishap,
    }
}

/// Plays the plots, then goes on undisturbed; gives what was seen to be broken, at whatever instant. A
/// session that refuses to go on has seen it too.
fn seen(lab: &mut Lab, plots: &[Plot]) -> Vec<String> {
    let calm = Plot::default();
    for number in 0..plots.len() + 3 {
        let end = lab.session(plots.get(number).unwrap_or(&calm));
        let broken = broken(lab);
        match end {
            _ if !broken.is_empty() => return broken,
            End::Finished(finish @ runner::drivers::Finish::Ended(_)) => {
                return broken_at_the_end(lab, &finish);
            }
            End::Broken(error) if !lab.ledger.is_dead() => return vec![error.to_string()],
            End::Spins => return vec!["it spins".to_owned()],
            End::Finished(_) | End::Broken(_) | End::Killed => {}
        }
    }
    vec!["it does not end".to_owned()]
}

#[track_caller]
fn sees(lab: &mut Lab, plots: &[Plot], promise: &str) {
    let seen = seen(lab, plots);
    assert!(
        seen.iter().any(|how| how.contains(promise)),
        "`{promise}` is not in {seen:#?}"
    );
}

fn crash_after_request(number: u64) -> Plot {
    Plot {
        at_request: Some((number, Side::After)),
        ..Plot::default()
    }
}

/// The request in which the run writes first (the workflow) or second (the promotion).
fn write_number(nth: usize) -> u64 {
    let mut lab = lab(Vec::new());
    assert_eq!(
        seen(&mut lab, &[]),
        Vec::<String>::new(),
        "an honest run breaks nothing"
    );
    let log = lab.wire.log();
    let writes = log.iter().enumerate().filter(|(_, sent)| sent.writes);
    writes
        .map(|(number, _)| number as u64 + 1)
        .nth(nth)
        .expect("a write")
}

#[test]
fn an_intent_that_is_not_kept() {
    let mut lab = lab(Vec::new());
    lab.ledger.breaks(Breach::IntentNotKept);
    sees(
        &mut lab,
        &[],
        "no write leaves before its intent is durable",
    );
}

#[test]
fn an_intent_that_is_not_kept_and_a_crash() {
    let mut lab = lab(Vec::new());
    lab.ledger.breaks(Breach::IntentNotKept);
    let crash = crash_after_request(write_number(0));
    sees(&mut lab, &[crash], "nothing that was started is forgotten");
}

#[test]
fn an_intent_that_is_forgotten_after_a_crash() {
    let mut lab = lab(Vec::new());
    lab.ledger.breaks(Breach::PreviousForgotten);
    let crash = crash_after_request(write_number(0));
    sees(&mut lab, &[crash], "no step acts twice");
}

#[test]
fn an_intent_without_what_came_before_it() {
    let mut lab = lab(Vec::new());
    lab.ledger.breaks(Breach::IntentWithoutItsPast);
    sees(&mut lab, &[], "the record is a chain");
}

#[test]
fn an_outcome_that_is_not_kept() {
    let mut lab = lab(Vec::new());
    lab.ledger.breaks(Breach::OutcomeNotKept);
    sees(&mut lab, &[], "intents are open after the end");
}

#[test]
fn an_end_that_is_kept_as_another_one() {
    let scenario = Scenario::built_in("failing").expect("a scenario");
    let mut lab = Lab::new(&lab::plan(RELEASE), scenario);
    lab.ledger.breaks(Breach::OtherOutcome);
    sees(&mut lab, &[], "report, journal and runner say the same");
}

/// Effects that change what they are asked, or how it came out.
struct Bent {
    inner: Arc<dyn Effects>,
    remaining: fn(Duration) -> Duration,
    call: fn(Call, attempt: u32) -> Call,
    intents: fn(Box<dyn Intents>) -> Box<dyn Intents>,
    outcome: fn(Outcome) -> Outcome,
}

impl Bent {
    fn new(inner: Arc<dyn Effects>) -> Self {
        Self {
            inner,
            remaining: |remaining| remaining,
            call: |call, _| call,
            intents: |intents| intents,
            outcome: |outcome| outcome,
        }
    }
}

impl Effects for Bent {
    fn call(&self, mut request: CallRequest) -> BoxFuture<'static, Outcome> {
        request.call = (self.call)(request.call, request.key.attempt);
        request.intents = (self.intents)(request.intents);
        request.remaining = (self.remaining)(request.remaining);
        let outcome = self.outcome;
        let work = self.inner.call(request);
        Box::pin(async move { outcome(work.await) })
    }
}

#[test]
fn a_token_that_changes_when_a_write_is_repeated() {
    let mut lab = lab(vec![fault("promote", Mishap::ResetAfterActing)]);
    lab.wrap = Some(|inner| {
        let mut bent = Bent::new(inner);
        bent.call = |mut call, attempt| {
            if let Call::TriggerPromotion { token, .. } = &mut call {
                *token = token.replace('4', &(attempt % 10).to_string());
            }
            call
        };
        Arc::new(bent)
    });
    sees(&mut lab, &[], "no step acts twice");
}

#[test]
fn a_promotion_of_what_has_not_passed() {
    let scenario = Scenario::built_in("failing").expect("a scenario");
    let text = RELEASE
        .replace("needs: { tests: passed }", "needs: { tests: failed }")
        .replace(
            "name: \"{{ inputs.target }}\"",
            "name: \"{{ inputs.target }}\"\n      override: true",
        );
    let mut lab = Lab::new(&lab::plan(&text), scenario);
    sees(&mut lab, &[], "nothing is promoted that has not passed");
}

/// Intents that hide what an earlier try may have sent.
struct Forgetful(Box<dyn Intents>);

impl Intents for Forgetful {
    fn previous(&self) -> Option<Intent> {
        None
    }

    fn open(&self, intent: Intent) -> BoxFuture<'_, Result<(), IntentError>> {
        self.0.open(intent)
    }
}

#[test]
fn effects_that_do_not_look_for_what_an_earlier_session_sent() {
    let mut lab = lab(Vec::new());
    lab.wrap = Some(|inner| {
        let mut bent = Bent::new(inner);
        bent.intents = |intents| Box::new(Forgetful(intents));
        Arc::new(bent)
    });
    let crash = crash_after_request(write_number(0));
    sees(&mut lab, &[crash], "no step acts twice");
}

/// Intents whose fence is lost: what was there before the write is not known any more.
struct Unfenced(Box<dyn Intents>);

impl Intents for Unfenced {
    fn previous(&self) -> Option<Intent> {
        self.0.previous()
    }

    fn open(&self, mut intent: Intent) -> BoxFuture<'_, Result<(), IntentError>> {
        intent.fence.clear();
        self.0.open(intent)
    }
}

/// Without its fence a task that was run before looks like the one that may have been run: the crash
/// changes how the run ends.
#[test]
fn a_fence_that_is_not_kept() {
    let text = "playbook: 1\nsteps:\n  one: { run_task: { project: demo, task: nightly, wait: false } }\n  \
                two: { needs: [one], run_task: { project: demo, task: nightly, wait: false } }\n";
    let outcome = |wrap| {
        let new = || {
            Lab::new(
                &lab::plan(text),
                Scenario::built_in("passing").expect("a scenario"),
            )
        };
        let mut calm = new();
        assert_eq!(seen(&mut calm, &[]), Vec::<String>::new());
        let writes = calm.wire.log();
        let second = writes
            .iter()
            .rposition(|sent| sent.writes)
            .expect("a write") as u64
            + 1;
        let mut lab = new();
        lab.wrap = wrap;
        let crash = Plot {
            at_request: Some((second, Side::Before)),
            ..Plot::default()
        };
        assert!(matches!(lab.session(&crash), End::Killed));
        match lab.session(&Plot::default()) {
            End::Finished(runner::drivers::Finish::Ended(ended)) => ended.outcome,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(outcome(None), RunOutcome::Passed);
    let unfenced: lab::Wrap = |inner| {
        let mut bent = Bent::new(inner);
        bent.intents = |intents| Box::new(Unfenced(intents));
        Arc::new(bent)
    };
    assert_eq!(outcome(Some(unfenced)), RunOutcome::Unknown);
}

#[test]
fn a_deadline_that_a_wait_does_not_keep() {
    let text = RELEASE.replace("timeout: 45m", "timeout: 5s");
    let new = || {
        let scenario = Scenario::built_in("stuck").expect("a scenario");
        Lab::new(&lab::plan(&text), scenario)
    };
    assert_eq!(seen(&mut new(), &[]), Vec::<String>::new());
    let mut lab = new();
    lab.wrap = Some(|inner| {
        let mut bent = Bent::new(inner);
        bent.remaining = |_| Duration::from_secs(86_400);
        Arc::new(bent)
    });
    sees(&mut lab, &[], "a step ends within its time");
}

/// Intents that are said to be open before they are durable.
struct Hasty;

impl Intents for Hasty {
    fn previous(&self) -> Option<Intent> {
        None
    }

    fn open(&self, _intent: Intent) -> BoxFuture<'_, Result<(), IntentError>> {
        Box::pin(async { Ok(()) })
    }
}

#[test]
fn effects_that_write_no_intent() {
    let mut lab = lab(Vec::new());
    lab.wrap = Some(|inner| {
        let mut bent = Bent::new(inner);
        bent.intents = |_| Box::new(Hasty);
        Arc::new(bent)
    });
    sees(
        &mut lab,
        &[],
        "no write leaves before its intent is durable",
    );
}

/// The list fails for as long as the lost workflow is looked for: honest effects say that they do not know.
fn lost_and_not_to_be_looked_for() -> Vec<FaultRule> {
    let answer = runner::simulator::Answer {
        status: 500,
        body: String::new(),
        headers: indexmap::IndexMap::new(),
        acts: false,
    };
    let no_list = FaultRule {
        nth: 2,
        until: Some(Span::seconds(65)),
        ..fault("list_workflows", Mishap::Answer(answer))
    };
    vec![fault("run_workflow", Mishap::ResetAfterActing), no_list]
}

#[test]
fn an_unknown_that_is_taken_for_a_no() {
    let mut honest = lab(lost_and_not_to_be_looked_for());
    assert_eq!(seen(&mut honest, &[]), Vec::<String>::new());
    let mut lab = lab(lost_and_not_to_be_looked_for());
    lab.wrap = Some(|inner| {
        let mut bent = Bent::new(inner);
        bent.outcome = |mut outcome| {
            if let Err(failure) = &mut outcome.result
                && failure.fate == Fate::Unknown
            {
                failure.fate = Fate::NotDone;
                failure.kind = FailureKind::Timeout;
            }
            outcome
        };
        Arc::new(bent)
    });
    sees(&mut lab, &[], "no step acts twice");
}

#[test]
fn a_settle_time_that_is_shorter_than_the_lag_of_the_list() {
    let lost = || {
        let lag = FaultRule {
            count: Some(20),
            ..fault("list_workflows", Mishap::StaleList(Span::seconds(30)))
        };
        vec![fault("run_workflow", Mishap::ResetAfterActing), lag]
    };
    let mut honest = lab(lost());
    assert_eq!(seen(&mut honest, &[]), Vec::<String>::new());
    let mut lab = lab(lost());
    lab.effects.settle = Duration::from_secs(3);
    sees(&mut lab, &[], "no step acts twice");
}

/// What was started is told as something else: as if a colleague's workflow had been taken for ours.
#[test]
fn a_workflow_of_somebody_else_that_is_taken_over() {
    let mut lab = lab(Vec::new());
    lab.wrap = Some(|inner| {
        let mut bent = Bent::new(inner);
        bent.outcome = |mut outcome| {
            let id = outcome
                .result
                .as_mut()
                .ok()
                .and_then(|answer| answer.value.get_mut("workflow_id"));
            if let Some(id) = id {
                *id = serde_json::json!("74a48315-614d-4e84-bbfc-72c121ea98c6");
            }
            outcome
        };
        Arc::new(bent)
    });
    sees(&mut lab, &[], "nobody else's run is taken over");
}

#[test]
fn a_salt_that_is_another_one_after_a_crash() {
    let mut lab = lab(Vec::new());
    let crash = crash_after_request(write_number(1));
    assert!(matches!(lab.session(&crash), End::Killed));
    lab.salt = "another".into();
    sees(&mut lab, &[], "no step acts twice");
}

/// Without the lock two processes work on one run; the store takes the events of one alone.
#[test]
fn two_owners_at_once() {
    let mut lab = lab(Vec::new());
    let store = lab.ledger.inner();
    let owner = runner::store::OwnerInfo {
        pid: 1,
        host: "here".into(),
        since: rig::start_time(),
        run: "r1".into(),
    };
    let held = store.acquire("r1", &owner).expect("the lock");
    let second = store
        .acquire("r1", &owner)
        .expect_err("held by a living process");
    assert!(matches!(
        second.kind,
        runner::store::StoreErrorKind::Locked { .. }
    ));
    drop(held);
    // A second process that does not ask for the lock begins in the middle of the first one's work.
    let other = Plot {
        at_request: Some((write_number(0), Side::Before)),
        ..Plot::default()
    };
    assert!(matches!(lab.session(&other), End::Killed));
    let stale = lab.events();
    assert!(matches!(
        lab.session(&crash_after_request(write_number(0))),
        End::Killed
    ));
    let refused = store
        .append("r1", &stale)
        .expect_err("events that are there already");
    assert!(matches!(
        refused.kind,
        runner::store::StoreErrorKind::OutOfOrder
    ));
    assert_eq!(seen(&mut lab, &[]), Vec::<String>::new());
}
