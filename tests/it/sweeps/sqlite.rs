//! A crash at every commit with the real store: the files are copied at the very instant, also in the
//! middle of the commit, when only a part of its pages has reached the log.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use runner::simulator::Scenario;
use runner::store::SqliteStore;

use super::crashes::{Ending, RELEASE, run};
use crate::invariants::broken;
use crate::lab::{self, Lab, Plot, Side};

const LOG: &str = "runs.db-wal";

/// Where in a commit the process dies.
#[derive(Debug, Clone, Copy)]
enum Point {
    Before,
    /// So many quarters of what the commit adds to the log are there.
    Within(u64),
    After,
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

fn length(folder: &Path) -> u64 {
    fs::metadata(folder.join(LOG)).map_or(0, |data| data.len())
}

/// The files as the dead process left them.
fn left_behind(before: &Path, after: &Path, point: Point) -> PathBuf {
    match point {
        Point::Before => before.to_owned(),
        Point::After => after.to_owned(),
        Point::Within(quarters) => {
            let (old, new) = (length(before), length(after));
            let mut log = fs::read(after.join(LOG)).expect("the log");
            let kept = if new > old {
                old + (new - old) * quarters / 4
            } else {
                old
            };
            log.truncate(usize::try_from(kept).expect("a length"));
            // What else a commit does comes after the log.
            fs::write(before.join(LOG), log).expect("the log");
            before.to_owned()
        }
    }
}

fn scenario() -> Scenario {
    Scenario::built_in("passing").expect("a scenario")
}

fn crash(commit: u64, point: Point) -> Ending {
    let about = format!("commit {commit}, {point:?}");
    let root = tempfile::tempdir().expect("a folder");
    let state = root.path().join("state");
    let store = Arc::new(SqliteStore::open(&state).expect("a store"));
    let mut lab = Lab::over(&lab::plan(RELEASE), scenario(), store);
    let folders = (root.path().join("before"), root.path().join("after"));
    let (before, after) = folders.clone();
    lab.ledger.on_commit(Arc::new(move |number, side| {
        if number == commit {
            copy(
                &state,
                if side == Side::Before {
                    &before
                } else {
                    &after
                },
            );
        }
    }));
    let plot = Plot {
        at_commit: Some((commit, Side::After)),
        ..Plot::default()
    };
    lab.session(&plot);
    assert!(lab.ledger.is_dead(), "{about}: it did not die");
    lab.ledger.on_commit(Arc::new(|_, _| {}));
    let left = left_behind(&folders.0, &folders.1, point);
    let again = SqliteStore::open(&left).unwrap_or_else(|e| panic!("{about}: {e}"));
    again.check().unwrap_or_else(|e| panic!("{about}: {e}"));
    lab.ledger.replace(Arc::new(again));
    // What the dead session was told after the copied instant never happened to it: it died there.
    assert_eq!(broken(&lab), Vec::<String>::new(), "{about}");
    run(&mut lab, &[], &about)
}

#[test]
fn the_real_store_survives_a_crash_before_within_and_after_every_commit() {
    let root = tempfile::tempdir().expect("a folder");
    let store = Arc::new(SqliteStore::open(root.path()).expect("a store"));
    let mut lab = Lab::over(&lab::plan(RELEASE), scenario(), store);
    let calm = run(&mut lab, &[], "calm");
    let (commits, _) = lab.ledger.commits();
    assert!(commits > 3);
    let points = [
        Point::Before,
        Point::Within(1),
        Point::Within(2),
        Point::Within(3),
        Point::After,
    ];
    for commit in 1..=commits {
        for point in points {
            assert_eq!(crash(commit, point), calm, "commit {commit}, {point:?}");
        }
    }
    println!(
        "{commits} commits, {} crashes",
        commits * points.len() as u64
    );
}
