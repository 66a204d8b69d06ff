//! What the form of a scenario cannot say: names that must exist, values that must fit together.

use std::collections::HashSet;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Diagnostics, Source};

use super::codes;
use super::model::{Project, Scenario};
use super::people::Deed;
use super::pipeline::Pipeline;
use super::web::WebTarget;

/// The names of the endpoints that a fault may be about.
pub const ENDPOINTS: [&str; 27] = [
    "run_workflow",
    "list_workflows",
    "describe_workflow",
    "rerun_workflow",
    "stop_workflow",
    "list_pipelines",
    "describe_pipeline",
    "stop_pipeline",
    "rebuild_pipeline",
    "describe_topology",
    "list_promotions",
    "promote",
    "list_jobs",
    "describe_job",
    "stop_job",
    "logs",
    "self_hosted_logs",
    "plain_logs",
    "artifact_log",
    "list_projects",
    "describe_project",
    "list_tasks",
    "describe_task",
    "run_task",
    "troubleshoot_job",
    "troubleshoot_workflow",
    "troubleshoot_pipeline",
];

/// All mistakes.
pub(super) fn check(scenario: &Scenario, source: &Arc<Source>) -> Diagnostics {
    let mut found = Mistakes {
        source,
        all: Diagnostics::new(),
    };
    let mut names = HashSet::new();
    for project in &scenario.projects {
        if !names.insert(project.name.as_str()) {
            found.say(
                &project.name,
                format!("there are two projects `{}`", project.name),
            );
        }
        check_project(project, &mut found);
    }
    for visit in &scenario.people {
        let name = match &visit.deed {
            Deed::Start(it) => &it.project,
            Deed::Promote(it) => &it.project,
            Deed::Push(it) => &it.project,
            Deed::Rerun(it) | Deed::Rebuild(it) | Deed::Stop(it) => &it.project,
        };
        if !names.contains(name.as_str()) {
            found.say(name, format!("there is no project `{name}`"));
        }
    }
    for rule in &scenario.faults {
        let on = rule.on.as_str();
        let known =
            ENDPOINTS.contains(&on) || ["any", "reads", "writes"].contains(&on) || on.contains(' ');
        if !known {
            let message = format!("`{on}` is no endpoint");
            let mistake = found.made(on, message).nearest(on, ENDPOINTS);
            found.all.push(mistake);
        }
        if rule.percent.is_some_and(|p| p > 100) {
            found.say("percent", "`percent` is at most 100".to_owned());
        }
    }
    for target in &scenario.http {
        check_target(target, &mut found);
    }
    found.all
}

fn check_target(target: &WebTarget, found: &mut Mistakes<'_>) {
    let url = target.url.as_str();
    if !url.starts_with("https://") && !url.starts_with("http://") && !url.starts_with('*') {
        found.say(url, format!("`{url}` does not begin with `https://`"));
    }
    if url.contains('?') {
        found.say(
            url,
            format!("`{url}` has a query: requests are compared without it"),
        );
    }
    if !(100..600).contains(&target.status) {
        let status = target.status.to_string();
        found.say(&status, format!("{status} is no status"));
    }
    if target.body.is_some() && target.json.is_some() {
        found.say(
            url,
            format!("`{url}` answers with `body` or with `json`, not with both"),
        );
    }
    if target.nth == 0 || target.count == Some(0) {
        found.say(url, format!("`{url}`: `nth` and `count` begin at 1"));
    }
}

fn check_project(project: &Project, found: &mut Mistakes<'_>) {
    if let Some(id) = &project.id
        && crate::ids::Id::parse(id).is_err()
    {
        found.say(id, format!("`{id}` is no id"));
    }
    for pipeline in project.pipelines.values() {
        check_pipeline(pipeline, found);
    }
}

fn check_pipeline(pipeline: &Pipeline, found: &mut Mistakes<'_>) {
    let mut before: Vec<&str> = Vec::new();
    let mut jobs: Vec<&str> = Vec::new();
    for block in &pipeline.blocks {
        for need in &block.needs {
            if !before.contains(&need.as_str()) {
                let message = format!(
                    "block `{}` needs `{need}`, which is no block above it",
                    block.name
                );
                let mistake = found
                    .made(need, message)
                    .nearest(need, before.iter().copied());
                found.all.push(mistake);
            }
        }
        before.push(&block.name);
        jobs.extend(block.jobs.iter().map(|j| j.name.as_str()));
    }
    let changes = pipeline
        .runs
        .iter()
        .chain(pipeline.references.values().flatten());
    for name in changes.flat_map(|change| change.jobs.keys()) {
        if !jobs.contains(&name.as_str()) {
            let message = format!("no block has a job `{name}`");
            let mistake = found
                .made(name, message)
                .nearest(name, jobs.iter().copied());
            found.all.push(mistake);
        }
    }
}

struct Mistakes<'a> {
    source: &'a Arc<Source>,
    all: Diagnostics,
}

impl Mistakes<'_> {
    /// A mistake at the first place where the text stands.
    fn made(&self, text: &str, message: String) -> Diagnostic {
        match self.source.text.find(text) {
            Some(at) if !text.is_empty() => Diagnostic::error(
                codes::NAMES,
                self.source.place(at..at + text.len()),
                message,
            ),
            _ => Diagnostic::error_without_place(codes::NAMES, message),
        }
    }

    fn say(&mut self, text: &str, message: String) {
        let mistake = self.made(text, message);
        self.all.push(mistake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_must_exist() {
        let text = "projects:\n  - name: demo\n    pipelines:\n      a.yml:\n        blocks:\n          - { name: Test, needs: [Bild] }\n        runs: [ { jobs: { unit: {} } } ]\npeople:\n  - { at: 1s, do: { stop: { project: dmo } } }\nfaults:\n  - { on: run_workflo, do: hang }\n";
        let mistakes = Scenario::parse(&Source::new("x.yml", text)).expect_err("four mistakes");
        let messages: Vec<&str> = mistakes
            .sorted()
            .iter()
            .map(|d| d.message.as_str())
            .collect();
        assert_eq!(
            messages,
            [
                "block `Test` needs `Bild`, which is no block above it",
                "no block has a job `unit`",
                "there is no project `dmo`",
                "`run_workflo` is no endpoint"
            ]
        );
    }
}
