//! The files that are meant by what was typed: files as they are, folders with all that is below them.

use std::path::{Path, PathBuf};

/// Folders below this are not looked into.
const DEPTH_MAX: usize = 16;
/// More files than this are a mistake.
const FILES_MAX: usize = 10_000;

/// All files that are meant; below folders those that `wanted` picks by their name and path, in the order
/// of their names.
pub(super) fn files(paths: &[PathBuf], wanted: &dyn Fn(&str, &Path) -> bool) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for path in paths {
        if path.is_dir() {
            collect(path, DEPTH_MAX, wanted, &mut all);
        } else {
            all.push(path.clone());
        }
    }
    all.into_iter()
        .map(|path| path.strip_prefix(".").map_or(path.clone(), Path::to_owned))
        .collect()
}

fn collect(
    folder: &Path,
    depth: usize,
    wanted: &dyn Fn(&str, &Path) -> bool,
    found: &mut Vec<PathBuf>,
) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        // A link may lead around in a circle, or out of the folder.
        if path.is_symlink() || name.starts_with('.') || found.len() >= FILES_MAX {
            continue;
        }
        if path.is_dir() {
            if depth > 0 && name != "target" && name != "node_modules" {
                collect(&path, depth - 1, wanted, found);
            }
        } else if wanted(&name, &path) {
            found.push(path);
        }
    }
}
