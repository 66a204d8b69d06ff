//! Random graphs, random answers, any order: what must hold of every run of the pure machine.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use proptest::prelude::*;
use runner::engine::{CallClass, Cmd, Ev};
use runner::event::{Answer, Event, FailureKind, Fate, StepEnded};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::plan::{Limits, Phase};

use super::bench::{self, Bench, Reply, failure, good, red};
use crate::rig;

/// A step to be; `needs` are taken modulo the steps before it.
#[derive(Debug, Clone)]
struct StepSpec {
    action: u8,
    needs: Vec<(u8, u8)>,
    when: u8,
    allow_failure: bool,
    timeout: u8,
    attempts: u8,
    undo: u8,
    /// Done once for each of some items: how many, how many at once, and whether a failure stops the others.
    fan: u8,
}

/// One thing that happens: which of what is open, how, and how much later.
#[derive(Debug, Clone)]
struct Choice {
    pick: u8,
    how: u8,
    later: u8,
}

#[derive(Debug, Clone)]
struct Case {
    steps: Vec<StepSpec>,
    finally: Vec<StepSpec>,
    stop: bool,
    backwards: bool,
    output: bool,
    choices: Vec<Choice>,
}

/// How many actions there are to choose from.
const ACTIONS: u8 = 29;

fn step_spec() -> impl Strategy<Value = StepSpec> {
    let needs = prop::collection::vec((any::<u8>(), 0..9_u8), 0..3);
    (
        0..ACTIONS,
        needs,
        0..6_u8,
        prop::bool::weighted(0.2),
        0..5_u8,
        (0..4_u8, 0..6_u8, 0..24_u8),
    )
        .prop_map(
            |(action, needs, when, allow_failure, timeout, (attempts, undo, fan))| StepSpec {
                action,
                needs,
                when,
                allow_failure,
                timeout,
                attempts,
                undo,
                fan,
            },
        )
}

fn case() -> impl Strategy<Value = Case> {
    let choice = (any::<u8>(), any::<u8>(), 0..8_u8);
    let choice = choice.prop_map(|(pick, how, later)| Choice { pick, how, later });
    (
        prop::collection::vec(step_spec(), 1..7),
        prop::collection::vec(step_spec(), 0..3),
        (any::<bool>(), any::<bool>(), any::<bool>()),
        prop::collection::vec(choice, 0..40),
    )
        .prop_map(
            |(steps, finally, (stop, backwards, output), choices)| Case {
                steps,
                finally,
                stop,
                backwards,
                output,
                choices,
            },
        )
}

const ACCEPTS: [&str; 9] = [
    "any",
    "passed",
    "failed",
    "any",
    "[passed, failed]",
    "[passed, skipped]",
    "[failed, unknown, canceled]",
    "[blocked, failed]",
    "[skipped, blocked, passed]",
];

fn action(spec: &StepSpec, last: Option<&str>) -> String {
    let id = bench::PIPELINE;
    let of_last =
        |with: &str, without: &str| last.map_or(without.to_owned(), |id| with.replace("ID", id));
    match spec.action {
        0 => "set: { v: 1 }".to_owned(),
        1 => of_last(
            "set: { v: \"{{ steps.ID.outcome }} {{ steps.ID.why }}\" }",
            "set: { v: 2 }",
        ),
        2 => "sleep: 5s".to_owned(),
        3 => "sleep: 10m".to_owned(),
        4 => "check: [\"1 == 1\"]".to_owned(),
        5 => of_last(
            "check: [\"steps.ID.outcome == 'passed'\"]",
            "check: [\"1 == 2\"]",
        ),
        6 => "run_workflow: { project: demo, reference: main, wait: false }".to_owned(),
        7 => "run_workflow: { project: demo, reference: main }".to_owned(),
        8 => format!(
            "wait_pipeline: {{ pipeline: {}, follow: true }}",
            bench::PIPELINE
        ),
        9 => format!(
            "promote: {{ pipeline: {}, name: Production }}",
            bench::PIPELINE
        ),
        10 => format!(
            "promote: {{ pipeline: {}, name: Production, wait: false, override: true }}",
            bench::PIPELINE
        ),
        11 => format!(
            "describe_pipeline: {{ pipeline: {} }}\n    extract: {{ sha: $.pipeline.commit_sha }}",
            bench::PIPELINE
        ),
        12 => format!(
            "describe_pipeline: {{ pipeline: {} }}\n    assert: [\"this.result == 'passed'\"]",
            bench::PIPELINE
        ),
        13 => format!("fetch_logs: {{ job: {id} }}"),
        14 => format!("wait_pipeline: {{ pipeline: {id} }}\n    rerun: {{ max: 2, scope: failed }}"),
        15 => "run_workflow: { project: demo, reference: main }\n    rerun: { max: 1, scope: all }".to_owned(),
        16 => format!("describe_pipeline: {{ pipeline: {id} }}\n    until: \"this.result == 'passed'\"\n    poll: 20s"),
        17 => "run_task: { project: demo, task: nightly }".to_owned(),
        18 => format!("rebuild_pipeline: {{ pipeline: {id} }}"),
        19 => format!("rerun_workflow: {{ workflow: {id}, wait: false }}"),
        20 => format!("stop_pipeline: {{ pipeline: {id} }}"),
        21 => format!("wait_workflow: {{ workflow: {id} }}"),
        22 => "http: { method: POST, url: 'https://a.example/x', json: { n: 1 } }".to_owned(),
        23 => "http: { method: POST, url: 'https://a.example/x', idempotent: true }".to_owned(),
        24 => "http: { method: PUT, url: 'https://a.example/x' }".to_owned(),
        25 => "http: { method: GET, url: 'https://a.example/x' }\n    assert: [\"this.body.id == 7\"]".to_owned(),
        26 => "approve: { message: go? }".to_owned(),
        27 => "fail: no".to_owned(),
        _ => "ensure_pipeline: { project: demo, reference: main, commit_sha: 4f2a81c04f2a81c04f2a81c04f2a81c04f2a81c0 }".to_owned(),
    }
}

/// The undo of a step that may change something.
fn undo(spec: &StepSpec) -> Option<String> {
    let changes = matches!(spec.action, 6 | 7 | 9 | 10 | 15 | 17..=20 | 22..=24 | 28);
    let id = bench::PIPELINE;
    let undo = match spec.undo {
        1 => format!("stop_pipeline: {{ pipeline: {id}, wait: false }}"),
        2 => "run_task: { project: demo, task: nightly }".to_owned(),
        3 => "http: { method: POST, url: \"https://a.example/{{ this.outcome }}\" }".to_owned(),
        4 => "http: { method: DELETE, url: \"https://a.example/{{ this.error.kind }}\" }\n      timeout: 3s".to_owned(),
        5 => "http: { method: PUT, url: \"https://a.example/{{ this.outcome }}\" }\n      timeout: 30m".to_owned(),
        _ => return None,
    };
    changes.then_some(undo)
}

fn write_step(text: &mut String, id: &str, spec: &StepSpec, before: &[String]) {
    let mut needs: BTreeMap<&str, &str> = BTreeMap::new();
    if !before.is_empty() {
        for (which, accept) in &spec.needs {
            let id = before[usize::from(*which) % before.len()].as_str();
            needs.insert(id, ACCEPTS[usize::from(*accept)]);
        }
    }
    // Expressions read the last need, whatever became of it.
    let last = needs.keys().next_back().copied();
    writeln!(text, "  {id}:\n    {}", action(spec, last)).expect("text");
    let when = match (spec.when, last) {
        (1, _) => "1 == 1".to_owned(),
        (2, _) => "1 == 2".to_owned(),
        (3, Some(id)) => format!("steps.{id}.outcome == 'passed'"),
        (4, Some(id)) => format!("steps.{id}.duration < 5"),
        _ => String::new(),
    };
    if !when.is_empty() {
        writeln!(text, "    when: \"{when}\"").expect("text");
    }
    if !needs.is_empty() {
        let listed: Vec<String> = needs
            .iter()
            .map(|(id, accept)| format!("{id}: {accept}"))
            .collect();
        writeln!(text, "    needs: {{ {} }}", listed.join(", ")).expect("text");
    }
    if spec.allow_failure {
        writeln!(text, "    allow_failure: true").expect("text");
    }
    if let Some(timeout) = ["", "2s", "90s", "30m", "3h"]
        .get(usize::from(spec.timeout))
        .filter(|t| !t.is_empty())
    {
        writeln!(text, "    timeout: {timeout}").expect("text");
    }
    if let Some(undo) = undo(spec)
        && id.starts_with('s')
    {
        writeln!(text, "    undo:\n      {undo}").expect("text");
    }
    if spec.fan >= 16 {
        let fan = spec.fan - 16;
        let items = ["['a', 'b', 'c']", "['a']"][usize::from(fan / 4)];
        let (most, after) = (1 + fan % 2, ["continue", "stop"][usize::from(fan / 2 % 2)]);
        writeln!(
            text,
            "    for_each: {{ in: \"{items}\", key: item, max_parallel: {most}, on_failure: {after} }}"
        )
        .expect("text");
    }
    if spec.attempts > 0 {
        writeln!(text, "    retry: {{ attempts: {} }}", spec.attempts).expect("text");
    }
}

impl Case {
    fn text(&self) -> String {
        let mut text = "playbook: 1\ntimeout: 2h\n".to_owned();
        if self.stop {
            text.push_str("on_failure: stop\n");
        }
        let mut written: Vec<String> = Vec::new();
        let mut ids: Vec<String> = Vec::new();
        for (number, spec) in self.steps.iter().enumerate() {
            let id = format!("s{number}");
            let mut step = String::new();
            write_step(&mut step, &id, spec, &ids);
            ids.push(id);
            written.push(step);
        }
        if self.backwards {
            written.reverse();
        }
        text.push_str("steps:\n");
        text.push_str(&written.concat());
        if !self.finally.is_empty() {
            text.push_str("finally:\n");
        }
        for (number, spec) in self.finally.iter().enumerate() {
            let id = format!("f{number}");
            write_step(&mut text, &id, spec, &ids);
            ids.push(id);
        }
        if self.output {
            text.push_str("outputs:\n  o: \"{{ steps.s0.outcome }}\"\n");
        }
        text
    }

    /// Lets it happen, and then lets everything else go well until the run ends.
    fn play(&self, bench: &mut Bench) {
        let mut sessions = 0;
        for choice in &self.choices {
            if bench.machine.has_ended() {
                return;
            }
            bench.pass(Duration::from_millis(
                [0, 0, 1, 500, 3_000, 70_000, 1_000_000, 3_000_000][usize::from(choice.later)],
            ));
            let calls = bench.calls();
            let timers = bench.timers();
            let special = choice.pick % 32;
            if special == 28 {
                let step = format!("s{}", choice.how % 7);
                bench.person(&step, !choice.how.is_multiple_of(3));
            } else if special == 31 {
                bench.cancel();
            } else if special == 30 || bench.parked {
                sessions += 1;
                bench.park_and_resume(sessions);
            } else if let Some(timer) = timers.into_iter().next()
                && (calls.is_empty() || special == 29)
            {
                bench.fire(timer);
            } else {
                let (key, call) = calls[usize::from(choice.pick) % calls.len()].clone();
                bench.answer(&key, reply(choice.how, &call));
            }
        }
        while !bench.machine.has_ended() {
            if bench.parked {
                sessions += 1;
                bench.park_and_resume(sessions);
            }
            bench.go(|_, call| Ok(good(call)));
        }
    }
}

fn reply(how: u8, call: &runner::engine::call::Call) -> Reply {
    use FailureKind as K;
    let writes = CallClass::of(call).writes();
    let kinds: [(K, Fate, Option<u16>); 17] = [
        (K::Network, Fate::NotSent, None),
        (K::Network, Fate::Unknown, None),
        (K::Timeout, Fate::Unknown, None),
        (K::Server, Fate::Unknown, Some(500)),
        (K::Server, Fate::NotDone, Some(503)),
        (K::RateLimited, Fate::NotDone, Some(429)),
        (K::AuthOutage, Fate::Unknown, Some(403)),
        (K::QueueFull, Fate::NotDone, Some(400)),
        (K::NotPassed, Fate::NotDone, Some(400)),
        (K::NotFound, Fate::NotDone, Some(404)),
        (K::Unauthorized, Fate::NotDone, Some(401)),
        (K::Permission, Fate::NotDone, Some(403)),
        (K::Refused, Fate::NotDone, Some(400)),
        (K::InvalidAnswer, Fate::Unknown, Some(200)),
        (K::FateUnknown, Fate::Unknown, None),
        (K::Deadline, Fate::NotDone, None),
        (K::PromotionFailed, Fate::NotDone, None),
    ];
    match how % 33 {
        0..=11 => Ok(good(call)),
        12..=13 => Ok(red(call)),
        14 => Ok(Answer::default()),
        15 => {
            let mut answer = good(call);
            answer.limits.push(("log_bytes_max".into(), "cut".into()));
            Ok(answer)
        }
        how => {
            let (kind, fate, status) = kinds[usize::from(how - 16)];
            // What only reads has no fate, and what writes has no deadline of its own.
            match (kind, writes) {
                (K::FateUnknown, false) | (K::Deadline | K::PromotionFailed, true) => {
                    Err(failure(K::Server, Fate::NotDone, Some(500)))
                }
                _ => {
                    let mut failure = failure(kind, fate, status);
                    failure.elsewhere = call.elsewhere().is_some();
                    Err(failure)
                }
            }
        }
    }
}

/// Everything that must hold of what a machine said, turn by turn.
fn check(bench: &Bench) {
    let mut ended: BTreeMap<&str, StepOutcome> = BTreeMap::new();
    let mut started: BTreeSet<&str> = BTreeSet::new();
    let mut doubts: BTreeMap<&str, bool> = BTreeMap::new();
    let mut over = false;
    let mut canceled = false;
    for (ev, _, turn) in &bench.turns {
        canceled |= matches!(ev, Some(Ev::Cancel { .. }));
        assert!(
            !over || turn.events.is_empty() && turn.commands.is_empty(),
            "after the end: {turn:?}"
        );
        for (place, event) in turn.events.iter().enumerate() {
            assert!(!over, "{event:?} after the run ended");
            assert_eq!(event.is_fact(), place == 0 && ev.is_some(), "{event:?}");
            match event {
                Event::StepStarted { step, .. } => {
                    assert!(started.insert(step), "{step} begins twice");
                    if let Some(undone) = step.strip_suffix("/undo") {
                        assert!(!canceled, "{step} begins after a cancel");
                        undo_begins(bench, undone, &ended);
                        continue;
                    }
                    step_begins(bench, step, &ended);
                }
                Event::CallStarted { call, .. } if canceled && stops(call) => {}
                Event::CallStarted { key, .. } | Event::CallRetried { key, .. } => {
                    assert!(started.contains(key.step.as_str()), "{event:?}");
                    assert!(
                        !ended.contains_key(key.step.as_str()),
                        "{event:?} after its end"
                    );
                }
                Event::CallEnded { key, outcome } if !ended.contains_key(key.step.as_str()) => {
                    note_doubt(bench, &mut doubts, key, outcome);
                }
                Event::StepEnded(told) => {
                    let before = ended.insert(&told.step, told.outcome);
                    assert_eq!(before, None, "{} ends twice", told.step);
                    step_ends(told, doubts.get(told.step.as_str()) == Some(&true));
                }
                Event::RunEnded(_) => over = true,
                _ => {}
            }
        }
        commands(turn, &ended, bench);
    }
    assert!(over, "the run has not ended");
    let (undos, steps): (Vec<&str>, Vec<&str>) =
        ended.keys().copied().partition(|id| id.ends_with("/undo"));
    let (items, steps): (Vec<&str>, Vec<&str>) = steps.into_iter().partition(|id| id.contains('['));
    items_agree(&items, &ended);
    assert_eq!(steps.len(), bench.plan.steps.len(), "a step has not ended");
    undone_in_reverse(bench, &undos);
    agreement(bench, &ended);
}

/// An item ends before its step, and a step of which an item failed, or may have acted, says so.
fn items_agree(items: &[&str], ended: &BTreeMap<&str, StepOutcome>) {
    for item in items {
        let whole = item.split('[').next().expect("a name");
        let (one, all) = (ended[item], ended[whole]);
        let right = match one {
            StepOutcome::Unknown => all == StepOutcome::Unknown,
            StepOutcome::Failed => !matches!(all, StepOutcome::Passed | StepOutcome::Skipped),
            _ => true,
        };
        assert!(right, "{item} {one}, {whole} {all}");
    }
}

/// A step begins when all that it needs has ended as it wants, and one of `finally` after all others.
fn step_begins(bench: &Bench, step: &str, ended: &BTreeMap<&str, StepOutcome>) {
    if let Some((whole, _)) = step.split_once('[') {
        assert!(
            !ended.contains_key(whole),
            "{step} after the end of {whole}"
        );
        return;
    }
    let known = bench.plan.steps.iter().find(|s| s.id == step);
    let planned = known.unwrap_or_else(|| panic!("{step} is not in the plan"));
    for need in &planned.needs {
        let needed = bench.plan.steps[need.step].id.as_str();
        let outcome = ended
            .get(needed)
            .unwrap_or_else(|| panic!("{step} before {needed}"));
        assert!(
            need.accept.takes(*outcome),
            "{step} after {needed} {outcome}"
        );
    }
    if planned.phase == Phase::Finally {
        let main = bench.plan.steps.iter().filter(|s| s.phase == Phase::Main);
        main.for_each(|s| {
            assert!(ended.contains_key(s.id.as_str()), "{step} before {}", s.id);
        });
    }
}

/// An end says why if it is no pass, gives an error if it is red, and never hides an unknown.
fn step_ends(told: &StepEnded, in_doubt: bool) {
    assert_eq!(
        told.outcome == StepOutcome::Passed,
        told.why.is_none(),
        "{told:?}"
    );
    let red = matches!(told.outcome, StepOutcome::Failed | StepOutcome::Unknown);
    assert!(!red || told.error.is_some(), "{told:?}");
    assert!(
        !in_doubt || told.outcome == StepOutcome::Unknown,
        "an unknown is hidden: {told:?}"
    );
}

/// An undo begins when all steps but those of `finally` have ended, one of them badly and none as unknown, and
/// its own step has acted.
fn undo_begins(bench: &Bench, undone: &str, ended: &BTreeMap<&str, StepOutcome>) {
    let main = || bench.plan.steps.iter().filter(|s| s.phase == Phase::Main);
    let outcome = |id: &str| ended.get(id).copied();
    assert!(
        main().all(|s| ended.contains_key(s.id.as_str())),
        "{undone} is taken back too early"
    );
    // An item counts: its step may have been given up meanwhile.
    let red = bench
        .steps()
        .any(|s| !s.allowed_to_fail && s.outcome == StepOutcome::Failed);
    assert!(red, "{undone} is taken back without a failure");
    assert!(
        !ended.values().any(|o| *o == StepOutcome::Unknown),
        "{undone} is taken back beside an unknown"
    );
    assert!(
        matches!(
            outcome(undone),
            Some(StepOutcome::Passed | StepOutcome::Failed)
        ),
        "{undone} did nothing"
    );
}

/// Steps are taken back in the reverse of the order in which they ended, one after the other, and all that
/// wrote something when a run failed and nothing stopped it.
fn undone_in_reverse(bench: &Bench, undos: &[&str]) {
    let place = |wanted: &str| {
        bench
            .steps()
            .position(|told| told.step == wanted)
            .expect("it has ended")
    };
    let mut order: Vec<&str> = undos.to_vec();
    order.sort_by_key(|undo| place(undo));
    let undone: Vec<usize> = order
        .iter()
        .map(|undo| place(undo.trim_end_matches("/undo")))
        .collect();
    assert!(
        undone.is_sorted_by(|a, b| a > b),
        "not in reverse: {:#?}",
        bench.words()
    );
    let mut at_work: Option<&str> = None;
    for event in bench.events() {
        match event {
            Event::StepStarted { step, .. } if step.ends_with("/undo") => {
                assert_eq!(at_work.replace(step), None, "two undos at a time");
            }
            Event::StepEnded(told) if at_work == Some(&told.step) => at_work = None,
            _ => {}
        }
    }
    let calm = bench.ended().outcome == RunOutcome::Failed;
    let main = bench.plan.steps.iter().filter(|s| s.phase == Phase::Main);
    let red = main.clone().any(|step| {
        let told = bench.step(&step.id);
        told.outcome == StepOutcome::Failed && !told.allowed_to_fail
    });
    for step in main.filter(|step| step.undo.is_some() && step.for_each.is_none() && calm && red) {
        let acted = matches!(
            bench.step(&step.id).outcome,
            StepOutcome::Passed | StepOutcome::Failed
        );
        let id = format!("{}/undo", step.id);
        assert_eq!(
            undos.contains(&id.as_str()),
            acted && wrote(bench, &step.id),
            "{id}: {:#?}",
            bench.words()
        );
    }
}

/// Whether a write of a step happened, or may have.
fn wrote(bench: &Bench, step: &str) -> bool {
    let written: BTreeSet<String> = bench
        .turns
        .iter()
        .flat_map(|(_, _, turn)| &turn.commands)
        .filter_map(|command| match command {
            Cmd::Call { key, call, .. } if key.step == step && CallClass::of(call).writes() => {
                Some(key.to_string())
            }
            _ => None,
        })
        .collect();
    bench.events().any(|event| match event {
        Event::CallEnded { key, outcome } if written.contains(&key.to_string()) => {
            match &outcome.result {
                Ok(_) => true,
                Err(failure) => failure.fate == Fate::Unknown,
            }
        }
        _ => false,
    })
}

/// Whether a write of a step may have happened, and nothing that came later told.
fn note_doubt<'k>(
    bench: &Bench,
    doubts: &mut BTreeMap<&'k str, bool>,
    key: &'k runner::event::EffectKey,
    outcome: &runner::event::Outcome,
) {
    let call = bench
        .turns
        .iter()
        .flat_map(|(_, _, turn)| &turn.commands)
        .find_map(|command| match command {
            Cmd::Call { key: k, call, .. } if k == key => Some(call),
            _ => None,
        });
    let class = call.map(CallClass::of).expect("it was commanded");
    match &outcome.result {
        // An answer to the write, or to the look for what it did, settles it.
        Ok(_) => drop(doubts.insert(&key.step, false)),
        Err(failure) if class.writes() && failure.fate == Fate::Unknown && !failure.elsewhere => {
            doubts.insert(&key.step, true);
        }
        // It was looked for until the time was over.
        Err(failure)
            if class == CallClass::Wait && failure.kind == FailureKind::PromotionFailed =>
        {
            doubts.insert(&key.step, false);
        }
        Err(_) => {}
    }
}

fn commands(turn: &runner::engine::Turn, ended: &BTreeMap<&str, StepOutcome>, bench: &Bench) {
    let dropped: BTreeSet<&str> = turn
        .commands
        .iter()
        .filter_map(|command| match command {
            Cmd::Drop { key } => Some(key.as_str()),
            _ => None,
        })
        .collect();
    for command in &turn.commands {
        match command {
            Cmd::Call { key, call, .. } => {
                assert!(
                    stops(call.word()) || !ended.contains_key(key.step.as_str()),
                    "{command:?} for a step that has ended"
                );
            }
            Cmd::Timer { key, .. } => {
                let step = key
                    .split_once(':')
                    .and_then(|(_, rest)| rest.split('#').next());
                let gone = step.is_some_and(|step| ended.contains_key(step));
                assert!(
                    !gone || dropped.contains(key.as_str()),
                    "{command:?} for a step that has ended"
                );
            }
            Cmd::Drop { key } => {
                let class = bench
                    .turns
                    .iter()
                    .flat_map(|(_, _, t)| &t.commands)
                    .find_map(|c| match c {
                        Cmd::Call { key: k, .. } if k.to_string() == *key => bench::class(c),
                        _ => None,
                    });
                assert!(
                    !class.is_some_and(CallClass::writes),
                    "a write is dropped: {key}"
                );
            }
            Cmd::Park { .. } | Cmd::Acquire { .. } => {}
        }
    }
}

/// What a canceled run does about the pipelines that it started, in the name of the steps that did.
fn stops(call: &str) -> bool {
    matches!(
        call,
        "stop_pipeline" | "stop_workflow" | "await_pipeline" | "await_promotion"
    )
}

/// The outcome of the run follows from its steps.
fn agreement(bench: &Bench, ended: &BTreeMap<&str, StepOutcome>) {
    let run = bench.ended();
    let unknown = ended
        .values()
        .any(|outcome| *outcome == StepOutcome::Unknown);
    let failed = bench
        .steps()
        .any(|s| s.outcome == StepOutcome::Failed && !s.allowed_to_fail);
    let deadline = bench
        .turns
        .iter()
        .any(|(ev, _, _)| matches!(ev, Some(Ev::Timer { key }) if key.ends_with("-deadline")));
    let canceled = bench
        .turns
        .iter()
        .any(|(ev, _, _)| matches!(ev, Some(Ev::Cancel { .. })));
    match run.outcome {
        RunOutcome::Unknown => assert!(unknown),
        RunOutcome::Canceled => assert!(canceled && !unknown),
        RunOutcome::Deadline => assert!(deadline && !unknown),
        RunOutcome::Failed => assert!(failed && !unknown, "{:?}", run.why),
        RunOutcome::Passed => {
            assert!(
                !unknown && !failed && !canceled && !deadline,
                "{:#?}",
                bench.words()
            );
            // Items that were not begun after one that may fail are given up by what the playbook says.
            let given_up = bench
                .steps()
                .any(|s| s.outcome == StepOutcome::Canceled && !s.allowed_to_fail);
            assert!(!given_up, "{:#?}", bench.words());
        }
    }
    assert_eq!(run.outcome == RunOutcome::Passed, run.why.is_none());
    assert_eq!(run.outcome == RunOutcome::Passed, run.failure.is_none());
}

/// The same facts give the same commands and the same bytes of events, also when the record breaks off
/// anywhere.
fn replays(bench: &Bench) {
    let mut again = bench::machine(&bench.plan);
    for (ev, at, turn) in &bench.turns {
        assert_eq!(again.step(ev.clone(), *at), *turn);
    }
    let recorded: Vec<(&Event, _)> = bench
        .turns
        .iter()
        .flat_map(|(_, at, turn)| turn.events.iter().map(move |e| (e, *at)))
        .collect();
    let all: Vec<&Event> = recorded.iter().map(|(event, _)| *event).collect();
    let all = bench::bytes(&all);
    // A few cuts are enough: those of every fifth event, and the last ones.
    let cuts = (1..=recorded.len()).filter(|cut| cut % 5 == 1 || cut + 3 > recorded.len());
    for cut in cuts {
        let past = &recorded[..cut];
        let mut machine = bench::machine(&bench.plan);
        let mut decided = machine.step(None, past[0].1).events;
        for (event, at) in past {
            if let Some(ev) = Ev::of(event) {
                decided.extend(machine.step(Some(ev), *at).events);
            }
        }
        let decided = bench::bytes(&decided.iter().collect::<Vec<_>>());
        assert!(
            decided.len() >= cut,
            "cut at {cut}: {} decided",
            decided.len()
        );
        assert_eq!(decided, all[..decided.len()], "cut at {cut}");
    }
}

fn config() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        cases: u32::try_from(rig::knob("RUNNER_TEST_CASES", 300)).expect("a number of cases"),
        max_shrink_iters: 4_000,
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn whatever_happens_a_run_ends_and_says_the_truth(case in case()) {
        let text = case.text();
        let source = runner::diagnostic::Source::new("test.yml", text.clone());
        // Some random graphs are refused at load: a step that can never run is a mistake.
        let (Some(_), _) = runner::plan::check(&source, &Limits::default()) else {
            return Err(TestCaseError::reject("refused at load"));
        };
        let played = std::panic::catch_unwind(|| {
            let mut bench = Bench::of(rig::plan(&text, &Limits::default()));
            case.play(&mut bench);
            check(&bench);
            replays(&bench);
        });
        prop_assert!(played.is_ok(), "{}", text);
    }
}

/// A case that is refused at load tries nothing: each action alone must load.
#[test]
fn every_action_of_the_random_cases_loads() {
    for action in 0..ACTIONS {
        let step = StepSpec {
            action,
            needs: Vec::new(),
            when: 0,
            allow_failure: false,
            timeout: 0,
            attempts: 0,
            undo: 3,
            fan: 0,
        };
        let case = Case {
            steps: vec![step],
            finally: Vec::new(),
            stop: false,
            backwards: false,
            output: true,
            choices: Vec::new(),
        };
        let mut bench = Bench::new(&case.text());
        case.play(&mut bench);
        check(&bench);
    }
}
