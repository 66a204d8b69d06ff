//! How a pipeline looks: in its description, in lists, with its blocks.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::simulator::state::{
    Block, Pipeline, PipelineCause, PipelineState, Place, State, WorkflowCause,
};

use super::words::{block_state, pipeline_state, reason, time_parts, time_text, verdict};
use super::workflows::cause_number;

/// The two spellings of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Lower case, times as text, enums as numbers.
    Description,
    /// Upper case, times in parts, enums as names.
    List,
}

/// A pipeline as it stood at a time.
pub(super) fn pipeline(
    state: &State,
    place: Place<Pipeline>,
    spelling: Spelling,
    at: Timestamp,
) -> Value {
    let it = &state.pipelines[place];
    let workflow = &state.workflows[it.workflow];
    let commit = workflow
        .commit
        .as_ref()
        .filter(|_| it.initialized || it.is_done());
    let (folder, file) = it.file_parts();
    let now_in = it.stamps.state_at(at);
    let time = |stamp: Option<Timestamp>| {
        let reached = stamp.filter(|s| *s <= at);
        match spelling {
            Spelling::Description => Value::String(time_text(reached)),
            Spelling::List => time_parts(reached),
        }
    };
    let other = |place: Option<Place<Pipeline>>| place.map_or("", |p| &state.pipelines[p].id);
    let mut view = json!({
        "running_at": time(it.stamps.running),
        "created_at": time(Some(it.stamps.created)),
        "error_description": it.error_description,
        "working_directory": folder,
        "branch_id": commit.map_or("", |c| &c.branch_id),
        "done_at": time(it.stamps.done),
        "hook_id": commit.map_or("", |c| &c.hook_id),
        "after_task_id": "",
        "promotion_of": other(it.promotion_of),
        "partially_rerun_by": other(it.partially_rerun_by),
        "state": cased(pipeline_state(now_in), spelling),
        "organization_id": state.scenario.organization.id,
        "queue": queue(state, it, spelling),
        "pending_at": time(it.stamps.pending),
        "branch_name": workflow.branch_name,
        "terminate_request": if it.stop_asked { "stop" } else { "" },
        "with_after_task": it.initialized && it.plan.as_ref().is_some_and(|p| p.after_pipeline),
        "compile_task_id": "",
        "name": name(it),
        "commit_sha": commit.map_or("", |c| &c.sha),
        "switch_id": it.switch.as_ref().map_or("", |s| &s.id),
        "triggerer": triggerer(state, it, spelling),
        "repository_id": "",
        "stopping_at": time(it.stamps.stopping),
        "terminated_by": it.terminated_by,
        "wf_id": workflow.id,
        "yaml_file_name": file,
        "partial_rerun_of": other(it.partial_rerun_of),
        "queuing_at": time(it.stamps.queuing),
        "snapshot_id": "",
        "ppl_id": it.id,
        "project_id": state.project_id(it.project),
        "commit_message": commit.map_or("", |c| &c.message),
        "env_vars": env_vars(it),
    });
    if let (PipelineState::Done, Some((result, why)), Some(view)) =
        (now_in, it.ending, view.as_object_mut())
    {
        view.insert("result".into(), json!(cased(verdict(result), spelling)));
        view.insert("result_reason".into(), json!(cased(reason(why), spelling)));
    }
    view
}

/// The name: a placeholder until the file was read.
pub(super) fn name(it: &Pipeline) -> &str {
    it.plan
        .as_ref()
        .filter(|_| it.initialized)
        .and_then(|plan| plan.name.as_deref())
        .unwrap_or("Pipeline")
}

fn cased(word: &str, spelling: Spelling) -> String {
    match spelling {
        Spelling::Description => word.to_owned(),
        Spelling::List => word.to_uppercase(),
    }
}

fn env_vars(it: &Pipeline) -> Vec<Value> {
    it.env_vars
        .iter()
        .map(|(name, value)| json!({"value": value, "name": name}))
        .collect()
}

fn queue(state: &State, it: &Pipeline, spelling: Spelling) -> Value {
    let kind = match spelling {
        Spelling::Description => json!(0),
        Spelling::List => json!("IMPLICIT"),
    };
    if !it.initialized {
        return json!({
            "type": kind, "scope": "", "queue_id": "", "project_id": "",
            "organization_id": "", "name": "",
        });
    }
    let queue = &state.queues[it.queue];
    json!({
        "type": kind,
        "scope": "project",
        "queue_id": queue.id,
        "project_id": state.project_id(it.project),
        "organization_id": state.scenario.organization.id,
        "name": queue.name,
    })
}

fn triggerer(state: &State, it: &Pipeline, spelling: Spelling) -> Value {
    let workflow = &state.workflows[it.workflow];
    let (workflow_cause, pipeline_cause) = match spelling {
        Spelling::Description => (
            json!(cause_number(workflow.cause)),
            json!(match it.cause {
                PipelineCause::Workflow => 0,
                PipelineCause::Promotion => 1,
                PipelineCause::AutoPromotion => 2,
                PipelineCause::PartialRerun => 3,
            }),
        ),
        Spelling::List => (
            json!(match workflow.cause {
                WorkflowCause::Hook => "HOOK",
                WorkflowCause::Api => "API",
                WorkflowCause::ManualRun => "MANUAL_RUN",
            }),
            json!(match it.cause {
                PipelineCause::Workflow => "WORKFLOW",
                PipelineCause::Promotion => "PROMOTION",
                PipelineCause::AutoPromotion => "AUTO_PROMOTION",
                PipelineCause::PartialRerun => "PARTIAL_RE_RUN",
            }),
        ),
    };
    let by = match it.cause {
        PipelineCause::Workflow => Some(workflow.id.as_str()),
        PipelineCause::Promotion | PipelineCause::AutoPromotion => {
            it.promotion_of.map(|p| state.pipelines[p].id.as_str())
        }
        PipelineCause::PartialRerun => it.partial_rerun_of.map(|p| state.pipelines[p].id.as_str()),
    };
    json!({
        "workflow_rerun_of": workflow.rerun_of,
        "wf_triggerer_user_id": workflow.requester,
        "wf_triggerer_provider_uid": "",
        "wf_triggerer_provider_login": "",
        "wf_triggerer_provider_avatar": "",
        "wf_triggerer_id": "",
        "wf_triggered_by": workflow_cause,
        "ppl_triggerer_user_id": it.triggerer_user,
        "ppl_triggerer_id": by.unwrap_or_default(),
        "ppl_triggered_by": pipeline_cause,
    })
}

/// The blocks of a pipeline with their jobs.
pub(super) fn blocks(state: &State, it: &Pipeline) -> Vec<Value> {
    let names = it.plan.iter().flat_map(|plan| plan.blocks.iter());
    it.blocks
        .iter()
        .zip(names)
        .map(|(block, said)| {
            let mut view = json!({
                "state": block_state(block.state),
                "name": said.name,
                "jobs": jobs(state, block),
                "error_description": "",
                "build_req_id": block.build_request,
                "block_id": block.id,
            });
            if let (Some((result, why)), Some(view)) = (block.ending, view.as_object_mut()) {
                view.insert("result".into(), json!(verdict(result)));
                view.insert("result_reason".into(), json!(reason(why)));
            }
            view
        })
        .collect()
}

/// A job that is not over shows `PASSED`: the first value of the enum.
fn jobs(state: &State, block: &Block) -> Vec<Value> {
    block
        .jobs
        .iter()
        .map(|place| {
            let job = &state.jobs[*place];
            let (status, result) = match (job.finished, job.started_at) {
                (Some((_, result)), _) => ("FINISHED", verdict(result).to_uppercase()),
                (None, Some(_)) => ("RUNNING", "PASSED".to_owned()),
                (None, None) => ("ENQUEUED", "PASSED".to_owned()),
            };
            json!({
                "status": status, "result": result, "name": job.plan.name,
                "job_id": job.id, "index": job.index,
            })
        })
        .collect()
}
