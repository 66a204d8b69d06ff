//! A folder for what runs write, which goes when it is no longer needed.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A folder of its own.
#[derive(Debug)]
pub(super) struct Scratch {
    path: PathBuf,
}

static MADE: AtomicU64 = AtomicU64::new(0);

impl Scratch {
    /// Chooses a folder below `base`; it is made by the first who writes to it.
    pub(super) fn below(base: &Path) -> Self {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        Self {
            path: base.join(format!("run-{number}")),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All files, by their path below the folder, with what they hold.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        collect(&self.path, "", &mut found);
        found.sort();
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // When nothing was written, there is nothing to remove.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

fn collect(folder: &Path, prefix: &str, found: &mut Vec<(String, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            collect(&path, &format!("{name}/"), found);
        } else if let Ok(content) = std::fs::read(&path) {
            found.push((name, String::from_utf8_lossy(&content).into_owned()));
        }
    }
}
