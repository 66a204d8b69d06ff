//! Pipelines.
//!
//! Duty: one `Pipeline` for what describe and list say in two dialects. Invariants: a result exists
//! only of what is done, and a reason only where it says something. It must not say whether a pipeline counts as good: that is the engine's.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::block::Block;
use super::fields::{Fields, Odd};
use super::time;
use super::words::{PipelineTrigger, Reason, State, Verdict, WorkflowTrigger};
use crate::ids::Id;

/// Environment variables: their names for everybody, their values only for who asks by name.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct EnvVars(Vec<(String, String)>);

impl EnvVars {
    pub(super) fn parse(fields: &Fields<'_>) -> Result<Self, Odd> {
        fields
            .list("env_vars")?
            .iter()
            .map(|item| {
                let item = Fields::of("environment variable", item)?;
                Ok((item.text("name")?, item.text_or_number("value")?))
            })
            .collect::<Result<_, Odd>>()
            .map(Self)
    }

    /// The names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The value of one: for looking for a mark, never for showing.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for EnvVars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

/// When a pipeline reached its states.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PipelineTimes {
    /// Made.
    pub created_at: Option<Timestamp>,
    /// About to queue.
    pub pending_at: Option<Timestamp>,
    /// In its queue.
    pub queuing_at: Option<Timestamp>,
    /// Running.
    pub running_at: Option<Timestamp>,
    /// Being stopped.
    pub stopping_at: Option<Timestamp>,
    /// Ended.
    pub done_at: Option<Timestamp>,
}

/// The queue of a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Queue {
    /// Its id, empty while there is none.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `project` or `organization`.
    pub scope: String,
}

/// Who and what started a pipeline.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Triggerer {
    /// What started its workflow.
    pub workflow_triggered_by: Option<WorkflowTrigger>,
    /// What started it.
    pub triggered_by: Option<PipelineTrigger>,
    /// The user who did.
    pub user_id: String,
    /// The workflow that its workflow is a rerun of.
    pub workflow_rerun_of: Option<Id>,
}

/// What a pipeline was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The branch; `refs/tags/x` of a tag, `pull-request-N` of a pull request.
    pub branch_name: String,
    /// The commit; empty until it was looked up.
    pub commit_sha: String,
    /// Its message.
    pub commit_message: String,
    /// The folder of the pipeline file.
    pub working_directory: String,
    /// The file's name.
    pub yaml_file_name: String,
}

impl Source {
    /// The whole path of the pipeline file.
    pub fn pipeline_file(&self) -> String {
        let folder = self.working_directory.trim_end_matches('/');
        if folder.is_empty() || self.yaml_file_name.is_empty() {
            self.yaml_file_name.clone()
        } else {
            format!("{folder}/{}", self.yaml_file_name)
        }
    }
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its id.
    pub id: Id,
    /// Its workflow.
    pub workflow_id: Option<Id>,
    /// Its project.
    pub project_id: Option<Id>,
    /// Its name; `Pipeline` until its file was read.
    pub name: String,
    /// Its state.
    pub state: State,
    /// How it ended; only of one that is done.
    pub result: Option<Verdict>,
    /// Why it ended so; only where that says something.
    pub reason: Option<Reason>,
    /// What is wrong with its file.
    pub error_description: String,
    /// What it was made from.
    pub source: Source,
    /// When it reached its states.
    pub times: PipelineTimes,
    /// Empty while nothing can be promoted from it.
    pub switch_id: String,
    /// The pipeline it was promoted from.
    pub promotion_of: Option<Id>,
    /// The pipeline it rebuilds.
    pub partial_rerun_of: Option<Id>,
    /// The pipeline that rebuilds it.
    pub partially_rerun_by: Option<Id>,
    /// How it was asked to stop.
    pub terminate_request: String,
    /// Who asked.
    pub terminated_by: String,
    /// Its queue.
    pub queue: Queue,
    /// Who started it.
    pub triggerer: Triggerer,
    /// Whether jobs run after it.
    pub with_after_task: bool,
    /// Its parameters.
    pub env_vars: EnvVars,
}

/// The result and the reason of what is in `state`, as far as they mean something.
pub(super) fn ending(
    fields: &Fields<'_>,
    state: &State,
) -> Result<(Option<Verdict>, Option<Reason>), Odd> {
    let result: Option<Verdict> = fields.word(&["result"])?;
    let reason: Option<Reason> = fields.word(&["result_reason"])?;
    if *state != State::Done {
        return Ok((None, None));
    }
    let meaningful = match (&result, &reason) {
        (_, Some(Reason::Skipped)) => true,
        // `test` is the zero of the enum: it says something only of a failure.
        (None | Some(Verdict::Passed), _) => false,
        (Some(Verdict::Stopped | Verdict::Canceled), Some(Reason::Test)) => false,
        (Some(_), _) => true,
    };
    Ok((result, reason.filter(|_| meaningful)))
}

impl Pipeline {
    /// Reads a pipeline of either dialect.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("pipeline", value)?;
        let state: State = f.required_word(&["state"])?;
        let (result, reason) = ending(&f, &state)?;
        Ok(Self {
            id: f.required_id(&["pipeline_id", "ppl_id"])?,
            workflow_id: f.id(&["workflow_id", "wf_id"])?,
            project_id: f.id(&["project_id"])?,
            name: f.text("name")?,
            state,
            result,
            reason,
            error_description: f.text("error_description")?,
            source: Source {
                branch_name: f.text("branch_name")?,
                commit_sha: f.text("commit_sha")?,
                commit_message: f.text("commit_message")?,
                working_directory: f.text("working_directory")?,
                yaml_file_name: f.text("yaml_file_name")?,
            },
            times: PipelineTimes {
                created_at: f.time("created_at")?,
                pending_at: f.time("pending_at")?,
                queuing_at: f.time("queuing_at")?,
                running_at: f.time("running_at")?,
                stopping_at: f.time("stopping_at")?,
                done_at: f.time("done_at")?,
            },
            switch_id: f.text("switch_id")?,
            promotion_of: f.id(&["promotion_of"])?,
            partial_rerun_of: f.id(&["partial_rerun_of"])?,
            partially_rerun_by: f.id(&["partially_rerun_by"])?,
            terminate_request: f.text("terminate_request")?,
            terminated_by: f.text("terminated_by")?,
            queue: queue_of(&f)?,
            triggerer: triggerer_of(&f)?,
            with_after_task: f.flag("with_after_task")?,
            env_vars: EnvVars::parse(&f)?,
        })
    }

    /// Whether it ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// The normalised form: long names, lower-case words, RFC 3339 times or null; of the parameters
    /// only the names.
    pub fn to_value(&self) -> Value {
        let env_vars: Vec<&str> = self.env_vars.names().collect();
        let (from, times, by) = (&self.source, &self.times, &self.triggerer);
        json!({
            "pipeline_id": self.id,
            "workflow_id": self.workflow_id,
            "project_id": self.project_id,
            "name": self.name,
            "state": self.state.as_str(),
            "result": self.result.as_ref().map(Verdict::as_str),
            "reason": self.reason.as_ref().map(Reason::as_str),
            "error_description": self.error_description,
            "branch_name": from.branch_name,
            "commit_sha": from.commit_sha,
            "commit_message": from.commit_message,
            "pipeline_file": from.pipeline_file(),
            "working_directory": from.working_directory,
            "yaml_file_name": from.yaml_file_name,
            "created_at": time::to_value(times.created_at),
            "pending_at": time::to_value(times.pending_at),
            "queuing_at": time::to_value(times.queuing_at),
            "running_at": time::to_value(times.running_at),
            "stopping_at": time::to_value(times.stopping_at),
            "done_at": time::to_value(times.done_at),
            "switch_id": self.switch_id,
            "promotion_of": self.promotion_of,
            "partial_rerun_of": self.partial_rerun_of,
            "partially_rerun_by": self.partially_rerun_by,
            "terminate_request": self.terminate_request,
            "terminated_by": self.terminated_by,
            "queue": {"queue_id": self.queue.id, "name": self.queue.name, "scope": self.queue.scope},
            "workflow_triggered_by": by.workflow_triggered_by.as_ref().map(WorkflowTrigger::as_str),
            "triggered_by": by.triggered_by.as_ref().map(PipelineTrigger::as_str),
            "triggered_by_user_id": by.user_id,
            "workflow_rerun_of": by.workflow_rerun_of,
            "with_after_task": self.with_after_task,
            "env_vars": env_vars,
        })
    }
}

fn queue_of(f: &Fields<'_>) -> Result<Queue, Odd> {
    let Some(queue) = f.object("queue", "queue")? else {
        return Ok(Queue::default());
    };
    Ok(Queue {
        id: queue.text("queue_id")?,
        name: queue.text("name")?,
        scope: queue.text("scope")?,
    })
}

fn triggerer_of(f: &Fields<'_>) -> Result<Triggerer, Odd> {
    let Some(by) = f.object("triggerer", "triggerer")? else {
        return Ok(Triggerer::default());
    };
    Ok(Triggerer {
        workflow_triggered_by: by.word_or_number("wf_triggered_by")?,
        triggered_by: by.word_or_number("ppl_triggered_by")?,
        user_id: by.text("ppl_triggerer_user_id")?,
        workflow_rerun_of: by.id(&["workflow_rerun_of"])?,
    })
}

/// A pipeline with its blocks, which are empty unless details were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipelineDetails {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// Its blocks.
    pub blocks: Vec<Block>,
}

impl PipelineDetails {
    /// Reads the answer of describe.
    pub fn parse(value: &Value) -> Result<Self, Odd> {
        let f = Fields::of("answer", value)?;
        let pipeline = f
            .get("pipeline")
            .ok_or_else(|| Odd("the answer has no `pipeline`".to_owned()))?;
        Ok(Self {
            pipeline: Pipeline::parse(pipeline)?,
            blocks: f
                .list("blocks")?
                .iter()
                .map(Block::parse)
                .collect::<Result<_, _>>()?,
        })
    }

    /// The normalised form: `{"pipeline", "blocks"}`.
    pub fn to_value(&self) -> Value {
        let blocks: Vec<Value> = self.blocks.iter().map(Block::to_value).collect();
        json!({"pipeline": self.pipeline.to_value(), "blocks": blocks})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "b94079b8-c2d0-46af-9ada-52daea2a7133";

    fn ended(state: &str, result: &str, reason: &str) -> (Value, Value) {
        let value =
            json!({"ppl_id": ID, "state": state, "result": result, "result_reason": reason});
        let normal = Pipeline::parse(&value).unwrap().to_value();
        (normal["result"].clone(), normal["reason"].clone())
    }

    #[test]
    fn a_result_means_something_only_when_done_and_a_reason_only_of_what_is_not_passed() {
        for (state, result, reason, expected) in [
            ("done", "passed", "test", (json!("passed"), json!(null))),
            ("DONE", "FAILED", "TEST", (json!("failed"), json!("test"))),
            ("done", "failed", "stuck", (json!("failed"), json!("stuck"))),
            ("done", "stopped", "test", (json!("stopped"), json!(null))),
            ("done", "stopped", "user", (json!("stopped"), json!("user"))),
            (
                "done",
                "canceled",
                "strategy",
                (json!("canceled"), json!("strategy")),
            ),
            ("done", "green", "test", (json!("green"), json!("test"))),
            ("done", "", "", (json!(null), json!(null))),
            ("running", "passed", "test", (json!(null), json!(null))),
            ("finishing", "passed", "test", (json!(null), json!(null))),
        ] {
            assert_eq!(
                ended(state, result, reason),
                expected,
                "{state} {result} {reason}"
            );
        }
    }

    #[test]
    fn values_of_parameters_are_found_by_name_and_never_shown() {
        let value = json!({"ppl_id": ID, "state": "done", "env_vars": [{"name": "RUNNER_KEY", "value": "abc-mark"}]});
        let pipeline = Pipeline::parse(&value).unwrap();
        assert_eq!(pipeline.env_vars.value("RUNNER_KEY"), Some("abc-mark"));
        assert_eq!(pipeline.env_vars.value("OTHER"), None);
        assert!(!format!("{pipeline:?}{}", pipeline.to_value()).contains("abc-mark"));
        assert_eq!(pipeline.to_value()["env_vars"], json!(["RUNNER_KEY"]));
    }
}
