//! What a step has to show whose parts do its work: it asks for nothing itself.

use super::act::{Act, Input, Next};
use crate::engine::record::Record;

/// A step with parts.
#[derive(Debug, Default)]
pub(in crate::engine) struct Whole {
    record: Record,
}

impl Whole {
    /// With what its parts gave.
    pub(in crate::engine) fn new(record: Record) -> Self {
        Self { record }
    }
}

impl Act for Whole {
    fn next(&mut self, _: Input<'_>) -> Next {
        Next::Done
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
