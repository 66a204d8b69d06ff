//! `fail`: ends a branch red.

use super::act::{Act, Input, Next};
use crate::engine::params::Params;
use crate::engine::record::Record;
use crate::event::{Failure, FailureKind};

/// The action.
pub(super) struct Fail {
    message: String,
    record: Record,
}

impl Fail {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            message: params.text("message").to_owned(),
            record: Record::default(),
        }
    }
}

impl Act for Fail {
    fn next(&mut self, _input: Input<'_>) -> Next {
        Next::Fail(Failure::new(FailureKind::Fail, self.message.clone()))
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
