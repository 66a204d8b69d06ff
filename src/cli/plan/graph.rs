//! The graph of a plan as a picture: Mermaid and DOT. Every name is escaped.
//!
//! Pure: a view in, text out. A playbook gives the same picture whatever its inputs are.

use std::fmt::Write as _;

use super::view::{PlanView, StepView, UsedView};

/// Descriptions and expressions are cut to this, so that boxes stay boxes.
const LABEL_CHARACTERS_MAX: usize = 80;

/// The kinds of steps that look different.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    Writes,
    Asks,
}

fn kind(step: &StepView) -> Kind {
    match step.action {
        "approve" => Kind::Asks,
        _ if step.changes => Kind::Writes,
        _ => Kind::Plain,
    }
}

/// What a box of a step says: its id, its action, and under which conditions it runs.
fn lines(step: &StepView) -> Vec<String> {
    let own = step.id.rsplit('/').next().unwrap_or_default();
    let mut lines = vec![own.to_owned(), step.action.to_owned()];
    if let Some(each) = &step.for_each {
        lines.push(format!("for each of {}", each.items));
    }
    if let Some(when) = &step.when {
        lines.push(format!("when {}", when.expression));
    }
    if step.undo.is_some() {
        lines.push("with undo".to_owned());
    }
    lines
        .into_iter()
        .map(|line| crate::text::clean_line(&line, LABEL_CHARACTERS_MAX))
        .collect()
}

/// A name for the language of the picture: ids of steps are words but for the stroke.
fn node(id: &str) -> String {
    let word: String = id
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    format!("step_{word}")
}

/// Mermaid.
pub fn mermaid(view: &PlanView) -> String {
    let mut out = String::from("flowchart TD\n");
    mermaid_steps(&view.steps, "  ", &mut out);
    if !view.last.is_empty() {
        out.push_str("  subgraph finally [\"finally\"]\n");
        mermaid_steps(&view.last, "    ", &mut out);
        out.push_str("  end\n");
    }
    let all = view.all_steps();
    for (wanted, style) in [
        (Kind::Writes, "fill:#fde7c7,stroke:#b7791f,color:#1a202c"),
        (Kind::Asks, "fill:#d6e4ff,stroke:#2b6cb0,color:#1a202c"),
    ] {
        let ids: Vec<String> = all
            .iter()
            .filter(|step| kind(step) == wanted && step.uses.is_none())
            .map(|step| node(&step.id))
            .collect();
        if !ids.is_empty() {
            let name = if wanted == Kind::Writes {
                "writes"
            } else {
                "asks"
            };
            let _ = writeln!(out, "  classDef {name} {style}");
            let _ = writeln!(out, "  class {} {name}", ids.join(","));
        }
    }
    out
}

fn mermaid_steps(steps: &[StepView], indent: &str, out: &mut String) {
    for step in steps {
        let label: Vec<String> = lines(step).iter().map(|line| mermaid_text(line)).collect();
        let (name, label) = (node(&step.id), label.join("<br/>"));
        match &step.uses {
            Some(used) => mermaid_used((&name, &label), used, indent, out),
            None if step.when.is_some() => {
                let _ = writeln!(out, "{indent}{name}{{{{\"{label}\"}}}}");
            }
            None if step.action == "approve" => {
                let _ = writeln!(out, "{indent}{name}([\"{label}\"])");
            }
            None => {
                let _ = writeln!(out, "{indent}{name}[\"{label}\"]");
            }
        }
    }
    for step in steps {
        for need in &step.needs {
            let label = mermaid_text(&need.outcome);
            let _ = writeln!(
                out,
                "{indent}{} -->|{label}| {}",
                node(&need.step),
                node(&step.id)
            );
        }
    }
}

fn mermaid_used((name, label): (&str, &str), used: &UsedView, indent: &str, out: &mut String) {
    let inner = format!("{indent}  ");
    let _ = writeln!(out, "{indent}subgraph {name} [\"{label}\"]");
    mermaid_steps(&used.steps, &inner, out);
    mermaid_steps(&used.last, &inner, out);
    let _ = writeln!(out, "{indent}end");
}

/// Text in a label of Mermaid: all but letters, digits and a few signs as entities, since Mermaid reads
/// markup, arrows and quotes in labels.
fn mermaid_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ',' | '-' | '\'') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
    }
    out
}

/// DOT, for Graphviz.
pub fn dot(view: &PlanView) -> String {
    let mut out = format!("digraph {} {{\n", dot_text(&view.name));
    out.push_str(
        "  rankdir=TB;\n  compound=true;\n  node [shape=box, style=filled, fillcolor=white];\n",
    );
    dot_steps(&view.steps, "  ", &mut out);
    if !view.last.is_empty() {
        out.push_str("  subgraph cluster_finally {\n    label=\"finally\";\n");
        dot_steps(&view.last, "    ", &mut out);
        out.push_str("  }\n");
    }
    out.push_str("}\n");
    out
}

fn dot_steps(steps: &[StepView], indent: &str, out: &mut String) {
    for step in steps {
        let label = dot_text(&lines(step).join("\n"));
        let colour = match kind(step) {
            Kind::Plain => "white",
            Kind::Writes => "#fde7c7",
            Kind::Asks => "#d6e4ff",
        };
        let name = dot_text(&step.id);
        let Some(used) = &step.uses else {
            let _ = writeln!(
                out,
                "{indent}{name} [label={label}, fillcolor=\"{colour}\"];"
            );
            continue;
        };
        let inner = format!("{indent}  ");
        let cluster = dot_text(&["cluster_", &step.id].concat());
        let _ = writeln!(out, "{indent}subgraph {cluster} {{");
        // The box of the step itself: edges lead to it, its steps stand around it.
        let _ = writeln!(out, "{inner}{name} [label={label}, shape=plaintext];");
        dot_steps(&used.steps, &inner, out);
        dot_steps(&used.last, &inner, out);
        let _ = writeln!(out, "{indent}}}");
    }
    for step in steps {
        for need in &step.needs {
            let _ = writeln!(
                out,
                "{indent}{} -> {} [label={}];",
                dot_text(&need.step),
                dot_text(&step.id),
                dot_text(&need.outcome)
            );
        }
    }
}

/// A quoted text of DOT: the backslash begins an escape there, and would end the quotes otherwise.
fn dot_text(text: &str) -> String {
    let text = crate::text::clean(text);
    let escaped = text
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_quotes() {
        assert_eq!(
            mermaid_text("a\"]; click x \"javascript:0\" <b>"),
            "a#34;#93;#59; click x #34;javascript#58;0#34; #60;b#62;"
        );
        assert_eq!(dot_text("a\" b\\\" \n\u{1b}[31mc"), r#""a\" b\\\" \nc""#);
    }
}
