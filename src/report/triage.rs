//! Why a pipeline ended red, out of the outputs of the step that waited for it.

use serde_json::Value;

use super::v1;
use super::view::StepView;
use crate::triage::Kind;

/// The output under which a step keeps it.
const TRIAGE: &str = "triage";

/// Why the pipeline of a step ended red; none when it did not, or when the output is something else of that name.
pub fn triage(step: &StepView) -> Option<v1::Triage> {
    if step.info.action == "set" {
        return None;
    }
    let value = step.output(TRIAGE)?;
    let text = |name: &str| text(value, name);
    Some(v1::Triage {
        kind: kind(&text("kind"))?,
        why: text("why"),
        signature: text("signature"),
        seen: number(value, "seen"),
        branches: number(value, "branches"),
        passed_later: number(value, "passed_later"),
        jobs: value
            .get("jobs")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(job)
            .collect(),
    })
}

/// The outputs of a step without what the report has a field of its own for.
pub(super) fn other_outputs(step: &StepView) -> serde_json::Map<String, Value> {
    let mut outputs = step
        .ended
        .as_ref()
        .map(|ended| ended.outputs.clone())
        .unwrap_or_default();
    if triage(step).is_some() {
        outputs.remove(TRIAGE);
    }
    outputs
}

fn kind(word: &str) -> Option<v1::TriageKind> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.as_str() == word)?;
    Some(match kind {
        Kind::Infrastructure => v1::TriageKind::Infrastructure,
        Kind::KnownFlake => v1::TriageKind::KnownFlake,
        Kind::New => v1::TriageKind::New,
        Kind::Unknown => v1::TriageKind::Unknown,
    })
}

/// The word of a kind.
pub fn kind_word(kind: v1::TriageKind) -> &'static str {
    let kind = match kind {
        v1::TriageKind::Infrastructure => Kind::Infrastructure,
        v1::TriageKind::KnownFlake => Kind::KnownFlake,
        v1::TriageKind::New => Kind::New,
        v1::TriageKind::Unknown => Kind::Unknown,
    };
    kind.as_str()
}

fn job(value: &Value) -> v1::TriagedJob {
    let lines = value.get("last_lines").and_then(Value::as_array);
    let some = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    v1::TriagedJob {
        job_id: text(value, "job_id"),
        job: text(value, "job"),
        block: text(value, "block"),
        command: text(value, "command"),
        exit_code: value.get("exit_code").and_then(Value::as_i64),
        signature: text(value, "signature"),
        seen: number(value, "seen"),
        infrastructure: some("infrastructure"),
        last_lines: lines
            .into_iter()
            .flatten()
            .filter_map(|line| line.as_str().map(str::to_owned))
            .collect(),
        missing: some("missing"),
    }
}

fn text(value: &Value, name: &str) -> String {
    let text = value.get(name).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}
