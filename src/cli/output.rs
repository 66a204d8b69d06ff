//! The sinks: what leaves the process through stdout, stderr and report files.
//!
//! Everything is masked here once more, and nothing that passes drives a terminal but our own colours.
//! Talk goes to stderr and never fails: a closed pipe ends it quietly. Data goes to stdout, and the
//! caller hears of a reader that is gone. This file knows no events and no words.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use crate::report::{json_line, json_pretty};
use crate::secret::Redactor;
use crate::text;

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColorWhen {
    /// On a terminal that knows them, unless `NO_COLOR` says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorWhen {
    fn for_stream(self, auto: impl FnOnce() -> ColorChoice) -> bool {
        match self {
            Self::Auto => auto() != ColorChoice::Never,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Lines that are redrawn below everything else.
pub trait Below: Send + Sync {
    /// Takes the lines away, lets something be written, and puts them below it.
    fn aside(&self, write: &mut dyn FnMut());

    /// Somebody typed a line below them.
    fn typed(&self);
}

type Sink = Mutex<Box<dyn Write + Send>>;

/// Stdout and stderr, guarded.
pub struct Output {
    out: Sink,
    err: Sink,
    out_colour: bool,
    err_colour: bool,
    redactor: Redactor,
    below: Mutex<Option<Arc<dyn Below>>>,
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Output")
    }
}

impl Output {
    /// The streams of this process.
    pub fn new(when: ColorWhen, redactor: Redactor) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let out_colour = when.for_stream(|| AutoStream::choice(&out));
        let err_colour = when.for_stream(|| AutoStream::choice(&err));
        Self {
            // The streams translate colours for consoles that know no escape sequences.
            out: Mutex::new(Box::new(AutoStream::new(out, choice(out_colour)))),
            err: Mutex::new(Box::new(AutoStream::new(err, choice(err_colour)))),
            out_colour,
            err_colour,
            redactor,
            below: Mutex::new(None),
        }
    }

    /// Other streams, without colour.
    pub fn to(
        out: impl Write + Send + 'static,
        err: impl Write + Send + 'static,
        redactor: Redactor,
    ) -> Self {
        Self {
            out: Mutex::new(Box::new(out)),
            err: Mutex::new(Box::new(err)),
            out_colour: false,
            err_colour: false,
            redactor,
            below: Mutex::new(None),
        }
    }

    /// Whether what goes to stdout may be coloured.
    pub fn out_colour(&self) -> bool {
        self.out_colour
    }

    /// Whether what goes to stderr may be coloured.
    pub fn err_colour(&self) -> bool {
        self.err_colour
    }

    /// What masks secrets here.
    pub fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Text for people that was asked for, to stdout.
    pub fn data(&self, text: &str) -> io::Result<()> {
        let text = guard(text, self.out_colour, &self.redactor);
        self.above(|| write_all(&self.out, &text))
    }

    /// Commands for the CI around us, to stdout: masked, and otherwise as they are. Whoever made them
    /// has escaped what is foreign in them.
    pub fn commands(&self, text: &str) -> io::Result<()> {
        let text = self.redactor.text(text);
        self.above(|| write_all(&self.out, &text))
    }

    /// A document that was masked already ([`crate::report::masked`]), on several lines, to stdout.
    pub fn json(&self, masked: &Value) -> io::Result<()> {
        self.above(|| write_all(&self.out, &json_pretty(masked)))
    }

    /// The same on one line.
    pub fn json_line(&self, masked: &Value) -> io::Result<()> {
        self.above(|| write_all(&self.out, &json_line(masked)))
    }

    /// A text of JSON that was masked already ([`crate::report::report_text`]), to stdout.
    pub fn json_text(&self, masked: &str) -> io::Result<()> {
        self.above(|| write_all(&self.out, masked))
    }

    /// Words for people, to stderr; ends the line. When nobody listens any more, nothing happens.
    pub fn talk(&self, text: &str) {
        let mut text = guard(text, self.err_colour, &self.redactor);
        if text.is_empty() {
            return;
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        // There is nobody left to tell of an error: stderr is where it would be told.
        let _ = self.above(|| write_all(&self.err, &text));
    }

    /// Words for people as they may be written to stderr by somebody else.
    pub fn harmless(&self, text: &str) -> String {
        guard(text, self.err_colour, &self.redactor)
    }

    /// From now on, everything is written above these lines.
    pub fn attach(&self, below: Arc<dyn Below>) {
        *lock(&self.below) = Some(below);
    }

    /// There are no such lines any more.
    pub fn detach(&self) {
        *lock(&self.below) = None;
    }

    /// Somebody typed a line on the terminal.
    pub fn typed(&self) {
        if let Some(below) = lock(&self.below).clone() {
            below.typed();
        }
    }

    fn above<R>(&self, write: impl Fn() -> R) -> R {
        let below = lock(&self.below).clone();
        let Some(below) = below else { return write() };
        let mut written = None;
        below.aside(&mut || written = Some(write()));
        // Whatever is below lets it be written; that it does not is a bug, and not worth a panic.
        written.unwrap_or_else(write)
    }
}

fn choice(colour: bool) -> ColorChoice {
    if colour {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking thread was writing is no reason to keep silent about the panic.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write_all(sink: &Sink, text: &str) -> io::Result<()> {
    let mut sink = lock(sink);
    sink.write_all(text.as_bytes())?;
    sink.flush()
}

/// Masks, and takes out whatever drives a terminal, but for our colours where there are any.
fn guard(text: &str, colour: bool, redactor: &Redactor) -> String {
    let masked = redactor.text(text);
    let harmless = if colour {
        clean_but_colours(&masked)
    } else {
        text::clean(&masked)
    };
    redactor.text(&harmless)
}

/// Cleans all but the sequences that only choose a colour (`ESC [ digits and semicolons m`).
fn clean_but_colours(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut foreign = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, from) = rest.split_at(at);
        foreign.push_str(before);
        match colour_length(from) {
            Some(length) => {
                let (colour, after) = from.split_at(length);
                out.push_str(&text::clean(&foreign));
                foreign.clear();
                out.push_str(colour);
                rest = after;
            }
            None => {
                foreign.push('\u{1b}');
                rest = from.strip_prefix('\u{1b}').unwrap_or_default();
            }
        }
    }
    foreign.push_str(rest);
    out.push_str(&text::clean(&foreign));
    out
}

fn colour_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix("\u{1b}[")?;
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    digits.get(end..)?.starts_with('m').then_some(end + 3)
}

/// Whether both ends of a conversation are terminals: whoever asks a question needs it.
pub fn is_conversation() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// A file that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("`{}` could not be written: {doing}: {reason}", path.display())]
pub struct WriteError {
    /// The file that was asked for.
    pub path: PathBuf,
    /// What failed.
    pub doing: &'static str,
    /// Why.
    #[source]
    pub reason: io::Error,
}

/// Writes a report, whole or not at all: beside its place first, and moved there when it is on disk.
/// Only its owner may read it. The folder must exist.
pub fn write_report(path: &Path, masked: &str) -> Result<(), WriteError> {
    write_for(path, masked, OWNER_ALONE)
}

/// Writes figures that another user's collector reads, in the same way; everybody may read them.
pub fn write_figures(path: &Path, masked: &str) -> Result<(), WriteError> {
    write_for(path, masked, EVERYBODY_READS)
}

const OWNER_ALONE: u32 = 0o600;
const EVERYBODY_READS: u32 = 0o644;

fn write_for(path: &Path, masked: &str, mode: u32) -> Result<(), WriteError> {
    let failed = |doing, reason| WriteError {
        path: path.to_owned(),
        doing,
        reason,
    };
    if path.file_name().is_none() {
        let reason = io::ErrorKind::InvalidInput.into();
        return Err(failed("it names no file", reason));
    }
    // Moving a file over `/dev/null` or a link would replace the thing itself.
    if let Ok(there) = path.symlink_metadata()
        && !there.is_file()
    {
        let reason = io::Error::other("what is there is not a regular file");
        return Err(failed("looking at its place", reason));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let unfinished = folder.join(format!(".runner-{}.unfinished", std::process::id()));
    let written = write_whole(&unfinished, masked.as_bytes(), mode)
        .map_err(|reason| failed("writing beside it", reason))
        .and_then(|()| {
            std::fs::rename(&unfinished, path)
                .map_err(|reason| failed("moving it to its place", reason))
        });
    if written.is_err() {
        let _ = std::fs::remove_file(&unfinished);
    }
    written
}

fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // One that a killed process of the same number left is not written through: it may be a link.
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(mode);
    }
    let mut file = options.open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // A strict mask of the process would keep readers out, and the file is made for them.
        file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_colours_pass() {
        let text =
            "\u{1b}[1;31mred\u{1b}[0m \u{1b}[2Jgone\u{1b}]0;title\u{7} \u{202e}x\n::error::y";
        assert_eq!(
            clean_but_colours(text),
            "\u{1b}[1;31mred\u{1b}[0m gone x\n| ::error::y"
        );
        assert_eq!(
            guard(text, false, &Redactor::new()),
            "red gone x\n| ::error::y"
        );
    }
}
