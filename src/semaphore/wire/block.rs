//! The blocks of a pipeline and the jobs in them.
//!
//! Duty: to read them, in order, and the topology that the pipeline file says. Invariant: a result
//! exists only of what ended: a job that runs says `PASSED`, the zero of its enum. It must not know the
//! endpoint of a single job, which has words of its own.

use serde_json::{Value, json};

use super::fields::{Fields, Odd, list_of};
use super::pipeline::ending;
use super::words::{JobState, Reason, State, Verdict};
use crate::ids::Id;

/// A job, as its block shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockJob {
    /// Its id; none until it was made.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its place in the block.
    pub index: i64,
    /// Its state.
    pub state: JobState,
    /// How it ended; only of one that finished.
    pub result: Option<Verdict>,
}

impl BlockJob {
    fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("job of a block", value)?;
        let state: JobState = f.required_word(&["status", "state"])?;
        let result: Option<Verdict> = f.word(&["result"])?;
        Ok(Self {
            id: f.id(&["job_id"])?,
            name: f.text("name")?,
            index: f.integer("index")?.unwrap_or(0),
            // The zero of the enum is `PASSED`: it means nothing before the end.
            result: result.filter(|_| state == JobState::Finished),
            state,
        })
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({
            "job_id": self.id,
            "name": self.name,
            "index": self.index,
            "state": self.state.as_str(),
            "result": self.result.as_ref().map(Verdict::as_str),
        })
    }
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its id; none until it runs.
    pub id: Option<Id>,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// How it ended; only of one that is done.
    pub result: Option<Verdict>,
    /// Why, where that says something.
    pub reason: Option<Reason>,
    /// What is wrong with it.
    pub error_description: String,
    /// Its jobs, in order.
    pub jobs: Vec<BlockJob>,
}

impl Block {
    pub(super) fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("block", value)?;
        let state: State = f.required_word(&["state"])?;
        let (result, reason) = ending(&f, &state)?;
        let jobs: Result<Vec<BlockJob>, Odd> =
            f.list("jobs")?.iter().map(BlockJob::parse).collect();
        let mut jobs = jobs?;
        jobs.sort_by_key(|job| job.index);
        Ok(Self {
            id: f.id(&["block_id"])?,
            name: f.text("name")?,
            state,
            result,
            reason,
            error_description: f.text("error_description")?,
            jobs,
        })
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        let jobs: Vec<Value> = self.jobs.iter().map(BlockJob::to_value).collect();
        json!({
            "block_id": self.id,
            "name": self.name,
            "state": self.state.as_str(),
            "result": self.result.as_ref().map(Verdict::as_str),
            "reason": self.reason.as_ref().map(Reason::as_str),
            "error_description": self.error_description,
            "jobs": jobs,
        })
    }
}

/// A block of the topology: what the pipeline file says, without states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopologyBlock {
    /// Its name.
    pub name: String,
    /// The names of its jobs.
    pub jobs: Vec<String>,
    /// The names of the blocks it waits for.
    pub dependencies: Vec<String>,
}

impl TopologyBlock {
    /// Reads the list of blocks.
    pub fn parse_list(value: &Value) -> Result<Vec<Self>, Odd> {
        list_of("the answer", value)?
            .iter()
            .map(|item| {
                let f = Fields::of("block of the topology", item)?;
                Ok(Self {
                    name: f.text("name")?,
                    jobs: f.texts("jobs")?,
                    dependencies: f.texts("dependencies")?,
                })
            })
            .collect()
    }

    /// The normalised form.
    pub fn to_value(&self) -> Value {
        json!({"name": self.name, "jobs": self.jobs, "dependencies": self.dependencies})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "b94079b8-c2d0-46af-9ada-52daea2a7133";

    #[test]
    fn a_job_that_runs_has_no_result() {
        let block = json!({"name": "Test", "state": "running", "jobs": [
            {"status": "RUNNING", "result": "PASSED", "name": "b", "job_id": ID, "index": 1},
            {"status": "FINISHED", "result": "FAILED", "name": "a", "job_id": ID, "index": 0},
            {"status": "ENQUEUED", "result": "PASSED", "name": "c", "job_id": "", "index": 2},
        ]});
        let block = Block::parse(&block).unwrap();
        let shown: Vec<_> = block
            .jobs
            .iter()
            .map(|j| {
                (
                    j.name.as_str(),
                    j.state.as_str(),
                    j.result.as_ref().map(Verdict::as_str),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("a", "finished", Some("failed")),
                ("b", "running", None),
                ("c", "queued", None)
            ]
        );
    }
}
