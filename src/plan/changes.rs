//! What differs between two plans, step by step: for a run that goes on with another one.

use super::{Plan, PlanStep, digest};

/// What differs between two plans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys of the playbook itself that were fixed when a run began: `name`, `inputs`, `vars`,
    /// `concurrency`, `timeout`.
    pub whole: Vec<&'static str>,
    /// Steps that mean something else.
    pub changed: Vec<String>,
    /// Steps that are new.
    pub added: Vec<String>,
    /// Steps that are gone.
    pub removed: Vec<String>,
}

/// Compares two plans.
pub fn changes(old: &Plan, new: &Plan) -> Changes {
    let find = |plan: &Plan, id: &str| plan.steps.iter().position(|step| step.id == id);
    let mut found = Changes {
        whole: whole(old, new),
        ..Changes::default()
    };
    for step in &new.steps {
        match find(old, &step.id).and_then(|index| old.steps.get(index)) {
            None => found.added.push(step.id.clone()),
            Some(before) if meaning(before, old) != meaning(step, new) => {
                found.changed.push(step.id.clone());
            }
            Some(_) => {}
        }
    }
    let gone = old.steps.iter().filter(|s| find(new, &s.id).is_none());
    found.removed = gone.map(|step| step.id.clone()).collect();
    found
}

fn whole(old: &Plan, new: &Plan) -> Vec<&'static str> {
    let bare = |plan: &Plan, keep: &str| {
        let mut bare = Plan {
            name: String::new(),
            steps: Vec::new(),
            outputs: indexmap::IndexMap::new(),
            on_failure: old.on_failure,
            on_interrupt: old.on_interrupt,
            finally_timeout: old.finally_timeout,
            ..plan.clone()
        };
        if keep == "name" {
            bare.name.clone_from(&plan.name);
        }
        if keep != "inputs" {
            bare.inputs.clear();
        }
        if keep != "vars" {
            bare.vars.clear();
        }
        if keep != "concurrency" {
            bare.concurrency = None;
        }
        if keep != "timeout" {
            bare.timeout = None;
        }
        digest::of(&bare)
    };
    ["name", "inputs", "vars", "concurrency", "timeout"]
        .into_iter()
        .filter(|key| bare(old, key) != bare(new, key))
        .collect()
}

/// What a step means, its needs by their ids: an index says nothing in another plan.
fn meaning(step: &PlanStep, plan: &Plan) -> (String, Vec<(String, String)>) {
    let needs = step.needs.iter().filter_map(|need| {
        let needed = plan.steps.get(need.step)?;
        Some((needed.id.clone(), need.accept.to_string()))
    });
    let mut needs: Vec<(String, String)> = needs.collect();
    needs.sort();
    let alone = PlanStep {
        needs: Vec::new(),
        ..step.clone()
    };
    (digest::of_step(&alone), needs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;

    fn plan(text: &str) -> Plan {
        let (plan, mistakes) = crate::plan::check(&Source::new("x.yml", text), &Default::default());
        plan.unwrap_or_else(|| panic!("{mistakes:?}"))
    }

    #[test]
    fn steps_are_compared_by_their_meaning() {
        let old = plan(
            "playbook: 1\nname: x\nsteps:\n  a: { set: { v: 1 } }\n  b: { needs: [a], sleep: 1s }\n  c: { sleep: 2s }\n",
        );
        let same = plan(
            "playbook: 1\nname: x\n# words\nsteps:\n  new: { sleep: 1s }\n  a: { set: { v: 1 }, description: d }\n  b: { needs: [a], sleep: 1s }\n  c: { sleep: 2s }\n",
        );
        let found = changes(&old, &same);
        assert_eq!(found.added, ["new"]);
        assert_eq!(
            (found.whole.len(), found.changed.len(), found.removed.len()),
            (0, 0, 0)
        );
        let other = plan(
            "playbook: 1\nname: x\ntimeout: 2h\ninputs: { i: { type: string, default: x } }\nsteps:\n  a: { set: { v: 2 } }\n  b: { needs: { a: any }, sleep: 1s }\n",
        );
        let found = changes(&old, &other);
        assert_eq!(found.whole, ["inputs", "timeout"]);
        assert_eq!(found.changed, ["a", "b"]);
        assert_eq!(found.removed, ["c"]);
    }
}
