//! `/api/v1alpha/troubleshoot`: the only place that says why a job never started. What is unset is
//! an empty text here, never absent.

use serde_json::{Map, Value, json};

use crate::simulator::http::Reply;
use crate::simulator::state::{Block, Ending, Job, Pipeline, State, Workflow, WorkflowCause};

use super::access::{Permission, need};
use super::answers::{json as body, not_found, text};
use super::jobs::machine;
use super::pipeline_view::name;
use super::route::Asked;
use super::words::{block_state, pipeline_state, reason, time_text, time_text_or_empty, verdict};

/// `GET /troubleshoot/job/:id`.
pub(super) fn job(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = state.job(&asked.id).ok_or_else(not_found)?;
    let job = &state.jobs[found];
    let it = &state.pipelines[job.pipeline];
    if !asked.caller.may_in(state, it.project, Permission::View) {
        return Err(text(401, "Permission denied"));
    }
    let workflow = &state.workflows[it.workflow];
    let mut workflow_view = workflow_view(state, workflow);
    workflow_view.insert("project_id".into(), json!(state.project_id(it.project)));
    let named = it.plan.as_ref().and_then(|plan| plan.blocks.get(job.block));
    let block = it.blocks.get(job.block);
    let block_name = named.map_or("", |b| b.name.as_str());
    Ok(body(
        200,
        &json!({
            "workflow": workflow_view,
            "project": project_view(state, it.project),
            "pipeline": pipeline_view(state, it),
            "job": job_view(job, block),
            "block": block.map(|b| block_view(b, block_name)),
        }),
    ))
}

/// `GET /troubleshoot/workflow/:id`.
pub(super) fn workflow(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = state.workflow(&asked.id).ok_or_else(not_found)?;
    let workflow = &state.workflows[found];
    need(&asked.caller, state, workflow.project, Permission::View)?;
    Ok(body(
        200,
        &json!({
            "workflow": workflow_view(state, workflow),
            "project": project_view(state, workflow.project),
        }),
    ))
}

/// `GET /troubleshoot/pipeline/:id`.
pub(super) fn pipeline(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = state.pipeline(&asked.id).ok_or_else(not_found)?;
    let it = &state.pipelines[found];
    need(&asked.caller, state, it.project, Permission::View)?;
    let mut view = pipeline_view(state, it);
    let names = it.plan.iter().flat_map(|plan| plan.blocks.iter());
    let blocks: Vec<Value> = it
        .blocks
        .iter()
        .zip(names)
        .map(|(block, said)| block_view(block, &said.name))
        .collect();
    view.insert("blocks".into(), Value::Array(blocks));
    Ok(body(
        200,
        &json!({
            "workflow": workflow_view(state, &state.workflows[it.workflow]),
            "project": project_view(state, it.project),
            "pipeline": view,
        }),
    ))
}

fn project_view(state: &State, project: usize) -> Value {
    json!({
        "organization_id": state.scenario.organization.id,
        "id": state.project_id(project),
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn workflow_view(state: &State, workflow: &Workflow) -> Map<String, Value> {
    let commit = workflow.commit.as_ref();
    let first = workflow.pipelines.first().map(|p| &state.pipelines[*p].id);
    object(json!({
        "wf_id": workflow.id,
        "triggered_by": match workflow.cause {
            WorkflowCause::Hook => "hook",
            WorkflowCause::Api => "api",
            WorkflowCause::ManualRun => "manual_run",
        },
        "rerun_of": workflow.rerun_of,
        "requester_id": workflow.requester,
        "repository_id": "",
        "initial_ppl_id": first,
        "hook_id": commit.map_or("", |c| &c.hook_id),
        "created_at": time_text(Some(workflow.created_at)),
        "commit_sha": commit.map_or("", |c| &c.sha),
        "branch_name": workflow.branch_name,
        "branch_id": commit.map_or("", |c| &c.branch_id),
    }))
}

fn ending(ending: Option<Ending>) -> (&'static str, &'static str) {
    ending.map_or(("", ""), |(result, why)| (verdict(result), reason(why)))
}

fn pipeline_view(state: &State, it: &Pipeline) -> Map<String, Value> {
    let (folder, file) = it.file_parts();
    let (result, why) = ending(it.ending);
    let queue = &state.queues[it.queue];
    let in_queue = |text: &str| {
        if it.initialized {
            text.to_owned()
        } else {
            String::new()
        }
    };
    let other = |place: Option<_>| place.map_or("", |p| state.pipelines[p].id.as_str());
    object(json!({
        "yaml_file_name": file,
        "working_directory": folder,
        "terminated_by": it.terminated_by,
        "terminate_request": if it.stop_asked { "stop" } else { "" },
        "switch_id": it.switch.as_ref().map_or("", |s| &s.id),
        "stopping_at": time_text(it.stamps.stopping),
        "state": pipeline_state(it.stamps.state_at(state.now())),
        "running_at": time_text(it.stamps.running),
        "result_reason": why,
        "result": result,
        "queuing_at": time_text(it.stamps.queuing),
        "queue_type": 0,
        "queue_scope": in_queue("project"),
        "queue_name": in_queue(&queue.name),
        "queue_id": in_queue(&queue.id),
        "promotion_of": other(it.promotion_of),
        "ppl_id": it.id,
        "pending_at": time_text(it.stamps.pending),
        "partially_rerun_by": other(it.partially_rerun_by),
        "partial_rerun_of": other(it.partial_rerun_of),
        "name": name(it),
        "error_description": it.error_description,
        "done_at": time_text(it.stamps.done),
        "created_at": time_text(Some(it.stamps.created)),
    }))
}

fn block_view(block: &Block, name: &str) -> Value {
    let (result, why) = ending(block.ending);
    json!({
        "state": block_state(block.state),
        "result_reason": why,
        "result": result,
        "name": name,
        "error_description": "",
        "build_req_id": block.build_request,
        "block_id": block.id,
    })
}

fn job_view(job: &Job, block: Option<&Block>) -> Value {
    let state = match (job.finished, job.started_at) {
        (Some(_), _) => "finished",
        (None, Some(_)) => "started",
        (None, None) => "enqueued",
    };
    let (kind, image) = machine(job);
    json!({
        "state": state,
        "started_at": time_text_or_empty(job.started_at),
        "priority": 50,
        "os_image": image,
        "name": job.plan.name,
        "machine_type": kind,
        "is_self_hosted": job.plan.self_hosted,
        "is_debug_job": false,
        "id": job.id,
        "finished_at": time_text_or_empty(job.finished.map(|(at, _)| at)),
        "failure_reason": job.failure_reason,
        "enqueued_at": time_text_or_empty(Some(job.enqueued_at)),
        "created_at": time_text_or_empty(Some(job.created_at)),
        "build_req_id": block.map_or("", |b| &b.build_request),
        "agent_name": "",
    })
}
