//! How text is laid out: its width, its colours, and the gate for foreign text.
//!
//! Pure. Every text that is not ours goes through [`Screen::line`] or [`Screen::block`], which mask
//! before they cut; nothing here knows events or writes anything.

use anstyle::{AnsiColor, Style};

use crate::secret::Redactor;
use crate::text;

/// Narrower screens get lines that a terminal would wrap.
const WIDTH_MIN: usize = 20;
/// Wider screens are not filled: nobody reads lines that long.
const WIDTH_MAX: usize = 200;
/// A foreign text is never longer than this, whatever the width.
const TEXT_CHARACTERS_MAX: usize = 2_000;

/// What something is painted for. Colour never carries a meaning that the words do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// Look here.
    Look,
    /// Less important.
    Faint,
    /// A heading.
    Strong,
}

/// Where text is laid out for.
#[derive(Debug, Clone, Copy)]
pub struct Screen<'a> {
    width: usize,
    colour: bool,
    redactor: &'a Redactor,
}

impl<'a> Screen<'a> {
    /// A screen of so many columns, without colour.
    pub fn new(width: usize, redactor: &'a Redactor) -> Self {
        Self {
            width: width.clamp(WIDTH_MIN, WIDTH_MAX),
            colour: false,
            redactor,
        }
    }

    /// The same with or without colour.
    #[must_use]
    pub fn colour(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// How many columns it has.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Foreign text as one line of at most `characters_max` characters: masked, harmless, then cut.
    pub fn line(&self, foreign: &str, characters_max: usize) -> String {
        let flat = self.block(foreign).replace(['\n', '\t'], " ");
        text::cut(flat.trim(), characters_max.min(TEXT_CHARACTERS_MAX))
    }

    /// Foreign text as one line that may be as long as the screen allows.
    pub fn words(&self, foreign: &str) -> String {
        self.line(foreign, TEXT_CHARACTERS_MAX)
    }

    /// Foreign text of several lines: masked and harmless.
    pub fn block(&self, foreign: &str) -> String {
        // Cleaning joins what control characters had torn apart, so a secret may show only then.
        let cleaned = text::clean(&self.redactor.text(foreign));
        self.redactor.text(&cleaned)
    }

    /// A value with every secret masked.
    pub fn masked(&self, value: &serde_json::Value) -> serde_json::Value {
        self.redactor.value(value)
    }

    /// A text of ours in a tone.
    pub fn paint(&self, tone: Tone, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let style = match tone {
            Tone::Good => AnsiColor::Green.on_default(),
            Tone::Bad => AnsiColor::Red.on_default().bold(),
            Tone::Look => AnsiColor::Yellow.on_default(),
            Tone::Faint => Style::new().dimmed(),
            Tone::Strong => Style::new().bold(),
        };
        format!("{style}{text}{style:#}")
    }

    /// A line without colours broken into several where it is too long, each with its indent.
    pub fn wrapped(&self, line: &str, first: &str, others: &str) -> Vec<String> {
        let width = self.width.saturating_sub(others.len().max(first.len()));
        wrap(line, width)
            .into_iter()
            .enumerate()
            .map(|(n, line)| format!("{}{line}", if n == 0 { first } else { others }))
            .collect()
    }

    /// A line that is cut to the width of the screen.
    pub fn fit(&self, line: &str) -> String {
        fit(line, self.width)
    }
}

/// How many columns a text takes; colours take none.
pub fn columns(text: &str) -> usize {
    console::measure_text_width(text)
}

/// A text of at most so many columns, with `…` where it was cut.
pub fn fit(text: &str, columns_max: usize) -> String {
    console::truncate_str(text, columns_max, "…").into_owned()
}

/// A text of exactly so many columns: cut, or filled with spaces.
pub fn pad(text: &str, width: usize) -> String {
    let mut fitted = fit(text, width);
    let missing = width.saturating_sub(columns(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

/// Words without colours, broken into lines of at most `width` columns. A longer word stands alone and
/// stays whole: half an id or an address is of no use to anybody.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let needed = columns(&line) + 1 + columns(word);
        if !line.is_empty() && needed > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    // What was harmless in the middle of a line may be a command of the CI at the start of one.
    lines.iter().map(|line| text::clean(line)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_count_columns_not_characters() {
        assert_eq!(columns("日本"), 4);
        assert_eq!(pad("日本語", 5), "日本…");
        assert_eq!(pad("ab", 4), "ab  ");
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("a ::err b", 5), ["a", "| ::err", "b"]);
    }

    #[test]
    fn a_secret_that_was_torn_apart_is_masked_too() {
        let redactor = Redactor::new();
        redactor.learn("correct-horse-battery");
        let screen = Screen::new(80, &redactor);
        let torn = "a correct\u{200b}-hor\u{1b}[0mse-bat\u{200b}tery";
        assert_eq!(screen.words(torn), "a ***");
        // Cut after masking: half a secret is a secret.
        assert_eq!(screen.line("xx correct-horse-battery", 12), "xx ***");
    }
}
