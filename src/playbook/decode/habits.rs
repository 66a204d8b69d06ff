//! What people write who come from other tools, and what it is called here.
//!
//! Only words for hints: what is right and what is wrong is decided elsewhere.

use super::super::tree::{Yaml, YamlNode};
use crate::text;

/// Keys and words of other tools, each with ours.
const SAME: [(&str, &str); 31] = [
    ("if", "when"),
    ("condition", "when"),
    ("depends_on", "needs"),
    ("depends-on", "needs"),
    ("dependencies", "needs"),
    ("requires", "needs"),
    ("after", "needs"),
    ("ignore_errors", "allow_failure"),
    ("continue_on_error", "allow_failure"),
    ("continue-on-error", "allow_failure"),
    ("loop", "for_each"),
    ("with_items", "for_each"),
    ("matrix", "for_each"),
    ("register", "extract"),
    ("always", "finally"),
    ("variables", "vars"),
    ("params", "parameters"),
    ("branch", "reference"),
    ("ref", "reference"),
    ("sha", "commit_sha"),
    ("deadline", "timeout"),
    ("str", "string"),
    ("text", "string"),
    ("int", "integer"),
    ("float", "number"),
    ("bool", "boolean"),
    ("array", "list"),
    ("sequence", "list"),
    ("map", "object"),
    ("dict", "object"),
    ("dictionary", "object"),
];

/// Keys that need none here, and why.
const NEEDLESS: [(&str, &str, &str); 4] = [
    (
        "required",
        "optional",
        "leave it out: an input must be given unless it has a `default` or is `optional: true`",
    ),
    (
        "name",
        "needs",
        "leave it out: the key of a step is its name, and `description` says more",
    ),
    (
        "run",
        "needs",
        "no command runs on this machine: let a job of a pipeline run it, and start that with `run_workflow`",
    ),
    (
        "script",
        "needs",
        "no command runs on this machine: let a job of a pipeline run it, and start that with `run_workflow`",
    ),
];

/// What a word of another tool is called here, when that may stand there.
pub(super) fn called(word: &str, known: &[&str]) -> Option<&'static str> {
    let word = word.to_lowercase();
    let ours = SAME.iter().filter(|(theirs, _)| *theirs == word);
    ours.map(|(_, ours)| *ours)
        .find(|ours| known.contains(ours))
}

/// Why a key is not needed, among keys like those that are known.
pub(super) fn needless(key: &str, known: &[&str]) -> Option<&'static str> {
    let found = NEEDLESS
        .iter()
        .find(|(theirs, beside, _)| *theirs == key && known.contains(beside));
    found.map(|(_, _, why)| *why)
}

/// What to write in the stead of a value of another kind.
pub(super) fn shape(what: &str, yaml: &Yaml) -> Option<String> {
    match (what, &yaml.node) {
        ("`steps`" | "`finally`", YamlNode::List(_)) => {
            Some("write a map of names and steps: `build: { run_workflow: { … } }`".to_owned())
        }
        ("`retry`", YamlNode::Number(attempts)) => {
            Some(format!("write `retry: {{ attempts: {attempts} }}`"))
        }
        ("each item of `needs`", YamlNode::Map(entries)) => {
            let named = entries.iter().filter_map(|entry| match &entry.value.node {
                YamlNode::Text(outcome) => Some(format!("{}: {outcome}", entry.key.name)),
                _ => None,
            });
            let named: Vec<String> = named.collect();
            let shown = text::clean_line(&named.join(", "), 60);
            Some(format!(
                "write a map without the brackets: `needs: {{ {shown} }}`"
            ))
        }
        ("`body`", YamlNode::Map(_) | YamlNode::List(_)) => Some(
            "write `json` in the stead of `body`: what stands there is sent as JSON".to_owned(),
        ),
        _ => None,
    }
}
