//! A plan for people: its graph as a tree, each step once, with what is known of it below.
//!
//! Pure: a view in, text out. Every text of the playbook or of Semaphore goes through the screen.

use super::forest::Forest;
use super::known::with_unit;
use super::view::{ForEachView, PlanView, StepView, WhenView};
use crate::cli::screen::{Screen, Tone};
use crate::duration;

/// So many items of a fan-out are named, the others counted.
const KEYS_NAMED: usize = 8;
/// Values of inputs are cut to this.
const VALUE_CHARACTERS_MAX: usize = 120;

/// The plan as text.
pub fn human(view: &PlanView, screen: &Screen<'_>) -> String {
    let mut sections = vec![head(view, screen), inputs(view, screen)];
    sections.push(phase("Steps", &view.steps, screen));
    sections.push(undo(view, screen));
    sections.push(phase("Finally, when the run ends", &view.last, screen));
    sections.push(problems(view, screen));
    sections.push(vec![verdict(view, screen)]);
    crate::cli::summary::join(sections)
}

fn head(view: &PlanView, screen: &Screen<'_>) -> Vec<String> {
    let name = screen.paint(Tone::Strong, &screen.words(&view.name));
    let about = view.description.as_ref();
    let about = about.map_or_else(String::new, |text| format!(": {}", screen.words(text)));
    let mut words = vec![
        screen.words(&view.playbook),
        format!("at most {}", screen.words(&view.timeout)),
    ];
    if view.stops_on_failure {
        words.push("a step that fails stops the others".to_owned());
    }
    if let Some(group) = &view.concurrency {
        words.push(format!("alone in the group `{}`", screen.words(group)));
    }
    vec![format!("{name}{about}"), words.join(", ")]
}

fn inputs(view: &PlanView, screen: &Screen<'_>) -> Vec<String> {
    if view.inputs.is_empty() {
        return Vec::new();
    }
    let width = view.inputs.keys().map(String::len).max().unwrap_or(0);
    let mut lines = vec![screen.paint(Tone::Strong, "Inputs")];
    for (name, input) in &view.inputs {
        let value = match (&input.value, input.secret, input.missing) {
            (_, _, true) => screen.paint(Tone::Look, "has no value yet: it must be given"),
            (_, true, false) => "***".to_owned(),
            (Some(serde_json::Value::String(text)), ..) => screen.line(text, VALUE_CHARACTERS_MAX),
            (Some(value), ..) if input.ty == "duration" => {
                with_unit(value).unwrap_or_else(|| value.to_string())
            }
            (Some(value), ..) => screen.line(&value.to_string(), VALUE_CHARACTERS_MAX),
            (None, ..) => "-".to_owned(),
        };
        let from = input.env.as_ref().map_or_else(String::new, |variable| {
            format!(
                "  (read from the environment variable {})",
                screen.words(variable)
            )
        });
        lines.push(format!("  {name:<width$}  {value}{from}"));
    }
    if !view.environment.is_empty() {
        lines.push(format!(
            "reads of the environment: {}",
            view.environment.join(", ")
        ));
    }
    if !view.secrets.is_empty() {
        lines.push(format!("secrets: {}", view.secrets.join(", ")));
    }
    lines
}

/// The steps of a phase as a forest: each stands under the last of those that it waits for, unless that one
/// stands too deep to be read.
fn phase(title: &str, steps: &[StepView], screen: &Screen<'_>) -> Vec<String> {
    if steps.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![screen.paint(Tone::Strong, title)];
    let forest = Forest::of(steps);
    grow(&forest, None, "  ", &mut lines, screen);
    lines
}

fn grow(
    forest: &Forest<'_>,
    parent: Option<usize>,
    indent: &str,
    lines: &mut Vec<String>,
    screen: &Screen<'_>,
) {
    let children = forest.children(parent);
    let last = children.last().copied();
    for at in children.iter().copied() {
        let Some(step) = forest.steps.get(at) else {
            continue;
        };
        let (branch, below) = match (parent, Some(at) == last) {
            (None, _) => ("", ""),
            (Some(_), true) => ("└─ ", "   "),
            (Some(_), false) => ("├─ ", "│  "),
        };
        let edge = edge(forest, parent, step);
        lines.push(format!("{indent}{branch}{edge}{}", title(step, screen)));
        let has_children = !forest.children(Some(at)).is_empty();
        let below = format!("{indent}{below}");
        let gutter = format!("{below}{}", if has_children { "│    " } else { "     " });
        for fact in facts(step, forest.parents.get(at).copied().flatten().is_some()) {
            let fact = screen.words(&fact);
            lines.extend(screen.wrapped(&fact, &gutter, &format!("{gutter}  ")));
        }
        if let Some(used) = &step.uses {
            for (title, steps) in [("", &used.steps), ("finally", &used.last)] {
                if !title.is_empty() && !steps.is_empty() {
                    lines.push(format!("{gutter}{title}"));
                }
                grow(&Forest::of(steps), None, &gutter, lines, screen);
            }
        }
        grow(forest, Some(at), &below, lines, screen);
    }
}

/// The end of the step above that this one waits for.
fn edge(forest: &Forest<'_>, parent: Option<usize>, step: &StepView) -> String {
    let above = parent.and_then(|at| forest.steps.get(at));
    let need = above.and_then(|above| step.needs.iter().find(|need| need.step == above.id));
    need.map_or_else(String::new, |need| format!("{}: ", need.outcome))
}

fn title(step: &StepView, screen: &Screen<'_>) -> String {
    let id = screen.paint(Tone::Strong, &step.id);
    let about = step.description.as_ref();
    let about = about.map_or_else(String::new, |text| format!("  {}", screen.words(text)));
    format!(
        "{id} ({}){}",
        step.action,
        screen.paint(Tone::Faint, &about)
    )
}

/// What is known of a step, one fact per line.
fn facts(step: &StepView, has_parent: bool) -> Vec<String> {
    let mut facts = Vec::new();
    let mark = if step.changes { "writes: " } else { "" };
    facts.push(format!("{mark}{}", step.does));
    facts.extend(step.found.iter().map(|found| format!("there: {found}")));
    if step.needs.len() > usize::from(has_parent) {
        let needs: Vec<String> = step
            .needs
            .iter()
            .map(|need| format!("{} {}", need.step, need.outcome))
            .collect();
        facts.push(format!("needs: {}", needs.join(", ")));
    }
    facts.extend(step.when.iter().flat_map(conditions));
    facts.extend(step.for_each.iter().map(for_each));
    facts.extend(step.until.iter().map(|until| {
        format!(
            "until: {}, asked every {}",
            until.that.join(" and "),
            until.poll
        )
    }));
    facts.extend(step.rerun.iter().map(|rerun| {
        let what = match rerun.scope {
            "all" => "all of it",
            _ => "what failed of it",
        };
        let when = rerun
            .when
            .as_ref()
            .map_or_else(String::new, |when| format!(" when {when}"));
        format!("rerun: {what}, up to {} times{when}", rerun.max)
    }));
    if !step.asserts.is_empty() {
        facts.push(format!("assert: {}", step.asserts.join(" and ")));
    }
    facts.push(time(step));
    if step.allow_failure {
        facts.push("may fail without failing the run".to_owned());
    }
    facts.extend(step.undo.iter().map(|undo| format!("undo: {undo}")));
    facts
}

fn time(step: &StepView) -> String {
    let most = step.timeout.as_ref().map_or_else(
        || "as long as the run has".to_owned(),
        |timeout| format!("at most {timeout}"),
    );
    match step.expected_ms {
        Some(ms) => format!(
            "time: {most}, lately {}",
            duration::show(std::time::Duration::from_millis(ms))
        ),
        None => format!("time: {most}"),
    }
}

/// A condition, and what happens when it does not hold.
fn conditions(when: &WhenView) -> [String; 2] {
    let now = match when.holds {
        Some(true) => " (it does)",
        Some(false) => " (it does not)",
        None => "",
    };
    let mut otherwise = "else: it is skipped".to_owned();
    let named = |ids: &[String]| ids.join(", ");
    if !when.else_go_on.is_empty() {
        otherwise.push_str(&format_go_on(&named(&when.else_go_on)));
    }
    if !when.else_blocked.is_empty() {
        otherwise.push_str(&format_blocked(&named(&when.else_blocked)));
    }
    [format!("when: {}{now}", when.expression), otherwise]
}

fn format_go_on(ids: &str) -> String {
    format!(", and {ids} may run all the same")
}

fn format_blocked(ids: &str) -> String {
    format!(", and {ids} is blocked")
}

fn for_each(each: &ForEachView) -> String {
    let keys = each.keys.as_ref().map_or_else(String::new, |keys| {
        let named: Vec<&str> = keys.iter().take(KEYS_NAMED).map(String::as_str).collect();
        let more = keys.len().saturating_sub(named.len());
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        match keys.len() {
            0 => " (none)".to_owned(),
            n => format!(" ({n}: {}{more})", named.join(", ")),
        }
    });
    let parallel = each.max_parallel.as_ref().map_or_else(
        || ", all at once".to_owned(),
        |max| format!(", at most {max} at once"),
    );
    let stops = if each.stops_on_failure {
        ", up to the first that fails"
    } else {
        ""
    };
    format!("for each: {}{keys}{parallel}{stops}", each.items)
}

fn undo(view: &PlanView, screen: &Screen<'_>) -> Vec<String> {
    if view.undo.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![screen.paint(
        Tone::Strong,
        "Undo, when a step fails: what was done by then, in this order",
    )];
    for (at, undo) in view.undo.iter().enumerate() {
        let time = undo
            .timeout
            .as_ref()
            .map_or_else(String::new, |time| format!(", at most {time}"));
        let line = screen.words(&format!(
            "{} ({}): {}{time}",
            undo.step, undo.action, undo.does
        ));
        lines.extend(screen.wrapped(&line, &format!("  {}. ", at + 1), "     "));
    }
    lines
}

fn problems(view: &PlanView, screen: &Screen<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for problem in &view.problems {
        if lines.is_empty() {
            lines.push(screen.paint(Tone::Bad, "What would go wrong"));
        }
        let line = screen.words(&format!("{}: {}", problem.step, problem.message));
        lines.extend(screen.wrapped(&line, "  ", "    "));
        if let Some(hint) = &problem.hint {
            lines.extend(screen.wrapped(&format!("hint: {}", screen.words(hint)), "    ", "    "));
        }
    }
    lines
}

fn verdict(view: &PlanView, screen: &Screen<'_>) -> String {
    let all = view.all_steps().len();
    let steps = if all == 1 {
        "1 step".to_owned()
    } else {
        format!("{all} steps")
    };
    let writes = match view.writes {
        0 => "nothing is written".to_owned(),
        1 => "1 of them writes".to_owned(),
        n => format!("{n} of them write"),
    };
    let mut line = format!("{steps}, {writes}");
    if !view.outputs.is_empty() {
        line.push_str(&[", gives ", &view.outputs.join(", ")].concat());
    }
    if let Some(ms) = view.expected_ms {
        let lately = duration::show(std::time::Duration::from_millis(ms));
        line.push_str(&[", took ", &lately, " lately"].concat());
    }
    screen.words(&line)
}
