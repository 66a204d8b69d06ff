//! `approve`: a person's yes.

use serde_json::Value;

use super::act::{Act, Input, Next, out_of_turn};
use crate::engine::params::Params;
use crate::engine::record::{Record, text};
use crate::event::{Failure, FailureKind};

/// The action.
pub(super) struct Approve {
    message: String,
    record: Record,
}

impl Approve {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            message: params.text("message").to_owned(),
            record: Record::default(),
        }
    }
}

impl Act for Approve {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => Next::Ask(self.message.clone()),
            Input::Answer(answer) => {
                let by = text(&answer.value, "by");
                self.record.set("at", text(&answer.value, "at"));
                if answer.value.get("approved").and_then(Value::as_bool) == Some(true) {
                    self.record.set("approved_by", by);
                    return Next::Done;
                }
                let words = format!("rejected by {}", crate::text::clean_line(by, 100));
                Next::Fail(Failure::new(FailureKind::Rejected, words))
            }
            Input::Failure(failure) => Next::Fail(failure.clone()),
            Input::Slept => out_of_turn("approve"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
