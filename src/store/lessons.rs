//! What a store learns of failures out of the events it is given: that a failure was seen, and that a commit
//! whose pipeline had failed passed it all the same. Pure, and the same for every store.

use jiff::Timestamp;
use serde_json::Value;

use crate::event::{Event, Recorded};

/// How many sightings of one failure are kept.
pub(super) const SIGHTINGS_MAX: usize = 100;

/// What is to be learned of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Lesson<'a> {
    /// A pipeline ended with a failure.
    Failed(Sighting<'a>),
    /// A commit passed a pipeline.
    Passed(Build<'a>),
}

/// That a failure was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sighting<'a> {
    pub(super) build: Build<'a>,
    pub(super) pipeline: &'a str,
    pub(super) branch: &'a str,
    pub(super) signature: &'a str,
    pub(super) at: Timestamp,
}

/// What was built: a commit of a project, by a pipeline file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Build<'a> {
    pub(super) project: &'a str,
    pub(super) commit: &'a str,
    pub(super) file: &'a str,
}

/// What an event teaches.
pub(super) fn lessons(recorded: &Recorded) -> Vec<Lesson<'_>> {
    let Event::CallEnded { outcome, .. } = &recorded.event else {
        return Vec::new();
    };
    let Ok(answer) = &outcome.result else {
        return Vec::new();
    };
    let value = &answer.value;
    if let (Some(triage), Some(about)) = (value.get("triage"), value.get("about")) {
        return failures(triage, about, recorded.at.wall);
    }
    let several = value.get("pipelines").and_then(Value::as_array);
    let several = several.map(Vec::as_slice).unwrap_or_default();
    let all = value.get("pipeline").into_iter().chain(several);
    all.filter(|pipeline| text(pipeline, "result") == "passed")
        .map(build)
        .filter(|build| !build.project.is_empty() && !build.commit.is_empty())
        .map(Lesson::Passed)
        .collect()
}

fn failures<'a>(triage: &'a Value, about: &'a Value, at: Timestamp) -> Vec<Lesson<'a>> {
    let jobs = triage.get("jobs").and_then(Value::as_array);
    let mut found: Vec<Lesson<'_>> = Vec::new();
    for job in jobs.into_iter().flatten() {
        let sighting = Lesson::Failed(Sighting {
            build: build(about),
            pipeline: text(about, "pipeline_id"),
            branch: text(about, "branch"),
            signature: text(job, "signature"),
            at,
        });
        if !text(job, "signature").is_empty() && !found.contains(&sighting) {
            found.push(sighting);
        }
    }
    found
}

fn build(value: &Value) -> Build<'_> {
    Build {
        project: text(value, "project_id"),
        commit: text(value, "commit_sha"),
        file: text(value, "pipeline_file"),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
