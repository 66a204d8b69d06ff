//! What happens to files: crashes, cuts, flipped bits, foreign and newer files, modes, dead owners.

use std::path::{Path, PathBuf};
use std::time::Instant;

use runner::event::Recorded;
use runner::outcome::StepOutcome;
use runner::store::{SqliteStore, Store as _, StoreError, StoreErrorKind};

use super::fixture::{
    SECRET, call_ended, cancel, guard, header, intent, key, kind, open, owner, run_ended,
    step_ended, warned, warnings,
};

/// A state folder with one run of `events` events, three to a commit.
fn written(dir: &Path, events: u64) -> SqliteStore {
    let store = open(dir);
    store.create_run(&header("r1", 0)).unwrap();
    for first in (1..=events).step_by(3) {
        store
            .append("r1", &warnings(first..=(first + 2).min(events)))
            .unwrap();
    }
    store
}

fn state(dir: &Path) -> PathBuf {
    dir.join("state")
}

fn database(dir: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(state(dir).join("runs.db")).unwrap()
}

/// What a crash leaves behind: the files as they are at this instant.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        // SQLite makes its shared memory anew when nobody has the file open.
        let skip = path.extension().is_some_and(|e| e == "db-shm");
        if path.is_dir() {
            copy(&path, &target);
        } else if !skip {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Opens and loads; a panic is the one thing that must not happen.
fn load(dir: &Path) -> Result<Vec<Recorded>, StoreError> {
    let store = SqliteStore::open(&state(dir))?;
    store.list(&runner::store::ListFilter::default())?;
    store.header("r1")?;
    store.open_intents("r1")?;
    store.take("r1")?;
    store.load("r1")
}

#[track_caller]
fn is_damage(error: &StoreError) {
    assert!(
        matches!(error.kind, StoreErrorKind::Damaged { .. }),
        "{error:?}"
    );
}

#[test]
fn whatever_was_acknowledged_survives_a_crash_at_any_commit() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_run(&header("r1", 0)).unwrap();
    for seq in 1..=40 {
        if seq % 4 == 0 {
            let attempt = u32::try_from(seq).unwrap();
            store
                .write_intent("r1", &intent("a", attempt, "t"), &[warned(seq)])
                .unwrap();
        } else {
            store.append("r1", &[warned(seq)]).unwrap();
        }
        let crashed = tempfile::tempdir().unwrap();
        copy(&state(dir.path()), &state(crashed.path()));
        assert_eq!(load(crashed.path()).unwrap(), warnings(1..=seq));
        let intents = open(crashed.path()).open_intents("r1").unwrap();
        assert_eq!(intents.len() as u64, seq / 4);
    }
}

#[test]
fn a_cut_log_is_a_whole_prefix_or_named_damage() {
    let dir = tempfile::tempdir().unwrap();
    let _store = written(dir.path(), 12);
    let log = state(dir.path()).join("runs.db-wal");
    let whole = std::fs::metadata(&log).unwrap().len();
    let (mut prefixes, mut named) = (0, 0);
    for cut in (0..whole).step_by(usize::try_from(whole / 60).unwrap()) {
        for keeps_anchor in [true, false] {
            let crashed = tempfile::tempdir().unwrap();
            copy(&state(dir.path()), &state(crashed.path()));
            let log = state(crashed.path()).join("runs.db-wal");
            std::fs::File::options()
                .write(true)
                .open(log)
                .unwrap()
                .set_len(cut)
                .unwrap();
            if !keeps_anchor {
                std::fs::remove_file(state(crashed.path()).join("runs/r1/commits")).unwrap();
            }
            match load(crashed.path()) {
                Ok(events) => {
                    assert!(!keeps_anchor, "what is gone was not noticed");
                    assert!(events.len() % 3 == 0, "half a commit");
                    assert_eq!(events, warnings(1..=events.len() as u64));
                    prefixes += 1;
                }
                Err(error) if keeps_anchor => {
                    is_damage(&error);
                    named += 1;
                }
                // Cut before the run itself was written.
                Err(error) => assert_eq!(error.kind, StoreErrorKind::NotFound),
            }
        }
    }
    assert!(
        prefixes > 10 && named > 40,
        "{prefixes} prefixes, {named} named"
    );
}

#[test]
fn a_flipped_bit_is_named_or_without_effect() {
    for file in ["runs.db", "runs.db-wal"] {
        let dir = tempfile::tempdir().unwrap();
        let store = written(dir.path(), 30);
        store.write_intent("r1", &intent("a", 1, "t"), &[]).unwrap();
        store.post("r1", &cancel("ann")).unwrap();
        if file == "runs.db" {
            drop(store);
            assert!(!state(dir.path()).join("runs.db-wal").exists());
        } else {
            std::mem::forget(store);
        }
        let bytes = std::fs::read(state(dir.path()).join(file)).unwrap();
        let crashed = tempfile::tempdir().unwrap();
        let mut named = 0;
        for n in 0..400 {
            let at = n * bytes.len() / 400 + n % 7;
            let _ = std::fs::remove_dir_all(state(crashed.path()));
            copy(&state(dir.path()), &state(crashed.path()));
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (n % 8);
            std::fs::write(state(crashed.path()).join(file), flipped).unwrap();
            match load(crashed.path()) {
                Ok(events) => assert_eq!(events, warnings(1..=30), "{file} at {at}"),
                Err(error) => {
                    assert_ne!(error.kind, StoreErrorKind::NotFound, "{file} at {at}");
                    named += 1;
                }
            }
        }
        assert!(named > 30, "{file}: {named} of 400 named");
    }
}

#[test]
fn what_was_changed_behind_our_back_is_named() {
    let edits = [
        (
            "UPDATE events SET json = replace(json, 'event 2', 'event 9') WHERE seq = 2",
            "event 2",
        ),
        ("UPDATE events SET checksum = '' WHERE seq = 6", "event 6"),
        ("DELETE FROM events WHERE seq = 1", "event 1"),
        ("DELETE FROM events WHERE seq = 3", "event 3"),
        ("DELETE FROM events WHERE seq = 6", "event 6"),
        (
            "UPDATE events SET seq = 7 - seq + 100; UPDATE events SET seq = seq - 100",
            "event 1",
        ),
        ("INSERT INTO events VALUES ('r1', 7, '{}', '')", "its end"),
        (
            "DELETE FROM events WHERE seq > 3; UPDATE runs SET events = 3",
            "its end",
        ),
        ("UPDATE runs SET commits = 1", "gone"),
        ("UPDATE runs SET events = -1", "a number"),
        (
            "UPDATE runs SET header = replace(header, 'd1', 'd2')",
            "the header",
        ),
        ("UPDATE runs SET outcome = 'fine'", "an outcome"),
        (
            "UPDATE intents SET json = replace(json, 'newest', 'oldest')",
            "an intent",
        ),
        (
            "UPDATE inbox SET json = replace(json, 'ann', 'eve')",
            "message 1",
        ),
        ("DELETE FROM runs", "gone"),
        ("DROP TABLE events", "no such table"),
        ("PRAGMA application_id = 0", "no store of runner"),
    ];
    for (sql, named) in edits {
        let dir = tempfile::tempdir().unwrap();
        let store = written(dir.path(), 6);
        store.write_intent("r1", &intent("a", 1, "t"), &[]).unwrap();
        store.post("r1", &cancel("ann")).unwrap();
        drop(store);
        database(dir.path()).execute_batch(sql).unwrap();
        let error = load(dir.path()).expect_err(sql);
        is_damage(&error);
        assert!(error.message.contains(named), "{sql}: {error}");
        assert!(error.hint.is_some());
    }
}

#[test]
fn an_old_copy_put_back_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    drop(written(dir.path(), 3));
    let file = state(dir.path()).join("runs.db");
    let old = std::fs::read(&file).unwrap();
    open(dir.path())
        .append("r1", &[call_ended(4, key("a", 1), Ok(Default::default()))])
        .unwrap();
    std::fs::write(&file, old).unwrap();
    is_damage(&load(dir.path()).unwrap_err());
    std::fs::remove_file(&file).unwrap();
    is_damage(&load(dir.path()).unwrap_err());
    is_damage(&open(dir.path()).create_run(&header("r1", 9)).unwrap_err());
    open(dir.path())
        .create_run(&header("r2", 9))
        .expect("other runs can be made");
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let foreign = "CREATE TABLE notes (text TEXT)";
    let newer = "PRAGMA user_version = 99";
    for (sql, newer) in [(foreign, false), (newer, true)] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(state(dir.path())).unwrap();
        if newer {
            drop(written(dir.path(), 3));
        }
        database(dir.path()).execute_batch(sql).unwrap();
        let before = std::fs::read(state(dir.path()).join("runs.db")).unwrap();
        let error = SqliteStore::open(&state(dir.path())).unwrap_err();
        match newer {
            true => assert_eq!(error.kind, StoreErrorKind::NewerVersion),
            false => is_damage(&error),
        }
        let after = std::fs::read(state(dir.path()).join("runs.db")).unwrap();
        assert!(before == after, "{sql}");
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(state(dir.path())).unwrap();
    std::fs::write(
        state(dir.path()).join("runs.db"),
        "no database at all ".repeat(99),
    )
    .unwrap();
    is_damage(&SqliteStore::open(&state(dir.path())).unwrap_err());
    std::fs::remove_dir_all(state(dir.path())).unwrap();
    std::fs::write(state(dir.path()), "a file in the place of the folder").unwrap();
    assert_eq!(
        kind(SqliteStore::open(&state(dir.path()))),
        StoreErrorKind::Io
    );
}

#[test]
fn a_file_of_an_older_version_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let store = written(dir.path(), 3);
    let ended = step_ended(4, StepOutcome::Passed, 7);
    store.append("r1", &[ended]).unwrap();
    drop(store);
    // What the first version did not have.
    let first = "DROP TABLE failures;
        ALTER TABLE runs DROP COLUMN remembered_as;
        ALTER TABLE runs DROP COLUMN api_usage;
        ALTER TABLE history DROP COLUMN failure;
        ALTER TABLE history DROP COLUMN queued_ms;
        ALTER TABLE history DROP COLUMN ran_ms;
        PRAGMA user_version = 1;";
    database(dir.path()).execute_batch(first).unwrap();
    let store = open(dir.path());
    assert_eq!(load(dir.path()).unwrap().len(), 4);
    let ended = step_ended(5, StepOutcome::Passed, 9);
    store.append("r1", &[ended]).unwrap();
    let past = store.history("release", "build").unwrap();
    let durations: Vec<u64> = past.iter().map(|past| past.duration_ms).collect();
    assert_eq!(durations, [9, 7]);
    drop(store);
    drop(open(dir.path()));
}

#[test]
fn an_event_of_a_newer_version_is_said_to_be_one() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_run(&header("r1", 0)).unwrap();
    let json = r#"{"seq":1,"at":{"wall":"2026-01-01T00:00:00Z","active_ms":0},"event":{"event":"teleported"}}"#;
    let digest = runner::ids::digest(&["event", "r1", "1", json, ""]);
    let sum = digest.get(..32).unwrap();
    let database = database(dir.path());
    database
        .execute("INSERT INTO events VALUES ('r1', 1, ?, ?)", [json, sum])
        .unwrap();
    database
        .execute("UPDATE runs SET events = 1, chain = ?", [sum])
        .unwrap();
    assert_eq!(kind(store.load("r1")), StoreErrorKind::NewerVersion);
}

#[test]
fn a_dead_owner_never_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let store = written(dir.path(), 3);
    // What a killed process leaves: both files, and no lock on them.
    let locks = state(dir.path()).join("locks");
    std::fs::write(locks.join("run-r1.lock"), "").unwrap();
    let text = serde_json::to_string(&owner("r1")).unwrap();
    std::fs::write(locks.join("run-r1.owner"), text).unwrap();
    assert_eq!(store.owner("r1").unwrap(), None);
    let mut mine = owner("r1");
    mine.pid = 1;
    let guard = store.acquire("r1", &mine).unwrap();
    assert_eq!(open(dir.path()).owner("r1").unwrap(), Some(mine));
    drop(guard);
    // An owner whose name cannot be read is an owner all the same.
    let _guard = store.acquire("r1", &owner("r1")).unwrap();
    std::fs::write(locks.join("run-r1.owner"), "{").unwrap();
    let refused = open(dir.path()).acquire("r1", &owner("r1"));
    assert_eq!(kind(refused), StoreErrorKind::Locked { by: None });
}

#[test]
fn pruning_removes_the_files_of_a_run_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_run(&header("r1", 0)).unwrap();
    store.create_run(&header("r2", 0)).unwrap();
    for run in ["r1", "r2"] {
        std::fs::write(store.run_folder(run).unwrap().join("job.log"), "log").unwrap();
    }
    store
        .append("r1", &[run_ended(1, runner::outcome::RunOutcome::Passed)])
        .unwrap();
    assert_eq!(store.prune(jiff::Timestamp::MAX).unwrap(), ["r1"]);
    assert!(!store.run_folder("r1").unwrap().exists());
    assert!(store.run_folder("r2").unwrap().join("job.log").exists());
    assert!(!state(dir.path()).join("locks/run-r1.lock").exists());
    store.check().unwrap();
}

#[test]
fn no_secret_reaches_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path()).with_redactor(guard());
    let mut head = header("r1", 0);
    head.settings = serde_json::json!([SECRET]);
    store.create_run(&head).unwrap();
    let answer = runner::event::Answer {
        value: serde_json::json!({"body": format!("x{SECRET}x")}),
        ..Default::default()
    };
    store
        .append("r1", &[call_ended(1, key("a", 1), Ok(answer))])
        .unwrap();
    for name in ["runs.db", "runs.db-wal"] {
        let bytes = std::fs::read(state(dir.path()).join(name)).unwrap();
        assert!(
            !bytes.windows(10).any(|w| w == &SECRET.as_bytes()[3..13]),
            "{name}"
        );
    }
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look() {
    use std::os::unix::fs::PermissionsExt as _;
    fn modes(path: &Path, found: &mut Vec<(PathBuf, u32)>) {
        let metadata = std::fs::metadata(path).unwrap();
        found.push((path.to_owned(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                modes(&entry.unwrap().path(), found);
            }
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let store = written(dir.path(), 3);
    let _guard = store.acquire("r1", &owner("r1")).unwrap();
    let mut found = Vec::new();
    modes(&state(dir.path()), &mut found);
    assert!(found.len() >= 9, "{found:?}");
    for (path, mode) in found {
        let wanted = if path.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode, wanted, "{}", path.display());
    }
}

#[test]
fn ten_thousand_events_in_groups() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    store.create_run(&header("r1", 0)).unwrap();
    let began = Instant::now();
    for first in (1..=10_000).step_by(100) {
        store.append("r1", &warnings(first..=first + 99)).unwrap();
    }
    println!("10,000 events in 100 commits: {:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(store.load("r1").unwrap().len(), 10_000);
    println!("loaded in {:?}", began.elapsed());
}
