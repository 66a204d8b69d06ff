//! Values that may hold templates, and bare expressions.

use std::ops::RangeInclusive;

use serde_json::Value;

use super::super::mistakes::Mistakes;
use super::super::model::Located;
use super::super::tree::{Yaml, YamlNode};
use super::super::{codes, places, unquoted};
use super::fields::wrong_shape;
use super::scalars;
use crate::catalog::Type;
use crate::diagnostic::{Diagnostic, Place};
use crate::template::{Expression, Node, Template, TemplateError, Tree};

/// Any value, its texts as templates. Keys must be texts; a huge number is a mistake.
pub(super) fn tree(yaml: &Yaml, mistakes: &mut Mistakes) -> Option<Tree> {
    let node = match &yaml.node {
        YamlNode::Null => Node::Literal(Value::Null),
        YamlNode::Bool(value) => Node::Literal(Value::Bool(*value)),
        YamlNode::Number(number) => Node::Literal(Value::Number(number.clone())),
        YamlNode::HugeNumber => {
            mistakes.push(huge(yaml));
            return None;
        }
        YamlNode::Text(text) => return template(yaml, text, mistakes),
        YamlNode::Braces => {
            mistakes.push(unquoted::unquoted(yaml.place.clone()));
            return None;
        }
        // Every item is looked at before the list is given up, so that all mistakes are found.
        YamlNode::List(items) => {
            let trees: Vec<Option<Tree>> = items.iter().map(|item| tree(item, mistakes)).collect();
            Node::List(trees.into_iter().collect::<Option<_>>()?)
        }
        YamlNode::Map(entries) => {
            let trees: Vec<_> = entries
                .iter()
                .map(|entry| Some((entry.key.clone(), tree(&entry.value, mistakes)?)))
                .collect();
            Node::Map(trees.into_iter().collect::<Option<_>>()?)
        }
    };
    Some(Tree {
        place: yaml.place.clone(),
        node,
    })
}

/// A text that may be a template.
pub(super) fn template(yaml: &Yaml, text: &str, mistakes: &mut Mistakes) -> Option<Tree> {
    match Template::parse(text) {
        Ok(Some(template)) => Some(Tree {
            place: yaml.place.clone(),
            node: Node::Template(template),
        }),
        Ok(None) => Some(Tree::literal(
            yaml.place.clone(),
            Value::String(text.to_owned()),
        )),
        Err(error) => {
            mistakes.push(located(error, &yaml.place, text));
            None
        }
    }
}

/// The text of a template must be text, and nothing else.
pub(super) fn text_tree(yaml: &Yaml, what: &str, mistakes: &mut Mistakes) -> Option<Tree> {
    let text = scalars::text(yaml, what, mistakes)?;
    template(yaml, text, mistakes)
}

/// How many: a number in a range, or a template that gives one.
pub(super) fn count(
    yaml: &Yaml,
    range: RangeInclusive<u64>,
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<Tree> {
    if let YamlNode::Text(text) = &yaml.node {
        let tree = template(yaml, text, mistakes)?;
        if let Node::Template(template) = &tree.node
            && template.is_whole()
        {
            return Some(tree);
        }
        mistakes.extend(scalars::not_number(yaml, &Type::Integer.words(), what));
        return None;
    }
    let number = scalars::integer(yaml, range, what, mistakes)?;
    Some(Tree::literal(yaml.place.clone(), number.into()))
}

/// A bare expression.
pub(super) fn expression(
    yaml: &Yaml,
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<Located<Expression>> {
    let text = match &yaml.node {
        YamlNode::Text(text) => text.clone(),
        // `when: true` is an expression as well as a boolean.
        YamlNode::Bool(value) => value.to_string(),
        YamlNode::Braces => {
            mistakes.push(braces(&yaml.place, yaml.written(), what));
            return None;
        }
        YamlNode::Null
        | YamlNode::Number(_)
        | YamlNode::HugeNumber
        | YamlNode::List(_)
        | YamlNode::Map(_) => {
            wrong_shape(yaml, what, "an expression", mistakes);
            return None;
        }
    };
    if text.contains("{{") {
        mistakes.push(braces(&yaml.place, &text, what));
        return None;
    }
    match Expression::parse(&text) {
        Ok(value) => Some(Located {
            place: yaml.place.clone(),
            value,
        }),
        Err(error) => {
            mistakes.push(located(error, &yaml.place, &text));
            None
        }
    }
}

/// A list of bare expressions; one alone may stand without the list.
pub(super) fn expressions(
    yaml: &Yaml,
    what: &str,
    mistakes: &mut Mistakes,
) -> Option<Vec<Located<Expression>>> {
    let YamlNode::List(items) = &yaml.node else {
        return expression(yaml, what, mistakes).map(|one| vec![one]);
    };
    if items.is_empty() {
        mistakes.push(
            Diagnostic::error(
                codes::EMPTY,
                yaml.place.clone(),
                format!("{what} is empty, and so nothing would be checked"),
            )
            .hint("write at least one expression, or leave the key out"),
        );
        return None;
    }
    let found: Vec<_> = items
        .iter()
        .map(|item| expression(item, what, mistakes))
        .collect();
    found.into_iter().collect()
}

fn braces(place: &Place, text: &str, what: &str) -> Diagnostic {
    let bare = without_braces(text);
    let place = places::with_quotes(place);
    let diagnostic = Diagnostic::error(
        codes::BRACES_IN_EXPRESSION,
        place.clone(),
        format!("{what} is a bare expression and takes no braces"),
    );
    let written = if is_plain(&bare) {
        bare
    } else {
        unquoted::quoted(&bare)
    };
    diagnostic
        .hint(format!("write `{}`", places::fixed_line(&place, &written)))
        .fix(written)
}

/// An expression without the braces that stand in it; those in a text of their own lose its quotes too.
fn without_braces(text: &str) -> String {
    let mut made = String::new();
    let mut rest = text.trim();
    while let Some((before, after)) = rest.split_once("{{") {
        let (inner, after) = after.split_once("}}").unwrap_or((after, ""));
        let mut before = before.strip_suffix('$').unwrap_or(before);
        rest = after;
        for quote in ['\'', '"'] {
            if let (Some(shorter), Some(later)) =
                (before.strip_suffix(quote), after.strip_prefix(quote))
            {
                (before, rest) = (shorter, later);
            }
        }
        made.push_str(before);
        made.push_str(inner.trim_matches('-').trim());
    }
    made.push_str(rest);
    made.trim().to_owned()
}

/// Whether a text means itself without quotes, wherever it stands.
fn is_plain(text: &str) -> bool {
    let signs = [
        ':', '#', '\'', '"', '{', '}', '[', ']', ',', '&', '*', '!', '|', '>', '%', '@', '`', '\\',
    ];
    !text.is_empty()
        && text.trim() == text
        && !text.contains(signs)
        && !text.starts_with(['-', '?'])
}

/// A mistake inside a template or path, at its place in the file.
pub(super) fn located(error: TemplateError, place: &Place, text: &str) -> Diagnostic {
    let part = places::part(place, text, &error.range);
    let diagnostic = Diagnostic::error(error.code, part.clone(), error.message);
    let Some(fix) = error.fix else {
        return match error.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        };
    };
    let source = &place.source.text;
    let written = |place: &Place| source.get(place.span.clone()).unwrap_or_default();
    let quoted = places::with_quotes(place);
    let same = written(&part) == text.get(error.range.clone()).unwrap_or_default();
    if same && !fix.contains('\n') && in_a_block(place) {
        return diagnostic.hint(hint(error.why, &part, &fix)).fix(fix);
    }
    let as_it_is = written(place) == text && same;
    let whole = match (text.get(..error.range.start), text.get(error.range.end..)) {
        (Some(before), Some(after)) if as_it_is => format!("{before}{fix}{after}"),
        _ => return diagnostic.hint(error.hint.unwrap_or_default()),
    };
    if quoted == *place && !is_plain(&whole) {
        // Without quotes YAML would read it as something else.
        let fix = unquoted::quoted(&whole);
        return diagnostic.hint(hint(error.why, place, &fix));
    }
    let would_close = written(&quoted).chars().next().filter(|_| quoted != *place);
    if would_close.is_some_and(|quote| fix.contains([quote, '\\'])) {
        return diagnostic.hint(error.hint.unwrap_or_default());
    }
    diagnostic.hint(hint(error.why, &part, &fix)).fix(fix)
}

fn hint(why: &str, place: &Place, fix: &str) -> String {
    format!("{why}write `{}`", places::fixed_line(place, fix))
}

/// Whether a text stands below `|` or `>`, where every character is itself.
fn in_a_block(place: &Place) -> bool {
    let before = place
        .source
        .text
        .get(..place.span.start)
        .unwrap_or_default();
    let header = before.trim_end().rsplit(' ').next().unwrap_or_default();
    let lines = before.len() - before.trim_end().len();
    header.starts_with(['|', '>'])
        && header.len() <= 3
        && before
            .get(before.len() - lines..)
            .is_some_and(|gap| gap.contains('\n'))
}

/// A number that nothing can hold.
pub(super) fn huge(yaml: &Yaml) -> Diagnostic {
    let quoted = format!("\"{}\"", yaml.written());
    Diagnostic::error(
        codes::NOT_NUMBER,
        yaml.place.clone(),
        format!(
            "`{}` is too large for a number",
            crate::text::clean_line(yaml.written(), 40)
        ),
    )
    .hint("quote it when it is meant as text")
    .fix(quoted)
}
