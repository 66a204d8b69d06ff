//! Rule family: what a playbook says of promotions and pipeline files is what the checkout around it has.
//!
//! All of it is a warning and no more: the run may build another commit, or another project. Only what the
//! file itself says is compared; templates are left alone.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Place};
use crate::playbook::{Mistakes, Step, codes, fixed_line};
use crate::template::{Node, Tree};
use crate::text;

use super::super::checkout::{Checkout, Parameter, Promotion, ReadCheckout, from_root};
use super::super::names::Names;
use super::super::walk;
use super::mentions::near;
use super::replaced::alone;

/// What a project's pipelines are made from, when nobody says otherwise.
const FIRST_FILE: &str = ".semaphore/semaphore.yml";
/// So many steps are gone back to find the pipeline that is promoted.
const STEPS_BACK_MAX: usize = 32;
/// So many names are listed.
const LISTED_MAX: usize = 8;

/// Compares a playbook with its checkout.
pub(crate) fn check(names: &Names<'_>, read: ReadCheckout<'_>, mistakes: &mut Mistakes) {
    let steps = || {
        let undos = names.steps.iter().filter_map(|s| s.step.undo.as_deref());
        names.steps.iter().map(|s| s.step).chain(undos)
    };
    let named: BTreeSet<String> = steps()
        .filter_map(|step| from_root(&pipeline_file(step)?.0))
        .collect();
    let promotes = steps().any(|step| step.action.action.name == "promote");
    if named.is_empty() && !promotes {
        return;
    }
    let Some(checkout) = read(&named) else {
        return;
    };
    let compared = Compared {
        names,
        checkout: &checkout,
        projects: steps().filter_map(project).collect(),
    };
    for step in steps() {
        compared.file(step, mistakes);
        if step.action.action.name == "promote" {
            compared.promotion(step, mistakes);
        }
    }
}

/// A playbook beside its checkout.
struct Compared<'c> {
    names: &'c Names<'c>,
    checkout: &'c Checkout,
    /// The projects that the playbook names; the checkout is of one of them at the most.
    projects: BTreeSet<String>,
}

impl Compared<'_> {
    /// Whether what a step starts can be of this checkout.
    fn is_of_it(&self, step: &Step) -> bool {
        let of_items = step.action.params.get("project").is_some_and(|tree| {
            let mut found = false;
            walk::tree(tree, &mut |mention| {
                found |= matches!(mention.hop(0), Some("item" | "key"));
            });
            found
        });
        match project(step) {
            _ if of_items => false,
            Some(name) if self.projects.len() > 1 => name == self.checkout.folder,
            _ => true,
        }
    }

    /// The pipeline file that a step names is there.
    fn file(&self, step: &Step, mistakes: &mut Mistakes) {
        let Some((written, place)) = pipeline_file(step) else {
            return;
        };
        let there = from_root(&written).is_some_and(|path| self.checkout.has(&path));
        if there || !self.is_of_it(step) {
            return;
        }
        let diagnostic = Diagnostic::warning(
            codes::NO_SUCH_PIPELINE_FILE,
            place.clone(),
            format!(
                "this checkout has no pipeline file `{}`",
                text::clean_line(&written, 100)
            ),
        );
        let known: Vec<&str> = self.checkout.paths().collect();
        mistakes.push(near(
            diagnostic,
            &written,
            known.iter().copied(),
            &listed(&known),
        ));
    }

    fn promotion(&self, step: &Step, mistakes: &mut Mistakes) {
        let Some((name, place)) = text_of(step, "name") else {
            return;
        };
        let Some((candidates, file)) = self.candidates(step) else {
            return;
        };
        let meant: Vec<&Promotion> = candidates
            .iter()
            .copied()
            .filter(|promotion| promotion.name == name)
            .collect();
        if meant.is_empty() {
            mistakes.push(no_such(&name, place, &candidates, file.as_deref()));
            return;
        }
        parameters(step, &name, &meant, mistakes);
        if meant.iter().any(|promotion| promotion.auto) {
            mistakes.extend(races(step, &name, place));
        }
    }

    /// The promotions that the promoted pipeline can have, and its file when it is known.
    fn candidates(&self, step: &Step) -> Option<(Vec<&Promotion>, Option<String>)> {
        match self.origin(step, STEPS_BACK_MAX) {
            Origin::File(file) => {
                let promotions = self.checkout.promotions(&file)?;
                Some((promotions.iter().collect(), Some(file)))
            }
            Origin::Anywhere => {
                let all = self.checkout.all()?;
                (!all.is_empty()).then_some((all, None))
            }
            Origin::Elsewhere => None,
        }
    }

    /// The file of the pipeline that a step is about.
    fn origin(&self, step: &Step, left: usize) -> Origin {
        let before = || {
            let found = alone(step.action.params.get("pipeline")?)?;
            let id = found.hop(1).filter(|_| found.hop(0) == Some("steps"))?;
            self.names.step(id)
        };
        let Some(before) = before().filter(|_| left > 0) else {
            return Origin::Anywhere;
        };
        let before = before.step;
        match before.action.action.name {
            "run_workflow" | "ensure_pipeline" | "run_task" if !self.is_of_it(before) => {
                Origin::Elsewhere
            }
            "run_workflow" | "ensure_pipeline" | "run_task" => self.started(before),
            "wait_pipeline" | "rebuild_pipeline" | "describe_pipeline" => {
                self.origin(before, left - 1)
            }
            "promote" => self.promoted(before, left - 1),
            _ => Origin::Anywhere,
        }
    }

    fn started(&self, step: &Step) -> Origin {
        if step.action.params.contains_key("pipeline_file") {
            let named = pipeline_file(step).and_then(|(path, _)| from_root(&path));
            return named.map_or(Origin::Anywhere, Origin::File);
        }
        // A task has a file of its own, and a project may have another first file.
        if step.action.action.name == "run_task" || !self.checkout.has(FIRST_FILE) {
            return Origin::Anywhere;
        }
        Origin::File(FIRST_FILE.to_owned())
    }

    /// The file of what a promotion starts.
    fn promoted(&self, step: &Step, left: usize) -> Origin {
        let Origin::File(file) = self.origin(step, left) else {
            return Origin::Anywhere;
        };
        let name = text_of(step, "name").map(|(name, _)| name);
        let promotion = self.checkout.promotions(&file).and_then(|promotions| {
            let named = |promotion: &&Promotion| Some(&promotion.name) == name.as_ref();
            promotions.iter().find(named)
        });
        let file = promotion.and_then(|promotion| promotion.pipeline_file.clone());
        file.map_or(Origin::Anywhere, Origin::File)
    }
}

/// Where a pipeline comes from.
enum Origin {
    /// This file.
    File(String),
    /// Some file of the checkout.
    Anywhere,
    /// Another project.
    Elsewhere,
}

/// The project that a step names.
fn project(step: &Step) -> Option<String> {
    text_of(step, "project").map(|(name, _)| name)
}

/// The pipeline file that a step names.
fn pipeline_file(step: &Step) -> Option<(String, &Place)> {
    text_of(step, "pipeline_file")
}

/// A parameter that is text in the file.
fn text_of<'s>(step: &'s Step, name: &str) -> Option<(String, &'s Place)> {
    let tree = step.action.params.get(name)?;
    match tree.constant()? {
        Value::String(text) => Some((text, &tree.place)),
        _ => None,
    }
}

fn no_such(name: &str, place: &Place, candidates: &[&Promotion], file: Option<&str>) -> Diagnostic {
    let name = text::clean_line(name, 60);
    let message = match file {
        Some(file) => format!(
            "`{}` of this checkout has no promotion `{name}`",
            text::clean_line(file, 100)
        ),
        None => format!("no pipeline file of this checkout has a promotion `{name}`"),
    };
    let names: BTreeSet<&str> = candidates.iter().map(|p| p.name.as_str()).collect();
    let all: Vec<&str> = names.iter().copied().collect();
    let diagnostic = Diagnostic::warning(codes::NO_SUCH_PROMOTION, place.clone(), message);
    near(diagnostic, &name, names, &listed(&all))
}

fn listed(names: &[&str]) -> String {
    let mut shown: Vec<String> = names
        .iter()
        .take(LISTED_MAX)
        .map(|name| format!("`{}`", text::clean_line(name, 60)))
        .collect();
    if names.len() > LISTED_MAX {
        shown.push("…".to_owned());
    }
    match shown.as_slice() {
        [] => "it has none at all".to_owned(),
        _ => format!("it has {}", shown.join(", ")),
    }
}

/// The parameters of a promotion: known, given when they must be, and of the options. With several
/// promotions of the name, one that fits is enough.
fn parameters(step: &Step, name: &str, meant: &[&Promotion], mistakes: &mut Mistakes) {
    let mut found: Option<Vec<Diagnostic>> = None;
    for promotion in meant {
        let Some(declared) = &promotion.parameters else {
            return;
        };
        let wrong = differences(step, name, declared);
        if wrong.is_empty() {
            return;
        }
        found.get_or_insert(wrong);
    }
    for diagnostic in found.unwrap_or_default() {
        mistakes.push(diagnostic);
    }
}

fn differences(step: &Step, promotion: &str, declared: &[Parameter]) -> Vec<Diagnostic> {
    let promotion = text::clean_line(promotion, 60);
    let warning = |place: &Place, message: String| {
        Diagnostic::warning(codes::PROMOTION_PARAMETER, place.clone(), message)
    };
    let mut wrong = Vec::new();
    let given: &[_] = match step.action.params.get("parameters").map(|tree| &tree.node) {
        None => &[],
        Some(Node::Map(entries)) => entries,
        // A map that is computed may hold any name.
        Some(_) => return wrong,
    };
    for (key, value) in given {
        let shown = text::clean_line(&key.name, 60);
        let Some(parameter) = declared.iter().find(|p| p.name == key.name) else {
            let names: Vec<&str> = declared.iter().map(|p| p.name.as_str()).collect();
            wrong.push(near(
                warning(
                    &key.place,
                    format!(
                        "the promotion `{promotion}` has no parameter `{shown}` in this checkout"
                    ),
                ),
                &key.name,
                names.iter().copied(),
                &listed(&names),
            ));
            continue;
        };
        wrong.extend(no_option(parameter, value));
    }
    let missing = declared.iter().filter(|parameter| {
        let is_given = given.iter().any(|(key, _)| key.name == parameter.name);
        parameter.required && parameter.default.is_none() && !is_given
    });
    for parameter in missing {
        let name = text::clean_line(&parameter.name, 60);
        wrong.push(
            warning(
                &step.action.place,
                format!("the promotion `{promotion}` needs a value for `{name}`"),
            )
            .hint(format!("add `parameters: {{ {name}: … }}`")),
        );
    }
    wrong
}

/// A value that is none of those that the pipeline file lists.
fn no_option(parameter: &Parameter, value: &Tree) -> Option<Diagnostic> {
    let Some(Value::String(text)) = value.constant() else {
        return None;
    };
    let allowed = parameter.options.is_empty()
        || parameter.options.contains(&text)
        || parameter.default.as_ref() == Some(&text);
    if allowed {
        return None;
    }
    let options: Vec<&str> = parameter.options.iter().map(String::as_str).collect();
    let diagnostic = Diagnostic::warning(
        codes::PROMOTION_PARAMETER,
        value.place.clone(),
        format!(
            "`{}` is none of the options of `{}` in this checkout",
            text::clean_line(&text, 60),
            text::clean_line(&parameter.name, 60)
        ),
    );
    Some(near(
        diagnostic,
        &text,
        options.iter().copied(),
        &listed(&options),
    ))
}

/// A rule of the pipeline file triggers the same promotion. A step that joins what is there is right, but
/// what it would have given is not given then.
fn races(step: &Step, name: &str, at: &Place) -> Option<Diagnostic> {
    let name = text::clean_line(name, 60);
    let warning = |place: &Place, then: &str| {
        Diagnostic::warning(
            codes::AUTO_PROMOTION,
            place.clone(),
            format!("the promotion `{name}` has an `auto_promote` of its own: {then}"),
        )
    };
    if let Some((word, place)) = text_of(step, "if_exists").filter(|(word, _)| word != "join") {
        let then = match word.as_str() {
            "fail" => "when that comes first, this step fails",
            _ => "it may be promoted twice",
        };
        let hint = format!("write `{}`", fixed_line(place, "join"));
        return Some(warning(place, then).hint(hint).fix("join"));
    }
    let computed =
        step.action.params.contains_key("if_exists") && text_of(step, "if_exists").is_none();
    if computed || !step.action.params.contains_key("parameters") {
        return None;
    }
    Some(
        warning(at, "when that comes first, these parameters are not given").hint(
            "take the `auto_promote` out of the pipeline file, or the parameters out of this step",
        ),
    )
}
