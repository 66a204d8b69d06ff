//! Stores: one list of cases that every store must pass; beside it what only files can suffer
//! (`stores/damage.rs`), and the faults that the store in memory plays (`stores/faults.rs`).

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail the test like the tests themselves"
)]

mod damage;
mod faults;
mod fixture;

use runner::event::{Answer, Event, Failure, FailureKind, Fate, Observation, Seen};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::store::{
    InboxMessage, ListFilter, Resolution, RunState, Store, StoreErrorKind, Usage, remembered_as,
};

use fixture::{
    Place, SECRET, at, call_ended, cancel, header, intent, key, kind, owner, recorded, run_ended,
    step_ended, warned, warnings,
};

fn ids(store: &dyn Store, filter: &ListFilter) -> Vec<String> {
    let list = store.list(filter).unwrap();
    list.into_iter().map(|run| run.id).collect()
}

type Case = (&'static str, fn(&Place));

/// What every store must do.
const CASES: [Case; 16] = [
    ("a run comes back as it was written", comes_back),
    ("an id that is no file name is refused", ids_are_checked),
    ("events follow each other without gaps", no_gaps),
    (
        "an intent is open until its call has ended",
        intents_open_and_close,
    ),
    ("an ended run takes nothing more", ended_is_ended),
    ("the list shows states, newest first", lists),
    ("a run is found by a unique beginning", finds),
    ("messages stay until they are settled", messages_stay),
    ("of observations the last is kept", observations_last),
    ("how much a run asked is kept with it", usage_kept),
    ("a lock has one holder", locks),
    ("history keeps the last twenty", history),
    (
        "history knows pipelines and simulations",
        history_of_pipelines,
    ),
    ("failures are remembered, and that they went", failures),
    ("pruning leaves what has not ended", prunes),
    ("the guard masks what is secret", guards),
];

#[test]
fn every_store_keeps_the_contract() {
    for (case, check) in CASES {
        for place in Place::both() {
            println!("{case}: {}", place.name());
            check(&place);
        }
    }
}

fn comes_back(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    assert_eq!(
        kind(store.create_run(&header("r1", 0))),
        StoreErrorKind::Exists
    );
    store.append("r1", &warnings(1..=3)).unwrap();
    store.append("r1", &[]).unwrap();
    store.append("r1", &warnings(4..=4)).unwrap();
    drop(store);
    let again = place.open();
    assert_eq!(again.header("r1").unwrap(), header("r1", 0));
    assert_eq!(again.load("r1").unwrap(), warnings(1..=4));
    assert_eq!(kind(again.load("r2")), StoreErrorKind::NotFound);
    assert_eq!(kind(again.header("r2")), StoreErrorKind::NotFound);
    assert_eq!(
        kind(again.append("r2", &warnings(1..=1))),
        StoreErrorKind::NotFound
    );
}

fn ids_are_checked(place: &Place) {
    let store = place.open();
    for bad in ["", "last", "../x", "a/b", ".hidden", "a b"] {
        assert_eq!(
            kind(store.create_run(&header(bad, 0))),
            StoreErrorKind::InvalidId
        );
        assert_eq!(
            kind(store.acquire(bad, &owner(bad))),
            StoreErrorKind::InvalidId
        );
        assert_eq!(kind(store.load(bad)), StoreErrorKind::NotFound);
    }
}

fn no_gaps(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    store.append("r1", &warnings(1..=2)).unwrap();
    for wrong in [warnings(2..=3), warnings(4..=4), vec![warned(3), warned(5)]] {
        assert_eq!(kind(store.append("r1", &wrong)), StoreErrorKind::OutOfOrder);
        let refused = store.write_intent("r1", &intent("a", 1, "t"), &wrong);
        assert_eq!(kind(refused), StoreErrorKind::OutOfOrder);
    }
    assert_eq!(store.load("r1").unwrap(), warnings(1..=2), "all or nothing");
    assert!(
        store.open_intents("r1").unwrap().is_empty(),
        "all or nothing"
    );
}

fn intents_open_and_close(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    store
        .write_intent("r1", &intent("b", 1, "t1"), &warnings(1..=1))
        .unwrap();
    store
        .write_intent("r1", &intent("a", 1, "t2"), &[])
        .unwrap();
    let reopened = place.open();
    assert_eq!(reopened.load("r1").unwrap(), warnings(1..=1));
    let open = [intent("b", 1, "t1"), intent("a", 1, "t2")];
    assert_eq!(reopened.open_intents("r1").unwrap(), open);
    assert_eq!(
        reopened.intent("r1", &key("b", 1)).unwrap().unwrap().token,
        "t1"
    );
    assert_eq!(reopened.intent("r1", &key("b", 2)).unwrap(), None);
    store
        .append("r1", &[call_ended(2, key("b", 2), Ok(Answer::default()))])
        .unwrap();
    assert_eq!(
        store.open_intents("r1").unwrap().len(),
        2,
        "another call has ended"
    );
    let unknown = Failure::new(FailureKind::FateUnknown, "no answer").fate(Fate::Unknown);
    store
        .append("r1", &[call_ended(3, key("b", 1), Err(unknown))])
        .unwrap();
    assert_eq!(store.open_intents("r1").unwrap(), [intent("a", 1, "t2")]);
    store
        .write_intent("r1", &intent("a", 1, "t3"), &[])
        .unwrap();
    assert_eq!(
        store.open_intents("r1").unwrap(),
        [intent("a", 1, "t3")],
        "replaced"
    );
}

fn ended_is_ended(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    store.post("r1", &cancel("ann")).unwrap();
    store
        .append("r1", &[warned(1), run_ended(2, RunOutcome::Failed)])
        .unwrap();
    assert_eq!(
        kind(store.append("r1", &warnings(3..=3))),
        StoreErrorKind::Ended
    );
    assert_eq!(
        kind(store.write_intent("r1", &intent("a", 1, "t"), &[])),
        StoreErrorKind::Ended
    );
    assert_eq!(
        kind(store.post("r1", &cancel("ann"))),
        StoreErrorKind::Ended
    );
    assert!(
        store.take("r1").unwrap().is_empty(),
        "nobody reads them any more"
    );
    assert_eq!(store.load("r1").unwrap().len(), 2);
}

fn lists(place: &Place) {
    let store = place.open();
    let all = ListFilter::default();
    assert!(ids(&*store, &all).is_empty());
    for (id, second) in [("old", 1), ("new", 3), ("middle", 2), ("twin", 2)] {
        store.create_run(&header(id, second)).unwrap();
    }
    assert_eq!(ids(&*store, &all), ["new", "twin", "middle", "old"]);
    let parked = Event::Parked {
        reason: "SIGTERM".into(),
        exit_code: 143,
    };
    store
        .append("middle", &[recorded(1, parked.clone())])
        .unwrap();
    store
        .append(
            "twin",
            &[
                recorded(1, parked),
                recorded(2, Event::Resumed { session: 1 }),
            ],
        )
        .unwrap();
    store
        .append("old", &[run_ended(1, RunOutcome::Passed)])
        .unwrap();
    let guard = store.acquire("new", &owner("new")).unwrap();
    let list = place.open().list(&all).unwrap();
    let seen: Vec<_> = list
        .iter()
        .map(|run| {
            (
                run.id.as_str(),
                run.state,
                run.outcome,
                run.parked.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("new", RunState::Running, None, None),
            ("twin", RunState::Parked, None, None),
            ("middle", RunState::Parked, None, Some("SIGTERM")),
            ("old", RunState::Ended, Some(RunOutcome::Passed), None),
        ]
    );
    assert_eq!(list.first().unwrap().owner, Some(owner("new")));
    assert_eq!(list.last().unwrap().ended_at, Some(at(1)));
    assert_eq!(list.last().unwrap().started_at, at(1));
    let parked = ListFilter {
        state: Some(RunState::Parked),
        runs_max: Some(1),
        ..all.clone()
    };
    assert_eq!(ids(&*store, &parked), ["twin"]);
    let other = ListFilter {
        name: Some("nightly".into()),
        ..all.clone()
    };
    assert!(ids(&*store, &other).is_empty());
    drop(guard);
    assert_eq!(
        store.list(&all).unwrap().first().unwrap().state,
        RunState::Parked
    );
}

fn finds(place: &Place) {
    let store = place.open();
    assert_eq!(kind(store.find("last")), StoreErrorKind::NotFound);
    for (id, second) in [("abc", 1), ("abcd", 3), ("x_1", 2)] {
        store.create_run(&header(id, second)).unwrap();
    }
    assert_eq!(store.find("last").unwrap(), "abcd");
    assert_eq!(
        store.find("abc").unwrap(),
        "abc",
        "a whole id is never ambiguous"
    );
    assert_eq!(store.find("x").unwrap(), "x_1");
    let both = vec!["abcd".to_owned(), "abc".to_owned()];
    assert_eq!(
        kind(store.find("ab")),
        StoreErrorKind::Ambiguous { ids: both }
    );
    for none in ["", "%", "_", "ABC", "x_12", "\0"] {
        assert_eq!(kind(store.find(none)), StoreErrorKind::NotFound, "{none:?}");
    }
}

fn messages_stay(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    store.create_run(&header("r2", 0)).unwrap();
    assert_eq!(
        kind(store.post("none", &cancel("ann"))),
        StoreErrorKind::NotFound
    );
    let messages = [
        InboxMessage::Answer {
            step: "ok".into(),
            approved: true,
            by: "ann".into(),
        },
        InboxMessage::Resolve {
            step: "b".into(),
            resolution: Resolution::NotSent,
            by: "bob".into(),
        },
    ];
    for message in &messages {
        place.open().post("r1", message).unwrap();
    }
    store.post("r2", &cancel("eve")).unwrap();
    let taken = store.take("r1").unwrap();
    let texts: Vec<_> = taken.iter().map(|posted| posted.message.clone()).collect();
    assert_eq!(texts, messages);
    assert!(
        store.take("r1").unwrap().is_empty(),
        "each is given out once"
    );
    if let Place::Memory(memory) = place {
        memory.restart();
    }
    let again = place.open();
    assert_eq!(
        again.take("r1").unwrap(),
        taken,
        "after a crash they come again"
    );
    again.settle("r1", taken.first().unwrap().number).unwrap();
    again.post("r1", &cancel("ann")).unwrap();
    let new = again.take("r1").unwrap();
    assert_eq!(new.first().unwrap().message, cancel("ann"));
    again.settle("r1", new.first().unwrap().number).unwrap();
    if let Place::Memory(memory) = place {
        memory.restart();
    }
    assert!(place.open().take("r1").unwrap().is_empty(), "settled");
    assert_eq!(place.open().take("r2").unwrap().len(), 1);
}

fn usage_kept(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    assert_eq!(store.usage("r1").unwrap(), Usage::default());
    let mut usage = Usage {
        requests: 3,
        by_endpoint: [("run_workflow".to_owned(), 1)].into(),
        saved: 2,
        bytes: 70,
    };
    store.put_usage("r1", &usage);
    assert_eq!(place.open().usage("r1").unwrap(), usage);
    usage.add(&usage.clone());
    store.put_usage("r1", &usage);
    let kept = place.open().usage("r1").unwrap();
    assert_eq!((kept.requests, kept.saved, kept.bytes), (6, 4, 140));
    assert_eq!(kept.by_endpoint["run_workflow"], 2);
    store.put_usage("none", &usage);
    assert_eq!(store.usage("none").unwrap(), Usage::default());
}

fn observations_last(place: &Place) {
    let seen = |step: &str, message: &str| Observation {
        step: step.into(),
        at: at(1),
        seen: Seen::Trouble {
            message: message.into(),
        },
    };
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    store.put_observation("r1", &seen("b", "first"));
    store.put_observation("r1", &seen("a", "only"));
    store.put_observation("r1", &seen("b", "second"));
    let last = [seen("a", "only"), seen("b", "second")];
    assert_eq!(place.open().observations("r1").unwrap(), last);
    assert!(store.observations("none").unwrap().is_empty());
}

fn locks(place: &Place) {
    let (store, other) = (place.open(), place.open());
    store.create_run(&header("r1", 0)).unwrap();
    assert_eq!(other.owner("r1").unwrap(), None);
    let guard = store.acquire("r1", &owner("r1")).unwrap();
    for handle in [&store, &other] {
        let refused = handle.acquire("r1", &owner("r1")).expect_err("it is held");
        let by = Some(Box::new(owner("r1")));
        assert!(
            refused.message.contains("process 4711 on ci-1"),
            "{refused}"
        );
        assert_eq!(refused.kind, StoreErrorKind::Locked { by });
        assert_eq!(handle.owner("r1").unwrap(), Some(owner("r1")));
    }
    let _another = other.acquire("r2", &owner("r2")).unwrap();
    let group = other
        .acquire_group("r1", &owner("r1"))
        .expect("a group is no run");
    let strange = "../lane \u{1b}[31m";
    let _strange = store.acquire_group(strange, &owner("r1")).unwrap();
    let refused = other
        .acquire_group(strange, &owner("r2"))
        .expect_err("it is held");
    assert!(!refused.message.contains('\u{1b}'));
    drop(guard);
    drop(group);
    assert_eq!(store.owner("r1").unwrap(), None);
    let _again = other.acquire("r1", &owner("r1")).unwrap();
    let _group = store.acquire_group("r1", &owner("r1")).unwrap();
}

fn history(place: &Place) {
    let store = place.open();
    store.create_run(&header("r1", 0)).unwrap();
    assert!(store.history("release", "build").unwrap().is_empty());
    for n in 1..=25 {
        let outcome = if n % 2 == 0 {
            StepOutcome::Failed
        } else {
            StepOutcome::Passed
        };
        store
            .append("r1", &[step_ended(n, outcome, n * 100)])
            .unwrap();
    }
    store
        .append("r1", &[step_ended(26, StepOutcome::Skipped, 0)])
        .unwrap();
    let past = place.open().history("release", "build").unwrap();
    let durations: Vec<u64> = past.iter().map(|step| step.duration_ms).collect();
    assert_eq!(
        durations,
        (6..=25).rev().map(|n| n * 100).collect::<Vec<_>>()
    );
    assert_eq!(past.first().unwrap().outcome, StepOutcome::Passed);
    assert_eq!(past.first().unwrap().at, at(25));
    assert!(store.history("nightly", "build").unwrap().is_empty());
    assert_eq!(store.histories("release").unwrap()["build"], past);
    assert!(store.histories("nightly").unwrap().is_empty());
    let all = store.estimates("release").unwrap();
    let passed: Vec<u64> = (6..=25).filter(|n| n % 2 == 1).map(|n| n * 100).collect();
    let build = all.get("build").unwrap();
    assert_eq!(build.passed, passed.len());
    assert_eq!(build.duration_ms, (passed[4] + passed[5]) / 2);
}

fn history_of_pipelines(place: &Place) {
    let store = place.open();
    let mut simulated = header("r2", 0);
    simulated.settings = serde_json::json!({ "simulated": true });
    store.create_run(&header("r1", 0)).unwrap();
    store.create_run(&simulated).unwrap();
    let mut ended = step_ended(1, StepOutcome::Failed, 90_000);
    if let Event::StepEnded(ended) = &mut ended.event {
        let outputs = serde_json::json!({ "queued_for": 30.5, "ran_for": 59.0, "url": "x" });
        ended.outputs = outputs.as_object().unwrap().clone();
        ended.error = Some(Failure::new(FailureKind::PipelineFailed, "it failed"));
    }
    store.append("r1", &[ended]).unwrap();
    store
        .append("r2", &[step_ended(1, StepOutcome::Passed, 5)])
        .unwrap();
    let past = place.open().history("release", "build").unwrap();
    let [only] = past.as_slice() else {
        panic!("{past:?}");
    };
    assert_eq!(
        (only.queued_ms, only.ran_ms, only.failure),
        (
            Some(30_500),
            Some(59_000),
            Some(FailureKind::PipelineFailed)
        )
    );
    assert_eq!(store.estimates("release").unwrap().get("build"), None);
    let simulated = remembered_as("release", true);
    let apart = store.estimates(&simulated).unwrap();
    assert_eq!(apart.get("build").unwrap().duration_ms, 5);
}

/// What a look at a red pipeline gave.
fn triaged(
    seq: u64,
    (pipeline, branch): (&str, &str),
    signatures: &[&str],
) -> runner::event::Recorded {
    let jobs: Vec<_> = signatures
        .iter()
        .map(|signature| serde_json::json!({ "signature": signature }))
        .collect();
    let value = serde_json::json!({
        "triage": { "jobs": jobs },
        "about": {
            "project_id": "p", "pipeline_id": pipeline, "branch": branch, "commit_sha": branch,
            "pipeline_file": "a.yml",
        },
    });
    let answer = Answer {
        value,
        ..Answer::default()
    };
    call_ended(seq, key("tests", 1), Ok(answer))
}

fn passed(seq: u64, commit: &str, file: &str) -> runner::event::Recorded {
    let value = serde_json::json!({ "pipeline": {
        "project_id": "p", "commit_sha": commit, "pipeline_file": file, "result": "passed",
    } });
    let answer = Answer {
        value,
        ..Answer::default()
    };
    call_ended(seq, key("tests", 1), Ok(answer))
}

fn failures(place: &Place) {
    let store = place.open();
    let mut simulated = header("r2", 0);
    simulated.settings = serde_json::json!({ "simulated": true });
    store.create_run(&header("r1", 0)).unwrap();
    store.create_run(&simulated).unwrap();
    let events = [
        triaged(1, ("p1", "main"), &["s", "t", "s", ""]),
        triaged(2, ("p2", "dev"), &["s"]),
        triaged(3, ("p2", "dev"), &["s"]),
        passed(4, "dev", "b.yml"),
        passed(5, "main", "a.yml"),
    ];
    store.append("r1", &events).unwrap();
    store
        .append("r2", &[triaged(1, ("p3", "main"), &["s"])])
        .unwrap();
    let seen = |run: &str, signature: &str, since: i64| -> Vec<(String, String, bool)> {
        let found = place.open().failures(run, ("p", signature), at(since));
        let found = found.unwrap().into_iter();
        found
            .map(|past| (past.pipeline_id, past.branch, past.passed_later))
            .collect()
    };
    let row = |pipeline: &str, branch: &str, passed| (pipeline.into(), branch.into(), passed);
    let (one, two) = (row("p1", "main", true), row("p2", "dev", false));
    assert_eq!(seen("r1", "s", 0), [two.clone(), one.clone()]);
    assert_eq!(seen("r1", "s", 2), [two]);
    assert_eq!(seen("r1", "t", 0), [one]);
    assert_eq!(seen("r1", "", 0), []);
    assert_eq!(seen("r2", "s", 0), [row("p3", "main", false)]);
    assert_eq!(
        kind(store.failures("none", ("p", "s"), at(0))),
        StoreErrorKind::NotFound
    );
    let many = (6..=150).map(|seq| triaged(seq, (&format!("p{seq}"), "main"), &["s"]));
    store.append("r1", &many.collect::<Vec<_>>()).unwrap();
    assert_eq!(seen("r1", "s", 0).len(), 100);
    store.prune(at(140)).unwrap();
    assert_eq!(seen("r1", "s", 0).len(), 11, "what is older is forgotten");
}

fn prunes(place: &Place) {
    let store = place.open();
    for id in ["ended", "held", "young", "parked"] {
        store.create_run(&header(id, 0)).unwrap();
    }
    store
        .append(
            "ended",
            &[
                step_ended(1, StepOutcome::Passed, 7),
                run_ended(2, RunOutcome::Passed),
            ],
        )
        .unwrap();
    store
        .append("held", &[run_ended(1, RunOutcome::Passed)])
        .unwrap();
    let until = (1..100).map(warned).chain([
        step_ended(100, StepOutcome::Passed, 8),
        run_ended(101, RunOutcome::Passed),
    ]);
    store.append("young", &until.collect::<Vec<_>>()).unwrap();
    store.append("parked", &warnings(1..=1)).unwrap();
    let _held = place.open().acquire("held", &owner("held")).unwrap();
    assert_eq!(store.prune(at(50)).unwrap(), ["ended"]);
    assert_eq!(kind(store.load("ended")), StoreErrorKind::NotFound);
    let mut left = ids(&*store, &ListFilter::default());
    left.sort();
    assert_eq!(left, ["held", "parked", "young"]);
    let left = store.history("release", "build").unwrap();
    let durations: Vec<u64> = left.iter().map(|past| past.duration_ms).collect();
    assert_eq!(durations, [8], "what was before that time is forgotten");
    store.create_run(&header("ended", 9)).unwrap();
    assert!(
        store.load("ended").unwrap().is_empty(),
        "a pruned id may be used again"
    );
}

fn guards(place: &Place) {
    let store = place.open();
    let mut head = header("r1", 0);
    head.settings = serde_json::json!({ "note": SECRET });
    store.create_run(&head).unwrap();
    assert_eq!(store.header("r1").unwrap().settings["note"], "***");
    let message = format!("said {SECRET}");
    let refused = Failure::new(FailureKind::Refused, message.clone()).hint(message.clone());
    let mut ended = call_ended(1, key(SECRET, 1), Err(refused));
    store.append("r1", std::slice::from_ref(&ended)).unwrap();
    store.post("r1", &cancel(SECRET)).unwrap();
    let loaded = store.load("r1").unwrap();
    if let Event::CallEnded { outcome, .. } = &mut ended.event {
        let masked = Failure::new(FailureKind::Refused, "said ***").hint("said ***");
        outcome.result = Err(masked);
    }
    assert_eq!(
        loaded,
        [ended],
        "the name of a step is no foreign text: a replay needs it"
    );
    assert_eq!(
        store.take("r1").unwrap().first().unwrap().message,
        cancel("***")
    );
}
