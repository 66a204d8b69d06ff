//! Which JSONPath texts are taken: RFC 9535 without the forms that the crate evaluates wrongly.
//!
//! A wrong answer without a word is the worst answer, so a form that the official suite shows to be
//! wrong is refused with the way to write it.

use std::ops::Range;

use jsonpath_rust::parser::model::{
    Comparable, Comparison, Filter, FilterAtom, FnArg, JpQuery, Literal, Segment, Selector, Test,
    TestFunction,
};
use jsonpath_rust::parser::parse_json_path;

use super::{TemplateError, error, jsonpath_counts as counts};

const CHARACTERS_MAX: usize = 1_000;
/// Each level of functions triples the parser's work on a text that turns out wrong.
const FUNCTION_DEPTH_MAX: usize = 4;

/// Why a form is refused, before it is known where it stands.
struct Refusal {
    code: &'static str,
    message: String,
    hint: &'static str,
}

type Checked = Result<(), Refusal>;

/// Reads a path.
pub(super) fn parse(text: &str) -> Result<JpQuery, TemplateError> {
    let whole = 0..text.len();
    let length = text.chars().count();
    if length > CHARACTERS_MAX {
        let message =
            format!("the path has {length} characters, and at most {CHARACTERS_MAX} are allowed");
        return Err(TemplateError::new(error::PATH_TOO_LONG, whole, message));
    }
    blanks(text)?;
    let query = match parse_json_path(text) {
        Ok(query) => query,
        Err(fault) => {
            let said = fault.to_string();
            return Err(misread(text, position(text, &said), &said));
        }
    };
    match segments(&query.segments, true) {
        Ok(()) => Ok(counts::corrected(query)),
        Err(refusal) => {
            let made = TemplateError::new(refusal.code, whole, refusal.message);
            Err(made.hint(refusal.hint))
        }
    }
}

/// The crate reads over blanks that separate what belongs together (`$.a b`), so they are looked for
/// here; and it could take very long on functions in functions.
fn blanks(text: &str) -> Result<(), TemplateError> {
    if text.trim() != text {
        let message = "a path has no blanks before or after it";
        return Err(
            TemplateError::new(error::PATH_SYNTAX, 0..text.len(), message)
                .hint(format!("write `{}`", text.trim())),
        );
    }
    let word = |c: char| c.is_alphanumeric() || c == '_' || c as u32 >= 0x80;
    let mut before = ' ';
    let mut blank = false;
    let mut quote = None;
    let mut escaped = false;
    let mut open = Vec::new();
    for (at, c) in text.char_indices() {
        if let Some(q) = quote {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                c if c == q => quote = None,
                _ => {}
            }
            (before, blank) = ('\'', false);
            continue;
        }
        if c.is_ascii_whitespace() {
            blank = true;
            continue;
        }
        let torn = blank && (word(before) && word(c) || matches!(before, '.' | '-' | '+'));
        let number = c.is_ascii_digit() && before == '.' && !number_before(text, at);
        if torn || number {
            return Err(misread(text, Some(at), ""));
        }
        match c {
            '\'' | '"' => quote = Some(c),
            '(' => open.push(before.is_ascii_alphanumeric()),
            ')' => drop(open.pop()),
            _ => {}
        }
        if open.iter().filter(|function| **function).count() > FUNCTION_DEPTH_MAX {
            let message =
                format!("functions stand in each other more than {FUNCTION_DEPTH_MAX} deep");
            return Err(TemplateError::new(error::PATH_REFUSED, at..at + 1, message));
        }
        (before, blank) = (c, false);
    }
    Ok(())
}

/// Whether the dot before the digit at `at` follows another digit.
fn number_before(text: &str, at: usize) -> bool {
    text.get(..at)
        .and_then(|t| t.strip_suffix('.'))
        .is_some_and(|t| t.ends_with(|c: char| c.is_ascii_digit()))
}

fn refuse(message: impl Into<String>, hint: &'static str) -> Checked {
    Err(Refusal {
        code: error::PATH_REFUSED,
        message: message.into(),
        hint,
    })
}

fn segments(list: &[Segment], outermost: bool) -> Checked {
    for (at, segment) in list.iter().enumerate() {
        match segment {
            Segment::Descendant(inner) => {
                if matches!(**inner, Segment::Selectors(_)) {
                    return refuse(
                        "several selectors under `..` would come in the wrong order",
                        "take one name under `..` for each path, or use `..*` and a filter",
                    );
                }
                segments(std::slice::from_ref(inner), outermost || at > 0)?;
            }
            Segment::Selector(one) => selector(one, outermost || at > 0)?,
            Segment::Selectors(several) => {
                for one in several {
                    selector(one, outermost || at > 0)?;
                }
            }
        }
    }
    Ok(())
}

fn selector(selector: &Selector, may_filter: bool) -> Checked {
    match selector {
        Selector::Filter(_) if !may_filter => refuse(
            "a filter directly on `@` inside a filter finds nothing",
            "name what is filtered, like `@.items[?@.x > 1]`",
        ),
        Selector::Filter(inner) => filter(inner),
        Selector::Name(_) | Selector::Wildcard | Selector::Index(_) | Selector::Slice(..) => Ok(()),
    }
}

fn filter(inner: &Filter) -> Checked {
    match inner {
        Filter::Or(list) | Filter::And(list) => list.iter().try_for_each(filter),
        Filter::Atom(FilterAtom::Filter { expr, .. }) => filter(expr),
        Filter::Atom(FilterAtom::Test { expr, .. }) => test(expr),
        Filter::Atom(FilterAtom::Comparison(comparison)) => compare(comparison),
    }
}

fn test(inner: &Test) -> Checked {
    match inner {
        Test::RelQuery(list) => segments(list, false),
        Test::AbsQuery(query) => segments(&query.segments, true),
        Test::Function(called) => {
            if let TestFunction::Length(_) | TestFunction::Value(_) | TestFunction::Count(_) =
                **called
            {
                return refuse(
                    format!("`{called}` gives a value, and nothing is done with it"),
                    "compare it, like `count(@.items[*]) > 0`",
                );
            }
            function(called)
        }
    }
}

fn compare(comparison: &Comparison) -> Checked {
    let (left, right) = comparison.vals();
    if !counts::comparable(left, right) {
        return refuse(
            "`count()` can only be compared with a number that stands there",
            "write it like `count(@.items[*]) > 2`",
        );
    }
    for side in [left, right] {
        if let Comparable::Function(called) = side {
            if let TestFunction::Search(..) | TestFunction::Match(..) = called {
                return refuse(
                    "`match` and `search` hold or do not hold, and cannot be compared",
                    "write the function alone, or with `!` before it",
                );
            }
            function(called)?;
        }
    }
    Ok(())
}

fn function(called: &TestFunction) -> Checked {
    match called {
        TestFunction::Custom(name, _) => refuse(
            format!("`{name}()` is not a function of RFC 9535"),
            "there are `length`, `count`, `value`, `match` and `search`",
        ),
        TestFunction::Length(arg) => value(arg, "length"),
        TestFunction::Value(arg) => nodes(arg, "value"),
        TestFunction::Count(arg) => nodes(arg, "count"),
        TestFunction::Search(text, regex) => pattern(text, regex, "search"),
        TestFunction::Match(text, regex) => pattern(text, regex, "match"),
    }
}

/// An argument that must be one value.
fn value(arg: &FnArg, of: &str) -> Checked {
    let one = match arg {
        FnArg::Literal(_) => return Ok(()),
        FnArg::Filter(_) => false,
        FnArg::Test(inner) => match &**inner {
            Test::RelQuery(list) => singular(list),
            Test::AbsQuery(query) => singular(&query.segments),
            Test::Function(called) => {
                function(called)?;
                called.is_comparable()
            }
        },
    };
    if one {
        return Ok(());
    }
    refuse(
        format!("`{of}()` takes one value, and this could be several or none"),
        "name it exactly, like `length(@.name)`; `count(...)` counts matches",
    )
}

/// An argument that must be a query.
fn nodes(arg: &FnArg, of: &str) -> Checked {
    match arg {
        FnArg::Test(inner) if !matches!(**inner, Test::Function(_)) => test(inner),
        FnArg::Test(_) | FnArg::Literal(_) | FnArg::Filter(_) => refuse(
            format!("`{of}()` takes a query"),
            "begin it with `@` or `$`, like `count(@.items[*])`",
        ),
    }
}

fn singular(list: &[Segment]) -> bool {
    list.iter().all(|segment| {
        matches!(
            segment,
            Segment::Selector(Selector::Name(_) | Selector::Index(_))
        )
    })
}

fn pattern(text: &FnArg, expression: &FnArg, of: &str) -> Checked {
    value(text, of)?;
    value(expression, of)?;
    let FnArg::Literal(Literal::String(source)) = expression else {
        return Ok(());
    };
    let Err(fault) = regex::RegexBuilder::new(source).size_limit(1 << 20).build() else {
        return Ok(());
    };
    let fault = fault.to_string();
    let why = fault.lines().last().unwrap_or_default();
    let why = why.trim_start_matches("error: ");
    Err(Refusal {
        code: error::PATH_REGEX,
        message: format!("the regular expression `{source}` in `{of}()` is broken: {why}"),
        hint: "it would silently match nothing; in quotes a backslash is written twice, like `'\\\\d'`",
    })
}

/// Says what is wrong with a text that is no path, with the form that was probably meant.
fn misread(text: &str, at: Option<usize>, said: &str) -> TemplateError {
    let made = |range: Range<usize>, message: &str, hint: String| {
        TemplateError::new(error::PATH_SYNTAX, range, message).hint(hint)
    };
    if !text.starts_with('$') {
        let rest = text.trim_start_matches('@');
        let dot = if rest.starts_with(['.', '[']) || rest.is_empty() {
            ""
        } else {
            "."
        };
        let hint = format!("write `${dot}{rest}`");
        let first = text.chars().next().map_or(0, char::len_utf8);
        return made(0..first, "a path begins with `$`", hint);
    }
    if let Some((range, message, hint)) = foreign(text) {
        return made(range, message, hint.to_owned());
    }
    if let Some(found) = dashed(text) {
        let name = text.get(found.clone()).unwrap_or_default();
        let bare = name.trim_start_matches('.');
        let head = text.get(..found.start).unwrap_or_default();
        let tail = text.get(found.end..).unwrap_or_default();
        let dots = if name.starts_with("..") { ".." } else { "" };
        let hint = format!("write `{head}{dots}['{bare}']{tail}`");
        return made(found, "a name with `-` stands in brackets and quotes", hint);
    }
    if said.contains("nest") {
        let message = "the path is nested too deep";
        return TemplateError::new(error::PATH_SYNTAX, 0..text.len(), message);
    }
    let Some(at) = at else {
        let message = format!("the path cannot be read: {}", said.to_lowercase());
        return TemplateError::new(error::PATH_SYNTAX, 0..text.len(), message);
    };
    unread(text, at)
}

/// Says where a text stops being a path.
fn unread(text: &str, at: usize) -> TemplateError {
    let (before, rest) = text.split_at_checked(at).unwrap_or((text, ""));
    let Some(c) = rest.chars().next() else {
        let message = "the path is cut off: something is missing at its end";
        return TemplateError::new(error::PATH_SYNTAX, at..at, message);
    };
    let number = before.chars().count() + 1;
    let message = format!("the path cannot be read from `{c}` on (character {number})");
    let made = TemplateError::new(error::PATH_SYNTAX, at..at + c.len_utf8(), message);
    let name: String = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if before.ends_with('[') && name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return made.hint(format!("a name in brackets stands in quotes: `['{name}']`"));
    }
    made.hint(match c {
        '=' => "to compare, write `==`",
        _ => "paths look like `$.pipeline.blocks[*].jobs[?@.result == 'failed'].name`",
    })
}

/// A habit of other languages: where it stands, what is wrong, what to write.
fn foreign(text: &str) -> Option<(Range<usize>, &'static str, &'static str)> {
    let habits = [
        (
            "=~",
            "RFC 9535 has no `=~`",
            "write `[?match(@.name, 'a.*')]` for the whole text, or `search(...)` for a part",
        ),
        (
            "@.length-",
            "RFC 9535 has no arithmetic in brackets",
            "for the last item write `[-1]`",
        ),
        (
            ".length()",
            "`length()` is a function of filters, not a part of a path",
            "take the list, and write `| length` where it is used; in a filter write `length(@.x)`",
        ),
        (" and ", "RFC 9535 has no `and`", "write `&&`"),
        (" or ", "RFC 9535 has no `or`", "write `||`"),
        (
            "()",
            "functions stand only in filters",
            "write it like `[?length(@.name) > 3]`",
        ),
    ];
    habits.into_iter().find_map(|(sign, message, hint)| {
        let start = text.find(sign)?;
        Some((start..start + sign.len(), message, hint))
    })
}

/// The byte that the crate's message points to (`--> line:column`), if it points anywhere.
fn position(text: &str, said: &str) -> Option<usize> {
    let (line, rest) = said.split_once("--> ")?.1.split_once(':')?;
    let line: usize = line.trim().parse().ok()?;
    let column: String = rest.chars().take_while(char::is_ascii_digit).collect();
    let column: usize = column.parse().ok()?;
    let lines = text.split_inclusive('\n').take(line.saturating_sub(1));
    let start: usize = lines.map(str::len).sum();
    let rest = text.get(start..)?;
    let inner = rest.char_indices().nth(column.saturating_sub(1));
    Some(start + inner.map_or(rest.len(), |(at, _)| at))
}

/// A name with a dash after a dot, outside quotes.
fn dashed(text: &str) -> Option<Range<usize>> {
    let mut start = None;
    let mut quote = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (quote, c) {
            (Some(q), c) => {
                if c == q {
                    quote = None;
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (None, c) if c.is_alphanumeric() || c == '_' || c == '-' => continue,
            (None, _) => {}
        }
        if let Some(from) = start {
            let name = text.get(from..at).unwrap_or_default();
            let bare = name.trim_start_matches('.');
            if bare.contains('-') && bare.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                return Some(from..at);
            }
        }
        start = match c {
            '.' if start.is_some_and(|s| s + 1 == at) => start,
            '.' => Some(at),
            _ => None,
        };
    }
    None
}
