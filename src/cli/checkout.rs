//! The checkout around a playbook: which folder it is, and its pipeline files. Read-only, and no further
//! than it says here: so many files, each so long, none outside of the root.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::plan::{Checkout, Limits};

/// What marks the root of a checkout.
const MARKS: [&str; 3] = [".git", ".semaphore", "runner.toml"];
/// So many folders are gone up.
const FOLDERS_UP_MAX: usize = 64;
/// Where the pipeline files are.
const FOLDER: &str = ".semaphore";
/// So many pipeline files are read.
const FILES_MAX: usize = 100;
/// A longer one is no pipeline file.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The pipeline files of the nearest folder above a playbook that is the root of something, with those that
/// are named beside them. None when there is no such folder, or it has no pipeline files.
pub(super) fn around(
    playbook: &Path,
    named: &BTreeSet<String>,
    limits: &Limits,
) -> Option<Checkout> {
    let root = root(playbook)?;
    let folder = std::fs::canonicalize(root.join(FOLDER)).ok()?;
    if !folder.starts_with(&root) {
        return None;
    }
    let mut paths: BTreeSet<String> = std::fs::read_dir(&folder)
        .ok()?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
        .map(|name| format!("{FOLDER}/{name}"))
        .collect();
    if paths.is_empty() || paths.len() + named.len() > FILES_MAX {
        return None;
    }
    paths.extend(named.iter().cloned());
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    let mut checkout = Checkout::new(name);
    for path in paths {
        if let Some(text) = text(&root, &path) {
            checkout.add(path, &text, limits);
        }
    }
    Some(checkout)
}

/// The nearest folder above the playbook that is the root of something.
fn root(playbook: &Path) -> Option<PathBuf> {
    let playbook = std::fs::canonicalize(playbook).ok()?;
    playbook
        .ancestors()
        .skip(1)
        .take(FOLDERS_UP_MAX)
        .find(|folder| MARKS.iter().any(|mark| folder.join(mark).exists()))
        .map(Path::to_owned)
}

/// The text of a file below the root; links that lead out of it are not followed.
fn text(root: &Path, path: &str) -> Option<String> {
    let path = std::fs::canonicalize(root.join(path)).ok()?;
    let metadata = std::fs::metadata(&path).ok()?;
    if !path.starts_with(root) || !metadata.is_file() || metadata.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut text = String::new();
    let file = std::fs::File::open(&path).ok()?;
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    Some(text)
}
