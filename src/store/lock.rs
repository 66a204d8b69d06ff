//! Locks that die with their process: operating-system locks on files of the state folder, one for each
//! run and each concurrency group. Who holds one stands in a file beside it, for people only: whether a
//! lock is held is asked of the operating system alone.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::checksum;
use super::error::StoreError;
use super::model::OwnerInfo;

/// Those who look whether a lock is held hold it themselves for an instant: so often, and so long apart,
/// is it tried again before it counts as taken.
const TRIES_MAX: u32 = 10;
const TRY_AGAIN_AFTER: Duration = Duration::from_millis(2);
/// More than any owner needs: what is longer was not written by us.
const OWNER_BYTES_MAX: u64 = 4_096;

/// Holds a lock until it is dropped, or its process is gone.
#[derive(Debug)]
pub struct LockGuard {
    _held: Held,
}

#[derive(Debug)]
enum Held {
    File { _file: HeldFile },
    Memory { _lock: HeldInMemory },
}

#[derive(Debug)]
struct HeldFile {
    /// Closing it frees the lock.
    _file: File,
    owner: PathBuf,
}

impl Drop for HeldFile {
    fn drop(&mut self) {
        // Runs before the file is closed: while the lock is held nobody else's name can stand there.
        let _ = std::fs::remove_file(&self.owner);
    }
}

/// What is locked: the run or group in words, and the name of its files.
pub(super) struct Subject {
    pub(super) words: String,
    name: String,
}

impl Subject {
    /// The lock of a run; its id has been checked.
    pub(super) fn run(id: &str) -> Self {
        Self {
            words: format!("run `{id}`"),
            name: format!("run-{id}"),
        }
    }

    /// The lock of a concurrency group; its name is foreign text.
    pub(super) fn group(name: &str) -> Self {
        Self {
            words: format!("concurrency group `{}`", crate::text::clean_line(name, 100)),
            name: format!("group-{}", checksum::name(name)),
        }
    }

    /// A name that no other subject has.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a lock is held, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Holder {
    /// Nobody living holds it.
    Nobody,
    /// Somebody does, and said who, unless that could not be read.
    Somebody(Option<OwnerInfo>),
}

/// The folder of the lock files.
#[derive(Debug)]
pub(super) struct LockFolder {
    path: PathBuf,
}

impl LockFolder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Takes a lock, or says who holds it.
    pub(super) fn acquire(
        &self,
        subject: &Subject,
        owner: &OwnerInfo,
    ) -> Result<LockGuard, StoreError> {
        let path = self.lock_path(subject);
        for _ in 0..TRIES_MAX {
            let file = open_private(&path)
                .map_err(|error| StoreError::io("open the lock file", &path, &error))?;
            match file.try_lock() {
                // A file that was removed meanwhile locks nothing.
                Ok(()) if is_still_at(&file, &path) => {
                    return self.note_owner(subject, file, owner);
                }
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => pause(),
                Err(TryLockError::Error(error)) => {
                    return Err(StoreError::io("lock", &path, &error));
                }
            }
        }
        Err(StoreError::locked(&subject.words, self.read_owner(subject)))
    }

    fn note_owner(
        &self,
        subject: &Subject,
        file: File,
        owner: &OwnerInfo,
    ) -> Result<LockGuard, StoreError> {
        let path = self.owner_path(subject);
        let text = serde_json::to_string(owner).unwrap_or_default();
        let written = open_private(&path).and_then(|mut to| {
            use std::io::Write as _;
            to.set_len(0)?;
            to.write_all(text.as_bytes())
        });
        written.map_err(|error| StoreError::io("write", &path, &error))?;
        let held = HeldFile {
            _file: file,
            owner: path,
        };
        Ok(LockGuard {
            _held: Held::File { _file: held },
        })
    }

    /// Whether a lock is held.
    pub(super) fn holder(&self, subject: &Subject) -> Result<Holder, StoreError> {
        let path = self.lock_path(subject);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Holder::Nobody);
            }
            Err(error) => return Err(StoreError::io("read", &path, &error)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Holder::Nobody),
            Err(TryLockError::WouldBlock) => Ok(Holder::Somebody(self.read_owner(subject))),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &path, &error)),
        }
    }

    /// Removes the files of a lock that the caller holds.
    pub(super) fn remove(&self, subject: &Subject) {
        let _ = std::fs::remove_file(self.owner_path(subject));
        let _ = std::fs::remove_file(self.lock_path(subject));
    }

    /// Who wrote the name beside the lock: its holder does so right after taking it, so a short wait
    /// bridges the moment in between.
    fn read_owner(&self, subject: &Subject) -> Option<OwnerInfo> {
        let path = self.owner_path(subject);
        for _ in 0..TRIES_MAX {
            let mut text = String::new();
            let read = File::open(&path)
                .and_then(|file| file.take(OWNER_BYTES_MAX).read_to_string(&mut text));
            if let (Ok(_), Ok(owner)) = (read, serde_json::from_str(&text)) {
                return Some(owner);
            }
            pause();
        }
        None
    }

    fn lock_path(&self, subject: &Subject) -> PathBuf {
        self.path.join(format!("{}.lock", subject.name))
    }

    fn owner_path(&self, subject: &Subject) -> PathBuf {
        self.path.join(format!("{}.owner", subject.name))
    }
}

/// Opens a file for writing, made with mode 0600 when it is not there; what stands in it stays.
pub(super) fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(held), Ok(there)) => held.ino() == there.ino() && held.dev() == there.dev(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

fn pause() {
    #[expect(
        clippy::disallowed_methods,
        reason = "a lock of the operating system lives in real time, whatever the run's clock says"
    )]
    std::thread::sleep(TRY_AGAIN_AFTER);
}

/// The locks of a store in memory, shared by all who use it.
#[derive(Debug, Clone, Default)]
pub(super) struct MemoryLocks {
    table: Arc<Mutex<Table>>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    held: BTreeMap<String, (u64, OwnerInfo)>,
}

#[derive(Debug)]
struct HeldInMemory {
    locks: MemoryLocks,
    name: String,
    number: u64,
}

impl Drop for HeldInMemory {
    fn drop(&mut self) {
        self.locks.with(|table| {
            // After a crash somebody else may hold it: only the own lock is given back.
            if table
                .held
                .get(&self.name)
                .is_some_and(|(n, _)| *n == self.number)
            {
                table.held.remove(&self.name);
            }
        });
    }
}

impl MemoryLocks {
    fn with<T>(&self, f: impl FnOnce(&mut Table) -> T) -> T {
        f(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a lock, or says who holds it.
    pub(super) fn acquire(
        &self,
        subject: &Subject,
        owner: &OwnerInfo,
    ) -> Result<LockGuard, StoreError> {
        let number = self.with(|table| {
            if let Some((_, by)) = table.held.get(subject.name()) {
                return Err(StoreError::locked(&subject.words, Some(by.clone())));
            }
            table.last += 1;
            let number = table.last;
            table
                .held
                .insert(subject.name().to_owned(), (number, owner.clone()));
            Ok(number)
        })?;
        let lock = HeldInMemory {
            locks: self.clone(),
            name: subject.name().to_owned(),
            number,
        };
        Ok(LockGuard {
            _held: Held::Memory { _lock: lock },
        })
    }

    /// Who holds a lock.
    pub(super) fn holder(&self, subject: &Subject) -> Option<OwnerInfo> {
        self.with(|table| table.held.get(subject.name()).map(|(_, by)| by.clone()))
    }

    /// Frees all locks: their process is gone.
    pub(super) fn free_all(&self) {
        self.with(|table| table.held.clear());
    }
}
