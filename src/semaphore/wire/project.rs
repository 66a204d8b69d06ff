//! Projects and the tasks that their description names.
//!
//! Duty: names to ids. Invariant: a project has an id of the right shape. It must not know how the
//! list of projects is paged.

use serde_json::{Value, json};

use super::fields::{Fields, Odd};
use crate::ids::Id;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What it says of itself.
    pub description: String,
    /// The address of its repository.
    pub repository_url: String,
    /// The pipeline file that a push starts.
    pub pipeline_file: String,
    /// Its tasks.
    pub tasks: Vec<ProjectTask>,
}

/// A task, as its project names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectTask {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
}

impl Project {
    /// Reads a project.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("project", value)?;
        let metadata = f.required_object("metadata", "metadata of the project")?;
        let spec = f.object("spec", "spec of the project")?;
        let mut project = Self {
            id: metadata.required_id(&["id"])?,
            name: metadata.text("name")?,
            description: metadata.text("description")?,
            repository_url: String::new(),
            pipeline_file: String::new(),
            tasks: Vec::new(),
        };
        let Some(spec) = spec else {
            return Ok(project);
        };
        if let Some(repository) = spec.object("repository", "repository of the project")? {
            project.repository_url = repository.text("url")?;
            project.pipeline_file = repository.text("pipeline_file")?;
        }
        // Older servers call tasks schedulers.
        for key in ["tasks", "schedulers"] {
            for task in spec.list(key)? {
                let task = Fields::of("task of the project", task)?;
                if let Some(id) = task.id(&["id"])?
                    && !project.tasks.iter().any(|known| known.id == id)
                {
                    project.tasks.push(ProjectTask {
                        id,
                        name: task.text("name")?,
                    });
                }
            }
        }
        Ok(project)
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        let tasks: Vec<Value> = self
            .tasks
            .iter()
            .map(|task| json!({"id": task.id, "name": task.name}))
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "description": self.description,
            "repository_url": self.repository_url,
            "pipeline_file": self.pipeline_file,
            "tasks": tasks,
        })
    }
}
