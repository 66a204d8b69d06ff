//! What the documents say is true: every path, link, command, example, table and message in them is held
//! against the code.

mod actions;
mod codes;
mod commands;
mod examples;
mod generated;
mod markdown;
mod report;

use std::path::Path;

use markdown::{Kind, documents, root};

/// Folders of the repository that a document may name something in.
const FOLDERS: [&str; 7] = [
    "src/",
    "docs/",
    "tests/",
    "playbooks/",
    "schemas/",
    "benches/",
    ".ci/",
];

#[test]
fn every_path_that_a_document_names_is_there() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for document in documents() {
        for part in &document.parts {
            let (Kind::Code(text) | Kind::Link(text)) = &part.kind else {
                continue;
            };
            for word in text.split([' ', ',', '(', ')', '=']) {
                let word = word.trim_end_matches(['.', ':', ';']);
                // In capitals, or with a star: a pattern and not a path.
                let pattern = word.contains(['*', '…', '<', '{']) || word.contains("NAME");
                if pattern || !FOLDERS.iter().any(|folder| word.starts_with(folder)) {
                    continue;
                }
                let path = word.split('#').next().unwrap_or(word);
                seen += 1;
                if !root().join(path).exists() {
                    wrong.push(format!("{}:{}: `{path}`", document.path, part.line));
                }
            }
        }
    }
    assert!(seen > 40, "only {seen} paths were found");
    assert!(wrong.is_empty(), "these do not exist: {wrong:#?}");
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for document in documents() {
        let folder = Path::new(&document.path)
            .parent()
            .map(Path::to_owned)
            .unwrap_or_default();
        for part in &document.parts {
            let Kind::Link(target) = &part.kind else {
                continue;
            };
            if target.contains("://") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => root().join(&document.path),
                path => root().join(&folder).join(path),
            };
            let found = match anchor {
                "" => file.exists(),
                anchor => documents()
                    .iter()
                    .filter(|other| {
                        root().join(&other.path).canonicalize().ok() == file.canonicalize().ok()
                    })
                    .any(|other| other.anchors().iter().any(|known| known == anchor)),
            };
            if !found {
                wrong.push(format!("{}:{}: `{target}`", document.path, part.line));
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere: {wrong:#?}");
}

/// Words that belong to the place where something was written, and not to the thing.
#[test]
fn nothing_names_the_machine_or_the_circumstances_of_its_making() {
    let forbidden = [
        ["/wo", "rk/"].concat(),
        ["/ro", "ot/"].concat(),
        ["C:", "\\Users"].concat(),
        ["sub", "agent"].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
        ["issue", " #"].concat(),
    ];
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in files() {
        // What is not text is nobody's words.
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        seen += 1;
        for (at, line) in text.lines().enumerate() {
            for word in &forbidden {
                if line.contains(word.as_str()) {
                    wrong.push(format!("{}:{}: {word}", path.display(), at + 1));
                }
            }
        }
    }
    assert!(seen > 300, "only {seen} files were looked at");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// All files of the repository that people write.
fn files() -> Vec<std::path::PathBuf> {
    fn collect(folder: &Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(folder)
            .expect("the folder is there")
            .flatten()
        {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    collect(&path, found);
                }
            } else if name != "Cargo.lock" && name != ".git" {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    collect(root(), &mut found);
    found
}
