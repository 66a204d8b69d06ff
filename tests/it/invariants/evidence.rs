//! What is known of a run and its world, for those who judge it.

use std::collections::BTreeSet;

use runner::event::{Event, Failure, Fate, Intent, Recorded};
use runner::outcome::StepOutcome;
use runner::plan::{Plan, PlanStep};
use runner::simulator::{Act, Origin};
use runner::template::Tree;

use crate::lab::{Lab, Sent};

/// What is known of a run and its world.
pub(super) struct Evidence<'l> {
    pub(super) lab: &'l Lab,
    pub(super) events: Vec<Recorded>,
    /// What was done by requests with our token.
    pub(super) acts: Vec<Act>,
    /// Every intent that was ever written.
    pub(super) intents: Vec<Intent>,
    pub(super) open: Vec<Intent>,
    pub(super) log: Vec<Sent>,
    pub(super) text: String,
}

impl<'l> Evidence<'l> {
    pub(super) fn of(lab: &'l Lab) -> Self {
        let events = lab.events();
        let ours = |act: &Act| matches!(act.origin, Origin::Api { .. });
        let open = lab.ledger.inner().open_intents("r1").expect("the intents");
        Self {
            text: serde_json::to_string(&events).expect("events"),
            events,
            acts: lab.acts().into_iter().filter(ours).collect(),
            intents: lab.ledger.intents(),
            open,
            log: lab.wire.log(),
            lab,
        }
    }

    /// Everything that was to be done: the steps of the plan, and those that were added at run time.
    pub(super) fn nodes(&self) -> impl Iterator<Item = &PlanStep> {
        let plan = &self.lab.plan;
        let added = self
            .events
            .iter()
            .filter_map(|recorded| match &recorded.event {
                Event::StepAdded(info) => planned(plan, &info.id),
                _ => None,
            });
        // What is done for each is done by its items.
        plan.steps
            .iter()
            .filter(|step| step.for_each.is_none())
            .chain(added)
    }

    /// How often the steps of the run may do this, reruns included.
    pub(super) fn times_at_most(&self, kind: &str) -> usize {
        let times = self.nodes().map(|step| {
            let reruns = step.rerun.as_ref().map_or(0, |rerun| {
                let max = rerun.max.constant().or_else(|| self.default(&rerun.max));
                let max = max.and_then(|max| max.as_u64());
                usize::try_from(max.unwrap_or_default()).expect("a small number")
            });
            let own = step.action.name == kind
                || (kind, step.action.name) == ("run_workflow", "ensure_pipeline");
            let mends = kind == "rebuild_pipeline";
            usize::from(own) * (1 + reruns) + usize::from(mends && !own) * reruns
        });
        times.sum()
    }

    /// What the input is by default that a value is taken from.
    fn default(&self, tree: &Tree) -> Option<serde_json::Value> {
        let mentions = tree.mentions();
        let (mention, _) = mentions.first()?;
        let input = mention
            .path
            .get(1)
            .filter(|_| mention.path[0] == "inputs")?;
        self.lab.plan.inputs.get(input)?.default.clone()
    }

    /// The step that a token belongs to, by the intents.
    pub(super) fn step_of(&self, token: &str) -> Option<&str> {
        let found = self.intents.iter().find(|intent| intent.token == token);
        found.map(|intent| intent.key.step.as_str())
    }

    /// The steps that a token belongs to: what has no token may be of any step without one.
    pub(super) fn steps_of(&self, token: &str) -> BTreeSet<&str> {
        let found = self.intents.iter().filter(|intent| intent.token == token);
        found.map(|intent| intent.key.step.as_str()).collect()
    }

    pub(super) fn unknown(&self, step: &str) -> bool {
        self.events.iter().any(|recorded| match &recorded.event {
            Event::StepEnded(ended) => ended.step == step && ended.outcome == StepOutcome::Unknown,
            // It is on record that it may have happened; the run has not done with it.
            Event::CallEnded { key, outcome } => {
                let in_doubt =
                    |failure: &Failure| failure.fate == Fate::Unknown || outcome.repeated;
                key.step == step && matches!(&outcome.result, Err(f) if in_doubt(f))
            }
            _ => false,
        })
    }
}

/// The step of a plan that a node stands for: `deploy[eu]/undo` is the undo of `deploy`, and `release/build` is
/// the step `build` of what `release` uses.
pub(super) fn planned<'p>(plan: &'p Plan, id: &str) -> Option<&'p PlanStep> {
    let name_end = id.find(['[', '/']).unwrap_or(id.len());
    let (name, mut rest) = id.split_at(name_end);
    if rest.starts_with('[') {
        rest = rest.find(']').map_or("", |end| &rest[end + 1..]);
    }
    let step = plan.steps.iter().find(|step| step.id == name)?;
    match rest.strip_prefix('/') {
        None => Some(step),
        Some("undo") => step.undo.as_deref(),
        Some(inner) => planned(step.used.as_ref()?, inner),
    }
}

pub(super) fn mark(act: &Act) -> Option<&str> {
    let found = act.parameters.iter().find(|(name, _)| name == "RUNNER_KEY");
    found.map(|(_, mark)| mark.as_str())
}
