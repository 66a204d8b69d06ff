//! Tasks (once called schedules) and what they started.
//!
//! Duty: to read both. Invariant: a task has an id of the right shape. It must not know how a task is
//! run.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{Fields, Odd};
use super::time;
use crate::ids::Id;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project_id: Option<Id>,
    /// The branch or tag it runs on.
    pub reference: String,
    /// The pipeline file it runs.
    pub pipeline_file: String,
    /// When it runs by itself, as cron has it.
    pub at: String,
    /// Whether it runs by itself.
    pub recurring: bool,
    /// Whether somebody paused it.
    pub paused: bool,
    /// Whether the platform suspended it.
    pub suspended: bool,
    /// The names of its parameters, and whether each must be given.
    pub parameters: Vec<(String, bool)>,
}

impl Task {
    /// Reads a task.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("task", value)?;
        let branch = f.text("branch")?;
        let reference = match f.get("reference") {
            Some(Value::Object(_)) | None => branch,
            Some(_) => f.text("reference")?,
        };
        let parameters = f
            .list("parameters")?
            .iter()
            .map(|item| {
                let item = Fields::of("parameter of the task", item)?;
                let needed =
                    item.flag("required")? && item.text_or_number("default_value")?.is_empty();
                Ok((item.text("name")?, needed))
            })
            .collect::<Result<_, Odd>>()?;
        Ok(Self {
            id: f.required_id(&["id"])?,
            name: f.text("name")?,
            project_id: f.id(&["project_id"])?,
            reference,
            pipeline_file: f.text("pipeline_file")?,
            at: f.text("at")?,
            recurring: f.flag("recurring")?,
            paused: f.flag("paused")?,
            suspended: f.flag("suspended")?,
            parameters,
        })
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        let parameters: Vec<Value> = self
            .parameters
            .iter()
            .map(|(name, required)| json!({"name": name, "required": required}))
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "project_id": self.project_id,
            "reference": self.reference,
            "pipeline_file": self.pipeline_file,
            "at": self.at,
            "recurring": self.recurring,
            "paused": self.paused,
            "suspended": self.suspended,
            "parameters": parameters,
        })
    }
}

/// One time that a task was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskTrigger {
    /// When.
    pub triggered_at: Option<Timestamp>,
    /// What became of it.
    pub status: String,
    /// The workflow it made.
    pub workflow_id: Option<Id>,
    /// What went wrong.
    pub error_description: String,
}

impl TaskTrigger {
    /// Reads one.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("trigger of the task", value)?;
        Ok(Self {
            triggered_at: f.time("triggered_at")?,
            status: f.text("scheduling_status")?.to_ascii_lowercase(),
            workflow_id: f.id(&["scheduled_workflow_id"])?,
            error_description: f.text("error_description")?,
        })
    }

    /// Reads the answer of describe: the task and its latest triggers.
    pub fn parse_described(value: &Value) -> Result<(Task, Vec<Self>), Odd> {
        let f = Fields::of("answer", value)?;
        let task = f
            .get("schedule")
            .or_else(|| f.get("task"))
            .ok_or_else(|| Odd("the answer has no `schedule`".to_owned()))?;
        let triggers = f.list("triggers")?.iter().map(Self::parse);
        Ok((Task::parse(task)?, triggers.collect::<Result<_, _>>()?))
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({
            "triggered_at": time::to_value(self.triggered_at),
            "status": self.status,
            "workflow_id": self.workflow_id,
            "error_description": self.error_description,
        })
    }
}
