//! How the server spells states, results and times; each has several spellings.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::simulator::scenario::{Reason, Verdict};
use crate::simulator::state::{BlockState, PipelineState};

/// `2026-11-24 00:56:18.039308Z`; the epoch when unset.
pub(super) fn time_text(at: Option<Timestamp>) -> String {
    at.unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%d %H:%M:%S.%6fZ")
        .to_string()
}

/// The same, but empty when unset.
pub(super) fn time_text_or_empty(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| time_text(Some(at)))
}

/// `{"seconds", "nanos"}`; zeros when unset.
pub(super) fn time_parts(at: Option<Timestamp>) -> Value {
    let at = at.unwrap_or(Timestamp::UNIX_EPOCH);
    json!({"seconds": at.as_second(), "nanos": at.subsec_nanosecond()})
}

/// Seconds as a text, `"0"` when unset: how the jobs' gateway writes 64-bit numbers.
pub(super) fn time_seconds(at: Option<Timestamp>) -> String {
    at.map_or(0, Timestamp::as_second).to_string()
}

/// The state of a pipeline in lower case.
pub(super) fn pipeline_state(state: PipelineState) -> &'static str {
    match state {
        PipelineState::Initializing => "initializing",
        PipelineState::Pending => "pending",
        PipelineState::Queuing => "queuing",
        PipelineState::Running => "running",
        PipelineState::Stopping => "stopping",
        PipelineState::Done => "done",
    }
}

/// The state of a block.
pub(super) fn block_state(state: BlockState) -> &'static str {
    match state {
        BlockState::Waiting => "waiting",
        BlockState::Running => "running",
        BlockState::Stopping => "stopping",
        BlockState::Done => "done",
    }
}

/// A result in lower case.
pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Stopped => "stopped",
        Verdict::Canceled => "canceled",
    }
}

/// A reason in lower case.
pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Test => "test",
        Reason::Malformed => "malformed",
        Reason::Stuck => "stuck",
        Reason::User => "user",
        Reason::Internal => "internal",
        Reason::Strategy => "strategy",
        Reason::FastFailing => "fast_failing",
        Reason::Deleted => "deleted",
        Reason::Timeout => "timeout",
        Reason::Skipped => "skipped",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_spelled_as_the_server_does() {
        let at: Timestamp = "2026-11-24T00:56:18.039308Z".parse().unwrap();
        assert_eq!(time_text(Some(at)), "2026-11-24 00:56:18.039308Z");
        assert_eq!(time_text(None), "1970-01-01 00:00:00.000000Z");
        assert_eq!(
            time_parts(Some(at)),
            json!({"seconds": 1_795_481_778_i64, "nanos": 39_308_000})
        );
        assert_eq!(time_seconds(None), "0");
    }
}
