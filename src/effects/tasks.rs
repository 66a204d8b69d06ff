//! Tasks: finding one by its name.

use serde_json::json;

use super::dispatch::{Inner, answer};
use super::failures::of_error;
use crate::diagnostic::nearest;
use crate::event::{Answer, Failure, FailureKind};
use crate::ids::Id;
use crate::semaphore::wire::Task;
use crate::text::clean_line;

/// How many tasks of a project are looked at.
const TASKS_MAX: usize = 2_000;

impl Inner {
    /// Finds a task of a project by its id or its name.
    pub(super) async fn resolve_task(&self, project: &Id, task: &str) -> Result<Answer, Failure> {
        let listing = self.client.list_tasks(project, TASKS_MAX).await;
        let listing = listing.map_err(of_error)?;
        let found = choose(&listing.items, task)?;
        let names: Vec<&String> = found.parameters.iter().map(|(name, _)| name).collect();
        Ok(answer(
            json!({
                "id": found.id, "name": found.name, "reference": found.reference, "parameters": names,
            }),
            found.to_value(),
        ))
    }
}

fn choose<'a>(tasks: &'a [Task], wanted: &str) -> Result<&'a Task, Failure> {
    if let Ok(id) = Id::parse(wanted)
        && let Some(task) = tasks.iter().find(|task| task.id == id)
    {
        return Ok(task);
    }
    let named: Vec<&Task> = tasks.iter().filter(|task| task.name == wanted).collect();
    let shown = clean_line(wanted, 80);
    match named.as_slice() {
        [task] => Ok(task),
        [] => {
            let message = format!("the project has no task `{shown}`");
            let failure = Failure::new(FailureKind::NotFound, message);
            Err(
                match nearest(wanted, tasks.iter().map(|task| task.name.as_str())) {
                    Some(near) => failure.hint(format!("did you mean `{}`?", clean_line(near, 80))),
                    None => failure.hint("names of tasks are exact, upper and lower case included"),
                },
            )
        }
        several => {
            let message = format!("the project has {} tasks `{shown}`", several.len());
            Err(Failure::new(FailureKind::Refused, message).hint("name the task by its id"))
        }
    }
}
