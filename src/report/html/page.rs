//! From the account to the page.

use std::fmt::Write as _;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, HtmlEscape, UndefinedBehavior, Value, context};
use sha2::{Digest as _, Sha256};

use super::graph::drawing;
use crate::report::account::{Account, Told, within};
use crate::report::gate::Gate;
use crate::secret::Redactor;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The templates; names that end with `.html` escape everything that is put into them.
static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    let whole_lines = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build();
    match whole_lines {
        Ok(syntax) => templates.set_syntax(syntax),
        Err(error) => tracing::error!("{error}"),
    }
    templates.add_filter("prose", |text: String| {
        Value::from_safe_string(prose(&text))
    });
    for (name, text) in [
        ("report.html", include_str!("report.html")),
        ("steps.html", include_str!("steps.html")),
        ("parts.html", include_str!("parts.html")),
        ("graph.html", include_str!("graph.html")),
    ] {
        // They are part of the program: a test renders each.
        if let Err(error) = templates.add_template(name, text) {
            tracing::error!("{name}: {error}");
        }
    }
    templates
});

/// The text of the page.
pub(in crate::report) fn html(told: &Told<'_>, redactor: &Redactor) -> String {
    within(told.bytes_max, |detail| {
        let account = Account::of(told, Gate::new(redactor), detail);
        let graph = drawing(told.view, &account);
        rendered(Value::from(Serde(&account)), Value::from(Serde(&graph)))
    })
}

fn rendered(account: Value, graph: Value) -> String {
    let page = TEMPLATES.get_template("report.html").and_then(|template| {
        template.render(context! {
            run => account,
            graph,
            style => STYLE,
            script => SCRIPT,
            style_digest => digest(STYLE),
            script_digest => digest(SCRIPT),
        })
    });
    // The templates are ours and take any account; whoever reads the page would report the words.
    page.unwrap_or_else(|error| format!("<!doctype html><title>a bug in runner</title>{error}"))
}

/// A digest as a policy of a page names it.
fn digest(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Prose in which pairs of backticks mark names: those become code; everything is escaped.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // An even number of parts has a backtick that opens nothing.
    if parts.len().is_multiple_of(2) {
        return HtmlEscape(text).to_string();
    }
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        let part = HtmlEscape(part);
        let _ = if n % 2 == 0 {
            write!(out, "{part}")
        } else {
            write!(out, "<code>{part}</code>")
        };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_prose_are_code_and_everything_is_escaped() {
        for (text, markup) in [
            ("`a` is < 3", "<code>a</code> is &lt; 3"),
            ("`<b>` `x`", "<code>&lt;b&gt;</code> <code>x</code>"),
            ("an odd ` <b>", "an odd ` &lt;b&gt;"),
            ("", ""),
        ] {
            assert_eq!(prose(text), markup);
        }
    }
}
