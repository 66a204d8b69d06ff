//! What every action is to the machine.

use std::time::Duration;

use super::pipeline::Expect;
use super::{
    approve, check, describe_job, describe_pipeline, describe_workflow, ensure_pipeline, fail,
    fetch_logs, http, list_pipelines, list_promotions, list_workflows, promote, rebuild_pipeline,
    rerun_workflow, run_task, run_workflow, set, sleep, stop_job, stop_pipeline, stop_workflow,
    wait_pipeline, wait_workflow,
};
use crate::engine::call::Call;
use crate::engine::params::Params;
use crate::engine::record::Record;
use crate::event::{Answer, Failure, FailureKind};
use crate::ids::derived_uuid;

/// What an action is told.
pub(in crate::engine) enum Input<'a> {
    /// Begin.
    Start,
    /// The call gave this.
    Answer(&'a Answer),
    /// The call failed for good: it will not be tried again.
    Failure(&'a Failure),
    /// The time is over.
    Slept,
}

/// What an action wants next.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::engine) enum Next {
    /// This call.
    Call(Call),
    /// To be woken after this long.
    Sleep(Duration),
    /// A person's answer to this: it comes as an answer whose value is `{"approved", "by", "at"}`.
    Ask(String),
    /// Nothing: it did what it should.
    Done,
    /// Nothing: it failed.
    Fail(Failure),
}

/// What an action may know of its surroundings.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Cx {
    /// The random number of the run.
    pub(in crate::engine) salt: String,
    /// The step.
    pub(in crate::engine) step: String,
    /// Whether new pipelines are marked as ours.
    pub(in crate::engine) mark: bool,
    /// How often the step was done again because its pipeline ended badly.
    pub(in crate::engine) round: u32,
    /// The pipelines of this run that ended red so far; for those who read the run.
    pub(in crate::engine) red: Vec<String>,
}

impl Cx {
    /// A request token of the step: the same whenever the same step asks for the same thing.
    pub(in crate::engine) fn token(&self, what: &str) -> String {
        match self.round {
            0 => derived_uuid(&[&self.salt, &self.step, what]),
            round => derived_uuid(&[&self.salt, &self.step, what, &round.to_string()]),
        }
    }
}

/// A running action.
pub(in crate::engine) trait Act: Send {
    /// What it wants next.
    fn next(&mut self, input: Input<'_>) -> Next;
    /// What it has to show so far.
    fn record(&self) -> &Record;
}

/// Whether an action may take what is red in the run so far.
pub(in crate::engine) fn reads_the_run(action: &str) -> bool {
    action == "fetch_logs"
}

/// Begins an action by its name.
pub(in crate::engine) fn start(
    name: &str,
    params: &Params,
    cx: &Cx,
) -> Result<Box<dyn Act>, Failure> {
    Ok(match name {
        "approve" => Box::new(approve::Approve::new(params)),
        "check" => Box::new(check::Check::new(params)),
        "describe_job" => Box::new(describe_job::new(params)),
        "describe_pipeline" => Box::new(describe_pipeline::new(params)),
        "describe_workflow" => Box::new(describe_workflow::new(params)),
        "ensure_pipeline" => Box::new(ensure_pipeline::EnsurePipeline::new(params, cx)),
        "fail" => Box::new(fail::Fail::new(params)),
        "fetch_logs" => Box::new(fetch_logs::FetchLogs::new(params, cx)),
        "http" => Box::new(http::Http::new(params)?),
        "list_pipelines" => Box::new(list_pipelines::new(params)),
        "list_promotions" => Box::new(list_promotions::new(params)),
        "list_workflows" => Box::new(list_workflows::new(params)),
        "promote" => Box::new(promote::Promote::new(params, cx)),
        "rebuild_pipeline" => Box::new(rebuild_pipeline::RebuildPipeline::new(params, cx)),
        "rerun_workflow" => Box::new(rerun_workflow::RerunWorkflow::new(params, cx)),
        "run_task" => Box::new(run_task::RunTask::new(params, cx)),
        "run_workflow" => Box::new(run_workflow::RunWorkflow::new(params, cx)),
        "set" => Box::new(set::Set::new(params)),
        "sleep" => Box::new(sleep::Sleep::new(params)),
        "stop_job" => Box::new(stop_job::new(params)),
        "stop_pipeline" => Box::new(stop_pipeline::new(params)),
        "stop_workflow" => Box::new(stop_workflow::new(params)),
        "wait_pipeline" => Box::new(wait_pipeline::WaitPipeline::new(params)),
        "wait_workflow" => Box::new(wait_workflow::WaitWorkflow::new(params)),
        other => {
            let words = format!(
                "the action `{other}` is in the catalog but not in the engine: this is a bug in runner"
            );
            return Err(Failure::new(FailureKind::Bug, words));
        }
    })
}

/// Begins to run again what did not pass of a pipeline, for a step with these parameters.
pub(in crate::engine) fn rebuild(pipeline_id: &str, params: &Params, cx: &Cx) -> Box<dyn Act> {
    let expect = Expect::from_word(params.text("expect"));
    Box::new(rebuild_pipeline::RebuildPipeline::of(
        pipeline_id,
        expect,
        cx,
    ))
}

/// An input that cannot come in this state.
pub(super) fn out_of_turn(action: &str) -> Next {
    let words =
        format!("the action `{action}` was told something out of turn: this is a bug in runner");
    Next::Fail(Failure::new(FailureKind::Bug, words))
}
