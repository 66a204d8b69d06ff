//! Tasks: list, describe, run now.
//!
//! Duty: the endpoints under `tasks`. Invariant: a reference is sent as the object that the server takes,
//! not as the text that the document shows. It must not find the pipeline that a task started.

use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::client::{Answer, Client};
use super::error::Error;
use super::operation::Operation;
use super::pages::{Key, Listing, Paged, by_link};
use super::transport::Request;
use super::wire::{Fields, Task, TaskTrigger};
use super::workflows::PAGE_SIZE;
use crate::ids::Id;

const PATH: &str = "/api/v1alpha/tasks";

/// How a task is run; what is not given is as the task has it.
#[derive(Debug, Clone)]
pub struct RunTask {
    /// The task.
    pub task_id: Id,
    /// `refs/heads/x`, `refs/tags/x`, or a branch name.
    pub reference: Option<String>,
    /// The pipeline file.
    pub pipeline_file: Option<String>,
    /// Parameters.
    pub parameters: IndexMap<String, String>,
}

impl Client {
    /// Lists the tasks of a project.
    pub async fn list_tasks(&self, project: &Id, limit: usize) -> Result<Listing<Task>, Error> {
        let first = Request::get(PATH)
            .query("project_id", project.as_str())
            .query("page_size", limit.clamp(1, PAGE_SIZE).to_string());
        self.list(Paged {
            operation: Operation::ListTasks,
            first,
            limit,
            parse: Task::parse,
            key: |task| Key::Id(task.id.to_string()),
            next: by_link,
        })
        .await
    }

    /// Describes a task, with what it started lately.
    pub async fn describe_task(
        &self,
        task: &Id,
    ) -> Result<Answer<(Task, Vec<TaskTrigger>)>, Error> {
        let request = Request::get(format!("{PATH}/{task}"));
        self.ask(
            Operation::DescribeTask,
            request,
            TaskTrigger::parse_described,
        )
        .await
    }

    /// Runs a task now; gives the id of the workflow. Never repeated blindly.
    pub async fn run_task(&self, run: &RunTask) -> Result<Answer<Id>, Error> {
        let mut body = Map::new();
        if let Some(reference) = &run.reference {
            body.insert("reference".to_owned(), reference_object(reference)?);
        }
        if let Some(file) = &run.pipeline_file {
            body.insert("pipeline_file".to_owned(), json!(file));
        }
        if !run.parameters.is_empty() {
            body.insert("parameters".to_owned(), json!(run.parameters));
        }
        let path = format!("{PATH}/{}/run_now", run.task_id);
        let request = Request::post(path).json(Value::Object(body));
        self.ask(Operation::RunTask, request, |json| {
            Fields::of("answer", json)?.required_id(&["workflow_id", "wf_id"])
        })
        .await
    }
}

fn reference_object(reference: &str) -> Result<Value, Error> {
    let named = |kind: &str, name: &str| Ok(json!({"type": kind, "name": name}));
    if let Some(tag) = reference.strip_prefix("refs/tags/") {
        named("TAG", tag)
    } else if let Some(branch) = reference.strip_prefix("refs/heads/") {
        named("BRANCH", branch)
    } else if reference.starts_with("refs/") {
        Err(Error::refused_here(
            Operation::RunTask,
            format!(
                "a task cannot run on `{}`",
                crate::text::clean_line(reference, 80)
            ),
            "tasks run on branches (`refs/heads/x`) and tags (`refs/tags/x`)",
        ))
    } else {
        named("BRANCH", reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_becomes_an_object() {
        let object = |reference: &str| reference_object(reference).ok();
        assert_eq!(
            object("refs/heads/a/b"),
            Some(json!({"type": "BRANCH", "name": "a/b"}))
        );
        assert_eq!(
            object("refs/tags/v1"),
            Some(json!({"type": "TAG", "name": "v1"}))
        );
        assert_eq!(
            object("main"),
            Some(json!({"type": "BRANCH", "name": "main"}))
        );
        assert_eq!(object("refs/pull/7"), None);
    }
}
