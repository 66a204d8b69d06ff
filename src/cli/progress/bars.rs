//! The redrawn lines. The only file that knows how `indicatif` draws.
//!
//! Errors of the terminal end here: `indicatif` unwraps some of them, and a closed stderr is no reason
//! to fail. Nothing here decides what is shown.

use std::io;
use std::sync::Arc;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::cli::output::Output;

/// A second guard beside that of the display, against bursts.
const REDRAWS_PER_SECOND_MAX: u8 = 10;

/// Lines at the bottom of a terminal.
#[derive(Debug)]
pub(super) struct Bars {
    multi: MultiProgress,
    board: ProgressBar,
    terminal: Arc<dyn TermLike>,
}

impl Bars {
    /// Lines on a terminal; from now on the output writes above them.
    pub(super) fn new(terminal: Arc<dyn TermLike>, output: &Output) -> Self {
        let target = ProgressDrawTarget::term_like_with_hz(
            Box::new(Unfailing(Arc::clone(&terminal))),
            REDRAWS_PER_SECOND_MAX,
        );
        let multi = MultiProgress::with_draw_target(target);
        let board = multi.add(ProgressBar::no_length());
        // One board of several lines: all of them change at once.
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            board.set_style(style);
        }
        output.attach(multi.clone());
        Self {
            multi,
            board,
            terminal,
        }
    }

    /// How many columns a line may have.
    pub(super) fn width(&self) -> usize {
        // A full line makes some terminals wrap.
        usize::from(self.terminal.width()).saturating_sub(1)
    }

    /// Shows these lines in the place of those before.
    pub(super) fn show(&self, lines: &[String]) {
        let rows = usize::from(self.terminal.height());
        let fitting = rows.saturating_sub(1).max(1);
        let shown = lines.get(..lines.len().min(fitting)).unwrap_or(lines);
        self.board.set_message(shown.join("\n"));
    }

    /// Takes the lines away.
    pub(super) fn clear(self) {
        self.board.finish_and_clear();
        // Nothing to do about a terminal that is gone.
        let _ = self.multi.clear();
    }
}

/// A terminal whose errors nobody hears.
#[derive(Debug)]
struct Unfailing(Arc<dyn TermLike>);

impl TermLike for Unfailing {
    fn width(&self) -> u16 {
        self.0.width()
    }

    fn height(&self) -> u16 {
        self.0.height()
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        let _ = self.0.move_cursor_up(n);
        Ok(())
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        let _ = self.0.move_cursor_down(n);
        Ok(())
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        let _ = self.0.move_cursor_right(n);
        Ok(())
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        let _ = self.0.move_cursor_left(n);
        Ok(())
    }

    fn write_line(&self, line: &str) -> io::Result<()> {
        let _ = self.0.write_line(line);
        Ok(())
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let _ = self.0.write_str(text);
        Ok(())
    }

    fn clear_line(&self) -> io::Result<()> {
        let _ = self.0.clear_line();
        Ok(())
    }

    fn flush(&self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}
