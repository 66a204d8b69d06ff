//! Where the playbooks come from that others use.
//!
//! A [`Files`] gives a text by what a playbook calls it. It is told which playbook asks, for paths begin in
//! that one's folder. Nothing here reads the text.

use std::sync::Arc;

use super::{codes, library};
use crate::diagnostic::{Diagnostic, Source, nearest};
use crate::text;

/// Where the playbooks come from that others use.
pub trait Files {
    /// The playbook that `from` calls `written`. One file is always given under one name. A mistake without a
    /// place is told where it is written.
    fn open(&self, from: &Source, written: &str) -> Result<Arc<Source>, Box<Diagnostic>>;
}

/// No files at all: only the playbooks that are built in.
#[derive(Debug, Clone, Copy, Default)]
pub struct BuiltIn;

impl Files for BuiltIn {
    fn open(&self, _: &Source, written: &str) -> Result<Arc<Source>, Box<Diagnostic>> {
        match kind(written)? {
            Kind::Path => Err(not_found(
                format!("there is no file `{}`", shown(written)),
                None,
            )),
            Kind::Name => library::open(written)
                .ok_or_else(|| not_in_library(written, library::all().map(|(name, _)| name))),
        }
    }
}

/// What is written after `use`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A path relative to the playbook that uses it.
    Path,
    /// A name of the library.
    Name,
}

/// What is written: a path, a name, or neither.
pub(super) fn kind(written: &str) -> Result<Kind, Box<Diagnostic>> {
    let path = written.contains('/') || written.ends_with(".yml") || written.ends_with(".yaml");
    let outside = |what: &str| {
        Box::new(
            Diagnostic::error_without_place(
                codes::USED_OUTSIDE,
                format!("`{}` is {what}", shown(written)),
            )
            .hint("a playbook is used by a relative path, or by its name in the library"),
        )
    };
    if written.contains("://") {
        return Err(outside("an address, and nothing is fetched"));
    }
    let drive = matches!(written.as_bytes(), [a, b':', ..] if a.is_ascii_alphabetic());
    if written.starts_with(['/', '~']) || drive {
        return Err(outside("an absolute path"));
    }
    if written.contains('\\') {
        return Err(outside(
            "a path with `\\`: the parts of a path are separated by `/`",
        ));
    }
    if written.chars().any(char::is_control) {
        return Err(outside("a path with characters that cannot be seen"));
    }
    if path {
        return Ok(Kind::Path);
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    if written.is_empty() || !written.chars().all(fits) {
        return Err(not_found(
            format!("`{}` is neither a path nor a name", shown(written)),
            Some(
                "a path has a `/` or ends in `.yml`; a name has letters, digits, `-` and `_`"
                    .to_owned(),
            ),
        ));
    }
    Ok(Kind::Name)
}

/// As it may be shown.
pub(super) fn shown(written: &str) -> String {
    text::clean_line(written, 100)
}

/// There is no such playbook.
pub(super) fn not_found(message: String, hint: Option<String>) -> Box<Diagnostic> {
    let found = Diagnostic::error_without_place(codes::USED_NOT_FOUND, message);
    Box::new(match hint {
        Some(hint) => found.hint(hint),
        None => found,
    })
}

/// There is no playbook of this name; the others have these.
pub(super) fn not_in_library<'n>(
    written: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Box<Diagnostic> {
    let message = format!("there is no playbook `{}` in the library", shown(written));
    if let Some(near) = nearest(written, names.clone()) {
        let found = Diagnostic::error_without_place(codes::USED_NOT_FOUND, message);
        return Box::new(found.hint(format!("did you mean `{near}`?")).fix(near));
    }
    let all: Vec<String> = names
        .take(20)
        .map(|name| format!("`{}`", shown(name)))
        .collect();
    not_found(
        message,
        Some(format!(
            "it has {}; a path has a `/` or ends in `.yml`",
            all.join(", ")
        )),
    )
}
