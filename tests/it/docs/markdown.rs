//! The documents of the repository, taken apart: headings, blocks of code, code in the text, links.

use std::path::{Path, PathBuf};

/// A document.
pub(super) struct Document {
    /// Its path from the root of the repository.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) parts: Vec<Part>,
}

/// A part of a document, with its line.
pub(super) struct Part {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    /// A heading without its `#`.
    Heading(String),
    /// A block of code: its language and its text.
    Block(String, String),
    /// Code in a line of text.
    Code(String),
    /// The target of a link.
    Link(String),
}

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All documents: those of the root and those under `docs`, by path.
pub(super) fn documents() -> Vec<Document> {
    let mut paths: Vec<PathBuf> = ["", "docs"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).expect("the folder is there"))
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
    paths.sort();
    assert!(paths.len() >= 10, "only {} documents", paths.len());
    paths.iter().map(|path| Document::read(path)).collect()
}

/// The document of this path.
pub(super) fn document(path: &str) -> Document {
    Document::read(&root().join(path))
}

impl Document {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).expect("the document can be read");
        let path = path.strip_prefix(root()).unwrap_or(path);
        Self {
            path: path.display().to_string(),
            parts: parts(&text),
            text,
        }
    }

    /// All blocks of code of a language: line and text.
    pub(super) fn blocks<'a>(
        &'a self,
        language: &'a str,
    ) -> impl Iterator<Item = (usize, &'a str)> + 'a {
        self.parts.iter().filter_map(move |part| match &part.kind {
            Kind::Block(found, text) if found == language => Some((part.line, text.as_str())),
            _ => None,
        })
    }

    /// The parts under each heading.
    pub(super) fn sections(&self) -> Vec<(&str, &[Part])> {
        let starts: Vec<usize> = (0..self.parts.len())
            .filter(|at| matches!(self.parts[*at].kind, Kind::Heading(_)))
            .collect();
        let ends = starts.iter().skip(1).copied().chain([self.parts.len()]);
        starts
            .iter()
            .zip(ends)
            .filter_map(|(start, end)| match &self.parts[*start].kind {
                Kind::Heading(title) => Some((title.as_str(), &self.parts[start + 1..end])),
                _ => None,
            })
            .collect()
    }

    /// The anchors that links may lead to.
    pub(super) fn anchors(&self) -> Vec<String> {
        self.sections()
            .iter()
            .map(|(title, _)| anchor(title))
            .collect()
    }
}

fn anchor(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut block: Option<(usize, String, String)> = None;
    for (at, line) in text.lines().enumerate() {
        let number = at + 1;
        if let Some((from, language, code)) = &mut block {
            if line.trim_end() == "```" {
                let kind = Kind::Block(std::mem::take(language), std::mem::take(code));
                parts.push(Part { line: *from, kind });
                block = None;
            } else {
                code.push_str(line);
                code.push('\n');
            }
        } else if let Some(language) = line.strip_prefix("```") {
            block = Some((number, language.trim().to_owned(), String::new()));
        } else {
            if line.starts_with('#') {
                let title = line.trim_start_matches('#').trim().to_owned();
                parts.push(Part {
                    line: number,
                    kind: Kind::Heading(title),
                });
            }
            inline(line, number, &mut parts);
        }
    }
    assert!(block.is_none(), "a block of code is not closed");
    parts
}

fn inline(line: &str, number: usize, parts: &mut Vec<Part>) {
    for (at, piece) in line.split('`').enumerate() {
        if at % 2 == 1 && !piece.is_empty() {
            parts.push(Part {
                line: number,
                kind: Kind::Code(piece.to_owned()),
            });
        }
    }
    for piece in line.split("](").skip(1) {
        if let Some((target, _)) = piece.split_once(')') {
            parts.push(Part {
                line: number,
                kind: Kind::Link(target.to_owned()),
            });
        }
    }
}
