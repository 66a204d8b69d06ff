//! `runner explain PLAYBOOK` as text: why each step would run.
//!
//! Pure: an explanation in, text out. Everything foreign passes the screen.

use super::causes::heading;
use super::screen::{Screen, Tone};
use super::summary::join;
use super::words;
use crate::report::explain_v1::{Edge, Planned, Playbook};

/// So many mentions are told of an edge.
const MENTIONS_MAX: usize = 4;
const INDENT: &str = "  ";

/// A playbook, or one step of it and what that hangs on.
pub fn playbook(playbook: &Playbook, step: Option<&str>, screen: &Screen<'_>) -> String {
    let title = format!(
        "{} ({})",
        name(&playbook.name, screen),
        screen.words(&playbook.path)
    );
    let mut sections = Vec::new();
    if step.is_none() {
        sections.push(vec![heading(&title, screen)]);
    }
    for (id, planned) in &playbook.steps {
        sections.push(planned_step(id, planned, screen));
    }
    join(sections)
}

fn planned_step(id: &str, step: &Planned, screen: &Screen<'_>) -> Vec<String> {
    let phase = if step.finally {
        ", under `finally`"
    } else {
        ""
    };
    let title = format!(
        "{} ({}{phase})",
        name(id, screen),
        name(&step.action, screen)
    );
    let mut lines = vec![screen.paint(Tone::Strong, &title)];
    if let Some(description) = &step.description {
        lines.extend(screen.wrapped(&screen.words(description), INDENT, INDENT));
    }
    if step.needs.is_empty() {
        let words = if step.finally {
            "runs when all the others have ended"
        } else {
            "runs at once: it needs nothing"
        };
        lines.push(format!("{INDENT}{words}"));
    }
    for edge in &step.needs {
        lines.extend(edge_lines(edge, screen));
    }
    let mut say = |label: &str, words: &Option<String>| {
        if let Some(words) = words {
            let line = format!("{label} `{}`", screen.words(words));
            lines.extend(screen.wrapped(&line, INDENT, "    "));
        }
    };
    say("runs only when", &step.condition);
    say("runs once for each of", &step.for_each);
    say("its pipeline is run again when", &step.rerun);
    for assert in &step.asserts {
        say("afterwards must hold:", &Some(assert.clone()));
    }
    if step.allow_failure {
        lines.push(format!("{INDENT}may fail without failing the run"));
    }
    if step.undo {
        lines.push(format!("{INDENT}is taken back when the run fails"));
    }
    if !step.needed_by.is_empty() {
        let by: Vec<String> = step.needed_by.iter().map(|id| name(id, screen)).collect();
        let line = format!("needed by: {}", by.join(", "));
        lines.extend(screen.wrapped(&line, INDENT, "    "));
    }
    lines
}

fn edge_lines(edge: &Edge, screen: &Screen<'_>) -> Vec<String> {
    let why = match (edge.named, edge.mentions.is_empty()) {
        (true, _) => ": `needs` says so",
        (false, false) => ": it mentions it",
        (false, true) => "",
    };
    let line = format!(
        "waits for {} ({}){why}",
        name(&edge.step, screen),
        screen.words(&edge.accepts)
    );
    let mut lines = screen.wrapped(&line, INDENT, "    ");
    for mention in edge.mentions.iter().take(MENTIONS_MAX) {
        let line = format!(
            "`{}` at {}",
            screen.words(&mention.text),
            screen.words(&mention.place)
        );
        lines.extend(screen.wrapped(&line, "    ", "      "));
    }
    let more = edge.mentions.len().saturating_sub(MENTIONS_MAX);
    if more > 0 {
        lines.push(format!("    and {more} more mentions"));
    }
    lines
}

fn name(foreign: &str, screen: &Screen<'_>) -> String {
    screen.line(foreign, words::NAME_CHARACTERS_MAX)
}
