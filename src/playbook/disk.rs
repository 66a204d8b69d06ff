//! The playbooks that others use, from the disk: paths below a root, and the folders of the library.
//!
//! A root is the nearest folder above a playbook with `.git`, `.semaphore` or `runner.toml`, else its own
//! folder; each folder of the library is a root of its own. Nothing outside is read: no `..` that leads out,
//! no link, no device. What is read is measured first.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::files::{Files, Kind, kind, not_found, not_in_library, shown};
use super::limits::Limits;
use super::{codes, library, source_from_bytes};
use crate::diagnostic::{Diagnostic, Source, nearest};

/// What marks a root.
const MARKS: [&str; 3] = [".git", ".semaphore", "runner.toml"];
/// The endings of playbooks.
const ENDINGS: [&str; 2] = ["yml", "yaml"];
/// So many names of a folder are looked at for a hint.
const NAMES_MAX: usize = 1_000;

/// The disk, as far as one playbook may see it.
#[derive(Debug)]
pub struct DiskFiles {
    libraries: Vec<PathBuf>,
    limits: Limits,
    read: Mutex<Read>,
}

/// What was read so far.
#[derive(Debug, Default)]
struct Read {
    by_path: HashMap<PathBuf, Arc<Source>>,
    by_name: HashMap<String, Origin>,
}

/// Where a source comes from: both paths are real ones, without links.
#[derive(Debug, Clone)]
struct Origin {
    path: PathBuf,
    root: PathBuf,
}

impl DiskFiles {
    /// For a playbook that was read from `path`. Folders of the library that are not there hold nothing.
    pub fn new(
        playbook: &Arc<Source>,
        path: &Path,
        libraries: impl IntoIterator<Item = PathBuf>,
        limits: &Limits,
    ) -> Self {
        let mut read = Read::default();
        if let Ok(path) = path.canonicalize() {
            let root = root_of(&path);
            read.note(playbook, Origin { path, root });
        }
        Self {
            libraries: libraries.into_iter().collect(),
            limits: limits.clone(),
            read: Mutex::new(read),
        }
    }

    fn origin(&self, from: &Source) -> Option<Origin> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.by_name.get(&from.name).cloned()
    }

    /// The file at a path, which is known to be below `folder` as far as its text says.
    fn file(&self, wanted: &Wanted<'_>) -> Result<Arc<Source>, Box<Diagnostic>> {
        let path = wanted.folder.join(wanted.below);
        let Ok(real) = path.canonicalize() else {
            return Err(missing(wanted));
        };
        if !real.starts_with(wanted.root) {
            return Err(outside(wanted, "leads out of its root by a link"));
        }
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = read.by_path.get(&real) {
            return Ok(Arc::clone(known));
        }
        let name = wanted.name(&real);
        let source = source_from_bytes(&name, self.bytes(&real, wanted)?, &self.limits)?;
        let root = wanted.root.to_owned();
        read.note(&source, Origin { path: real, root });
        Ok(source)
    }

    /// One byte more than is allowed says that there are too many.
    fn bytes(&self, path: &Path, wanted: &Wanted<'_>) -> Result<Vec<u8>, Box<Diagnostic>> {
        let cannot = |why: &str| {
            Box::new(Diagnostic::error_without_place(
                codes::USED_UNREADABLE,
                format!("`{}` {why}", shown(wanted.written)),
            ))
        };
        let failed = |error: std::io::Error| cannot(&format!("cannot be read: {error}"));
        let about = std::fs::metadata(path).map_err(failed)?;
        if about.is_dir() {
            return Err(cannot("is a folder, and no playbook"));
        }
        if !about.is_file() {
            return Err(cannot("is a device or a pipe, and no file"));
        }
        let max = self.limits.file_bytes_max as u64 + 1;
        let mut bytes = Vec::new();
        std::fs::File::open(path)
            .and_then(|file| file.take(max).read_to_end(&mut bytes))
            .map_err(failed)?;
        Ok(bytes)
    }

    /// The file of a name in a folder of the library; `but` is passed over, for no playbook means itself.
    fn named(
        &self,
        written: &str,
        (folder, root, display): (&Path, &Path, &Path),
        but: Option<&Path>,
    ) -> Option<Result<Arc<Source>, Box<Diagnostic>>> {
        let there = ENDINGS
            .iter()
            .map(|ending| PathBuf::from(format!("{written}.{ending}")))
            .find(|file| {
                let path = folder.join(file);
                path.symlink_metadata().is_ok()
                    && (but.is_none() || path.canonicalize().ok().as_deref() != but)
            })?;
        Some(self.file(&Wanted {
            written,
            folder,
            below: &there,
            root,
            display,
        }))
    }

    fn by_name(&self, from: Option<&Origin>, shown_as: &Path, written: &str) -> Found {
        let mut names: Vec<String> = Vec::new();
        if let Some(origin) = from
            && let Some(folder) = origin.path.parent()
        {
            let place = (folder, origin.root.as_path(), shown_as);
            if let Some(found) = self.named(written, place, Some(&origin.path)) {
                return found;
            }
            names.extend(names_in(folder));
        }
        for library in &self.libraries {
            let Ok(folder) = library.canonicalize() else {
                continue;
            };
            let place = (folder.as_path(), folder.as_path(), library.as_path());
            if let Some(found) = self.named(written, place, None) {
                return found;
            }
            names.extend(names_in(&folder));
        }
        names.extend(library::all().map(|(name, _)| name.to_owned()));
        library::open(written)
            .ok_or_else(|| not_in_library(written, names.iter().map(String::as_str)))
    }
}

type Found = Result<Arc<Source>, Box<Diagnostic>>;

impl Files for DiskFiles {
    fn open(&self, from: &Source, written: &str) -> Found {
        // What is built in uses what is built in, whatever else is there.
        if from.name.starts_with(library::PREFIX) {
            return super::files::BuiltIn.open(from, written);
        }
        let origin = self.origin(from);
        let shown_as = Path::new(&from.name).parent().unwrap_or(Path::new(""));
        match (kind(written)?, &origin) {
            (Kind::Name, _) => self.by_name(origin.as_ref(), shown_as, written),
            (Kind::Path, None) => super::files::BuiltIn.open(from, written),
            (Kind::Path, Some(origin)) => {
                let folder = origin.path.parent().unwrap_or(&origin.root);
                let wanted = Wanted {
                    written,
                    folder,
                    below: Path::new(written),
                    root: &origin.root,
                    display: shown_as,
                };
                if leaves(folder, &wanted) {
                    return Err(outside(&wanted, "leads out of its root"));
                }
                self.file(&wanted)
            }
        }
    }
}

/// A file that is wanted.
struct Wanted<'a> {
    written: &'a str,
    /// The folder in which the path begins.
    folder: &'a Path,
    below: &'a Path,
    root: &'a Path,
    /// The folder as people know it.
    display: &'a Path,
}

impl Wanted<'_> {
    /// The path as people would write it; the real one when that leads elsewhere.
    fn name(&self, real: &Path) -> String {
        let mut shown = PathBuf::new();
        for part in self.display.join(self.below).components() {
            match part {
                Component::CurDir => {}
                Component::ParentDir
                    if shown
                        .components()
                        .next_back()
                        .is_some_and(|last| matches!(last, Component::Normal(_))) =>
                {
                    shown.pop();
                }
                Component::ParentDir
                | Component::Normal(_)
                | Component::RootDir
                | Component::Prefix(_) => shown.push(part),
            }
        }
        let same = shown.canonicalize().is_ok_and(|found| found == real);
        let path = if same { &shown } else { real };
        path.display().to_string()
    }
}

impl Read {
    fn note(&mut self, source: &Arc<Source>, origin: Origin) {
        self.by_path.insert(origin.path.clone(), Arc::clone(source));
        self.by_name.insert(source.name.clone(), origin);
    }
}

/// Whether a path leads above the root, whatever is on the disk.
fn leaves(folder: &Path, wanted: &Wanted<'_>) -> bool {
    let Ok(inside) = folder.strip_prefix(wanted.root) else {
        return true;
    };
    let mut depth = inside.components().count();
    for part in wanted.below.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

fn outside(wanted: &Wanted<'_>, why: &str) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error_without_place(
            codes::USED_OUTSIDE,
            format!("`{}` {why}", shown(wanted.written)),
        )
        .hint(
            "a playbook uses what is below the nearest folder with `.git`, `.semaphore` or `runner.toml`, and the library",
        ),
    )
}

fn missing(wanted: &Wanted<'_>) -> Box<Diagnostic> {
    let path = wanted.folder.join(wanted.below);
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let beside: Vec<String> = path.parent().into_iter().flat_map(files_in).collect();
    let near = name.and_then(|name| nearest(&name, beside.iter().map(String::as_str)));
    let hint = match near {
        Some(near) => format!("did you mean `{}`?", shown(near)),
        None => "the path begins in the folder of the playbook that uses it".to_owned(),
    };
    not_found(
        format!("there is no file `{}`", shown(wanted.written)),
        Some(hint),
    )
}

/// The nearest folder above a playbook that is marked, else its own.
fn root_of(path: &Path) -> PathBuf {
    let own = path.parent().unwrap_or(path);
    let marked = |folder: &&Path| MARKS.iter().any(|mark| folder.join(mark).exists());
    own.ancestors().find(marked).unwrap_or(own).to_owned()
}

/// The playbooks of a folder by their file names; tests are none.
fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries
        .take(NAMES_MAX)
        .map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names
        .filter(|name| name.ends_with(".yml") || name.ends_with(".yaml"))
        .filter(|name| !name.ends_with(".test.yml"))
        .collect();
    names.sort();
    names
}

fn names_in(folder: &Path) -> Vec<String> {
    let stem = |name: String| {
        let stem = name.rsplit_once('.').map(|(stem, _)| stem.to_owned());
        stem.unwrap_or(name)
    };
    files_in(folder).into_iter().map(stem).collect()
}
