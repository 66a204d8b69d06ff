//! Putting the plan together: every mention is looked at once, and gives edges, reads and mistakes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::catalog::Type;
use crate::diagnostic::{Diagnostic, Diagnostics, Source};
use crate::playbook::{self, Limits, Mistakes, Playbook, Step, codes};
use crate::template::Tree;

use super::check::mentions::{self, Where};
use super::check::{checkout, for_each, reach, replaced, secrets, types, undo, usage, web};
use super::checkout::ReadCheckout;
use super::graph::{Edge, Graph};
use super::names::{Indexed, Names};
use super::walk::Sees;
use super::{Need, Phase, Plan, PlanStep, digest, walk};

/// The time that `finally` has when the playbook does not say it.
const FINALLY_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// The time of an undo that does not say its own.
const UNDO_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// Everything that the text alone shows: reads the playbook and plans it. The plan is there only when
/// there is no error at all.
pub fn check(source: &Arc<Source>, limits: &Limits) -> (Option<Plan>, Diagnostics) {
    check_beside(source, limits, &|_| None)
}

/// The same, compared with the checkout that the playbook stands in.
pub fn check_beside(
    source: &Arc<Source>,
    limits: &Limits,
    checkout: ReadCheckout<'_>,
) -> (Option<Plan>, Diagnostics) {
    let (playbook, mut diagnostics) = playbook::load(source, limits);
    let plan = playbook.and_then(|playbook| {
        let (plan, more) = build(&playbook, limits, checkout);
        diagnostics.extend(more);
        plan
    });
    (plan.filter(|_| !diagnostics.has_errors()), diagnostics)
}

/// Makes the plan of a playbook; none when anything is wrong.
pub fn build(
    playbook: &Playbook,
    limits: &Limits,
    checkout: ReadCheckout<'_>,
) -> (Option<Plan>, Diagnostics) {
    let mut mistakes = Mistakes::new(limits);
    let mut names = Names::of(playbook);
    if names.steps.len() > limits.steps_max {
        mistakes.push(too_many(
            playbook,
            format!(
                "the playbook has {} steps, and at most {} are allowed",
                names.steps.len(),
                limits.steps_max
            ),
        ));
        return (None, mistakes.finish());
    }
    names.tainted = secrets::tainted(playbook);
    whole_run(&names, &mut mistakes);
    secrets::on_disk(&names, &mut mistakes);
    let mut graph = Graph::new(names.steps.len());
    for indexed in names.steps.clone() {
        step(indexed, &names, &mut graph, &mut mistakes);
    }
    if graph.len() > limits.edges_max {
        mistakes.push(too_many(
            playbook,
            format!(
                "the steps have {} edges between them, and at most {} are allowed",
                graph.len(),
                limits.edges_max
            ),
        ));
        return (None, mistakes.finish());
    }
    let order = graph.order();
    if order.len() == names.steps.len() {
        reach::check(&names, &graph, &order, &mut mistakes);
    } else {
        graph.circles(&names, &order, &mut mistakes);
    }
    replaced::check(&names, &graph, &mut mistakes);
    usage::check(&names, &mut mistakes);
    self::checkout::check(&names, checkout, &mut mistakes);
    let good = mistakes.errors() == 0 && playbook.complete;
    let plan = good.then(|| plan(playbook, &names, &graph));
    (plan, mistakes.finish())
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
    if let Some(concurrency) = &playbook.concurrency {
        let key = "in `concurrency`";
        look(&concurrency.group, Where::Run { key }, mistakes);
        types::fits(Type::Text, "group", &concurrency.group, names, mistakes);
    }
    if let Some(timeout) = &playbook.timeout {
        let key = "in `timeout` of the run";
        look(timeout, Where::Run { key }, mistakes);
        types::fits(Type::Duration, "timeout", timeout, names, mistakes);
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
    types::params(step, names, mistakes);
    web::request(&step.action, mistakes);
    if let Some(timeout) = &step.timeout {
        types::fits(Type::Duration, "timeout", &timeout.value, names, mistakes);
    }
    if let Some(rerun) = &step.rerun {
        types::fits(Type::Integer, "max", &rerun.max, names, mistakes);
    }
    if let Some(for_each) = &step.for_each {
        for_each::check(for_each, names, mistakes);
    }
    replaced::overrides(step, mistakes);
    secrets::step(step, names, mistakes);
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
    types::params(undo, names, mistakes);
    web::request(&undo.action, mistakes);
    if let Some(timeout) = &undo.timeout {
        types::fits(Type::Duration, "timeout", &timeout.value, names, mistakes);
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

fn plan(playbook: &Playbook, names: &Names<'_>, graph: &Graph) -> Plan {
    let steps: Vec<PlanStep> = names
        .steps
        .iter()
        .map(|indexed| plan_step(playbook, *indexed, names, graph))
        .collect();
    let mut plan = Plan {
        name: playbook.name.clone(),
        description: playbook.description.clone(),
        sources: vec![Arc::clone(&playbook.source)],
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
    plan
}

fn plan_step(
    playbook: &Playbook,
    indexed: Indexed<'_>,
    names: &Names<'_>,
    graph: &Graph,
) -> PlanStep {
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
    planned
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
