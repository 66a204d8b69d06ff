//! `sleep`: waits for a duration.

use std::time::Duration;

use super::act::{Act, Input, Next};
use crate::engine::params::Params;
use crate::engine::record::Record;

/// The action.
pub(super) struct Sleep {
    duration: Duration,
    record: Record,
}

impl Sleep {
    pub(super) fn new(params: &Params) -> Self {
        Self {
            duration: params.duration("duration").unwrap_or_default(),
            record: Record::default(),
        }
    }
}

impl Act for Sleep {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => Next::Sleep(self.duration),
            Input::Slept | Input::Answer(_) | Input::Failure(_) => Next::Done,
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}
