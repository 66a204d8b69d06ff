//! Rule family: a request to another server is one that can be sent.

use crate::address::{Address, NotAnAddress};
use crate::catalog::{SAFE_METHODS, check_header_name, check_header_value};
use crate::diagnostic::{Diagnostic, Place};
use crate::playbook::{Invocation, Mistakes, codes};
use crate::template::{Node, Tree};
use crate::text;

/// The parameters that are sent along: at most one of them.
const BODIES: [&str; 3] = ["json", "form", "body"];

/// Checks the parameters of `http` as far as the file shows them.
pub(crate) fn request(step: &Invocation, mistakes: &mut Mistakes) {
    if step.action.name != "http" {
        return;
    }
    let given = |name: &str| step.params.get(name);
    if let Some(url) = given("url") {
        address(url, mistakes);
    }
    if let Some(tree) = given("headers") {
        headers(tree, mistakes);
    }
    if let Some(tree) = given("expect") {
        expect(tree, mistakes);
    }
    bodies(step, mistakes);
    let method = method(step);
    let Some(method) = method.as_deref() else {
        return;
    };
    if SAFE_METHODS.contains(&method) {
        for name in BODIES {
            if let Some(tree) = given(name) {
                mistakes.push(
                    odd(
                        &tree.place,
                        format!("a {method} has no body, and `{name}` would be one"),
                    )
                    .hint(format!("remove `{name}`, or choose another method")),
                );
            }
        }
    }
    if let Some(tree) = given("idempotent")
        && !matches!(method, "POST" | "PATCH")
    {
        mistakes.push(
            odd(
                &tree.place,
                format!("`idempotent` is for POST and PATCH: a {method} may be sent again anyway"),
            )
            .hint("remove it"),
        );
    }
}

/// The method, when the file itself says it.
pub(crate) fn method(step: &Invocation) -> Option<String> {
    let value = step.params.get("method")?.constant()?;
    value.as_str().map(str::to_owned)
}

fn odd(place: &Place, message: String) -> Diagnostic {
    Diagnostic::error(codes::BAD_REQUEST, place.clone(), message)
}

fn address(tree: &Tree, mistakes: &mut Mistakes) {
    let checked = match (&tree.node, tree.constant()) {
        (_, Some(value)) => Address::parse(value.as_str().unwrap_or_default()).map(|_| ()),
        (Node::Template(template), None) => {
            let beginning = template.source().split("{{").next().unwrap_or_default();
            Address::check_beginning(beginning)
        }
        _ => Ok(()),
    };
    if let Err(NotAnAddress { reason, hint }) = checked {
        let message = format!("`url` {reason}");
        mistakes
            .push(Diagnostic::error(codes::BAD_ADDRESS, tree.place.clone(), message).hint(hint));
    }
}

fn headers(tree: &Tree, mistakes: &mut Mistakes) {
    let Node::Map(entries) = &tree.node else {
        return;
    };
    let mut seen: Vec<String> = Vec::new();
    for (key, value) in entries {
        let name = key.name.to_ascii_lowercase();
        let shown = text::clean_line(&key.name, 60);
        let bad = |place: &Place, message: String| {
            Diagnostic::error(codes::BAD_HEADER, place.clone(), message)
        };
        if let Err(why) = check_header_name(&key.name) {
            let hint = if why.starts_with("is set") {
                "remove it"
            } else {
                "write a name like `X-Request-Id`"
            };
            mistakes.push(bad(&key.place, format!("the header `{shown}` {why}")).hint(hint));
        } else if seen.contains(&name) {
            mistakes.push(
                bad(&key.place, format!("the header `{shown}` stands twice"))
                    .hint("names of headers are the same in upper and lower case: remove one"),
            );
        }
        seen.push(name);
        if let Some(constant) = value.constant()
            && let Some(text) = constant.as_str()
            && let Err(why) = check_header_value(text)
        {
            mistakes.push(
                bad(
                    &value.place,
                    format!("the value of the header `{shown}` {why}"),
                )
                .hint("write it on one line, in ASCII"),
            );
        }
    }
}

fn expect(tree: &Tree, mistakes: &mut Mistakes) {
    let Node::List(items) = &tree.node else {
        return;
    };
    if items.is_empty() {
        mistakes.push(
            Diagnostic::error(
                codes::EMPTY,
                tree.place.clone(),
                "`expect` is empty, and so no answer would do",
            )
            .hint("name the statuses that will do, or leave the key out"),
        );
    }
    for item in items {
        let status = item.constant().and_then(|value| value.as_u64());
        if let Some(status) = status.filter(|status| !(100..600).contains(status)) {
            mistakes.push(
                Diagnostic::error(
                    codes::NOT_NUMBER,
                    item.place.clone(),
                    format!("{status} is no status: they go from 100 to 599"),
                )
                .hint("such as 200 or 404"),
            );
        }
    }
}

fn bodies(step: &Invocation, mistakes: &mut Mistakes) {
    let given: Vec<(&str, &Tree)> = BODIES
        .into_iter()
        .filter_map(|name| Some((name, step.params.get(name)?)))
        .collect();
    if let [(first, at), (second, tree), ..] = given.as_slice() {
        mistakes.push(
            Diagnostic::error(
                codes::BAD_REQUEST,
                tree.place.clone(),
                format!("only one of `json`, `form` and `body` can be sent, and here are `{first}` and `{second}`"),
            )
            .label(at.place.clone(), "the first one stands here")
            .hint("remove one of them"),
        );
    }
}
