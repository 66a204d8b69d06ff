//! What the cases of a file exercised of its playbook: steps, branches of `when`, needs, items.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{Event, Recorded};
use crate::outcome::StepOutcome;
use crate::plan::Plan;

/// Something of a playbook that a case may reach.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The step runs.
    Runs,
    /// Its `when` holds, or does not.
    When(bool),
    /// This need of it is met, or is not: the needed step and the outcomes that will do.
    Need(String, String, bool),
    /// It has an item.
    Item,
    /// It has no items at all.
    NoItems,
}

impl Point {
    /// What is meant, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Runs => "runs".to_owned(),
            Self::When(true) => "its `when` holds".to_owned(),
            Self::When(false) => "its `when` does not hold".to_owned(),
            Self::Need(step, accept, true) => format!("its need `{step}: {accept}` is met"),
            Self::Need(step, accept, false) => format!("its need `{step}: {accept}` is not met"),
            Self::Item => "has an item".to_owned(),
            Self::NoItems => "has no items".to_owned(),
        }
    }
}

/// The points of a playbook, and those that were reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Step and point, in the order of the plan.
    all: Vec<(String, Point)>,
    reached: BTreeSet<(String, Point)>,
}

impl Coverage {
    /// Nothing of a plan was reached yet.
    pub fn of(plan: &Plan) -> Self {
        let mut all = Vec::new();
        for step in &plan.steps {
            let mut add = |point| all.push((step.id.clone(), point));
            add(Point::Runs);
            if step.when.is_some() {
                add(Point::When(true));
                add(Point::When(false));
            }
            for need in &step.needs {
                let needed = plan.steps.get(need.step).map(|needed| needed.id.clone());
                let needed = needed.unwrap_or_default();
                let accept = need.accept.to_string();
                add(Point::Need(needed.clone(), accept.clone(), true));
                // What takes every end is always met.
                if accept != "any" {
                    add(Point::Need(needed, accept, false));
                }
            }
        }
        Self {
            all,
            reached: BTreeSet::new(),
        }
    }

    /// Adds what a run reached.
    pub fn add(&mut self, events: &[Recorded]) {
        let mut outcomes: BTreeMap<&str, StepOutcome> = BTreeMap::new();
        for recorded in events {
            match &recorded.event {
                Event::StepStarted { step, .. } => {
                    self.reach(step, Point::Runs);
                    self.reach(step, Point::When(true));
                }
                Event::StepEnded(ended) => {
                    outcomes.insert(&ended.step, ended.outcome);
                    if ended.outcome == StepOutcome::Skipped {
                        self.reach(&ended.step, Point::When(false));
                    }
                }
                _ => {}
            }
        }
        let needs: Vec<(String, Point)> = self
            .all
            .iter()
            .filter(|(step, point)| match point {
                Point::Need(needed, accept, met) => {
                    let ended = outcomes.contains_key(step.as_str());
                    let outcome = outcomes.get(needed.as_str()).filter(|_| ended);
                    outcome.is_some_and(|outcome| takes(accept, *outcome) == *met)
                }
                _ => false,
            })
            .cloned()
            .collect();
        self.reached.extend(needs);
    }

    fn reach(&mut self, step: &str, point: Point) {
        let known = (step.to_owned(), point);
        if self.all.contains(&known) {
            self.reached.insert(known);
        }
    }

    /// How many points were reached, and how many there are.
    pub fn counts(&self) -> (usize, usize) {
        (self.reached.len(), self.all.len())
    }

    /// What no case reached, in the order of the plan.
    pub fn missed(&self) -> impl Iterator<Item = (&str, &Point)> {
        self.all
            .iter()
            .filter(|known| !self.reached.contains(known))
            .map(|(step, point)| (step.as_str(), point))
    }
}

/// Whether an outcome will do, by the words of `needs`.
fn takes(accept: &str, outcome: StepOutcome) -> bool {
    match accept {
        "any" => true,
        "passed" => matches!(outcome, StepOutcome::Passed | StepOutcome::Skipped),
        words => words.split(" or ").any(|word| word == outcome.as_str()),
    }
}
