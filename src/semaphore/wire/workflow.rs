//! Workflows, and what a call that starts one answers.
//!
//! Duty: one `Workflow` for describe and list, one `Started` for the spellings of run, rerun, rebuild
//! and run_now. Invariant: what was started has ids of the right shape. It must not know who asked.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::fields::{Fields, Odd};
use super::time;
use super::words::WorkflowTrigger;
use crate::ids::Id;

/// A workflow. It has no state of its own: its pipelines have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its id.
    pub id: Id,
    /// Its first pipeline.
    pub pipeline_id: Option<Id>,
    /// Its project.
    pub project_id: Option<Id>,
    /// The branch; `refs/tags/x` of a tag, `pull-request-N` of a pull request.
    pub branch_name: String,
    /// The commit.
    pub commit_sha: String,
    /// Who asked for it.
    pub requester_id: String,
    /// The workflow it repeats.
    pub rerun_of: Option<Id>,
    /// What started it.
    pub triggered_by: Option<WorkflowTrigger>,
    /// When it was made.
    pub created_at: Option<Timestamp>,
}

impl Workflow {
    /// Reads a workflow of either dialect.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("workflow", value)?;
        Ok(Self {
            id: f.required_id(&["workflow_id", "wf_id"])?,
            pipeline_id: f.id(&["initial_pipeline_id", "initial_ppl_id"])?,
            project_id: f.id(&["project_id"])?,
            branch_name: f.text("branch_name")?,
            commit_sha: f.text("commit_sha")?,
            requester_id: f.text("requester_id")?,
            rerun_of: f.id(&["rerun_of"])?,
            triggered_by: f.word_or_number("triggered_by")?,
            created_at: f.time("created_at")?,
        })
    }

    /// Reads the answer of describe.
    pub fn parse_described(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("answer", value)?;
        let workflow = f
            .get("workflow")
            .ok_or_else(|| Odd("the answer has no `workflow`".to_owned()))?;
        Self::parse(workflow)
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({
            "workflow_id": self.id,
            "pipeline_id": self.pipeline_id,
            "project_id": self.project_id,
            "branch_name": self.branch_name,
            "commit_sha": self.commit_sha,
            "requester_id": self.requester_id,
            "rerun_of": self.rerun_of,
            "triggered_by": self.triggered_by.as_ref().map(WorkflowTrigger::as_str),
            "created_at": time::to_value(self.created_at),
        })
    }
}

/// What a run or rerun started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The workflow.
    pub workflow_id: Id,
    /// Its first pipeline.
    pub pipeline_id: Id,
}

impl Started {
    /// Reads the answer of run or rerun.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("answer", value)?;
        Ok(Self {
            workflow_id: f.required_id(&["workflow_id", "wf_id"])?,
            pipeline_id: f.required_id(&["pipeline_id", "ppl_id"])?,
        })
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({"workflow_id": self.workflow_id, "pipeline_id": self.pipeline_id})
    }
}
