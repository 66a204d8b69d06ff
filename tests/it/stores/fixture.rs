//! What the cases are made of.

use std::path::Path;

use indexmap::IndexMap;
use jiff::Timestamp;
use runner::clock::Moment;
use runner::event::{
    Answer, EffectKey, Event, Failure, Intent, Outcome, PlanFile, Recorded, RunEnded, StepEnded,
};
use runner::outcome::{RunOutcome, StepOutcome};
use runner::secret::Redactor;
use runner::store::{
    InboxMessage, MemoryStore, OwnerInfo, RunHeader, SecretOrigin, SqliteStore, Store, StoreError,
    StoreErrorKind, StoredInput,
};
use serde_json::json;

pub(super) const SECRET: &str = "correct-horse-battery";

/// A place where runs are kept, that can be opened several times.
pub(super) enum Place {
    Memory(MemoryStore),
    Folder(tempfile::TempDir),
}

impl Place {
    pub(super) fn both() -> [Self; 2] {
        [
            Self::Memory(MemoryStore::new().with_redactor(guard())),
            Self::Folder(tempfile::tempdir().unwrap()),
        ]
    }

    pub(super) fn open(&self) -> Box<dyn Store> {
        match self {
            Self::Memory(store) => Box::new(store.clone()),
            Self::Folder(dir) => Box::new(open(dir.path()).with_redactor(guard())),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            Self::Folder(_) => "sqlite",
        }
    }
}

pub(super) fn guard() -> Redactor {
    let redactor = Redactor::new();
    redactor.learn(SECRET);
    redactor
}

pub(super) fn open(dir: &Path) -> SqliteStore {
    SqliteStore::open(&dir.join("state")).unwrap()
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn header(id: &str, second: i64) -> RunHeader {
    RunHeader {
        id: id.into(),
        name: "release".into(),
        created_at: at(second),
        playbook: "release.yml".into(),
        sources: vec![PlanFile {
            name: "release.yml".into(),
            text: "playbook: 1\n".into(),
            uses: std::collections::BTreeMap::new(),
        }],
        digest: "d1".into(),
        inputs: IndexMap::from([
            ("reference".into(), StoredInput::Value(json!("main"))),
            (
                "slack".into(),
                StoredInput::Secret(SecretOrigin::Env("SLACK".into())),
            ),
        ]),
        env: IndexMap::new(),
        settings: json!({"poll.min": "2s"}),
        files_dir: "files".into(),
    }
}

pub(super) fn recorded(seq: u64, event: Event) -> Recorded {
    let at = Moment {
        wall: at(i64::try_from(seq).unwrap()),
        active_ms: seq,
    };
    Recorded { seq, at, event }
}

pub(super) fn warned(seq: u64) -> Recorded {
    let message = format!("event {seq}");
    recorded(
        seq,
        Event::Warned {
            step: None,
            message,
        },
    )
}

pub(super) fn warnings(range: std::ops::RangeInclusive<u64>) -> Vec<Recorded> {
    range.map(warned).collect()
}

pub(super) fn key(step: &str, attempt: u32) -> EffectKey {
    EffectKey {
        step: step.into(),
        call: 1,
        attempt,
    }
}

pub(super) fn intent(step: &str, attempt: u32, token: &str) -> Intent {
    Intent {
        key: key(step, attempt),
        token: token.into(),
        fence: vec!["newest".into()],
        server_time: Some(at(3)),
    }
}

pub(super) fn call_ended(seq: u64, key: EffectKey, result: Result<Answer, Failure>) -> Recorded {
    let outcome = Outcome {
        started_at: at(0),
        ended_at: at(1),
        requests: 1,
        repeated: false,
        result,
    };
    recorded(seq, Event::CallEnded { key, outcome })
}

pub(super) fn step_ended(seq: u64, outcome: StepOutcome, duration_ms: u64) -> Recorded {
    let ended = StepEnded {
        step: "build".into(),
        outcome,
        why: None,
        error: None,
        allowed_to_fail: false,
        outputs: serde_json::Map::new(),
        links: Vec::new(),
        files: Vec::new(),
        reruns: Vec::new(),
        duration_ms,
    };
    recorded(seq, Event::StepEnded(ended))
}

pub(super) fn run_ended(seq: u64, outcome: RunOutcome) -> Recorded {
    let ended = RunEnded {
        outcome,
        why: None,
        failure: None,
        outputs: serde_json::Map::new(),
    };
    recorded(seq, Event::RunEnded(ended))
}

pub(super) fn owner(run: &str) -> OwnerInfo {
    OwnerInfo {
        pid: 4711,
        host: "ci-1".into(),
        since: at(0),
        run: run.into(),
    }
}

pub(super) fn cancel(by: &str) -> InboxMessage {
    InboxMessage::Cancel { by: by.into() }
}

#[track_caller]
pub(super) fn kind<T: std::fmt::Debug>(result: Result<T, StoreError>) -> StoreErrorKind {
    let error = result.expect_err("an error was expected");
    assert!(!error.message.is_empty() && !error.message.ends_with('.'));
    error.kind
}
