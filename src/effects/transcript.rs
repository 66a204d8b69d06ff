//! What a job did, event by event: to a file, and the command that failed with its last lines.
//!
//! What a job printed is made harmless and known secrets are masked before it is kept. The failing command
//! is the last one of the job's own that did not exit with 0: what fails when it is cleaned up after that
//! does not hide it.

use std::collections::VecDeque;
use std::path::Path;

use super::logs::{LogFile, Order};
use crate::event::{Failure, FileWritten};
use crate::secret::Redactor;
use crate::semaphore::{Happening, LogEvent};
use crate::text::{clean, clean_line};

const LINE_BYTES_MAX: usize = 64 << 10;
const TAIL_LINES_MAX: usize = 1_000;
/// The agent does this before the commands of the job, and again before those that clean up.
const EXPORTING: &str = "Exporting environment variables";

/// A command that did not exit with 0.
pub(super) struct FailedCommand {
    pub(super) directive: String,
    pub(super) exit_code: i64,
    pub(super) last_lines: Vec<String>,
}

/// A command of the log.
#[derive(Default)]
struct Command {
    directive: String,
    tail: VecDeque<String>,
    line: String,
}

/// What is kept of a log that goes to no file.
pub(super) struct Heard {
    /// The command that failed, or the last one when none did.
    pub(super) command: String,
    /// What the failed command ended with.
    pub(super) exit_code: Option<i64>,
    /// The last lines that it printed.
    pub(super) last_lines: Vec<String>,
    /// How many commands the log has.
    pub(super) commands: u64,
    /// Whether the log has its end.
    pub(super) complete: bool,
}

/// A log on its way to a file, if it goes to one.
pub(super) struct Transcript {
    file: Option<LogFile>,
    redactor: Redactor,
    /// Whether events are kept as they came, and no text.
    events: bool,
    tail: usize,
    command: Command,
    failed: Option<FailedCommand>,
    exports: u32,
    commands: u64,
}

impl Transcript {
    /// An empty one that goes to no file.
    pub(super) fn unwritten(redactor: Redactor, tail: usize) -> Self {
        Self {
            file: None,
            redactor,
            events: false,
            tail: tail.min(TAIL_LINES_MAX),
            command: Command::default(),
            failed: None,
            exports: 0,
            commands: 0,
        }
    }

    /// An empty one.
    pub(super) fn new(file: LogFile, redactor: Redactor, order: &Order<'_>) -> Self {
        let tail = usize::try_from(order.tail).unwrap_or(usize::MAX);
        Self {
            file: Some(file),
            redactor,
            events: order.format == "events",
            tail: tail.min(TAIL_LINES_MAX),
            command: Command::default(),
            failed: None,
            exports: 0,
            commands: 0,
        }
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: LogEvent) -> Result<(), Failure> {
        if self.events {
            let line = self.redactor.value(&event.raw).to_string();
            self.write(&line)?;
        }
        match event.what {
            Happening::CommandStarted { directive } => self.started(&directive),
            Happening::Output(chunk) => {
                for line in self.command.lines(&chunk) {
                    self.line(&line)?;
                }
                Ok(())
            }
            Happening::CommandFinished { exit_code, .. } => self.finished(exit_code),
            Happening::JobStarted | Happening::JobFinished { .. } | Happening::Other(_) => Ok(()),
        }
    }

    fn started(&mut self, directive: &str) -> Result<(), Failure> {
        self.rest()?;
        let directive = self.redactor.text(&clean(directive));
        self.exports += u32::from(directive == EXPORTING);
        if !self.events {
            self.write(&format!("$ {directive}"))?;
        }
        self.commands += 1;
        self.command = Command {
            directive,
            ..Command::default()
        };
        Ok(())
    }

    fn finished(&mut self, exit_code: Option<i64>) -> Result<(), Failure> {
        self.rest()?;
        let cleaning_up = self.exports > 1 && self.failed.is_some();
        if let Some(exit_code) = exit_code.filter(|code| *code != 0 && !cleaning_up) {
            self.failed = Some(FailedCommand {
                directive: clean_line(&self.command.directive, 500),
                exit_code,
                last_lines: self.command.tail.drain(..).collect(),
            });
        }
        Ok(())
    }

    /// What was printed without an end of the line.
    fn rest(&mut self) -> Result<(), Failure> {
        let rest = std::mem::take(&mut self.command.line);
        if rest.is_empty() {
            return Ok(());
        }
        self.line(&rest)
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        let line = self.redactor.text(&clean(line));
        if !self.events {
            self.write(&line)?;
        }
        self.command.keep(line, self.tail);
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        match &mut self.file {
            Some(file) => file.line(line),
            None => Ok(()),
        }
    }

    /// What was heard, of a log that goes to no file.
    pub(super) fn heard(mut self, complete: bool) -> Heard {
        // Nothing is written, so nothing can fail.
        let _ = self.rest();
        let commands = self.commands;
        match self.failed {
            Some(failed) => Heard {
                command: failed.directive,
                exit_code: Some(failed.exit_code),
                last_lines: failed.last_lines,
                commands,
                complete,
            },
            None => Heard {
                command: clean_line(&self.command.directive, 500),
                exit_code: None,
                last_lines: self.command.tail.into(),
                commands,
                complete,
            },
        }
    }

    /// Ends the file.
    pub(super) fn end(
        mut self,
        path: &Path,
    ) -> Result<(Option<FileWritten>, Option<FailedCommand>), Failure> {
        self.rest()?;
        let written = self.file.map(|file| file.finish(path)).transpose()?;
        Ok((written, self.failed))
    }
}

impl Command {
    /// The whole lines that are there now; the rest waits for more.
    fn lines(&mut self, chunk: &str) -> Vec<String> {
        self.line.push_str(chunk);
        let mut lines = Vec::new();
        while let Some(end) = self.line.find('\n') {
            let rest = self.line.split_off(end + 1);
            let mut line = std::mem::replace(&mut self.line, rest);
            line.pop();
            lines.push(line);
        }
        if self.line.len() > LINE_BYTES_MAX {
            lines.push(std::mem::take(&mut self.line));
        }
        lines
    }

    fn keep(&mut self, line: String, tail: usize) {
        if tail == 0 {
            return;
        }
        if self.tail.len() >= tail {
            self.tail.pop_front();
        }
        self.tail.push_back(clean_line(&line, 500));
    }
}
