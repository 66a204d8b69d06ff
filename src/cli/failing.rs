//! Why a command could not do what it was asked: words, a hint, the exit code.

use super::exit::Exit;
use super::main::Surroundings;
use super::render;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::drivers::SessionError;
use crate::semaphore::ConfigError;
use crate::store::StoreError;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failing {
    /// Mistakes in files, inputs or settings.
    Mistakes(Exit, Diagnostics),
    /// Anything else.
    Words {
        exit: Exit,
        message: String,
        hint: Option<String>,
    },
}

impl Failing {
    pub(super) fn mistakes(exit: Exit, mistakes: Diagnostics) -> Self {
        Self::Mistakes(exit, mistakes)
    }

    pub(super) fn mistake(exit: Exit, mistake: Diagnostic) -> Self {
        let mut all = Diagnostics::new();
        all.push(mistake);
        Self::Mistakes(exit, all)
    }

    pub(super) fn words(exit: Exit, message: impl Into<String>) -> Self {
        Self::Words {
            exit,
            message: message.into(),
            hint: None,
        }
    }

    pub(super) fn hint(self, text: impl Into<String>) -> Self {
        match self {
            Self::Words { exit, message, .. } => Self::Words {
                exit,
                message,
                hint: Some(text.into()),
            },
            other @ Self::Mistakes(..) => other,
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match self {
            Self::Mistakes(exit, _) | Self::Words { exit, .. } => *exit,
        }
    }

    /// Says it on stderr.
    pub(super) fn tell(&self, around: &Surroundings) {
        let output = &around.output;
        match self {
            Self::Mistakes(_, mistakes) => {
                output.talk(&render::human(
                    mistakes,
                    around.width(),
                    output.err_colour(),
                ));
            }
            Self::Words { message, hint, .. } => {
                output.talk(&format!("error: {message}"));
                if let Some(hint) = hint {
                    output.talk(&format!("hint: {hint}"));
                }
            }
        }
    }
}

impl From<StoreError> for Failing {
    fn from(error: StoreError) -> Self {
        let failing = Self::words(Exit::of_store(&error.kind), error.message.clone());
        match &error.hint {
            Some(hint) => failing.hint(hint.clone()),
            None => failing,
        }
    }
}

impl From<ConfigError> for Failing {
    fn from(error: ConfigError) -> Self {
        let exit = match &error {
            ConfigError::TokenMissing | ConfigError::UrlMissing => Exit::Unauthorized,
            ConfigError::Url { .. } | ConfigError::Token(_) | ConfigError::Contexts(_) => {
                Exit::Usage
            }
        };
        let hint = error.hint();
        Self::words(exit, error.to_string()).hint(hint)
    }
}

impl From<SessionError> for Failing {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Store(error) => error.into(),
            SessionError::Replay { .. } => Self::words(Exit::NotWritten, error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failing {
    fn from(error: std::io::Error) -> Self {
        Self::words(
            Exit::NotWritten,
            format!("the output could not be written: {error}"),
        )
    }
}
