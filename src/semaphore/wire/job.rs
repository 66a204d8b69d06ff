//! Jobs, as their own endpoint and the troubleshooter describe them.
//!
//! Duty: to read both. Invariants: a result exists only of a job that finished, and the values of its
//! environment are found by name and never shown. It must not know the blocks of a pipeline.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{Fields, Odd};
use super::pipeline::EnvVars;
use super::time;
use super::words::{JobState, Verdict};
use crate::ids::Id;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// Its project.
    pub project_id: Option<Id>,
    /// Its state.
    pub state: JobState,
    /// How it ended; only of one that finished.
    pub result: Option<Verdict>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// When it changed last.
    pub updated_at: Option<Timestamp>,
    /// When it began to run.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The type of its machine; `s1-…` are self-hosted.
    pub machine_type: String,
    /// The image of its machine.
    pub os_image: String,
    /// The agent that runs it; empty until one does.
    pub agent_name: String,
    /// Its environment.
    pub env_vars: EnvVars,
}

impl Job {
    /// Reads the answer of describe.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("job", value)?;
        let metadata = f.required_object("metadata", "metadata of the job")?;
        let status = f.required_object("status", "status of the job")?;
        let spec = f.object("spec", "spec of the job")?;
        let agent = status.object("agent", "agent of the job")?;
        let machine = match spec {
            Some(spec) => match spec.object("agent", "agent of the spec")? {
                Some(agent) => agent.object("machine", "machine of the spec")?,
                None => None,
            },
            None => None,
        };
        let text = |fields: &Option<Fields<'_>>, name: &str| match fields {
            Some(fields) => fields.text(name),
            None => Ok(String::new()),
        };
        let state: JobState = status.required_word(&["state"])?;
        let result: Option<Verdict> = status.word(&["result"])?;
        // `NONE` is how this endpoint says that there is no result.
        let ended = |verdict: &Verdict| state == JobState::Finished && verdict.as_str() != "none";
        Ok(Self {
            id: metadata.required_id(&["id"])?,
            name: metadata.text("name")?,
            project_id: match &spec {
                Some(spec) => spec.id(&["project_id"])?,
                None => None,
            },
            result: result.filter(ended),
            state,
            created_at: metadata.time("create_time")?,
            updated_at: metadata.time("update_time")?,
            started_at: metadata.time("start_time")?,
            finished_at: metadata.time("finish_time")?,
            machine_type: text(&machine, "type")?,
            os_image: text(&machine, "os_image")?,
            agent_name: text(&agent, "name")?,
            env_vars: match &spec {
                Some(spec) => EnvVars::parse(spec)?,
                None => EnvVars::default(),
            },
        })
    }

    /// The normalised form; of the environment only the names.
    pub fn to_value(&self) -> Value {
        let env_vars: Vec<&str> = self.env_vars.names().collect();
        json!({
            "job_id": self.id,
            "name": self.name,
            "project_id": self.project_id,
            "pipeline_id": self.env_id("SEMAPHORE_PIPELINE_ID"),
            "workflow_id": self.env_id("SEMAPHORE_WORKFLOW_ID"),
            "state": self.state.as_str(),
            "result": self.result.as_ref().map(Verdict::as_str),
            "created_at": time::to_value(self.created_at),
            "updated_at": time::to_value(self.updated_at),
            "started_at": time::to_value(self.started_at),
            "finished_at": time::to_value(self.finished_at),
            "machine_type": self.machine_type,
            "os_image": self.os_image,
            "agent_name": self.agent_name,
            "env_vars": env_vars,
        })
    }

    /// An id that the platform puts into the environment of every job; no secret.
    fn env_id(&self, name: &str) -> Option<Id> {
        self.env_vars.value(name).and_then(|id| Id::parse(id).ok())
    }
}

/// What the troubleshooter says of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTrouble {
    /// The job.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: Option<JobState>,
    /// Why the platform could not run it; empty when it could.
    pub failure_reason: String,
    /// The type of its machine.
    pub machine_type: String,
    /// The agent that ran it.
    pub agent_name: String,
    /// Whether its agent is one of the organization's own.
    pub is_self_hosted: bool,
}

impl JobTrouble {
    /// Reads the answer of the troubleshooter.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("answer", value)?;
        let job = f.required_object("job", "job")?;
        Ok(Self {
            id: job.id(&["id", "job_id"])?,
            name: job.text("name")?,
            state: job.word(&["state"])?,
            failure_reason: job.text("failure_reason")?,
            machine_type: job.text("machine_type")?,
            agent_name: job.text("agent_name")?,
            is_self_hosted: job.flag("is_self_hosted")?,
        })
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({
            "job_id": self.id,
            "name": self.name,
            "state": self.state.as_ref().map(JobState::as_str),
            "failure_reason": self.failure_reason,
            "machine_type": self.machine_type,
            "agent_name": self.agent_name,
            "is_self_hosted": self.is_self_hosted,
        })
    }
}
