//! What the store in memory plays: commits that fail, and processes that die.

use runner::store::{CrashAt, MemoryStore, Store as _, StoreErrorKind};

use super::fixture::{header, intent, kind, owner, warned, warnings};

#[test]
fn a_failed_commit_leaves_all_as_it_was() {
    let store = MemoryStore::new();
    store.create_run(&header("r1", 0)).unwrap();
    store.append("r1", &warnings(1..=2)).unwrap();
    store.fail_commit(3, StoreErrorKind::Full);
    assert_eq!(
        kind(store.append("r1", &warnings(3..=4))),
        StoreErrorKind::Full
    );
    assert_eq!(store.load("r1").unwrap(), warnings(1..=2));
    store.append("r1", &warnings(3..=4)).unwrap();
    assert_eq!(store.load("r1").unwrap(), warnings(1..=4));
    assert_eq!(store.commits(), 4);
}

#[test]
fn a_crash_keeps_what_was_committed_and_nothing_else() {
    for (side, left) in [(CrashAt::Before, 1), (CrashAt::After, 2)] {
        let store = MemoryStore::new();
        store.create_run(&header("r1", 0)).unwrap();
        let _guard = store.acquire("r1", &owner("r1")).unwrap();
        store.crash_at_commit(3, side);
        store.append("r1", &[warned(1)]).unwrap();
        let dying = store.write_intent("r1", &intent("a", 1, "t"), &[warned(2)]);
        assert_eq!(kind(dying), StoreErrorKind::Io);
        assert!(store.has_crashed());
        assert_eq!(
            kind(store.load("r1")),
            StoreErrorKind::Io,
            "the dead do not read"
        );
        assert_eq!(kind(store.append("r1", &[warned(2)])), StoreErrorKind::Io);
        store.restart();
        assert_eq!(store.load("r1").unwrap(), warnings(1..=left));
        assert_eq!(store.open_intents("r1").unwrap().len() as u64, left - 1);
        let _again = store
            .acquire("r1", &owner("r1"))
            .expect("a dead owner never blocks");
    }
}

#[test]
fn a_snapshot_is_a_world_of_its_own() {
    let store = MemoryStore::new();
    store.create_run(&header("r1", 0)).unwrap();
    let _guard = store.acquire("r1", &owner("r1")).unwrap();
    store.append("r1", &[warned(1)]).unwrap();
    let snapshot = store.snapshot();
    store.append("r1", &[warned(2)]).unwrap();
    store.crash();
    assert_eq!(snapshot.load("r1").unwrap(), warnings(1..=1));
    let _other = snapshot
        .acquire("r1", &owner("r1"))
        .expect("its locks are free");
}
