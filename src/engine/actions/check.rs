//! `check`: expressions that must hold.

use serde_json::Value;

use super::act::{Act, Input, Next};
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::{Failure, FailureKind};

/// The action.
pub(super) struct Check {
    that: Vec<Value>,
    message: Option<String>,
    record: Record,
}

impl Check {
    pub(super) fn new(params: &Params) -> Self {
        let that = params.0.get("that").and_then(Value::as_array).cloned();
        Self {
            that: that.unwrap_or_default(),
            message: params.optional("message"),
            record: Record::default(),
        }
    }
}

impl Act for Check {
    fn next(&mut self, _input: Input<'_>) -> Next {
        let broken: Vec<String> = self
            .that
            .iter()
            .filter(|each| each.get("holds").and_then(Value::as_bool) != Some(true))
            .map(explain)
            .collect();
        if broken.is_empty() {
            return Next::Done;
        }
        let details = broken.join("; ");
        let message = match &self.message {
            Some(message) => format!("{message} ({details})"),
            None => details,
        };
        Next::Fail(Failure::new(FailureKind::Check, message))
    }

    fn record(&self) -> &Record {
        &self.record
    }
}

/// An expression that does not hold, with the values that made it so.
fn explain(each: &Value) -> String {
    let values: Vec<String> = each
        .get("values")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("`{name}` is {value}"))
        .collect();
    let expression = text(each, "expression");
    if values.is_empty() {
        format!("`{expression}` does not hold")
    } else {
        format!("`{expression}` does not hold: {}", values.join(", "))
    }
}
