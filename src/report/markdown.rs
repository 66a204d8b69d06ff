//! The report as Markdown: short enough for a chat or the summary of a CI job.
//!
//! Everything foreign is either in a code span or fence that it cannot end, or escaped character by
//! character; nobody is mentioned, and nothing is a link but what we made one.

use super::account::{Account, Cause, Command, Detail, Link, Step, Told, Triage, within};
use super::gate::Gate;
use crate::secret::Redactor;

/// Summaries of CI jobs take a megabyte; nobody reads half of it.
const MARKDOWN_BYTES_MAX: usize = 256 << 10;
/// So many steps are listed; those that did not pass come first into the list.
const ROWS_MAX: usize = 100;
/// So many causes are told in full.
const CAUSES_MAX: usize = 10;
/// So many failed commands of each, and so many last lines of those.
const COMMANDS_MAX: usize = 5;
const LINES_MAX: usize = 15;
/// A value of an output is cut to this.
const VALUE_CHARACTERS_MAX: usize = 200;

/// The text of the report.
pub(super) fn markdown(told: &Told<'_>, redactor: &Redactor) -> String {
    within(told.bytes_max.min(MARKDOWN_BYTES_MAX), |detail| {
        let brief = Detail {
            commands_max: detail.commands_max.min(COMMANDS_MAX),
            lines_max: detail.lines_max.min(LINES_MAX),
            causes_max: detail.causes_max.min(CAUSES_MAX),
            value_characters_max: detail.value_characters_max.min(VALUE_CHARACTERS_MAX),
            ..*detail
        };
        written(&Account::of(told, Gate::new(redactor), &brief))
    })
}

fn written(account: &Account) -> String {
    let mut parts = vec![head(account), table(account)];
    if !account.causes.is_empty() {
        parts.push("### What went wrong".to_owned());
        parts.extend(account.causes.iter().map(cause));
        if account.causes_more > 0 {
            parts.push(format!(
                "And {} more: see the other reports.",
                account.causes_more
            ));
        }
    }
    if !account.notes.is_empty() {
        let notes = account.notes.iter().map(|note| {
            let step = note
                .step
                .as_ref()
                .map_or_else(String::new, |id| format!("{}: ", code(id)));
            format!("- {}: {step}{}", note.kind, words(&note.message))
        });
        parts.push(notes.collect::<Vec<_>>().join("\n"));
    }
    if account.state == "passed" && !account.outputs.is_empty() {
        let outputs = account.outputs.iter();
        let rows = outputs.map(|o| {
            format!(
                "| {} | {} |",
                in_cell(&code(&o.name)),
                in_cell(&code(&o.value))
            )
        });
        let rows: Vec<String> = rows.collect();
        parts.push(format!(
            "| output | value |\n|---|---|\n{}",
            rows.join("\n")
        ));
    }
    if !account.next.is_empty() {
        parts.push(next(account));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}

/// The outcome in one line, then where to look.
fn head(account: &Account) -> String {
    let mut lines = vec![format!(
        "## {} {} {}",
        account.mark,
        code(&account.name),
        account.verdict
    )];
    let counts: Vec<String> = account
        .counts
        .iter()
        .map(|count| format!("{} {}", count.count, count.state))
        .collect();
    let mut facts = vec![counts.join(", ")];
    if !account.id.is_empty() {
        facts.push(format!("run {}", code(&account.id)));
    }
    let mut seen: Vec<&str> = Vec::new();
    for link in account.steps.iter().flat_map(|step| &step.links) {
        if link.to == "workflow" && !seen.contains(&link.text.as_str()) && seen.len() < 3 {
            seen.push(&link.text);
            facts.push(linked(link));
        }
    }
    facts.retain(|fact| !fact.is_empty());
    lines.push(String::new());
    if let Some(why) = &account.why {
        lines.push(format!("{}  ", words(why)));
    }
    lines.push(facts.join(" · "));
    lines.join("\n")
}

fn table(account: &Account) -> String {
    let passed = |step: &&&Step| step.state == "passed";
    let mut shown: Vec<&Step> = account.steps.iter().collect();
    let left_out = shown.len().saturating_sub(ROWS_MAX);
    if left_out > 0 {
        let steps = account.steps.iter();
        let bad = steps.clone().filter(|step| !passed(&step));
        let good = account.steps.iter().filter(|step| passed(&step));
        shown = bad.chain(good).take(ROWS_MAX).collect();
        shown.sort_by_key(|step| step.n);
    }
    if shown.is_empty() {
        return String::new();
    }
    let mut lines = vec![
        "| step | outcome | time | |".to_owned(),
        "|---|---|---|---|".to_owned(),
    ];
    for step in shown {
        let about = match (&step.why, step.spent.is_empty()) {
            (Some(why), _) if step.state != "passed" => words(why),
            (Some(_) | None, false) => step.spent.clone(),
            (Some(_) | None, true) => String::new(),
        };
        lines.push(format!(
            "| {} | {} {} | {} | {} |",
            in_cell(&code(&step.id)),
            step.mark,
            step.state,
            step.lasted.as_deref().unwrap_or_default(),
            in_cell(&about),
        ));
    }
    if left_out > 0 {
        lines.push(String::new());
        lines.push(format!("And {left_out} more steps."));
    }
    lines.join("\n")
}

fn cause(cause: &Cause) -> String {
    let why = cause
        .why
        .as_ref()
        .map_or_else(String::new, |why| format!(": {}", words(why)));
    let allowed = if cause.allowed_to_fail {
        " (allowed to fail)"
    } else {
        ""
    };
    let mut parts = vec![format!(
        "#### {} {} {} after {}{allowed}{why}",
        cause.mark,
        code(&cause.id),
        cause.state,
        cause.after
    )];
    let mut facts = Vec::new();
    if let Some(error) = &cause.error {
        let status = error
            .status
            .map_or_else(String::new, |s| format!(", HTTP {s}"));
        facts.push(format!("- kind: {}{status}", code(error.kind)));
        if cause.why.as_ref() != Some(&error.message) {
            facts.push(format!("- error: {}", words(&error.message)));
        }
        facts.extend(
            error
                .hint
                .iter()
                .map(|hint| format!("- hint: {}", words(hint))),
        );
    }
    facts.extend(
        cause
            .pipeline
            .iter()
            .map(|p| format!("- pipeline: {}", words(p))),
    );
    let lies_in = cause.lies_in.iter();
    facts.extend(lies_in.map(|place| format!("- the cause lies in {place}")));
    facts.extend(cause.triage.iter().map(triage));
    if !cause.failed_jobs.is_empty() {
        facts.push(format!("- failed jobs: {}", codes(&cause.failed_jobs)));
    }
    let candidates = cause.candidates.iter();
    facts.extend(
        candidates.map(|c| format!("- it may have made {}: {}", code(&c.id), words(&c.about))),
    );
    facts.extend(cause.links.iter().map(|link| format!("- {}", linked(link))));
    if !cause.stopped.is_empty() {
        let more = match cause.stopped_more {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        facts.push(format!(
            "- not run because of it: {}{more}",
            codes(&cause.stopped)
        ));
    }
    let next = cause.next.iter();
    facts.extend(next.map(|next| format!("- {}: {}", next.purpose, code(&next.command))));
    parts.push(facts.join("\n"));
    parts.extend(cause.commands.iter().map(command));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn triage(triage: &Triage) -> String {
    let signature = match code(&triage.signature) {
        none if none.is_empty() => none,
        signature => format!(" (signature {signature})"),
    };
    let why = words(&triage.why);
    format!("- triage: {}: {why}{signature}", code(triage.kind))
}

fn command(command: &Command) -> String {
    let exit = command
        .exit_code
        .map_or_else(String::new, |exit| format!(" ended with exit code {exit}"));
    let place = match (code(&command.job), code(&command.block)) {
        (job, _) if job.is_empty() => String::new(),
        (job, block) if block.is_empty() => format!("Job {job}: "),
        (job, block) => format!("Job {job} of block {block}: "),
    };
    let note = command.note.as_deref().map(words);
    let said = match (code(&command.command), note) {
        (what, Some(note)) if what.is_empty() => note,
        (what, None) if what.is_empty() => "no command is known".to_owned(),
        (what, Some(note)) => format!("{what}{exit}; {note}"),
        (what, None) => format!("{what}{exit}"),
    };
    let head = format!("{place}{said}");
    if command.lines.is_empty() {
        head
    } else {
        format!("{head}\n\n{}", fence(&command.lines))
    }
}

fn next(account: &Account) -> String {
    let lines: Vec<String> = account
        .next
        .iter()
        .map(|next| format!("{}  # {}", next.command, next.purpose))
        .collect();
    format!("**Next:**\n\n{}", fence(&lines.join("\n")))
}

fn codes(names: &[String]) -> String {
    let codes: Vec<String> = names.iter().map(|name| code(name)).collect();
    codes.join(", ")
}

fn linked(link: &Link) -> String {
    match &link.url {
        Some(url) => format!("[{}](<{url}>)", words(&link.to)),
        None => format!("{}: {}", words(&link.to), code(&link.text)),
    }
}

/// The longest run of backticks.
fn backticks(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

/// A block that its text cannot end.
fn fence(text: &str) -> String {
    let fence = "`".repeat(backticks(text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}")
}

/// A span that its text cannot end.
fn code(text: &str) -> String {
    let flat = text.replace('\n', " ");
    if flat.trim().is_empty() {
        return String::new();
    }
    let mark = "`".repeat(backticks(&flat) + 1);
    // A space on both sides is taken off again by the reader, and keeps a backtick at an end apart.
    if flat.starts_with(['`', ' ']) || flat.ends_with(['`', ' ']) {
        format!("{mark} {flat} {mark}")
    } else {
        format!("{mark}{flat}{mark}")
    }
}

/// A bar ends a cell even within a code span.
fn in_cell(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut escaped = false;
    for c in markdown.chars() {
        if c == '|' && !escaped {
            out.push('\\');
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// Prose: pairs of backticks stay what they are for us, marks of names; everything else is escaped.
fn words(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An odd number of backticks has one that opens nothing.
    if parts.len().is_multiple_of(2) || parts.iter().skip(1).step_by(2).any(|p| p.trim().is_empty())
    {
        return prose(text);
    }
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        out.push_str(&if n % 2 == 0 { prose(part) } else { code(part) });
    }
    out
}

/// Escapes every mark of Markdown and HTML. A name behind an `@` becomes code: nobody is called.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '@' => {
                let mut name = String::from("@");
                let part = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.');
                while let Some(next) = chars.next_if(part) {
                    name.push(next);
                }
                out.push_str(&code(&name));
            }
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\n' => out.push(' '),
            // Punctuation that means nothing within a line stays readable.
            ',' | ' ' | '\'' | '"' | ';' | '?' | '%' | '/' | '(' => out.push(c),
            // These mean something only behind digits at the start, or as part of an address.
            '.' | ')' if !is_number(&out) && !out.ends_with("www") => out.push(c),
            '-' | '=' if !out.is_empty() => out.push(c),
            ':' if !chars.peek().is_some_and(|c| *c == '/' || c.is_alphabetic()) => out.push(c),
            c if c.is_ascii_punctuation() => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// Whether a text is what the number of a list would be.
fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_fence_or_a_span() {
        assert_eq!(fence("a\n````\nb"), "`````text\na\n````\nb\n`````");
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
        assert_eq!(in_cell(&code("a|b")), "`a\\|b`");
        assert_eq!(in_cell(&prose("a|b")), "a\\|b");
    }

    #[test]
    fn prose_is_prose() {
        for (text, escaped) in [
            ("`tests` failed (test)", "`tests` failed (test)"),
            ("1) a", "1\\) a"),
            ("<img onerror=x>", "&lt;img onerror=x&gt;"),
            (
                "by ada at 12:00:04 in 10.05-a",
                "by ada at 12:00:04 in 10.05-a",
            ),
            ("www.evil.test mailto:x", "www\\.evil.test mailto\\:x"),
            ("# x *b* [a](b)", "\\# x \\*b\\* \\[a\\](b)"),
            ("1. a", "1\\. a"),
            ("- a", "\\- a"),
            ("see https://evil.test", "see https\\://evil.test"),
            ("hello @octo-cat!", "hello `@octo-cat`\\!"),
            ("an odd ` here", "an odd \\` here"),
            ("&amp;", "&amp;amp;"),
        ] {
            assert_eq!(words(text), escaped, "{text}");
        }
    }
}
