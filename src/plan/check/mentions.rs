//! Rule family: every name that is mentioned exists and is in scope where it is mentioned.

use crate::diagnostic::{Diagnostic, nearest};
use crate::playbook::{Mistakes, Step, codes};
use crate::text;

use super::super::Phase;
use super::super::names::{Indexed, Names, Output};
use super::super::walk::{Found, Sees};
use super::{compared, types};

/// Where a mention stands, which decides what it may name.
#[derive(Clone, Copy)]
pub(crate) enum Where<'p> {
    /// In a var: inputs, and the vars before it (so many).
    Var {
        /// How many vars stand before it.
        before: usize,
    },
    /// In a word about the whole run (`timeout`, `concurrency`): inputs and vars.
    Run {
        /// The key, for messages.
        key: &'static str,
    },
    /// In a step.
    Step {
        /// The step.
        indexed: Indexed<'p>,
        /// What is in scope beside the rest.
        sees: Sees,
    },
    /// In an output of the playbook.
    Output,
}

/// Checks one mention; gives the step that it reads.
pub(crate) fn check<'p>(
    found: Found<'_>,
    at: Where<'p>,
    names: &Names<'p>,
    mistakes: &mut Mistakes,
) -> Option<Indexed<'p>> {
    compared::check(found, at, names, mistakes);
    match (found.hop(0).unwrap_or_default(), at) {
        ("inputs", _) => input(found, names, mistakes),
        ("vars", Where::Var { before }) => var(found, names, before, mistakes),
        ("vars", _) => var(found, names, usize::MAX, mistakes),
        ("steps", Where::Step { indexed, .. }) => {
            return step(found, Some(indexed), names, mistakes);
        }
        ("steps", Where::Output) => return step(found, None, names, mistakes),
        ("run", Where::Step { indexed, .. }) => run(found, indexed.phase, mistakes),
        ("run", Where::Output) => run(found, Phase::Main, mistakes),
        ("this", Where::Step { indexed, sees }) if sees.this => {
            this(found, indexed.step, names, mistakes);
        }
        ("item" | "key" | "index", Where::Step { indexed, sees })
            if sees.item && indexed.step.for_each.is_some() =>
        {
            let item = types::item(indexed.step, names).filter(|_| found.hop(0) == Some("item"));
            if let Some(ty) = item {
                part_of(found, 1, ty, mistakes);
            }
        }
        (root, _) => out_of_scope(found, root, at, mistakes),
    }
    None
}

fn input(found: Found<'_>, names: &Names<'_>, mistakes: &mut Mistakes) {
    let Some(name) = found.hop(1) else { return };
    let inputs = &names.playbook.inputs;
    if inputs.contains_key(name) || names.is_broken(&format!("inputs.{name}")) {
        return;
    }
    mistakes.push_with(|| {
        let diagnostic = Diagnostic::error(
            codes::UNKNOWN_INPUT,
            found.hop_place(1),
            format!("there is no input `{}`", text::clean_line(name, 60)),
        );
        near(
            diagnostic,
            name,
            inputs.keys().map(String::as_str),
            "declare it under `inputs`",
        )
    });
}

fn var(found: Found<'_>, names: &Names<'_>, before: usize, mistakes: &mut Mistakes) {
    let Some(name) = found.hop(1) else { return };
    let vars = &names.playbook.vars;
    match vars.get_index_of(name) {
        Some(index) if index < before => {}
        Some(_) => mistakes.push_with(|| {
            Diagnostic::error(
                codes::UNKNOWN_VAR,
                found.hop_place(1),
                format!("var `{name}` is not computed yet here"),
            )
            .hint("a var sees the inputs and the vars above it: move it up")
        }),
        None if names.is_broken(&format!("vars.{name}")) => {}
        None => {
            mistakes.push_with(|| {
                let diagnostic = Diagnostic::error(
                    codes::UNKNOWN_VAR,
                    found.hop_place(1),
                    format!("there is no var `{}`", text::clean_line(name, 60)),
                );
                near(
                    diagnostic,
                    name,
                    vars.keys().map(String::as_str),
                    "define it under `vars`",
                )
            });
        }
    }
}

fn step<'p>(
    found: Found<'_>,
    reader: Option<Indexed<'p>>,
    names: &Names<'p>,
    mistakes: &mut Mistakes,
) -> Option<Indexed<'p>> {
    let id = found.hop(1)?;
    let Some(read) = names.step(id) else {
        if !names.is_broken(id) {
            mistakes.push_with(|| unknown_step(found.hop_place(1), id, names));
        }
        return None;
    };
    if let Some(reader) = reader {
        if reader.index == read.index {
            mistakes.push_with(|| {
                Diagnostic::error(
                    codes::MENTIONS_ITSELF,
                    found.place(),
                    format!("step `{id}` mentions itself, and would wait for itself"),
                )
                .hint("in `assert` and `undo` a step's own record is `this`")
            });
            return None;
        }
        if reader.phase == Phase::Main && read.phase == Phase::Finally {
            mistakes.push_with(|| later(found.hop_place(1), id));
            return None;
        }
    }
    if let Some(name) = found.hop(2) {
        output(found, (read.step, name), names, mistakes);
    }
    Some(read)
}

/// A step of `finally` is named where it has not run yet.
pub(crate) fn later(place: crate::diagnostic::Place, id: &str) -> Diagnostic {
    Diagnostic::error(
        codes::WRONG_PHASE,
        place,
        format!("step `{id}` stands under `finally` and runs after all the others"),
    )
    .hint("only steps under `finally`, and `outputs`, can read it")
}

/// A step is named that does not exist.
pub(crate) fn unknown_step(
    place: crate::diagnostic::Place,
    id: &str,
    names: &Names<'_>,
) -> Diagnostic {
    let diagnostic = Diagnostic::error(
        codes::UNKNOWN_STEP,
        place,
        format!("there is no step `{}`", text::clean_line(id, 60)),
    );
    let some: Vec<String> = names.ids().take(9).map(|id| format!("`{id}`")).collect();
    let otherwise = match some.len() {
        0..9 => format!("the steps are {}", some.join(", ")),
        _ => "name a step of this playbook".to_owned(),
    };
    near(diagnostic, id, names.ids(), &otherwise)
}

fn output<'p>(
    found: Found<'_>,
    (step, name): (&'p Step, &str),
    names: &Names<'p>,
    mistakes: &mut Mistakes,
) {
    let action = step.action.action.name;
    let id = &step.id;
    match names.output(step, name) {
        Output::Known(_) if name == "each" => each(found, step, names, mistakes),
        Output::Known(ty) => part_of(found, 3, ty, mistakes),
        Output::NotWaited => mistakes.push_with(|| {
            Diagnostic::error(
                codes::NOT_WAITED,
                found.hop_place(2),
                format!("`{name}` is there only when `{id}` waits, and it says `wait: false`"),
            )
            .label(step.place.clone(), "this step does not wait")
            .hint("remove `wait: false`, or read it from a `wait_pipeline` step")
        }),
        Output::None if name == "each" => mistakes.push_with(|| {
            Diagnostic::error(
                codes::UNKNOWN_OUTPUT,
                found.hop_place(2),
                format!("`each` is there only for a step with `for_each`, and `{id}` has none"),
            )
            .hint("read the step's own outputs")
        }),
        Output::None if matches!(names.own(step, name), Output::Known(_)) => {
            mistakes.push_with(|| of_an_item(found, step, name));
        }
        Output::None => {
            mistakes.push_with(|| {
                let owner = format!("step `{id}` (`{action}`)");
                no_output(found, 2, &owner, names.outputs(step))
            });
        }
    }
}

/// A record has no such name.
fn no_output(found: Found<'_>, hop: usize, owner: &str, known: Vec<&str>) -> Diagnostic {
    let name = found.hop(hop).unwrap_or_default();
    let diagnostic = Diagnostic::error(
        codes::UNKNOWN_OUTPUT,
        found.hop_place(hop),
        format!("{owner} has no output `{}`", text::clean_line(name, 60)),
    );
    let all: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
    let all = format!("it has {}", all.join(", "));
    near(diagnostic, name, known, &all)
}

/// What only the records of the items have.
fn of_an_item(found: Found<'_>, step: &Step, name: &str) -> Diagnostic {
    let id = &step.id;
    Diagnostic::error(
        codes::UNKNOWN_OUTPUT,
        found.hop_place(2),
        format!("step `{id}` is done for each of several items, and each has its own `{name}`"),
    )
    .hint(format!(
        "read them all with `steps.{id}.each | map(attribute='{name}') | list`, or one with `steps.{id}.each[0].{name}`"
    ))
}

/// What the record of an item has beside its outputs.
const OF_AN_ITEM: [&str; 2] = ["key", "item"];

/// `steps.x.each[0].name`: one of the records.
fn each<'p>(found: Found<'_>, step: &'p Step, names: &Names<'p>, mistakes: &mut Mistakes) {
    let Some(first) = found.hop(3) else { return };
    let numbered = first.parse::<i64>().is_ok();
    let Some(name) = found.hop(if numbered { 4 } else { 3 }) else {
        return;
    };
    if numbered {
        match names.own(step, name) {
            _ if OF_AN_ITEM.contains(&name) => {}
            Output::Known(ty) => part_of(found, 5, ty, mistakes),
            Output::NotWaited | Output::None => {
                mistakes.push_with(|| {
                    let known = names.own_outputs(step).into_iter().chain(OF_AN_ITEM);
                    no_output(
                        found,
                        4,
                        &format!("a record of `{}`", step.id),
                        known.collect(),
                    )
                });
            }
        }
    } else {
        mistakes.push_with(|| {
            Diagnostic::error(
                codes::UNKNOWN_OUTPUT,
                found.hop_place(3),
                format!("`each` is a list and has no `{}`", text::clean_line(name, 60)),
            )
            .hint(format!(
                "read one record with `{id}.each[0].{name}`, or all with `{id}.each | map(attribute='{name}') | list`",
                id = format_args!("steps.{}", step.id),
                name = text::clean_line(name, 60),
            ))
        });
    }
}

/// Text, numbers and booleans have no parts.
fn part_of(found: Found<'_>, hop: usize, ty: crate::catalog::Type, mistakes: &mut Mistakes) {
    use crate::catalog::Type;
    let Some(name) = found.hop(hop) else { return };
    match ty {
        Type::Map(_) if found.hop(hop - 1) == Some("triage") => triage(found, hop, name, mistakes),
        Type::List(_) | Type::Map(_) | Type::Any | Type::Expressions => {}
        Type::Text
        | Type::Id
        | Type::IdOrName
        | Type::Integer
        | Type::Number
        | Type::Boolean
        | Type::Duration
        | Type::Since
        | Type::Size
        | Type::OneOf(_) => {
            let owner = found.hop(hop - 1).unwrap_or_default();
            mistakes.push_with(|| {
                Diagnostic::error(
                    codes::UNKNOWN_OUTPUT,
                    found.hop_place(hop),
                    format!(
                        "`{owner}` is {} and has no `{}`",
                        ty.words(),
                        text::clean_line(name, 60)
                    ),
                )
                .hint(format!("write `{}`", path(found, hop)))
            });
        }
    }
}

/// What stands in `triage` is known, so that a condition on it cannot speak of nothing.
fn triage(found: Found<'_>, hop: usize, name: &str, mistakes: &mut Mistakes) {
    use crate::catalog::TRIAGE_FIELDS;
    if TRIAGE_FIELDS.iter().any(|field| field.name == name) {
        return;
    }
    mistakes.push_with(|| {
        let diagnostic = Diagnostic::error(
            codes::UNKNOWN_OUTPUT,
            found.hop_place(hop),
            format!("`triage` has no `{}`", text::clean_line(name, 60)),
        );
        let known = TRIAGE_FIELDS.iter().map(|field| field.name);
        let all: Vec<String> = known.clone().map(|name| format!("`{name}`")).collect();
        near(
            diagnostic,
            name,
            known,
            &format!("it has {}", all.join(", ")),
        )
    });
}

fn path(found: Found<'_>, hops: usize) -> String {
    found.path().take(hops).collect::<Vec<_>>().join(".")
}

const RUN: [&str; 4] = ["id", "name", "started_at", "url"];
const RUN_AT_END: [&str; 2] = ["outcome", "failed"];

fn run(found: Found<'_>, phase: Phase, mistakes: &mut Mistakes) {
    let Some(name) = found.hop(1) else { return };
    if RUN.contains(&name) || phase == Phase::Finally && RUN_AT_END.contains(&name) {
        return;
    }
    if RUN_AT_END.contains(&name) {
        mistakes.push_with(|| {
            Diagnostic::error(
                codes::UNKNOWN_SCOPE,
                found.hop_place(1),
                format!("`run.{name}` is known only under `finally`, when the run has ended"),
            )
            .hint("move the step under `finally`")
        });
        return;
    }
    mistakes.push_with(|| {
    let diagnostic = Diagnostic::error(
        codes::UNKNOWN_SCOPE,
        found.hop_place(1),
        format!("`run` has no `{}`", text::clean_line(name, 60)),
    );
    let all =
        "it has `id`, `name`, `started_at` and `url`; under `finally` also `outcome` and `failed`";
    near(
        diagnostic,
        name,
        RUN.into_iter().chain(RUN_AT_END),
        all,
    )
    });
}

fn this<'p>(found: Found<'_>, step: &'p Step, names: &Names<'p>, mistakes: &mut Mistakes) {
    let Some(name) = found.hop(1) else { return };
    match names.own(step, name) {
        Output::Known(ty) => part_of(found, 2, ty, mistakes),
        Output::NotWaited => mistakes.push_with(|| {
            Diagnostic::error(
                codes::NOT_WAITED,
                found.hop_place(1),
                format!("`{name}` is there only when the step waits, and it says `wait: false`"),
            )
            .hint("remove `wait: false`")
        }),
        Output::None => {
            mistakes.push_with(|| {
                let owner = format!("this step (`{}`)", step.action.action.name);
                no_output(found, 1, &owner, names.own_outputs(step))
            });
        }
    }
}

fn out_of_scope(found: Found<'_>, root: &str, at: Where<'_>, mistakes: &mut Mistakes) {
    let here = match at {
        Where::Var { .. } => "in a var",
        Where::Run { key } => key,
        Where::Step { .. } => "here",
        Where::Output => "in an output",
    };
    let known = in_scope(at);
    let shown = text::clean_line(root, 60);
    let exists = EVERYWHERE.contains(&root);
    mistakes.push_with(|| {
        let diagnostic = Diagnostic::error(
            codes::UNKNOWN_SCOPE,
            found.hop_place(0),
            if exists {
                format!("`{shown}` is not in scope {here}")
            } else {
                format!("there is no name `{shown}` {here}")
            },
        );
        let listed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let all = format!("in scope are {}", listed.join(", "));
        match at {
            Where::Step { indexed, .. } if ITEM.contains(&root) => {
                diagnostic.hint(if indexed.step.for_each.is_some() {
                    "`when`, `in` and `max_parallel` are asked once, before there are items"
                } else {
                    "`item`, `key` and `index` are there in a step with `for_each`"
                })
            }
            _ if exists => diagnostic.hint(all),
            _ => near(diagnostic, root, known.iter().copied(), &all),
        }
    });
}

/// What a step with `for_each` sees of the item that it is done for.
const ITEM: [&str; 3] = ["item", "key", "index"];

/// All names that are in scope somewhere.
const EVERYWHERE: [&str; 8] = [
    "inputs", "vars", "steps", "run", "this", "item", "key", "index",
];

fn in_scope(at: Where<'_>) -> Vec<&'static str> {
    let mut known = vec!["inputs", "vars"];
    if let Where::Step { .. } | Where::Output = at {
        known.extend(["steps", "run"]);
    }
    if let Where::Step { indexed, sees } = at {
        known.extend(sees.this.then_some("this"));
        if sees.item && indexed.step.for_each.is_some() {
            known.extend(ITEM);
        }
    }
    known
}

/// The nearest name as the hint, else `otherwise`.
pub(crate) fn near<'a>(
    diagnostic: Diagnostic,
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: &str,
) -> Diagnostic {
    match nearest(wanted, candidates) {
        Some(found) => diagnostic
            .hint(format!("did you mean `{found}`?"))
            .fix(found),
        None => diagnostic.hint(otherwise),
    }
}
