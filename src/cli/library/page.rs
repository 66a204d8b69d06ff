//! `docs/library.md`: made of the library, so that it cannot say anything else.
//!
//! Pure. The sentences are those of the playbooks, the pictures those of `runner plan`.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::plan_of;
use crate::cli::plan::build::{Facts, view};
use crate::cli::plan::graph::mermaid;
use crate::cli::plan::questions::Answers;
use crate::cli::plan::view::{InputView, PlanView};
use crate::playbook::library;

const INTRO: &str = "\
# The library

Playbooks that teams need, built into the program. Each is small enough to be read in a minute, has a test beside it with red, faulty and
killed runs, and can be tried without an account. This page is made of them: `runner schema library` prints it.

- `runner library list` shows them, `runner library show canary` prints one.
- `runner new deploy --from canary` writes one of them and its test into the working folder under a name of your own.

In the pictures an amber box changes something, a blue one asks a person, and the word at an arrow is the end of a step that the next one
waits for.

";

/// The page.
pub(in crate::cli) fn page() -> String {
    let mut out = String::from(INTRO);
    out.push_str("| playbook | what it does |\n|---|---|\n");
    let all: Vec<(&str, &str, PlanView)> = library::all()
        .filter_map(|(name, text)| {
            let plan = plan_of(name, text)?;
            let nothing = IndexMap::new();
            let facts = Facts {
                values: &nothing,
                secrets: &[],
                answers: &Answers::default(),
                durations: &|_| None,
            };
            Some((name, text, view(&plan, &facts)))
        })
        .collect();
    for (name, _, view) in &all {
        let about = view.description.as_deref().unwrap_or_default();
        let _ = writeln!(out, "| [`{name}`](#{name}) | {} |", cell(about));
    }
    for (name, text, view) in &all {
        section(name, text, view, &mut out);
    }
    out
}

fn section(name: &str, text: &str, view: &PlanView, out: &mut String) {
    let (about, commands) = comment(text);
    let _ = writeln!(out, "\n## {name}\n\n{about}\n");
    let _ = writeln!(
        out,
        "The file: [playbooks/{name}.yml](../playbooks/{name}.yml).\n"
    );
    out.push_str("```sh\n");
    for command in commands {
        let _ = writeln!(out, "{command}");
    }
    out.push_str("```\n\n| input | type | default | |\n|---|---|---|---|\n");
    let plan = plan_of(name, text);
    for (input, of) in &view.inputs {
        let declared = plan.as_ref().and_then(|plan| plan.inputs.get(input));
        let default = declared.and_then(|declared| declared.default.as_ref());
        let default = match (default, declared.is_some_and(|d| d.optional)) {
            (Some(serde_json::Value::String(text)), _) => format!("`{text}`"),
            (Some(value), _) => format!("`{value}`"),
            (None, true) => "none".to_owned(),
            (None, false) => "required".to_owned(),
        };
        let _ = writeln!(
            out,
            "| `{input}` | {} | {} | {} |",
            ty(of),
            cell(&default),
            cell(of.description.as_deref().unwrap_or_default())
        );
    }
    let outputs: Vec<String> = view
        .outputs
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    let _ = writeln!(out, "\nIt gives {}.\n", outputs.join(", "));
    let _ = writeln!(out, "```mermaid\n{}```", mermaid(view));
}

fn ty(input: &InputView) -> String {
    let mut words = input.ty.to_owned();
    if input.secret {
        words.push_str(", secret");
    }
    if let Some(variable) = &input.env {
        words.push_str(&[", from `", variable, "`"].concat());
    }
    words
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    crate::text::clean_line(text, 400).replace('|', "\\|")
}

/// The comment at the head of a playbook: what it is for, and the commands that try it.
fn comment(text: &str) -> (String, Vec<String>) {
    let head = text
        .lines()
        .skip(1)
        .map_while(|line| line.strip_prefix('#'))
        .map(str::trim);
    let (mut about, mut commands) = (Vec::new(), Vec::new());
    for line in head {
        match line.find("runner ") {
            // What stands before the command says what it is for.
            Some(at) if line.starts_with("runner ") || line.contains(":   ") => {
                commands.push(line.get(at..).unwrap_or(line).to_owned());
            }
            _ if !line.is_empty() => about.push(line),
            _ => {}
        }
    }
    (about.join("\n"), commands)
}
