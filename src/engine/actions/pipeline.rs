//! What several actions make of a pipeline that is done: outputs, and the verdict.

use serde_json::{Value, json};

use super::act::Next;
use crate::engine::call::Call;
use crate::engine::record::{Record, text};
use crate::engine::triage;
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

    /// Whether a result is what is wanted.
    pub(super) fn holds(self, result: &str) -> bool {
        match self {
            Self::Passed => result == "passed",
            Self::Failed => !result.is_empty() && result != "passed",
            Self::Done => true,
        }
    }
}

/// Takes note of a pipeline that was started or found, and waits for it when that is wanted.
pub(super) fn started(record: &mut Record, answer: &Answer, wait: bool) -> Next {
    let value = &answer.value;
    record.take(value, &["workflow_id", "pipeline_id", "url"]);
    if record.response.is_none() || answer.response.is_some() {
        record.response.clone_from(&answer.response);
    }
    record.link("workflow", text(value, "url"));
    if !wait {
        return Next::Done;
    }
    Next::Call(Call::AwaitPipeline {
        pipeline_id: text(value, "pipeline_id").to_owned(),
        follow: false,
    })
}

/// Takes the outputs of a pipeline that is done, and says whether it ended as wanted.
pub(super) fn ended(record: &mut Record, answer: &Answer, expect: Expect) -> Next {
    let pipeline = answer.value.get("pipeline").unwrap_or(&Value::Null);
    record.response.clone_from(&answer.response);
    record.take(pipeline, &["pipeline_id", "result"]);
    // What has no reason has an empty one, and what never ran did so for no time: both can be asked for.
    record.set("reason", text(pipeline, "reason"));
    for name in ["queued_for", "ran_for"] {
        let seconds = pipeline.get(name).and_then(Value::as_f64);
        record.set(name, seconds.unwrap_or(0.0));
    }
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
    record.red = triage::red(&answer.value);
    if expect.holds(text(pipeline, "result")) {
        Next::Done
    } else {
        Next::Fail(red(pipeline, &answer.value, expect))
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
