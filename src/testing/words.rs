//! What came of tests, as text for people. Pure; colour and terminals are other people's affair.

use std::time::Duration;

use super::judge::Difference;
use super::schedule::Schedule;
use super::suite::{CaseResult, FileResult, Problem};
use super::timeline::Line;
use crate::duration::show;

/// A case that failed: what was expected and what came, the timeline, and how to run it again.
pub fn case_words(file: &FileResult, case: &CaseResult) -> Option<String> {
    let problem = case.problem.as_ref()?;
    let mut out = vec![format!("FAILED {}: {}", file.file, case.name)];
    if problem.schedule != Schedule::Plain {
        out.push(format!(
            "  in the schedule `{}`: {}",
            problem.schedule,
            schedule_words(problem.schedule)
        ));
    }
    for difference in &problem.differences {
        out.extend(difference_words(difference));
    }
    if !problem.timeline.is_empty() {
        out.push("  what happened, in virtual time:".to_owned());
        out.extend(
            problem
                .timeline
                .iter()
                .map(|line| format!("  {}", line_words(line))),
        );
    }
    out.push(format!("  again: {}", again(file, case, problem)));
    Some(out.join("\n"))
}

/// The one command that runs a case again as it failed.
pub fn again(file: &FileResult, case: &CaseResult, problem: &Problem) -> String {
    let quoted = format!("'{}'", case.name.replace('\'', r"'\''"));
    let seed = match problem.schedule {
        Schedule::Plain => String::new(),
        other => format!(" --seed {other}"),
    };
    format!("runner test {} --filter {quoted}{seed}", file.file)
}

fn schedule_words(schedule: Schedule) -> String {
    match schedule {
        Schedule::Plain => "nothing but what the file says".to_owned(),
        Schedule::Seed(_) => "faults and kills by chance".to_owned(),
        Schedule::Fault(_, nth) => format!("request {nth} goes wrong"),
        Schedule::KilledBefore(nth) => {
            format!("the runner is killed before commit {nth} is on disk, and resumed")
        }
        Schedule::KilledAfter(nth) => {
            format!("the runner is killed after commit {nth} is on disk, and resumed")
        }
    }
}

fn difference_words(difference: &Difference) -> Vec<String> {
    let place = match &difference.place {
        Some(place) => place.to_string(),
        None => "always".to_owned(),
    };
    vec![
        format!("  {place}: {}", difference.about),
        format!("    expected {}", difference.expected),
        format!("    got      {}", difference.got),
    ]
}

fn line_words(line: &Line) -> String {
    let step = line.step.as_deref().unwrap_or_default();
    format!("{:>10}  {step:<12} {}", stamp(line.after), line.words)
        .trim_end()
        .to_owned()
}

/// `1:02:03.4`: hours, minutes, seconds, tenths.
fn stamp(after: Duration) -> String {
    let seconds = after.as_secs();
    format!(
        "{}:{:02}:{:02}.{}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        after.subsec_millis() / 100
    )
}

/// One line per file, and one for all.
pub fn summary_words(results: &[FileResult], real: Duration) -> String {
    let mut out = Vec::new();
    for file in results.iter().filter(|file| !file.cases.is_empty()) {
        let failed = file
            .cases
            .iter()
            .filter(|case| case.problem.is_some())
            .count();
        let cases = counted(file.cases.len() as u64, "case");
        let runs: u64 = file.cases.iter().map(|case| case.runs).sum();
        let runs = if runs > file.cases.len() as u64 {
            format!(", {}", counted(runs, "run"))
        } else {
            String::new()
        };
        let word = if failed == 0 { "passed" } else { "FAILED" };
        let wrong = if failed == 0 {
            String::new()
        } else {
            format!(", {failed} failed")
        };
        out.push(format!("{word} {}: {cases}{wrong}{runs}", file.file));
    }
    let cases: usize = results.iter().map(|file| file.cases.len()).sum();
    let failed = results
        .iter()
        .flat_map(|file| &file.cases)
        .filter(|case| case.problem.is_some())
        .count();
    let passed = cases - failed;
    let virtual_time: Duration = results
        .iter()
        .flat_map(|file| &file.cases)
        .map(|case| case.virtual_time)
        .sum();
    out.push(format!(
        "{passed} passed, {failed} failed: {} of virtual time in {:.2} s",
        show(Duration::from_secs(virtual_time.as_secs())),
        real.as_secs_f64()
    ));
    out.join("\n")
}

fn counted(number: u64, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}

/// What no case reaches.
pub fn coverage_words(file: &FileResult) -> String {
    let (reached, all) = file.coverage.counts();
    let mut out = vec![format!(
        "coverage of {} by {}: {reached} of {all}",
        file.playbook, file.file
    )];
    for (step, point) in file.coverage.missed() {
        out.push(format!(
            "  no case in which step `{step}`: {}",
            point.words()
        ));
    }
    out.join("\n")
}
