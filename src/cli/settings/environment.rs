//! The environment, read once, and what we take out of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::ids::Id;
use crate::secret::Secret;

/// Where the kernel says the name of the host.
const HOST_FILE: &str = "/proc/sys/kernel/hostname";

/// The environment variables of the process. It prints only their number, for values may be secret.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Environment({} variables)", self.variables.len())
    }
}

impl Environment {
    /// Reads it. Names and values that are no UTF-8 get `U+FFFD` where they are not.
    pub fn read() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that reads the environment"
        )]
        let all = std::env::vars_os();
        all.map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        })
        .collect()
    }

    /// The value of a variable as it is, for inputs; an empty one is a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// All variables, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a variable of ours; an empty one counts as missing.
    fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A folder that a variable names; only absolute ones count.
    fn folder(&self, name: &str) -> Option<PathBuf> {
        let path = Path::new(self.filled(name)?);
        path.is_absolute().then(|| path.to_owned())
    }

    /// The address of the organization, when one is given.
    pub fn organization_url(&self) -> Option<&str> {
        self.filled("SEMAPHORE_ORGANIZATION_URL")
    }

    /// The API token, when one is given.
    pub fn api_token(&self) -> Option<Secret> {
        self.filled("SEMAPHORE_API_TOKEN").map(Secret::new)
    }

    /// The folders of the library: `RUNNER_LIBRARY`, written like `PATH`.
    pub fn libraries(&self) -> Vec<PathBuf> {
        let given = self.filled("RUNNER_LIBRARY").unwrap_or_default();
        let folders = std::env::split_paths(given);
        folders
            .filter(|folder| !folder.as_os_str().is_empty())
            .collect()
    }

    /// The file of the official CLI.
    pub fn sem_yaml(&self) -> Option<PathBuf> {
        Some(self.folder("HOME")?.join(".sem.yaml"))
    }

    /// A file that other programs trust certificates of; the system's own verifier reads it.
    pub fn ssl_cert_file(&self) -> Option<&Path> {
        self.filled("SSL_CERT_FILE").map(Path::new)
    }

    /// Whether a CI system runs us: progress is shown as plain lines.
    pub fn in_ci(&self) -> bool {
        self.filled("CI")
            .is_some_and(|value| !matches!(value, "false" | "0"))
    }

    /// Whether colour is unwanted.
    pub fn no_color(&self) -> bool {
        self.filled("NO_COLOR").is_some() || self.get("TERM") == Some("dumb")
    }

    /// The page of the Semaphore job or workflow around us, or empty.
    pub fn job_url(&self) -> String {
        let id = |name| self.filled(name).and_then(|text| Id::parse(text).ok());
        let path = match (id("SEMAPHORE_JOB_ID"), id("SEMAPHORE_WORKFLOW_ID")) {
            (Some(job), _) => format!("jobs/{job}"),
            (None, Some(workflow)) => format!("workflows/{workflow}"),
            (None, None) => return String::new(),
        };
        match self.organization_url() {
            Some(url) if url.starts_with("https://") && !url.contains(['@', '?', '#']) => {
                format!("{}/{path}", url.trim_end_matches('/'))
            }
            Some(_) | None => String::new(),
        }
    }

    /// The name of the host, for those who find a lock taken.
    pub fn host(&self) -> String {
        let name = match self.filled("HOSTNAME") {
            Some(name) => name.to_owned(),
            None => std::fs::read_to_string(HOST_FILE).unwrap_or_default(),
        };
        match crate::text::clean_line(&name, 100) {
            name if name.is_empty() => "unknown".to_owned(),
            name => name,
        }
    }

    /// The name of the user, for those who see what was asked.
    pub fn user(&self) -> String {
        let name = self.filled("USER").or_else(|| self.filled("LOGNAME"));
        crate::text::clean_line(name.unwrap_or("somebody"), 100)
    }

    /// `runner.toml` in the user's configuration folder.
    pub fn user_file(&self) -> Option<PathBuf> {
        let folder = self
            .folder("XDG_CONFIG_HOME")
            .or_else(|| Some(self.folder("HOME")?.join(".config")))?;
        Some(folder.join("runner").join("runner.toml"))
    }

    /// The state folder when none is set: the user's own.
    pub fn state_folder(&self) -> Result<PathBuf, Box<Diagnostic>> {
        let folder = self
            .folder("XDG_STATE_HOME")
            .or_else(|| Some(self.folder("HOME")?.join(".local").join("state")));
        folder.map(|folder| folder.join("runner")).ok_or_else(|| {
            let mistake = Diagnostic::error_without_place(
                super::codes::NO_STATE_FOLDER,
                "there is no place for the state of runs: neither `XDG_STATE_HOME` nor `HOME` is set",
            );
            Box::new(mistake.hint("give a folder with `--state-dir DIR` or `RUNNER_STATE_DIR`"))
        })
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self {
            variables: pairs.into_iter().collect(),
        }
    }
}
