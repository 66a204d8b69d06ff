//! What came of tests, as JSON.

use serde_json::{Value, json};

use super::suite::{CaseResult, FileResult};
use super::words::again;

/// All results. Secrets were masked when they were made.
pub fn results_json(results: &[FileResult]) -> Value {
    let files: Vec<Value> = results.iter().map(file).collect();
    let cases = || results.iter().flat_map(|file| &file.cases);
    json!({
        "test_report": 1,
        "passed": cases().filter(|case| case.problem.is_none()).count(),
        "failed": cases().filter(|case| case.problem.is_some()).count(),
        "files": files,
    })
}

fn file(result: &FileResult) -> Value {
    let (reached, all) = result.coverage.counts();
    let missed: Vec<Value> = result
        .coverage
        .missed()
        .map(|(step, point)| json!({ "step": step, "what": point.words() }))
        .collect();
    let cases: Vec<Value> = result.cases.iter().map(|c| case(result, c)).collect();
    json!({
        "file": result.file,
        "playbook": result.playbook,
        "cases": cases,
        "coverage": { "reached": reached, "all": all, "missed": missed },
    })
}

fn case(file: &FileResult, case: &CaseResult) -> Value {
    let problem = case.problem.as_ref().map(|problem| {
        let differences: Vec<Value> = problem
            .differences
            .iter()
            .map(|difference| {
                json!({
                    "place": difference.place.as_ref().map(ToString::to_string),
                    "about": difference.about,
                    "expected": difference.expected,
                    "got": difference.got,
                })
            })
            .collect();
        let timeline: Vec<Value> = problem
            .timeline
            .iter()
            .map(|line| {
                json!({
                    "after_ms": u64::try_from(line.after.as_millis()).unwrap_or(u64::MAX),
                    "step": line.step,
                    "words": line.words,
                })
            })
            .collect();
        json!({
            "schedule": problem.schedule.to_string(),
            "differences": differences,
            "timeline": timeline,
            "again": again(file, case, problem),
        })
    });
    json!({
        "name": case.name,
        "place": case.place.to_string(),
        "passed": case.problem.is_none(),
        "problem": problem,
        "runs": case.runs,
        "real_ms": u64::try_from(case.real.as_millis()).unwrap_or(u64::MAX),
        "virtual_ms": u64::try_from(case.virtual_time.as_millis()).unwrap_or(u64::MAX),
    })
}
