//! What several actions make of a pipeline that is done: outputs, and the verdict.

use serde_json::{Value, json};

use crate::engine::record::{Record, text};
use crate::event::{Answer, Failure, FailureKind};

/// What the waiting step wants the pipeline to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// It must pass.
    Passed,
    /// It must end red.
    Failed,
    /// It must end.
    Done,
}

impl Expect {
    /// From the word of the language.
    pub(super) fn from_word(word: &str) -> Self {
        match word {
            "failed" => Self::Failed,
            "done" => Self::Done,
            _ => Self::Passed,
        }
    }
}

/// Takes the outputs of a pipeline that is done, and says whether it ended as wanted.
pub(super) fn ended(record: &mut Record, answer: &Answer, expect: Expect) -> Result<(), Failure> {
    let pipeline = answer.value.get("pipeline").unwrap_or(&Value::Null);
    record.response.clone_from(&answer.response);
    record.take(
        pipeline,
        &["pipeline_id", "result", "reason", "queued_for", "ran_for"],
    );
    record.set(
        "failed_jobs",
        answer
            .value
            .get("failed_jobs")
            .cloned()
            .unwrap_or_else(|| json!([])),
    );
    record.take(&answer.value, &["url"]);
    record.link("pipeline", text(&answer.value, "url"));
    if let Some(reruns) = answer.value.get("replaced").and_then(Value::as_array) {
        record.reruns.clone_from(reruns);
    }
    let result = text(pipeline, "result");
    let as_wanted = match expect {
        Expect::Passed => result == "passed",
        Expect::Failed => !result.is_empty() && result != "passed",
        Expect::Done => true,
    };
    if as_wanted {
        Ok(())
    } else {
        Err(red(pipeline, &answer.value, expect))
    }
}

/// The failure of a step whose pipeline did not end as it should.
fn red(pipeline: &Value, answer: &Value, expect: Expect) -> Failure {
    let (result, reason) = (text(pipeline, "result"), text(pipeline, "reason"));
    let name = match text(pipeline, "name") {
        "" => text(pipeline, "pipeline_id"),
        name => name,
    };
    if expect == Expect::Failed {
        return Failure::new(
            FailureKind::PipelineFailed,
            format!("the pipeline `{name}` passed, but was expected to fail"),
        );
    }
    let (kind, how) = match result {
        "stopped" | "canceled" => (FailureKind::PipelineStopped, format!("was {result}")),
        "" => (
            FailureKind::InvalidAnswer,
            "ended without a result".to_owned(),
        ),
        "failed" => (FailureKind::PipelineFailed, "failed".to_owned()),
        other => (
            FailureKind::PipelineFailed,
            format!("ended with the unknown result `{other}`"),
        ),
    };
    let jobs: Vec<String> = answer
        .get("failed_jobs")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|job| format!("`{}`", text(job, "name")))
        .collect();
    let mut message = format!("the pipeline `{name}` {how}");
    if !reason.is_empty() {
        message.push_str(&format!(" ({reason})").replace('\n', " "));
    }
    if !jobs.is_empty() {
        message.push_str(": ");
        message.push_str(&jobs.join(", "));
    }
    let mut failure = Failure::new(kind, message);
    let description = text(pipeline, "error_description");
    failure.hint = if description.is_empty() {
        hint(reason)
    } else {
        Some(format!("Semaphore says: {description}"))
    };
    failure
}

/// What a reason means for a person (contract: plausible pairs of result and reason).
fn hint(reason: &str) -> Option<String> {
    let words = match reason {
        "malformed" => "the pipeline file is missing or not valid",
        "stuck" => {
            "Semaphore gave up: the reference may not exist, or there was trouble on the platform"
        }
        "internal" => "trouble on the platform, or more than 1000 pipelines in the workflow",
        "timeout" => "the execution time limit of the pipeline passed",
        "strategy" => "the auto-cancel or fail-fast strategy of the project ended it",
        _ => return None,
    };
    Some(words.to_owned())
}
