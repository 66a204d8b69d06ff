//! Diagnostics for people, for programs and for GitHub. The only file that knows `annotate-snippets`.
//!
//! Pure: text in, text out. Whatever comes from a file is made harmless before it is shown, and masking
//! is left to the sink, since a diagnostic holds no values of inputs.

mod excerpt;

use std::collections::BTreeSet;

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet};
use serde::Serialize;

use self::excerpt::{SNIPPET_BYTES_MAX, excerpts, lines_around, readable};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::text;

/// More than this are counted, not shown: the first ones are mended first.
const SHOWN_MAX: usize = 100;
/// A message is never longer than this.
const MESSAGE_CHARACTERS_MAX: usize = 1_000;
/// Narrower, an excerpt cannot be read.
const WIDTH_MIN: usize = 40;

/// How diagnostics look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people: the place, the line, what to do.
    #[default]
    Human,
    /// For programs: a list.
    Json,
    /// Annotations in the logs of GitHub Actions.
    Github,
}

/// One diagnostic of `--format json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Entry {
    /// The stable code.
    pub code: String,
    /// `error` or `warning`.
    pub severity: String,
    /// What is wrong.
    pub message: String,
    /// Where, when it belongs to a file.
    pub place: Option<EntryPlace>,
    /// Other places that belong to it.
    pub labels: Vec<EntryLabel>,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text that should stand at the place instead, when it is known exactly.
    pub fix: Option<String>,
}

/// A place in a file: lines and columns count from 1, columns in characters, the end is not part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct EntryPlace {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// The line of the end.
    pub end_line: usize,
    /// The column of the end.
    pub end_column: usize,
}

/// Another place with a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct EntryLabel {
    /// Where.
    pub place: EntryPlace,
    /// The words.
    pub message: String,
}

/// For people: the look of rustc, and a closing line. `width` columns, colours when `styled`.
pub fn human(diagnostics: &Diagnostics, width: usize, styled: bool) -> String {
    let all = diagnostics.sorted();
    let renderer = if styled {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(width.max(WIDTH_MIN));
    let mut out = String::new();
    for diagnostic in all.iter().take(SHOWN_MAX) {
        out.push_str(&one(&renderer, diagnostic));
        out.push_str("\n\n");
    }
    if all.len() > SHOWN_MAX {
        out.push_str(&format_more(all.len() - SHOWN_MAX));
    }
    if let Some(line) = closing_line(&all) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// For programs.
pub fn entries(diagnostics: &Diagnostics) -> Vec<Entry> {
    diagnostics
        .sorted()
        .into_iter()
        .map(|diagnostic| Entry {
            code: diagnostic.code.to_owned(),
            severity: severity_word(diagnostic.severity).to_owned(),
            message: diagnostic.message.clone(),
            place: diagnostic.place.as_ref().map(entry_place),
            labels: diagnostic
                .labels
                .iter()
                .map(|(place, words)| EntryLabel {
                    place: entry_place(place),
                    message: words.clone(),
                })
                .collect(),
            hint: diagnostic.hint.clone(),
            fix: diagnostic.fix.clone(),
        })
        .collect()
}

/// For GitHub: one command per line, foreign text escaped.
pub fn github(diagnostics: &Diagnostics) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics.sorted() {
        let mut properties = Vec::new();
        if let Some(place) = &diagnostic.place {
            let (end_line, end_column) = end_of(place);
            properties.push(format!("file={}", property(&place.source.name)));
            properties.push(format!("line={}", place.line));
            properties.push(format!("col={}", place.column));
            properties.push(format!("endLine={end_line}"));
            if end_line == place.line {
                properties.push(format!("endColumn={end_column}"));
            }
        }
        properties.push(format!("title={}", property(diagnostic.code)));
        let mut message = diagnostic.message.clone();
        if let Some(hint) = &diagnostic.hint {
            message.push_str("\nhint: ");
            message.push_str(hint);
        }
        let line = format!(
            "::{} {}::{}\n",
            severity_word(diagnostic.severity),
            properties.join(","),
            escape(&text::clean(&message)),
        );
        out.push_str(&line);
    }
    out
}

/// `3 errors, 1 warning in release.yml`; none when there is nothing.
pub fn closing_line(all: &[&Diagnostic]) -> Option<String> {
    let count = |severity| all.iter().filter(|d| d.severity == severity).count();
    let counted = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let parts: Vec<String> = [
        counted(count(Severity::Error), "error"),
        counted(count(Severity::Warning), "warning"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() {
        return None;
    }
    let files: BTreeSet<&str> = all
        .iter()
        .filter_map(|d| d.place.as_ref())
        .map(|place| place.source.name.as_str())
        .collect();
    let place = match (files.len(), files.first()) {
        (1, Some(file)) => format!(" in {}", text::clean_line(file, MESSAGE_CHARACTERS_MAX)),
        (0, _) | (_, None) => String::new(),
        (n, Some(_)) => format!(" in {n} files"),
    };
    Some(format!("{}{place}", parts.join(", ")))
}

fn format_more(more: usize) -> String {
    format!("... and {more} more\n\n")
}

fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn words(foreign: &str) -> String {
    text::clean_line(foreign, MESSAGE_CHARACTERS_MAX)
}

fn one(renderer: &Renderer, diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let hint = Level::HELP.with_name("hint");
    let title = level
        .primary_title(words(&diagnostic.message))
        .id(diagnostic.code);
    let mut group = Group::with_title(title);
    for part in excerpts(diagnostic) {
        group = match part.text {
            Some(source) => group.element(
                Snippet::source(source)
                    .path(part.file)
                    .line_start(part.line)
                    .annotations(part.marks.into_iter().map(|(span, label)| match label {
                        Some(label) => AnnotationKind::Context.span(span).label(label),
                        None => AnnotationKind::Primary.span(span),
                    })),
            ),
            None => group.element(
                Origin::path(part.file)
                    .line(part.line)
                    .char_column(part.column),
            ),
        };
    }
    let mut report = Vec::new();
    match (fix(diagnostic), &diagnostic.hint) {
        (Some(patch), words_of_hint) => {
            let title = words_of_hint
                .as_deref()
                .map_or_else(|| "write it like this".to_owned(), words);
            report.push(group);
            report.push(hint.secondary_title(title).element(patch));
        }
        (None, Some(words_of_hint)) => {
            report.push(group.element(hint.message(words(words_of_hint))));
        }
        (None, None) => report.push(group),
    }
    harmless(&renderer.render(&report))
}

/// The excerpts are escaped by the renderer, but for a few characters: those go here. Our colours stay.
fn harmless(rendered: &str) -> String {
    rendered
        .chars()
        .filter(|c| {
            let c1 = matches!(c, '\u{80}'..='\u{9f}');
            let unseen = matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}');
            !c1 && !unseen
        })
        .collect()
}

/// The fix as a change of its lines.
fn fix(diagnostic: &Diagnostic) -> Option<Snippet<'static, Patch<'static>>> {
    let place = diagnostic.place.as_ref()?;
    let replacement = diagnostic.fix.as_deref()?;
    let lines = lines_around(place, &place.span);
    let source = place
        .source
        .text
        .get(lines.clone())
        .filter(|text| text.len() <= SNIPPET_BYTES_MAX)?;
    let span =
        place.span.start.checked_sub(lines.start)?..place.span.end.checked_sub(lines.start)?;
    Some(
        Snippet::source(readable(source))
            .line_start(place.source.place(lines.start..lines.start).line)
            .patch(Patch::new(span, text::clean(replacement))),
    )
}

fn entry_place(place: &Place) -> EntryPlace {
    let (end_line, end_column) = end_of(place);
    EntryPlace {
        file: place.source.name.clone(),
        line: place.line,
        column: place.column,
        end_line,
        end_column,
    }
}

/// Line and column of the end, counted on from the start: a file may have thousands of mistakes.
fn end_of(place: &Place) -> (usize, usize) {
    let marked = place
        .source
        .text
        .get(place.span.clone())
        .unwrap_or_default();
    let lines = marked.matches('\n').count();
    let last = marked.rsplit('\n').next().unwrap_or_default();
    let before = if lines == 0 { place.column } else { 1 };
    (place.line + lines, before + last.chars().count())
}

/// What GitHub wants escaped in a message.
fn escape(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// What GitHub wants escaped in a property.
fn property(foreign: &str) -> String {
    escape(&words(foreign))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    #[test]
    fn what_ends_the_lines_of_windows_is_not_shown() {
        let source = Source::new("a.yml", "name: x\r\nstps: 1\r\n");
        let mut all = Diagnostics::new();
        let place = source.place(9..13);
        all.push(Diagnostic::error("P012", place, "no key `stps`").fix("steps"));
        let shown = human(&all, 80, false);
        assert!(shown.contains("a.yml:2:1"), "{shown}");
        assert!(!shown.contains(['\r', '\u{240d}']), "{shown}");
    }

    fn sample() -> Diagnostics {
        let source = Source::new(
            "release.yml",
            "playbook: 1\nsteps:\n  build:\n    run_workflow: { projet: web }\n    timeout: 10\n  tests:\n    wait: 1\n",
        );
        let at = |needle: &str| {
            let start = source.text.find(needle).unwrap();
            source.place(start..start + needle.len())
        };
        let mut all = Diagnostics::new();
        all.push(
            Diagnostic::error(
                "P012",
                at("projet"),
                "`projet` is no parameter of `run_workflow`",
            )
            .label(at("run_workflow"), "of this action")
            .hint("did you mean `project`?")
            .fix("project"),
        );
        all.push(
            Diagnostic::error("P003", at("10"), "a duration needs a unit")
                .hint("write `10s` for seconds or `10m` for minutes"),
        );
        all.push(Diagnostic::warning(
            "P050",
            at("tests"),
            "nothing reads `tests`",
        ));
        all
    }

    #[test]
    fn people_see_place_line_and_what_to_do() {
        let expected = "\
error[P012]: `projet` is no parameter of `run_workflow`
 --> release.yml:4:21
  |
4 |     run_workflow: { projet: web }
  |     ------------    ^^^^^^
  |     |
  |     of this action
  |
hint: did you mean `project`?
  |
4 |     run_workflow: { project: web }
  |                          +

error[P003]: a duration needs a unit
 --> release.yml:5:14
  |
5 |     timeout: 10
  |              ^^
  |
  = hint: write `10s` for seconds or `10m` for minutes

warning[P050]: nothing reads `tests`
 --> release.yml:6:3
  |
6 |   tests:
  |   ^^^^^

2 errors, 1 warning in release.yml
";
        let shown = human(&sample(), 100, false);
        assert_eq!(shown, expected, "{shown}");
    }

    #[test]
    fn github_gets_escaped_annotations() {
        let lines = github(&sample());
        assert_eq!(
            lines.lines().next(),
            Some(
                "::error file=release.yml,line=4,col=21,endLine=4,endColumn=27,title=P012::\
                 `projet` is no parameter of `run_workflow`%0Ahint: did you mean `project`?"
            )
        );
        let mut hostile = Diagnostics::new();
        let source = Source::new("a,b:c\n::error::x%.yml", "x\n");
        hostile.push(Diagnostic::error(
            "P001",
            source.place(0..1),
            "50%\n::set-output::",
        ));
        let line = github(&hostile);
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(line.starts_with("::error file=a%2Cb%3Ac"), "{line}");
        assert!(line.ends_with("::50%25%0A| ::set-output::\n"), "{line}");
    }

    #[test]
    fn a_hostile_file_drives_no_terminal_and_a_huge_line_is_only_named() {
        let mut all = Diagnostics::new();
        let source = Source::new("x.yml", "a: \"\u{1b}[31m\u{9b}2J\u{202e}\u{200b}\u{7}b\"\n");
        all.push(Diagnostic::error(
            "P001",
            source.place(3..20),
            "bad \u{1b}]0;x\u{7}value",
        ));
        let long = Source::new("y.yml", format!("k: {}\n", "z".repeat(1 << 20)));
        all.push(Diagnostic::error("P002", long.place(3..9), "too long"));
        let shown = human(&all, 80, false);
        let harmful = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}' || c == '\u{200b}');
        assert!(!shown.contains(harmful), "{shown:?}");
        assert!(shown.contains("y.yml:1:4"), "{shown}");
        assert!(shown.len() < 2_000, "{}", shown.len());
    }

    #[test]
    fn programs_get_where_it_ends_too() {
        let entries = entries(&sample());
        let first = entries[0].place.clone().unwrap();
        assert_eq!((first.line, first.column), (4, 21));
        assert_eq!((first.end_line, first.end_column), (4, 27));
        assert_eq!(entries[0].labels.len(), 1);
        assert_eq!(entries[1].fix, None);
    }
}
