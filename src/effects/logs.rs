//! Logs of jobs to files.
//!
//! A log is streamed: memory for a line and the last lines, whatever its size. What a job printed is made
//! harmless and known secrets are masked before it is kept; names of files are built, never taken. The
//! failing command is the last one that did not exit with 0.

use std::fs;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::dispatch::Inner;
use super::failures::{id, of_error};
use super::transcript::{FailedCommand, Transcript};
use crate::event::{Answer, EffectKey, Failure, FailureKind, FileWritten};
use crate::ids::to_hex;
use crate::semaphore::Class;
use crate::text::{clean_line, file_name};

const NAME_BYTES_MAX: usize = 80;

/// Which log is wanted, and where to.
pub(super) struct Order<'a> {
    pub(super) job_id: &'a str,
    pub(super) job_name: &'a str,
    pub(super) folder: &'a str,
    pub(super) format: &'a str,
    pub(super) tail: u32,
}

impl Inner {
    /// Fetches one log. That a job has no log is an answer, with the server's reason.
    pub(super) async fn fetch_log(
        &self,
        order: &Order<'_>,
        _key: &EffectKey,
    ) -> Result<Answer, Failure> {
        let job = id(order.job_id)?;
        let name = match order.job_name {
            // A job that is not there has no log for another reason than one that never ran.
            "" => {
                let found = self.client.describe_job(&job).await.map_err(of_error)?;
                found.value.name
            }
            name => name.to_owned(),
        };
        let mut stream = match self.client.log(&job).await {
            Ok(stream) => stream,
            Err(error) if error.class == Class::NotFound => {
                let reason = if error.server_words.is_empty() {
                    error.message
                } else {
                    error.server_words
                };
                return Ok(missing(order, &name, &reason));
            }
            Err(error) => return Err(of_error(error)),
        };
        let folder = folder_below(&self.settings.files_dir, order.folder)?;
        let ending = if order.format == "events" {
            "jsonl"
        } else {
            "log"
        };
        let short = order.job_id.get(..8).unwrap_or_default();
        let path = folder.join(format!(
            "{}-{short}.{ending}",
            file_name(&name, NAME_BYTES_MAX)
        ));
        let file = LogFile::create(&path, self.settings.log_bytes_max)?;
        let mut transcript = Transcript::new(file, self.redactor.clone(), order);
        while let Some(event) = stream.next().await.map_err(of_error)? {
            transcript.take(event)?;
        }
        let (complete, cut) = (stream.is_complete(), stream.is_cut());
        let (written, failed) = transcript.end(&path)?;
        let mut written = written.ok_or_else(|| {
            Failure::new(
                FailureKind::Bug,
                "a log went to no file: this is a bug in runner",
            )
        })?;
        written.cut |= cut;
        Ok(fetched(order, &name, written, (complete, failed)))
    }
}

fn missing(order: &Order<'_>, name: &str, reason: &str) -> Answer {
    let value = json!({
        "job_id": order.job_id, "job": name, "path": null, "bytes": 0, "complete": true,
        "failed_command": null, "missing": clean_line(reason, 300),
    });
    Answer {
        value,
        ..Answer::default()
    }
}

fn fetched(
    order: &Order<'_>,
    name: &str,
    file: FileWritten,
    (complete, failed): (bool, Option<FailedCommand>),
) -> Answer {
    let command = failed.map_or(Value::Null, |failed| {
        json!({"command": failed.directive, "exit_code": failed.exit_code, "last_lines": failed.last_lines})
    });
    let value = json!({
        "job_id": order.job_id, "job": name, "path": file.path, "bytes": file.bytes,
        "complete": complete, "failed_command": command, "missing": null,
    });
    let limits = if file.cut {
        vec![(
            "log_bytes_max".to_owned(),
            format!("the log of `{}` was cut", clean_line(name, 80)),
        )]
    } else {
        Vec::new()
    };
    Answer {
        value,
        files: vec![file],
        limits,
        response: None,
    }
}

/// A folder below the folder of the run's files, made with nobody else let in.
fn folder_below(base: &Path, wanted: &str) -> Result<PathBuf, Failure> {
    let mut folder = base.to_owned();
    for part in Path::new(wanted).components() {
        match part {
            Component::Normal(name) => {
                folder.push(file_name(&name.to_string_lossy(), NAME_BYTES_MAX));
            }
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => {
                let words = format!(
                    "`save_to: {}` leaves the folder of the run's files",
                    clean_line(wanted, 100)
                );
                return Err(Failure::new(FailureKind::Parameter, words).hint(
                    "give a relative path without `..`; `--files DIR` says where it begins",
                ));
            }
        }
    }
    make_folder(&folder).map_err(|error| not_written(&folder, &error))?;
    Ok(folder)
}

#[cfg(unix)]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn make_folder(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

fn not_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::File,
        format!("`{}` cannot be written: {error}", path.display()),
    )
    .hint("`--files DIR` chooses another folder")
}

/// A file that grows up to a limit.
pub(super) struct LogFile {
    out: std::io::BufWriter<fs::File>,
    path: PathBuf,
    hasher: Sha256,
    bytes: u64,
    bytes_max: u64,
    cut: bool,
}

impl LogFile {
    fn create(path: &Path, bytes_max: u64) -> Result<Self, Failure> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        // A link that somebody left at this name would lead elsewhere.
        if fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink()) {
            fs::remove_file(path).map_err(|error| not_written(path, &error))?;
        }
        let file = options
            .open(path)
            .map_err(|error| not_written(path, &error))?;
        Ok(Self {
            out: std::io::BufWriter::new(file),
            path: path.to_owned(),
            hasher: Sha256::new(),
            bytes: 0,
            bytes_max,
            cut: false,
        })
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        let length = line.len() as u64 + 1;
        if self.cut {
            return Ok(());
        }
        if self.bytes + length > self.bytes_max {
            self.cut = true;
            let note = format!(
                "[cut by runner: a log is kept up to {}]",
                crate::size::show(self.bytes_max)
            );
            return self.write(&note);
        }
        self.write(line)
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
        self.bytes += line.len() as u64 + 1;
        writeln!(self.out, "{line}").map_err(|error| not_written(&self.path, &error))
    }

    pub(super) fn finish(mut self, path: &Path) -> Result<FileWritten, Failure> {
        self.out
            .flush()
            .map_err(|error| not_written(path, &error))?;
        Ok(FileWritten {
            path: path.display().to_string(),
            bytes: self.bytes,
            sha256: to_hex(&self.hasher.finalize()),
            cut: self.cut,
        })
    }
}
