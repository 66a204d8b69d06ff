//! The thin reader: finds and reads the files, and gives the rest to the pure merging.

use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::codes::UNREADABLE;
use super::{Environment, Layers, Settings};
use crate::diagnostic::{Diagnostic, Diagnostics, Source};

/// The longest text that is read: settings, a token, the official CLI's file.
pub const TEXT_BYTES_MAX: u64 = 1 << 20;

/// Reads all settings. `playbook` is the file beside which `runner.toml` may lie.
pub fn read(
    environment: &Environment,
    playbook: Option<&Path>,
    sets: &[String],
    state_dir: Option<&Path>,
) -> (Settings, Diagnostics) {
    let mut files = Vec::new();
    let mut mistakes = Diagnostics::new();
    let beside = playbook.map(|file| file.with_file_name("runner.toml"));
    for path in [environment.user_file(), beside].into_iter().flatten() {
        match read_regular(&path) {
            Ok(Some(text)) => files.push(Source::new(path.display().to_string(), text)),
            Ok(None) => {}
            Err(mistake) => mistakes.push(*mistake),
        }
    }
    let (settings, found) = Settings::resolve(&Layers {
        files: deduplicated(files),
        environment: Some(environment),
        sets: sets.to_vec(),
        state_dir: state_dir.map(PathBuf::from),
    });
    mistakes.extend(found);
    (settings, mistakes)
}

/// A playbook may lie in the user's configuration folder: its file counts once.
fn deduplicated(mut files: Vec<Arc<Source>>) -> Vec<Arc<Source>> {
    files.dedup_by(|a, b| a.name == b.name);
    files
}

/// A file that nobody named on the command line must be a plain one: a pipe would block for ever.
fn read_regular(path: &Path) -> Result<Option<String>, Box<Diagnostic>> {
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        let message = format!("`{}` is not a file", path.display());
        return Err(Box::new(Diagnostic::error_without_place(
            UNREADABLE, message,
        )));
    }
    read_text(path)
}

/// The text of a small file, or none when there is no such file.
pub fn read_text(path: &Path) -> Result<Option<String>, Box<Diagnostic>> {
    let refuse = |reason: &str| {
        let message = format!("`{}` {reason}", path.display());
        Err(Box::new(Diagnostic::error_without_place(
            UNREADABLE, message,
        )))
    };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return refuse(&format!("cannot be opened: {error}")),
    };
    let mut bytes = Vec::new();
    if let Err(error) = file.take(TEXT_BYTES_MAX + 1).read_to_end(&mut bytes) {
        return refuse(&format!("cannot be read: {error}"));
    }
    if bytes.len() as u64 > TEXT_BYTES_MAX {
        return refuse("is longer than 1MiB");
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => refuse("is not UTF-8"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Origin;
    use super::*;

    #[test]
    fn the_file_beside_the_playbook_counts_more_than_the_users() {
        let dir = tempfile::tempdir().unwrap();
        let user = dir.path().join("config/runner");
        let project = dir.path().join("project");
        std::fs::create_dir_all(&user).unwrap();
        std::fs::create_dir_all(&project).unwrap();
        std::fs::write(
            user.join("runner.toml"),
            "[poll]\nmin = '3s'\nmax = '50s'\n",
        )
        .unwrap();
        std::fs::write(project.join("runner.toml"), "[poll]\nmin = '4s'\n").unwrap();
        let config = dir.path().join("config").display().to_string();
        let environment: Environment = [("XDG_CONFIG_HOME".to_owned(), config)]
            .into_iter()
            .collect();
        let playbook = project.join("release.yml");
        let (settings, mistakes) = read(&environment, Some(&playbook), &[], None);
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert_eq!(settings.poll.min.as_secs(), 4);
        assert_eq!(settings.poll.max.as_secs(), 50);
        let listing = settings.listing();
        let min = listing
            .iter()
            .find(|listed| listed.name == "poll.min")
            .unwrap();
        let expected = Origin::File(project.join("runner.toml").display().to_string());
        assert_eq!(*min.origin, expected);
        let (settings, _) = read(&Environment::default(), None, &[], None);
        assert_eq!(settings.poll.min.as_secs(), 2);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("runner.toml");
        assert_eq!(read_text(&path), Ok(None));
        let mistake = |path: &Path| {
            let (_, mistakes) = read(
                &Environment::default(),
                Some(&path.with_file_name("x.yml")),
                &[],
                None,
            );
            mistakes
                .sorted()
                .first()
                .map(|mistake| mistake.message.clone())
                .unwrap()
        };
        std::fs::write(&path, b"\xff\xfe").unwrap();
        assert!(mistake(&path).ends_with("is not UTF-8"));
        std::fs::write(&path, " ".repeat((1 << 20) + 1)).unwrap();
        assert!(mistake(&path).ends_with("is longer than 1MiB"));
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert!(mistake(&path).ends_with("is not a file"));
    }
}
