//! `docs/testing.md`: its files are written, its commands are run, and what they say is what it shows.

use regex::Regex;

use crate::program::Program;

/// A block of the document with the text before it.
struct Block {
    line: usize,
    before: String,
    language: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut before = String::new();
    let mut open: Option<Block> = None;
    for (at, line) in document.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (Some(_), Some(_)) => found.extend(open.take()),
            (None, Some(language)) => {
                open = Some(Block {
                    line: at + 1,
                    before: std::mem::take(&mut before),
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (None, None) => before.push_str(line),
        }
    }
    found
}

/// What differs from run to run is named.
fn plain(text: &str) -> String {
    let changes = [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
        (r"release-\d{8}-\d{4}-[0-9a-f]{6}", "RUN"),
        (r"in \d+\.\d\d s", "in TIME"),
        (r", \d+ runs", ", RUNS runs"),
        (r"[ \t]+\n", "\n"),
    ];
    let text = changes.iter().fold(text.to_owned(), |text, (from, to)| {
        let from = Regex::new(from).expect("a regular expression");
        from.replace_all(&text, *to).into_owned()
    });
    text.trim_end().to_owned()
}

/// The words of a command line; quotes hold them together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().expect("there is one").push(c),
        }
    }
    words
}

#[test]
fn the_tutorial_is_true() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/testing.md");
    let document = std::fs::read_to_string(path).expect("it can be read");
    let program = Program::new();
    let file = Regex::new(r"`([a-z._]+\.yml)`[^`]*:\s*$").expect("a regular expression");
    let mut said: Option<String> = None;
    let mut commands = 0;
    for block in blocks(&document) {
        match block.language.as_str() {
            "yaml" => {
                let name = file.captures(&block.before);
                let name = name.unwrap_or_else(|| panic!("line {}: which file?", block.line));
                program.file(&name[1], &block.text);
            }
            "sh" => {
                assert!(
                    said.is_none(),
                    "line {}: nothing shows what was said",
                    block.line
                );
                // Of several commands in a block, the document shows what the last one says.
                for line in block.text.lines() {
                    let words = words(line.strip_prefix("runner ").expect("a command of ours"));
                    let done = program.run(&words);
                    commands += 1;
                    said = Some(format!("{}{}", done.out, done.err)).filter(|s| !s.is_empty());
                }
            }
            "text" => {
                let said = said.take().expect("a command was run");
                assert_eq!(plain(&said), plain(&block.text), "line {}", block.line);
            }
            other => panic!("line {}: `{other}`", block.line),
        }
    }
    assert!(said.is_none(), "the last command shows nothing");
    assert!(commands >= 6, "only {commands} commands");
}
