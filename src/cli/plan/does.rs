//! What a step does, in one sentence with its values.

use indexmap::IndexMap;

use super::known::Known;
use crate::catalog::Action;
use crate::plan::PlanStep;
use crate::template::{Node, Tree};

/// The parameters of a step as words.
struct Words<'a> {
    known: &'a Known,
    params: &'a IndexMap<String, Tree>,
}

impl Words<'_> {
    fn of(&self, name: &str) -> Option<String> {
        self.params.get(name).map(|tree| self.known.words(tree))
    }

    fn named(&self, name: &str) -> String {
        let words = self.of(name).unwrap_or_else(|| "?".to_owned());
        format!("`{words}`")
    }

    /// ` on X` when it is given.
    fn with(&self, before: &str, name: &str) -> String {
        self.of(name)
            .map_or_else(String::new, |words| format!("{before}`{words}`"))
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.of(name).as_deref() == Some(value)
    }

    /// The names of a map.
    fn names(&self, name: &str) -> String {
        let names = match self.params.get(name).map(|tree| &tree.node) {
            Some(Node::Map(entries)) => entries.iter().map(|(key, _)| key.name.as_str()).collect(),
            Some(Node::Literal(value)) => value
                .as_object()
                .map(|map| map.keys().map(String::as_str).collect())
                .unwrap_or_default(),
            _ => Vec::new(),
        };
        if names.is_empty() {
            String::new()
        } else {
            format!(", with {}", names.join(", "))
        }
    }

    /// What is said of a step that does not wait for what it starts.
    fn wait(&self) -> &'static str {
        if self.is("wait", "false") {
            ", without waiting for it"
        } else {
            ""
        }
    }
}

/// What a step does.
pub fn does(step: &PlanStep, known: &Known) -> String {
    let words = Words {
        known,
        params: &step.params,
    };
    starts(step.action, &words)
        .or_else(|| looks(step.action, &words))
        .or_else(|| others(step.action, &words))
        .unwrap_or_else(|| step.action.summary.trim_end_matches('.').to_lowercase())
}

/// Actions that change something on Semaphore.
fn starts(action: &Action, words: &Words<'_>) -> Option<String> {
    let wait = words.wait();
    Some(match action.name {
        "run_workflow" => format!(
            "starts a workflow of {} on {}{}{}{}{wait}",
            words.named("project"),
            words.named("reference"),
            words.with(" at ", "commit_sha"),
            words.with(" from ", "pipeline_file"),
            words.names("parameters"),
        ),
        "ensure_pipeline" => format!(
            "starts a workflow of {} on {} at {}{}{}, unless one has passed or runs{wait}",
            words.named("project"),
            words.named("reference"),
            words.named("commit_sha"),
            words.with(" from ", "pipeline_file"),
            words.names("parameters"),
        ),
        "rerun_workflow" => format!("starts workflow {} again{wait}", words.named("workflow")),
        "rebuild_pipeline" => format!(
            "runs again what did not pass of pipeline {}{wait}",
            words.named("pipeline")
        ),
        "run_task" => format!(
            "runs task {} of {}{}{}{wait}",
            words.named("task"),
            words.named("project"),
            words.with(" on ", "reference"),
            words.names("parameters"),
        ),
        "promote" => format!(
            "promotes pipeline {} to {}{}{}{}{wait}",
            words.named("pipeline"),
            words.named("name"),
            words.names("parameters"),
            if words.is("override", "true") {
                ", passed or not"
            } else {
                ""
            },
            match words.of("if_exists").as_deref() {
                Some("again") => ", even when it was before",
                Some("fail") => ", unless it was before: then it fails",
                _ => ", or joins what was promoted before",
            },
        ),
        "stop_workflow" => format!("stops workflow {}{wait}", words.named("workflow")),
        "stop_pipeline" => format!("stops pipeline {}{wait}", words.named("pipeline")),
        "stop_job" => format!("stops job {}{wait}", words.named("job")),
        _ => return None,
    })
}

/// Actions that read from Semaphore.
fn looks(action: &Action, words: &Words<'_>) -> Option<String> {
    let expected = match words.of("expect").as_deref() {
        Some("failed") => ": it must fail",
        Some("done") => ", however it ends",
        _ => "",
    };
    Some(match action.name {
        "wait_pipeline" => format!(
            "waits for pipeline {}{}{expected}",
            words.named("pipeline"),
            if words.is("follow", "true") {
                ", or what replaces it"
            } else {
                ""
            },
        ),
        "wait_workflow" => format!(
            "waits for all pipelines of workflow {}{expected}",
            words.named("workflow")
        ),
        "describe_workflow" => format!("looks at workflow {}", words.named("workflow")),
        "describe_pipeline" => format!("looks at pipeline {}", words.named("pipeline")),
        "describe_job" => format!("looks at job {}", words.named("job")),
        "list_workflows" | "list_pipelines" => format!(
            "lists the {}{}{}{}{}{}{}",
            action.name.trim_start_matches("list_"),
            words.with(" of ", "project"),
            words.with(" of workflow ", "workflow"),
            words.with(" on ", "branch"),
            words.with(" from ", "file"),
            words.with(", those that are ", "state"),
            words.with(", those that have ", "result"),
        ),
        "list_promotions" => format!(
            "lists the promotions of pipeline {}{}",
            words.named("pipeline"),
            words.with(" to ", "name")
        ),
        "fetch_logs" => logs(words),
        _ => return None,
    })
}

fn logs(words: &Words<'_>) -> String {
    let what = if words.of("job").is_some() {
        format!("log of job {}", words.named("job"))
    } else if words.of("pipeline").is_some() {
        let which = if words.is("jobs", "all") {
            "all"
        } else {
            "the failed"
        };
        format!(
            "logs of {which} jobs of pipeline {}",
            words.named("pipeline")
        )
    } else {
        "logs of all that failed in this run".to_owned()
    };
    format!("saves the {what}{}", words.with(" under ", "save_to"))
}

/// The other actions.
fn others(action: &Action, words: &Words<'_>) -> Option<String> {
    let first = || action.params.first().map(|param| words.of(param.name));
    Some(match action.name {
        "http" => format!(
            "sends {} {}",
            words.of("method").unwrap_or_else(|| "GET".to_owned()),
            words.named("url")
        ),
        "approve" => format!(
            "asks a person: {}",
            first()?.unwrap_or_else(|| "go on?".to_owned())
        ),
        "sleep" => format!(
            "does nothing for {}",
            words
                .known
                .time(words.params.get(action.params.first()?.name)?)
        ),
        "set" => format!(
            "names {}",
            words.params.keys().cloned().collect::<Vec<_>>().join(", ")
        ),
        "check" => format!("fails unless {}", conditions(words)),
        "fail" => format!("fails: {}", first()??),
        "use" => format!("runs the playbook {}", words.named("playbook")),
        _ => return None,
    })
}

fn conditions(words: &Words<'_>) -> String {
    match words.params.get("that").map(|tree| &tree.node) {
        Some(Node::Expressions(list)) => list
            .iter()
            .map(|(expression, _)| format!("`{}`", expression.source()))
            .collect::<Vec<_>>()
            .join(" and "),
        _ => words.named("that"),
    }
}
