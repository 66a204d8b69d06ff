//! Runs as lines of JSON, and files that must come out exactly.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use runner::event::{Observation, Recorded};
use serde::Deserialize;

/// A line of a fixture.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(crate) enum Item {
    Event(Recorded),
    Observation(Observation),
    /// Nothing happened until then.
    Tick {
        tick: Timestamp,
    },
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn items(name: &str) -> Vec<Item> {
    let path = root().join(format!("tests/fixtures/events/{name}.jsonl"));
    let text = std::fs::read_to_string(&path).expect("the fixture is there");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{name}: {e}: {line}")))
        .collect()
}

pub(crate) fn events(name: &str) -> Vec<Recorded> {
    items(name)
        .into_iter()
        .filter_map(|item| match item {
            Item::Event(event) => Some(event),
            Item::Observation(_) | Item::Tick { .. } => None,
        })
        .collect()
}

/// Texts that did not come out as their files say. The files are changed by hand.
#[derive(Debug, Default)]
pub(crate) struct Golden {
    different: Vec<String>,
}

impl Golden {
    /// Compares with `tests/fixtures/golden/NAME`.
    pub(crate) fn check(&mut self, name: &str, actual: &str) {
        self.check_file("tests/fixtures/golden", name, actual);
    }

    /// Compares with a file of the repository.
    pub(crate) fn check_file(&mut self, folder: &str, name: &str, actual: &str) {
        let expected = root().join(folder).join(name);
        let wanted = std::fs::read_to_string(&expected).unwrap_or_default();
        if wanted == actual {
            return;
        }
        let beside = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&beside, actual).expect("the target folder can be written");
        let same = wanted
            .lines()
            .zip(actual.lines())
            .take_while(|(a, b)| a == b)
            .count();
        self.different.push(format!(
            "{folder}/{name} differs at line {}\n  wanted: {:?}\n  actual: {:?}\n  if it is right: cp {} {}",
            same + 1,
            wanted.lines().nth(same),
            actual.lines().nth(same),
            beside.display(),
            expected.display(),
        ));
    }

    /// Fails when anything was different.
    pub(crate) fn finish(self) {
        assert!(self.different.is_empty(), "{}", self.different.join("\n"));
    }
}

/// A stream that can be read afterwards.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("text")
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
