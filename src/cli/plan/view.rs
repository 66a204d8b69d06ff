//! What a plan shows, as plain data: made of a plan, of the values that are known, and of what reads found.
//!
//! The form of `--format json`, and what the renderers read. It holds no secret: a value that a secret had
//! a part in stands as the expression that gives it.

use indexmap::IndexMap;
use serde::Serialize;
use serde_json::Value;

/// The whole plan of a playbook.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PlanView {
    /// The version of this form.
    pub plan: u32,
    /// The name of the playbook.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its file.
    pub playbook: String,
    /// The identity of the plan.
    pub digest: String,
    /// The deadline of the whole run.
    pub timeout: String,
    /// Whether a failed step stops the others.
    pub stops_on_failure: bool,
    /// The group of runs that must not overlap.
    pub concurrency: Option<String>,
    /// The inputs, in the order of the file.
    pub inputs: IndexMap<String, InputView>,
    /// The environment variables that inputs name.
    pub environment: Vec<String>,
    /// The inputs that are secret.
    pub secrets: Vec<String>,
    /// The steps in the order of the file.
    pub steps: Vec<StepView>,
    /// The steps that run when the run ends.
    #[serde(rename = "finally")]
    pub last: Vec<StepView>,
    /// What takes steps back when one fails, in the order in which it would run.
    pub undo: Vec<UndoView>,
    /// The names of what the run gives.
    pub outputs: Vec<String>,
    /// How many steps may change something.
    pub writes: usize,
    /// How long it took lately, from the durations of its steps.
    pub expected_ms: Option<u64>,
    /// What reads showed to be wrong already.
    pub problems: Vec<Problem>,
}

/// An input.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InputView {
    /// Its type.
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// What it is.
    pub description: Option<String>,
    /// Its value, unless it is secret or has none.
    pub value: Option<Value>,
    /// Whether its value is a secret.
    pub secret: bool,
    /// Whether it must be given and was not.
    pub missing: bool,
    /// The environment variable that it may come from.
    pub env: Option<String>,
}

/// A step.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StepView {
    /// Its id; in a used playbook behind the ids of the steps that use it.
    pub id: String,
    /// The name of its action.
    pub action: &'static str,
    /// What it is for.
    pub description: Option<String>,
    /// What it does, in words.
    pub does: String,
    /// Whether it may change something.
    pub changes: bool,
    /// Its parameters, with what is not known yet as expressions.
    pub parameters: IndexMap<String, Value>,
    /// What it waits for.
    pub needs: Vec<NeedView>,
    /// Whether it runs at all.
    pub when: Option<WhenView>,
    /// What it is done for.
    pub for_each: Option<ForEachView>,
    /// Asked again until this holds.
    pub until: Option<UntilView>,
    /// Done again when it ended badly.
    pub rerun: Option<RerunView>,
    /// What must hold after it.
    #[serde(rename = "assert")]
    pub asserts: Vec<String>,
    /// Its total time; none when it has as long as the run.
    pub timeout: Option<String>,
    /// Whether it may fail.
    pub allow_failure: bool,
    /// What takes it back.
    pub undo: Option<String>,
    /// What reads found.
    pub found: Vec<String>,
    /// How long it took lately.
    pub expected_ms: Option<u64>,
    /// The playbook that it uses.
    pub uses: Option<UsedView>,
}

/// What a step waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NeedView {
    /// The step.
    pub step: String,
    /// Which of its ends will do.
    pub outcome: String,
}

/// A condition, and both of its branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhenView {
    /// The expression.
    pub expression: String,
    /// Whether it holds, when that is known already.
    pub holds: Option<bool>,
    /// The steps that go on when it does not hold.
    pub else_go_on: Vec<String>,
    /// The steps that are blocked when it does not hold.
    pub else_blocked: Vec<String>,
}

/// A step that is done for several items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForEachView {
    /// What gives the items.
    #[serde(rename = "in")]
    pub items: String,
    /// The names of the items, when they are known already.
    pub keys: Option<Vec<String>>,
    /// How many are done at once at the most.
    pub max_parallel: Option<String>,
    /// Whether the items after one that failed are left out.
    pub stops_on_failure: bool,
}

/// Asking again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UntilView {
    /// What must hold.
    pub that: Vec<String>,
    /// How long it waits in between.
    pub poll: String,
}

/// Doing again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RerunView {
    /// How often at the most.
    pub max: String,
    /// `failed` or `all`.
    pub scope: &'static str,
    /// When.
    pub when: Option<String>,
}

/// Something that takes a step back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UndoView {
    /// The step.
    pub step: String,
    /// The name of the action.
    pub action: &'static str,
    /// What it does, in words.
    pub does: String,
    /// Its total time.
    pub timeout: Option<String>,
}

/// The playbook that a step uses.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UsedView {
    /// Its name.
    pub name: String,
    /// Its file.
    pub playbook: String,
    /// Its steps.
    pub steps: Vec<StepView>,
    /// Its steps that run when it ends.
    #[serde(rename = "finally")]
    pub last: Vec<StepView>,
}

/// Something that would go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The step.
    pub step: String,
    /// The kind of the error.
    pub kind: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl PlanView {
    /// All steps, those of used playbooks after the step that uses them.
    pub fn all_steps(&self) -> Vec<&StepView> {
        let mut all = Vec::new();
        for step in self.steps.iter().chain(&self.last) {
            collect(step, &mut all);
        }
        all
    }
}

fn collect<'a>(step: &'a StepView, all: &mut Vec<&'a StepView>) {
    all.push(step);
    if let Some(used) = &step.uses {
        for inner in used.steps.iter().chain(&used.last) {
            collect(inner, all);
        }
    }
}
