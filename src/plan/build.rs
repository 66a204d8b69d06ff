//! Putting the plan together: every mention is looked at once, and gives edges, reads and mistakes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Type;
use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::playbook::{self, BuiltIn, Files, Limits, Mistakes, Playbook, Step, codes};
use crate::template::Tree;

use super::check::mentions::{self, Where};
use super::check::types::At;
use super::check::{checkout, for_each, reach, replaced, secrets, types, undo, usage, uses, web};
use super::checkout::ReadCheckout;
use super::graph::{Edge, Graph};
use super::names::{Indexed, Made, Names, is_use};
use super::walk::Sees;
use super::{Need, Phase, Plan, PlanStep, digest, walk};

/// The time that `finally` has when the playbook does not say it.
const FINALLY_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The time of an undo that does not say its own.
const UNDO_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Everything that the text alone shows: reads the playbook and plans it. The plan is there only when
/// there is no error at all. Of other playbooks it finds those that are built in.
pub fn check(source: &Arc<Source>, limits: &Limits) -> (Option<Plan>, Diagnostics) {
    check_with(source, &BuiltIn, limits)
}

/// The same, with all that it uses, wherever that comes from.
pub fn check_with(
    source: &Arc<Source>,
    files: &dyn Files,
    limits: &Limits,
) -> (Option<Plan>, Diagnostics) {
    let (playbook, mut diagnostics) = playbook::load(source, files, limits);
    let plan = playbook.and_then(|playbook| {
        let (plan, more) = build(&playbook, limits);
        diagnostics.extend(more);
        plan
    });
    (plan.filter(|_| !diagnostics.has_errors()), diagnostics)
}

/// The same, compared with the checkout that the playbook stands in.
pub fn check_beside(
    source: &Arc<Source>,
    files: &dyn Files,
    limits: &Limits,
    checkout: ReadCheckout<'_>,
) -> (Option<Plan>, Diagnostics) {
    let (playbook, mut diagnostics) = playbook::load(source, files, limits);
    let plan = playbook.and_then(|playbook| {
        let (plan, more) = build(&playbook, limits);
        diagnostics.extend(more);
        compare(&playbook, limits, checkout, &mut diagnostics);
        plan
    });
    let plan = plan.filter(|_| !diagnostics.has_errors());
    // It would be taken for one that is in order and has nothing to do.
    assert!(
        plan.is_some() || diagnostics.has_errors(),
        "the playbook was refused without a word"
    );
    (plan, diagnostics)
}

/// Compares a playbook, and all that it uses, with the checkout.
fn compare(
    playbook: &Playbook,
    limits: &Limits,
    read: ReadCheckout<'_>,
    diagnostics: &mut Diagnostics,
) {
    let made = HashMap::new();
    let mut mistakes = Mistakes::new(limits);
    checkout::check(&Names::of(playbook, &made), read, &mut mistakes);
    diagnostics.extend(mistakes.finish());
    for used in playbook.used.values() {
        compare(used, limits, read, diagnostics);
    }
}

/// Makes the plan of a playbook and of all that it uses; none when anything is wrong.
pub fn build(playbook: &Playbook, limits: &Limits) -> (Option<Plan>, Diagnostics) {
    let (mut made, mut diagnostics) = (HashMap::new(), Diagnostics::new());
    used(playbook, limits, &mut made, &mut diagnostics);
    let (plan, _) = one(playbook, limits, &made, &mut diagnostics);
    // What a playbook that is used declares and does not read is told when it is checked itself.
    if plan.is_some() {
        let mut mistakes = Mistakes::new(limits);
        usage::check(&Names::of(playbook, &made), &mut mistakes);
        diagnostics.extend(mistakes.finish());
    }
    (plan, diagnostics)
}

/// Plans what a playbook uses, each file once.
fn used(
    playbook: &Playbook,
    limits: &Limits,
    made: &mut HashMap<String, Made>,
    diagnostics: &mut Diagnostics,
) {
    for used in playbook.used.values() {
        if made.contains_key(&used.source.name) {
            continue;
        }
        self::used(used, limits, made, diagnostics);
        let (plan, told) = one(used, limits, made, diagnostics);
        let of_it = Made {
            plan: plan.map(Arc::new),
            ..told
        };
        made.insert(used.source.name.clone(), of_it);
    }
}

/// Plans one playbook, when what it uses was planned before.
fn one(
    playbook: &Playbook,
    limits: &Limits,
    made: &HashMap<String, Made>,
    diagnostics: &mut Diagnostics,
) -> (Option<Plan>, Made) {
    let mut mistakes = Mistakes::new(limits);
    let mut names = Names::of(playbook, made);
    let plan = planned(&mut names, limits, &mut mistakes);
    diagnostics.extend(mistakes.finish());
    let told = Made {
        plan: None,
        tainted: secrets::outputs(&names),
        steps: steps(&names),
    };
    (plan, told)
}

/// How many steps there are, those of what is used included.
fn steps(names: &Names<'_>) -> usize {
    let used = names.steps.iter().filter_map(|s| names.made_of(s.step));
    used.fold(names.steps.len(), |sum, made| {
        sum.saturating_add(made.steps)
    })
}

fn planned(names: &mut Names<'_>, limits: &Limits, mistakes: &mut Mistakes) -> Option<Plan> {
    let playbook = names.playbook;
    let (own, all) = (names.steps.len(), steps(names));
    let told = |s: Indexed<'_>| {
        names
            .made_of(s.step)
            .is_some_and(|m| m.steps > limits.steps_max)
    };
    if all > limits.steps_max && !names.steps.iter().copied().any(told) {
        let counted = if own == all {
            format!("the playbook has {own} steps")
        } else {
            format!("the playbook has {own} steps, with those of what it uses {all}")
        };
        let message = format!("{counted}, and at most {} are allowed", limits.steps_max);
        mistakes.push(too_many(playbook, message));
        return None;
    }
    names.tainted = secrets::tainted(names);
    let names = &*names;
    whole_run(names, mistakes);
    secrets::on_disk(names, mistakes);
    let mut graph = Graph::new(names.steps.len());
    for indexed in names.steps.clone() {
        step(indexed, names, &mut graph, mistakes);
    }
    if graph.len() > limits.edges_max {
        let message = format!(
            "the steps have {} edges between them, and at most {} are allowed",
            graph.len(),
            limits.edges_max
        );
        mistakes.push(too_many(playbook, message));
        return None;
    }
    let order = graph.order();
    if order.len() == names.steps.len() {
        reach::check(names, &graph, &order, mistakes);
    } else {
        graph.circles(names, &order, mistakes);
    }
    replaced::check(names, &graph, mistakes);
    let good = mistakes.errors() == 0 && playbook.complete;
    good.then(|| plan(playbook, names, &graph)).flatten()
}

fn too_many(playbook: &Playbook, message: String) -> Diagnostic {
    Diagnostic::error(codes::TOO_MANY_STEPS, playbook.source.place(0..0), message)
        .hint("split the playbook, or raise the limits")
}

/// The words about the whole run.
fn whole_run(names: &Names<'_>, mistakes: &mut Mistakes) {
    let playbook = names.playbook;
    let look = |tree: &Tree, at: Where<'_>, mistakes: &mut Mistakes| {
        walk::tree(tree, &mut |found| {
            mentions::check(found, at, names, mistakes);
        });
    };
    for (before, tree) in playbook.vars.values().enumerate() {
        look(tree, Where::Var { before }, mistakes);
    }
    let at = At { names, step: None };
    if let Some(concurrency) = &playbook.concurrency {
        let key = "in `concurrency`";
        look(&concurrency.group, Where::Run { key }, mistakes);
        types::fits(Type::Text, "group", &concurrency.group, at, mistakes);
    }
    if let Some(timeout) = &playbook.timeout {
        let key = "in `timeout` of the run";
        look(timeout, Where::Run { key }, mistakes);
        types::fits(Type::Duration, "timeout", timeout, at, mistakes);
    }
    for tree in playbook.outputs.values() {
        look(tree, Where::Output, mistakes);
    }
}

fn step<'p>(indexed: Indexed<'p>, names: &Names<'p>, graph: &mut Graph, mistakes: &mut Mistakes) {
    let step = indexed.step;
    walk::step(step, &mut |found, sees, accept| {
        let at = Where::Step { indexed, sees };
        let Some(read) = mentions::check(found, at, names, mistakes) else {
            return;
        };
        graph.read(indexed.index, read.index);
        // All steps ended before `finally` begins: a mention of them orders nothing, and a step that
        // tells of a failure must not be blocked by it.
        if read.phase == indexed.phase {
            graph.set(
                indexed.index,
                Edge {
                    step: read.index,
                    accept,
                    place: None,
                },
            );
        }
    });
    needs(indexed, names, graph, mistakes);
    let at = At {
        names,
        step: Some(step),
    };
    types::params(step, at, mistakes);
    web::request(&step.action, mistakes);
    if let Some(timeout) = &step.timeout {
        types::fits(Type::Duration, "timeout", &timeout.value, at, mistakes);
    }
    if let Some(rerun) = &step.rerun {
        types::fits(Type::Integer, "max", &rerun.max, at, mistakes);
    }
    if let Some(for_each) = &step.for_each {
        for_each::check(for_each, names, mistakes);
    }
    replaced::overrides(step, mistakes);
    secrets::step(step, names, mistakes);
    uses::check(step, names, mistakes);
    if let Some(undo) = &step.undo {
        self::undo(indexed, undo, names, mistakes);
    }
}

/// What an undo mentions orders nothing: it runs when all steps have ended.
fn undo(indexed: Indexed<'_>, undo: &Step, names: &Names<'_>, mistakes: &mut Mistakes) {
    undo::fits(indexed, undo, mistakes);
    let at = Where::Step {
        indexed,
        sees: Sees {
            this: true,
            item: true,
        },
    };
    for tree in undo.trees() {
        walk::tree(tree, &mut |found| {
            mentions::check(found, at, names, mistakes);
        });
    }
    // It reads the item of its step.
    let at = At {
        names,
        step: Some(indexed.step),
    };
    types::params(undo, at, mistakes);
    web::request(&undo.action, mistakes);
    if let Some(timeout) = &undo.timeout {
        types::fits(Type::Duration, "timeout", &timeout.value, at, mistakes);
    }
    replaced::overrides(undo, mistakes);
    secrets::step(undo, names, mistakes);
}

/// What `needs` names overrides what mentions gave.
fn needs(indexed: Indexed<'_>, names: &Names<'_>, graph: &mut Graph, mistakes: &mut Mistakes) {
    for edge in indexed.step.needs.iter().flat_map(|needs| &needs.edges) {
        let (id, accept) = &edge.value;
        let Some(needed) = names.step(id) else {
            if !names.is_broken(id) {
                mistakes.push(mentions::unknown_step(edge.place.clone(), id, names));
            }
            continue;
        };
        if indexed.phase == Phase::Main && needed.phase == Phase::Finally {
            mistakes.push(mentions::later(edge.place.clone(), id));
            continue;
        }
        graph.set(
            indexed.index,
            Edge {
                step: needed.index,
                accept: *accept,
                place: Some(edge.place.clone()),
            },
        );
    }
}

/// The plan; none when one of the playbooks that it uses has none.
fn plan(playbook: &Playbook, names: &Names<'_>, graph: &Graph) -> Option<Plan> {
    let steps = names
        .steps
        .iter()
        .map(|indexed| plan_step(playbook, *indexed, names, graph));
    let steps: Vec<PlanStep> = steps.collect::<Option<_>>()?;
    let mut sources = vec![Arc::clone(&playbook.source)];
    for source in steps
        .iter()
        .flat_map(|step| &step.used)
        .flat_map(|plan| &plan.sources)
    {
        if sources.iter().all(|known| known.name != source.name) {
            sources.push(Arc::clone(source));
        }
    }
    let mut plan = Plan {
        name: playbook.name.clone(),
        description: playbook.description.clone(),
        sources,
        digest: String::new(),
        inputs: playbook.inputs.clone(),
        vars: playbook.vars.clone(),
        concurrency: playbook.concurrency.clone(),
        timeout: playbook.timeout.clone(),
        finally_timeout: playbook.finally_timeout.unwrap_or(FINALLY_TIMEOUT),
        on_failure: playbook.on_failure,
        on_interrupt: playbook.on_interrupt,
        steps,
        outputs: playbook.outputs.clone(),
    };
    plan.digest = digest::of(&plan);
    Some(plan)
}

fn plan_step(
    playbook: &Playbook,
    indexed: Indexed<'_>,
    names: &Names<'_>,
    graph: &Graph,
) -> Option<PlanStep> {
    let needs = graph.edges(indexed.index).map(|edge| Need {
        step: edge.step,
        accept: edge.accept,
    });
    let mut planned = bare(playbook, indexed.step, indexed.phase);
    planned.needs = needs.collect();
    planned.reads = graph.reads(indexed.index);
    planned.undo = indexed.step.undo.as_ref().map(|undo| {
        let mut planned = bare(playbook, undo, indexed.phase);
        planned.default_timeout = Some(UNDO_TIMEOUT);
        planned.reads = read_by(undo, names);
        Box::new(planned)
    });
    if is_use(indexed.step) {
        planned.used = Some(names.made_of(indexed.step)?.plan.clone()?);
    }
    Some(planned)
}

/// The steps that an undo reads.
fn read_by(undo: &Step, names: &Names<'_>) -> BTreeSet<usize> {
    let mut reads = BTreeSet::new();
    for tree in undo.trees() {
        walk::tree(tree, &mut |found| {
            if let (Some("steps"), Some(id)) = (found.hop(0), found.hop(1)) {
                reads.extend(names.step(id).map(|read| read.index));
            }
        });
    }
    reads
}

/// A step without its place in the graph.
fn bare(playbook: &Playbook, step: &Step, phase: Phase) -> PlanStep {
    let retry = step
        .retry
        .clone()
        .or_else(|| playbook.defaults.retry.clone());
    PlanStep {
        id: step.id.clone(),
        phase,
        place: step.place.clone(),
        description: step.description.clone(),
        needs: Vec::new(),
        reads: BTreeSet::new(),
        when: step.when.clone(),
        retry: retry.unwrap_or_default(),
        rerun: step.rerun.clone(),
        until: step.until.clone(),
        timeout: step.timeout.clone(),
        default_timeout: playbook.defaults.timeout,
        allow_failure: step.allow_failure,
        extract: step.extract.clone(),
        asserts: step.asserts.clone(),
        undo: None,
        for_each: step.for_each.clone(),
        used: None,
        action: step.action.action,
        params: step.action.params.clone(),
    }
}
