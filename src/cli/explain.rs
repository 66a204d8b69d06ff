//! `runner explain`: why the steps of a run stand where they stand, or why those of a playbook would run.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;

use super::apply::checked;
use super::args::Explain;
use super::check::limits;
use super::exit::Exit;
use super::explained;
use super::failing::Failing;
use super::main::Surroundings;
use super::planned as planned_text;
use super::runs::store;
use super::screen::Screen;
use crate::clock::Clock;
use crate::diagnostic::nearest;
use crate::plan::{Phase, Plan, PlanStep, reasons};
use crate::report::explain_v1::{Edge, Explanation, Mention, Planned, Playbook};
use crate::report::{RunState, RunView, explain, json_pretty, masked, meant, only};
use crate::store::Store as _;

/// Explains.
pub(super) fn explain_it(around: &Surroundings, args: &Explain) -> Result<Exit, Failing> {
    let path = PathBuf::from(&args.what);
    let is_playbook = path
        .extension()
        .is_some_and(|ending| ending == "yml" || ending == "yaml")
        || path.is_file();
    if is_playbook {
        playbook(around, args, &path)
    } else {
        run(around, args)
    }
}

/// A run of the state folder, whoever works on it.
fn run(around: &Surroundings, args: &Explain) -> Result<Exit, Failing> {
    let settings = around.settings(None)?;
    let store = store(around, &settings)?;
    let id = store.find(&args.what)?;
    let mut view = RunView::of(&store.load(&id)?);
    for observation in store.observations(&id)? {
        view.observe(&observation);
    }
    let owner = store.owner(&id)?;
    if owner.is_none() && view.state == RunState::Running {
        view.state = RunState::Parked {
            reason: "its process is gone".to_owned(),
            exit_code: Exit::Parked.code(),
        };
    }
    // The clock of a rehearsal runs ahead of ours.
    let seen = view.steps.values().filter_map(|step| step.seen.as_ref());
    let seen = seen.map(|seen| seen.at).max();
    let now = [
        Some(Clock::real().now()),
        view.last.map(|last| last.wall),
        seen,
    ];
    let now = now.into_iter().flatten().max().unwrap_or_default();
    let mut found = explain(&view, now);
    let step = args.step.as_deref();
    let step = step.map(|text| one(&found.steps, text)).transpose()?;
    if let Some(step) = &step {
        found = only(found, step).unwrap_or_else(|| explain(&view, now));
    }
    if args.json {
        return print(around, &Explanation::Run(Box::new(found)));
    }
    let owner = match (view.ended(), owner) {
        (None, Some(owner)) => Some(format!("{owner} works on it")),
        (None, None) => Some(format!("nobody works on it; to go on: runner resume {id}")),
        (Some(_), _) => None,
    };
    let screen = screen(around);
    around.output.data(&match &step {
        Some(step) => explained::step(&found, step, &screen),
        None => explained::run(&found, owner.as_deref(), &screen),
    })?;
    Ok(Exit::Passed)
}

/// A playbook as it is on disk; nothing is sent.
fn playbook(around: &Surroundings, args: &Explain, path: &Path) -> Result<Exit, Failing> {
    let settings = around.settings(Some(path))?;
    let plan = checked(around, path, &limits(&settings))?;
    let mut found = planned(&plan, path);
    let step = args.step.as_deref();
    let step = step.map(|text| one(&found.steps, text)).transpose()?;
    if let Some(step) = &step {
        keep(&mut found, step);
    }
    if args.json {
        return print(around, &Explanation::Playbook(found));
    }
    let screen = screen(around);
    around
        .output
        .data(&planned_text::playbook(&found, step.as_deref(), &screen))?;
    Ok(Exit::Passed)
}

fn screen(around: &Surroundings) -> Screen<'_> {
    Screen::new(around.width(), &around.redactor).colour(around.output.out_colour())
}

fn print(around: &Surroundings, explanation: &Explanation) -> Result<Exit, Failing> {
    let text = json_pretty(&masked(explanation, &around.redactor));
    around.output.json_text(&text)?;
    Ok(Exit::Passed)
}

/// The step that is meant.
fn one<T>(steps: &IndexMap<String, T>, text: &str) -> Result<String, Failing> {
    let shown = crate::text::clean_line(text, 80);
    match meant(steps, text).as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            let near = nearest(text, steps.keys().map(String::as_str));
            let hint = near.map_or_else(
                || "`runner explain RUN` lists the steps".to_owned(),
                |near| format!("did you mean `{}`?", crate::text::clean_line(near, 80)),
            );
            Err(Failing::words(Exit::Usage, format!("there is no step `{shown}`")).hint(hint))
        }
        several => {
            let all: Vec<String> = several
                .iter()
                .take(10)
                .map(|id| format!("`{}`", crate::text::clean_line(id, 80)))
                .collect();
            let words = format!("several steps end with `{shown}`");
            Err(Failing::words(Exit::Usage, words).hint(format!("write one of {}", all.join(", "))))
        }
    }
}

/// What a plan says of its steps, those of used playbooks as `step/inner`.
fn planned(plan: &Plan, path: &Path) -> Playbook {
    let mut steps = IndexMap::new();
    add(plan, "", &mut steps);
    let mut needed_by: IndexMap<String, Vec<String>> = IndexMap::new();
    for (id, step) in &steps {
        for edge in &step.needs {
            let all = needed_by.entry(edge.step.clone()).or_default();
            all.push(id.clone());
        }
    }
    for (id, by) in needed_by {
        if let Some(step) = steps.get_mut(&id) {
            step.needed_by = by;
        }
    }
    Playbook {
        explain: 1,
        name: plan.name.clone(),
        path: path.display().to_string(),
        digest: plan.digest.clone(),
        steps,
    }
}

fn add(plan: &Plan, prefix: &str, steps: &mut IndexMap<String, Planned>) {
    for step in &plan.steps {
        let id = format!("{prefix}{}", step.id);
        steps.insert(id.clone(), planned_step(plan, prefix, step));
        if let Some(used) = &step.used {
            add(used, &format!("{id}/"), steps);
        }
    }
}

fn planned_step(plan: &Plan, prefix: &str, step: &PlanStep) -> Planned {
    let edge = |reason: crate::plan::Reason| {
        let needed = plan.steps.get(reason.step)?;
        let mentions = reason.mentions.into_iter();
        Some(Edge {
            step: format!("{prefix}{}", needed.id),
            accepts: reason.accept.to_string(),
            named: reason.named,
            mentions: mentions
                .map(|(text, place)| Mention {
                    text,
                    place: place.to_string(),
                })
                .collect(),
        })
    };
    let rerun = step.rerun.as_ref().map(|rerun| match &rerun.when {
        Some(when) => when.value.source().to_owned(),
        None => "it ended badly by itself".to_owned(),
    });
    Planned {
        action: step.action.name.to_owned(),
        description: step.description.clone(),
        finally: step.phase == Phase::Finally,
        needs: reasons(plan, step).into_iter().filter_map(edge).collect(),
        condition: step
            .when
            .as_ref()
            .map(|when| when.value.source().to_owned()),
        for_each: (step.for_each.as_ref()).map(|each| each.items.value.source().to_owned()),
        rerun,
        asserts: step
            .asserts
            .iter()
            .map(|assert| assert.value.source().to_owned())
            .collect(),
        allow_failure: step.allow_failure,
        undo: step.undo.is_some(),
        needed_by: Vec::new(),
    }
}

/// Keeps a step and those it hangs on, nearest first.
fn keep(found: &mut Playbook, step: &str) {
    let mut wanted = indexmap::IndexSet::from([step.to_owned()]);
    let mut at = 0;
    while let Some(id) = wanted.get_index(at).cloned() {
        at += 1;
        let needs = found.steps.get(&id).map(|step| step.needs.as_slice());
        wanted.extend(
            needs
                .unwrap_or_default()
                .iter()
                .map(|edge| edge.step.clone()),
        );
    }
    let mut all = std::mem::take(&mut found.steps);
    found.steps = wanted
        .into_iter()
        .filter_map(|id| Some((id.clone(), all.swap_remove(&id)?)))
        .collect();
}
