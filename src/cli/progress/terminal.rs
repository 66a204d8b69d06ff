//! Drawing on a terminal: the board stands at the bottom and is painted over, in one write a time.
//!
//! Of `indicatif` it takes what a terminal is, and not its drawing: that fills every row to its edge, and a
//! terminal whose window changes would join such rows to one long line. Here each line ends where its words
//! end, and when the window becomes narrower it is known how many rows the terminal has made of them (where
//! it breaks lines anew, as most do). The cursor stands below the board, on a row of its own: what is
//! typed there, or `^C`, disturbs no line, and a killed process leaves nothing to be restored.
//! Nothing here decides what is shown. Errors of the terminal end here: a closed stderr is no reason to fail.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::TermLike;

use super::board::Size;
use crate::cli::output::Below;
use crate::cli::screen::columns;

/// Down to the end of the screen, everything goes.
const CLEAR_BELOW: &str = "\u{1b}[J";
const CLEAR_REST_OF_LINE: &str = "\u{1b}[K";
const SAVE_CURSOR: &str = "\u{1b}7";
const RESTORE_CURSOR: &str = "\u{1b}8";

/// A terminal with a board at its bottom.
#[derive(Debug)]
pub(super) struct Terminal {
    on: Arc<dyn TermLike>,
    drawn: Mutex<Drawn>,
}

/// What stands on the terminal.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Drawn {
    lines: Vec<String>,
    size: Size,
    /// Lines that were typed since: the cursor went down with each.
    typed: usize,
}

impl Terminal {
    /// Nothing is drawn yet.
    pub(super) fn new(on: Arc<dyn TermLike>) -> Self {
        Self {
            on,
            drawn: Mutex::default(),
        }
    }

    /// How large the terminal is now.
    pub(super) fn size(&self) -> Size {
        Size {
            rows: usize::from(self.on.height()),
            columns: usize::from(self.on.width()),
        }
    }

    /// Shows these lines in the place of those before, and what stays above them.
    pub(super) fn show(&self, above: &str, lines: Vec<String>) {
        let mut drawn = self.lock();
        let now = Drawn {
            lines,
            size: self.size(),
            typed: 0,
        };
        let painted = paint(&drawn, above, &now);
        if !painted.is_empty() {
            self.write(&painted);
        }
        *drawn = now;
    }

    /// Leaves the lines where they are: what comes next is written below them.
    pub(super) fn leave(&self) {
        *self.lock() = Drawn::default();
    }

    fn lock(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) {
        // There is nobody left to tell of an error.
        let _ = self.on.write_str(text);
        let _ = self.on.flush();
    }
}

impl Below for Terminal {
    fn aside(&self, write: &mut dyn FnMut()) {
        let mut drawn = self.lock();
        let away = back(&drawn, self.size());
        if away.is_empty() {
            write();
            return;
        }
        self.write(&(away + CLEAR_BELOW));
        write();
        let now = Drawn {
            size: self.size(),
            typed: 0,
            lines: std::mem::take(&mut drawn.lines),
        };
        self.write(&paint(&Drawn::default(), "", &now));
        *drawn = now;
    }

    fn typed(&self) {
        let mut drawn = self.lock();
        if !drawn.lines.is_empty() {
            drawn.typed += 1;
        }
    }
}

/// What makes one screen out of another; nothing when nothing changes.
fn paint(before: &Drawn, above: &str, now: &Drawn) -> String {
    let in_place = above.is_empty()
        && (before.typed, before.size) == (0, now.size)
        && before.lines.len() == now.lines.len();
    if in_place {
        return change(before, now);
    }
    let mut out = back(before, now.size);
    if !out.is_empty() {
        out.push_str(CLEAR_BELOW);
    }
    for line in above.lines().chain(now.lines.iter().map(String::as_str)) {
        out.push_str(line);
        out.push_str("\r\n");
    }
    out
}

/// The lines that are others now. The cursor goes back to where it was: somebody may be typing there.
fn change(before: &Drawn, now: &Drawn) -> String {
    let mut out = String::new();
    let changed = before.lines.iter().zip(&now.lines).enumerate();
    for (n, (_, line)) in changed.filter(|(_, (before, now))| before != now) {
        let up = now.lines.len() - n;
        let _ = write!(
            out,
            "{SAVE_CURSOR}\r\u{1b}[{up}A{line}{CLEAR_REST_OF_LINE}{RESTORE_CURSOR}"
        );
    }
    out
}

/// The way from the cursor to the beginning of what is drawn; none when nothing is.
fn back(drawn: &Drawn, size: Size) -> String {
    if drawn.lines.is_empty() {
        return String::new();
    }
    let width = size.columns.max(1);
    let rows = |line: &String| columns(line).div_ceil(width).max(1);
    let up = drawn.lines.iter().map(rows).sum::<usize>() + drawn.typed;
    format!("\r\u{1b}[{up}A")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(lines: &[&str], columns: usize) -> Drawn {
        Drawn {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            size: Size { rows: 24, columns },
            typed: 0,
        }
    }

    #[test]
    fn only_what_has_changed_is_written() {
        let before = drawn(&["head", "one", "two"], 80);
        assert_eq!(paint(&before, "", &before), "");
        let after = drawn(&["head", "uno", "two"], 80);
        assert_eq!(
            paint(&before, "", &after),
            "\u{1b}7\r\u{1b}[2Auno\u{1b}[K\u{1b}8"
        );
        let longer = drawn(&["head", "one", "two", "three"], 80);
        assert_eq!(
            paint(&before, "", &longer),
            "\r\u{1b}[3A\u{1b}[Jhead\r\none\r\ntwo\r\nthree\r\n"
        );
    }

    #[test]
    fn a_narrower_window_has_broken_the_lines() {
        let before = drawn(&["x".repeat(30).as_str(), "short"], 80);
        let after = drawn(&["xx"], 20);
        assert_eq!(paint(&before, "", &after), "\r\u{1b}[3A\u{1b}[Jxx\r\n");
        let mut typed = before;
        typed.typed = 1;
        assert_eq!(
            paint(&typed, "said", &drawn(&["xx"], 80)),
            "\r\u{1b}[3A\u{1b}[Jsaid\r\nxx\r\n"
        );
    }
}
