//! `set`: names to values.

use super::act::{Act, Input, Next};
use crate::engine::params::Params;
use crate::engine::record::Record;

/// The action.
pub(super) struct Set {
    record: Record,
}

impl Set {
    pub(super) fn new(params: &Params) -> Self {
        let record = Record {
            outputs: params.0.clone(),
            ..Record::default()
        };
        Self { record }
    }
}

impl Act for Set {
    fn next(&mut self, _input: Input<'_>) -> Next {
        Next::Done
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
