//! What the expressions of a step see.

use serde_json::{Map, Value, json};

use super::record::Record;
use crate::event::{Failure, StepEnded};
use crate::plan::{BoundInputs, Plan, PlanStep};
use crate::secret::Redactor;
use crate::template::{Data, LocatedError, Scope};

/// The values that are the same for all steps of a playbook, made ready once.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    inputs: Data,
    vars: Data,
    run: Data,
    redactor: Redactor,
}

impl Shared {
    /// Computes `vars`, from inputs and the vars above each. What is secret among the inputs is masked from
    /// here on, and so is what expressions make out of it.
    pub(super) fn new(
        plan: &Plan,
        inputs: &BoundInputs,
        run: &Value,
        redactor: &Redactor,
    ) -> Result<Self, LocatedError> {
        let secrets = inputs.secrets.iter().filter_map(|s| inputs.values.get(s));
        for secret in secrets.filter_map(Value::as_str) {
            redactor.learn(secret);
        }
        let known: Vec<String> = plan.inputs.keys().cloned().collect();
        let fields = inputs
            .values
            .iter()
            .map(|(name, value)| (name.clone(), Data::new(value)));
        let mut shared = Self {
            inputs: Data::record(fields.collect(), &known),
            vars: Data::record(Vec::new(), &[]),
            run: Data::new(run),
            redactor: redactor.clone(),
        };
        let mut vars: Vec<(String, Data)> = Vec::new();
        let names: Vec<String> = plan.vars.keys().cloned().collect();
        for (name, tree) in &plan.vars {
            let value = tree.render(&shared.scope())?.unwrap_or(Value::Null);
            vars.push((name.clone(), Data::new(&value)));
            shared.vars = Data::record(vars.clone(), &names);
        }
        Ok(shared)
    }

    /// Who is told of secrets.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// Replaces what `run` shows: under `finally` it knows more.
    pub(super) fn set_run(&mut self, run: &Value) {
        self.run = Data::new(run);
    }

    /// A scope without steps.
    pub(super) fn scope(&self) -> Scope {
        Scope::new()
            .telling(&self.redactor)
            .with("inputs", self.inputs.clone())
            .with("vars", self.vars.clone())
            .with("run", self.run.clone())
    }
}

/// The fields that every step has, whatever its action.
pub(super) struct Told<'a> {
    pub(super) ended: &'a StepEnded,
    pub(super) attempts: u32,
    pub(super) response: Option<&'a Value>,
    /// What became of its items, when it has any.
    pub(super) each: Option<Value>,
}

/// A step as other steps see it under `steps`, and as it sees itself under `this`.
pub(super) fn step_data(step: &PlanStep, told: &Told<'_>) -> Data {
    let ended = told.ended;
    let mut fields = vec![
        (
            "outcome".to_owned(),
            Data::new(&json!(ended.outcome.as_str())),
        ),
        ("why".to_owned(), Data::new(&json!(ended.why))),
        (
            "error".to_owned(),
            Data::new(&error_value(ended.error.as_ref())),
        ),
        ("attempts".to_owned(), Data::new(&json!(told.attempts))),
        (
            "duration".to_owned(),
            Data::new(&json!(ended.duration_ms as f64 / 1_000.0)),
        ),
    ];
    if let Some(response) = told.response {
        fields.push(("response".to_owned(), Data::new(response)));
    }
    if let Some(each) = &told.each {
        fields.push(("each".to_owned(), Data::new(each)));
    }
    for (name, value) in &ended.outputs {
        fields.push((name.clone(), Data::new(value)));
    }
    let mut known: Vec<String> = vec!["response".to_owned(), "each".to_owned()];
    known.extend(
        step.action
            .outputs
            .iter()
            .map(|field| field.name.to_owned()),
    );
    known.extend(step.extract.keys().cloned());
    known.extend(
        step.used
            .iter()
            .flat_map(|used| used.outputs.keys().cloned()),
    );
    known.extend(
        step.params
            .keys()
            .filter(|_| step.action.shape == crate::catalog::Shape::Names)
            .cloned(),
    );
    Data::record(fields, &known)
}

/// `steps.x.error`: none when there is none.
pub(super) fn error_value(error: Option<&Failure>) -> Value {
    match error {
        None => Value::Null,
        Some(failure) => json!({
            "kind": failure.kind.as_str(), "message": failure.message,
            "hint": failure.hint, "status": failure.status,
        }),
    }
}

/// What `extract` takes out of a response, over the outputs that are there.
pub(super) fn extract(step: &PlanStep, record: &Record) -> Result<Map<String, Value>, Failure> {
    let mut taken = Map::new();
    if step.extract.is_empty() {
        return Ok(taken);
    }
    let nothing = Value::Null;
    let response = record.response.as_ref().unwrap_or(&nothing);
    for (name, extract) in &step.extract {
        match extract.path.take(response, extract.take) {
            Ok(Some(value)) => {
                taken.insert(name.clone(), value);
            }
            Ok(None) => {}
            Err(words) => {
                let message = format!("{}: `extract.{name}`: {words}", extract.place);
                return Err(Failure::new(crate::event::FailureKind::Extract, message));
            }
        }
    }
    Ok(taken)
}
