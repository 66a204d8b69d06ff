//! The state folder: what lies where, and with which modes.

use std::fs::{DirBuilder, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;

/// The file of all runs.
const DATABASE: &str = "runs.db";
/// The lock files.
const LOCKS: &str = "locks";
/// A folder for each run.
const RUNS: &str = "runs";

/// A state folder that is there, with its true path.
#[derive(Debug)]
pub(super) struct StateFolder {
    root: PathBuf,
}

impl StateFolder {
    /// Makes what is missing of the folder, with mode 0700. One that was there keeps its mode: it may be
    /// somebody's own.
    pub(super) fn prepare(path: &Path) -> Result<Self, StoreError> {
        make(path)?;
        // The true path, so that SQLite can be told to follow no links.
        let root = path
            .canonicalize()
            .map_err(|error| StoreError::io("find the state folder", path, &error))?;
        let folder = Self { root };
        make(&folder.locks())?;
        make(&folder.root.join(RUNS))?;
        folder.make_database()?;
        Ok(folder)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.root.join(DATABASE)
    }

    pub(super) fn locks(&self) -> PathBuf {
        self.root.join(LOCKS)
    }

    /// The folder of a run; its id has been checked.
    pub(super) fn run(&self, id: &str) -> PathBuf {
        self.root.join(RUNS).join(id)
    }

    pub(super) fn make_run(&self, id: &str) -> Result<(), StoreError> {
        make(&self.run(id))
    }

    /// Removes all that a run wrote below the state folder.
    pub(super) fn remove_run(&self, id: &str) -> Result<(), StoreError> {
        let path = self.run(id);
        match std::fs::remove_dir_all(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(StoreError::io("remove", &path, &error)),
        }
    }

    /// An empty file of mode 0600, for SQLite gives its companions the mode of the file itself.
    fn make_database(&self) -> Result<(), StoreError> {
        let path = self.database();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        match options.open(&path) {
            Ok(_) => sync_folder(&self.root),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(StoreError::io("make the run store", &path, &error)),
        }
    }
}

fn make(path: &Path) -> Result<(), StoreError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder
        .create(path)
        .map_err(|error| StoreError::io("make the folder", path, &error))
}

/// A new file is only there after a loss of power when its folder was synced too.
fn sync_folder(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    std::fs::File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| StoreError::io("sync the folder", path, &error))?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
