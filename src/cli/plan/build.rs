//! From a plan to what it shows.
//!
//! Pure: a plan, the values that are known, what reads found, how long steps took lately; a view out.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::does::does;
use super::known::{Known, bare};
use super::questions::Answers;
use super::view::{
    ForEachView, InputView, NeedView, PlanView, Problem, RerunView, StepView, UndoView, UntilView,
    UsedView, WhenView,
};
use crate::duration;
use crate::engine::{RUN_TIMEOUT_DEFAULT, STEP_TIMEOUT_DEFAULT};
use crate::outcome::StepOutcome;
use crate::plan::{OnFailure, Phase, Plan, PlanStep, RerunScope};
use crate::playbook::InputType;

/// The version of the form.
const VERSION: u32 = 1;
/// So many items of a fan-out are named.
const KEYS_MAX: usize = 1_000;

/// What a view is made of beside the plan.
pub struct Facts<'a> {
    /// The values of the inputs.
    pub values: &'a IndexMap<String, Value>,
    /// The names of those that are secret.
    pub secrets: &'a [String],
    /// What reads found.
    pub answers: &'a Answers,
    /// How long steps took lately, in milliseconds, by their ids.
    pub durations: &'a dyn Fn(&str) -> Option<u64>,
}

/// What a plan shows.
pub fn view(plan: &Plan, facts: &Facts<'_>) -> PlanView {
    let known = Known::of(plan, facts.values, facts.secrets);
    let build = Build {
        facts,
        known: &known,
        prefix: String::new(),
    };
    let (steps, last) = build.phases(plan);
    let inputs = plan
        .inputs
        .iter()
        .map(|(name, input)| (name.clone(), input_view(name, input, facts.values)));
    let mut view = PlanView {
        plan: VERSION,
        name: plan.name.clone(),
        description: plan.description.clone(),
        playbook: plan
            .sources
            .first()
            .map(|source| source.name.clone())
            .unwrap_or_default(),
        digest: plan.digest.clone(),
        timeout: plan.timeout.as_ref().map_or_else(
            || duration::show(RUN_TIMEOUT_DEFAULT),
            |timeout| known.time(timeout),
        ),
        stops_on_failure: plan.on_failure == OnFailure::Stop,
        concurrency: plan.concurrency.as_ref().map(|c| known.words(&c.group)),
        inputs: inputs.collect(),
        environment: environment(plan),
        secrets: secrets(plan),
        steps,
        last,
        undo: build.undos(plan),
        outputs: plan.outputs.keys().cloned().collect(),
        writes: 0,
        expected_ms: expected(plan, facts.durations),
        problems: facts.answers.problems(),
    };
    view.writes = view.all_steps().iter().filter(|s| s.changes).count();
    view
}

fn input_view(
    name: &str,
    input: &crate::playbook::Input,
    values: &IndexMap<String, Value>,
) -> InputView {
    let ty = InputType::ALL
        .iter()
        .find(|(ty, _)| *ty == input.ty)
        .map_or("", |(_, word)| *word);
    InputView {
        ty,
        description: input.description.clone(),
        value: values.get(name).filter(|_| !input.secret).cloned(),
        secret: input.secret,
        missing: !input.optional && !values.contains_key(name),
        env: input.env.clone(),
    }
}

/// A plan and all that it uses.
fn all_plans(plan: &Plan) -> Vec<&Plan> {
    let mut all = vec![plan];
    for used in plan.steps.iter().filter_map(|step| step.used.as_deref()) {
        all.extend(all_plans(used));
    }
    all
}

fn environment(plan: &Plan) -> Vec<String> {
    let inputs = all_plans(plan)
        .into_iter()
        .flat_map(|plan| plan.inputs.values());
    let names: BTreeSet<&String> = inputs.filter_map(|input| input.env.as_ref()).collect();
    names.into_iter().cloned().collect()
}

fn secrets(plan: &Plan) -> Vec<String> {
    let inputs = plan.inputs.iter().filter(|(_, input)| input.secret);
    inputs.map(|(name, _)| name.clone()).collect()
}

/// How long a green run takes when each step takes as long as it did lately: the longest way through the
/// graph. None when nothing is known.
fn expected(plan: &Plan, durations: &dyn Fn(&str) -> Option<u64>) -> Option<u64> {
    // When a step of a green run ends; none for steps that such a run leaves out.
    let mut ends: Vec<Option<u64>> = vec![None; plan.steps.len()];
    for index in order(plan) {
        let Some(step) = plan.steps.get(index) else {
            continue;
        };
        let begins = step.needs.iter().map(|need| {
            let end = ends.get(need.step).copied().flatten()?;
            need.accept.takes(StepOutcome::Passed).then_some(end)
        });
        let begins: Option<Vec<u64>> = begins.collect();
        let end = begins.map(|begins| {
            let takes = durations(&step.id).unwrap_or(0);
            begins.into_iter().max().unwrap_or(0) + takes
        });
        if let Some(slot) = ends.get_mut(index) {
            *slot = end;
        }
    }
    ends.into_iter().flatten().max().filter(|ms| *ms > 0)
}

struct Build<'a> {
    facts: &'a Facts<'a>,
    known: &'a Known,
    /// What stands before the ids of the steps: those that use this playbook.
    prefix: String,
}

impl Build<'_> {
    fn phases(&self, plan: &Plan) -> (Vec<StepView>, Vec<StepView>) {
        let of = |phase| {
            plan.steps
                .iter()
                .enumerate()
                .filter(move |(_, step)| step.phase == phase)
                .map(|(index, step)| self.step(plan, index, step))
                .collect()
        };
        (of(Phase::Main), of(Phase::Finally))
    }

    fn step(&self, plan: &Plan, index: usize, step: &PlanStep) -> StepView {
        let id = format!("{}{}", self.prefix, step.id);
        StepView {
            action: step.action.name,
            description: step.description.clone(),
            does: does(step, self.known),
            changes: step.action.changes() && !is_only_a_question(step, self.known),
            parameters: step
                .params
                .iter()
                .map(|(name, tree)| (name.clone(), self.known.shown(tree)))
                .collect(),
            needs: self.needs(plan, step),
            when: self.when(plan, index, step),
            for_each: self.for_each(step),
            until: step.until.as_ref().map(|until| UntilView {
                that: sources(&until.that),
                poll: duration::show(until.poll),
            }),
            rerun: step.rerun.as_ref().map(|rerun| RerunView {
                max: self.known.words(&rerun.max),
                scope: match rerun.scope {
                    RerunScope::Failed => "failed",
                    RerunScope::All => "all",
                },
                when: rerun
                    .when
                    .as_ref()
                    .map(|when| when.value.source().to_owned()),
            }),
            asserts: sources(&step.asserts),
            timeout: self.timeout(step),
            allow_failure: step.allow_failure,
            undo: step.undo.as_ref().map(|undo| does(undo, self.known)),
            found: self.facts.answers.found(&id, step, self.known),
            expected_ms: (self.facts.durations)(&id),
            uses: step.used.as_ref().map(|used| self.uses(&id, step, used)),
            id,
        }
    }

    fn needs(&self, plan: &Plan, step: &PlanStep) -> Vec<NeedView> {
        let needs = step.needs.iter().filter_map(|need| {
            let needed = plan.steps.get(need.step)?;
            Some(NeedView {
                step: format!("{}{}", self.prefix, needed.id),
                outcome: need.accept.to_string(),
            })
        });
        needs.collect()
    }

    /// A condition, and what becomes of those that wait for the step when it does not hold.
    fn when(&self, plan: &Plan, index: usize, step: &PlanStep) -> Option<WhenView> {
        let when = step.when.as_ref()?;
        let mut view = WhenView {
            expression: when.value.source().to_owned(),
            holds: self.known.holds(&when.value),
            else_go_on: Vec::new(),
            else_blocked: Vec::new(),
        };
        for follower in &plan.steps {
            let needs = follower.needs.iter().filter(|need| need.step == index);
            for need in needs {
                let list = if need.accept.takes(StepOutcome::Skipped) {
                    &mut view.else_go_on
                } else {
                    &mut view.else_blocked
                };
                list.push(format!("{}{}", self.prefix, follower.id));
            }
        }
        Some(view)
    }

    fn for_each(&self, step: &PlanStep) -> Option<ForEachView> {
        let for_each = step.for_each.as_ref()?;
        let items = self.known.eval(&for_each.items.value);
        let keys = match items {
            Some(Value::Array(items)) => Some(items.iter().map(item_words).collect::<Vec<_>>()),
            Some(Value::Object(map)) => Some(map.keys().cloned().collect()),
            _ => None,
        };
        Some(ForEachView {
            items: for_each.items.value.source().to_owned(),
            keys: keys.map(|keys| keys.into_iter().take(KEYS_MAX).collect()),
            max_parallel: for_each
                .max_parallel
                .as_ref()
                .map(|tree| self.known.words(tree)),
            stops_on_failure: for_each.on_failure == OnFailure::Stop,
        })
    }

    /// As the machine does it: the step's own, the playbook's, an hour; some have as long as the run.
    fn timeout(&self, step: &PlanStep) -> Option<String> {
        if let Some(timeout) = &step.timeout {
            return Some(self.known.time(&timeout.value));
        }
        if matches!(step.action.name, "sleep" | "approve" | "use") {
            return None;
        }
        let default: Duration = step.default_timeout.unwrap_or(STEP_TIMEOUT_DEFAULT);
        Some(duration::show(default))
    }

    /// The same for the playbook that a step uses.
    fn inside<'b>(&'b self, id: &str, known: &'b Known) -> Build<'b> {
        Build {
            facts: self.facts,
            known,
            prefix: format!("{id}/"),
        }
    }

    fn uses(&self, id: &str, step: &PlanStep, used: &Plan) -> UsedView {
        let known = self.known.inner(step, used);
        let (steps, last) = self.inside(id, &known).phases(used);
        UsedView {
            name: used.name.clone(),
            playbook: used
                .sources
                .first()
                .map(|source| source.name.clone())
                .unwrap_or_default(),
            steps,
            last,
        }
    }

    /// Undos run in the reverse order of completion: what depends on others is taken back first.
    fn undos(&self, plan: &Plan) -> Vec<UndoView> {
        let mut undos = Vec::new();
        self.collect_undos(plan, &mut undos);
        undos.reverse();
        undos
    }

    fn collect_undos(&self, plan: &Plan, undos: &mut Vec<UndoView>) {
        for step in order(plan).into_iter().filter_map(|at| plan.steps.get(at)) {
            let id = format!("{}{}", self.prefix, step.id);
            if let Some(used) = &step.used {
                let known = self.known.inner(step, used);
                self.inside(&id, &known).collect_undos(used, undos);
            }
            if let Some(undo) = &step.undo {
                undos.push(UndoView {
                    action: undo.action.name,
                    does: does(undo, self.known),
                    timeout: self.timeout(undo),
                    step: id,
                });
            }
        }
    }
}

/// The steps in an order in which each stands after what it needs, and else as in the file.
fn order(plan: &Plan) -> Vec<usize> {
    let mut done: Vec<bool> = vec![false; plan.steps.len()];
    let mut order = Vec::new();
    while order.len() < plan.steps.len() {
        let next = plan.steps.iter().enumerate().find(|(index, step)| {
            !done.get(*index).copied().unwrap_or(true)
                && step
                    .needs
                    .iter()
                    .all(|need| done.get(need.step).copied().unwrap_or(true))
        });
        let Some((index, _)) = next else { break };
        if let Some(slot) = done.get_mut(index) {
            *slot = true;
        }
        order.push(index);
    }
    order
}

/// A request that asks and changes nothing.
fn is_only_a_question(step: &PlanStep, known: &Known) -> bool {
    let method = step.params.get("method").map(|tree| known.words(tree));
    step.action.name == "http" && matches!(method.as_deref(), None | Some("GET" | "HEAD"))
}

fn sources(expressions: &[crate::plan::Located<crate::template::Expression>]) -> Vec<String> {
    expressions
        .iter()
        .map(|expression| expression.value.source().to_owned())
        .collect()
}

fn item_words(item: &Value) -> String {
    match item {
        Value::String(text) => bare(text).to_owned(),
        Value::Object(map) => map
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| item.to_string(), str::to_owned),
        other => other.to_string(),
    }
}

/// A problem of a step, from what a read met.
pub(super) fn problem(step: &str, failure: &crate::event::Failure) -> Problem {
    Problem {
        step: step.to_owned(),
        kind: failure.kind.as_str().to_owned(),
        message: failure.message.clone(),
        hint: failure.hint.clone(),
    }
}
