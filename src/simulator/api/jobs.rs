//! `/api/v1alpha/jobs`: another server with its own dialect. 64-bit numbers are texts, what is unset
//! is there all the same, errors are objects.

use serde_json::{Value, json};

use crate::simulator::http::Reply;
use crate::simulator::params::pairs;
use crate::simulator::scenario::Verdict;
use crate::simulator::state::{Job, Place, State};

use super::access::Permission;
use super::answers::{gateway_error, typed_json};
use super::route::Asked;
use super::words::{time_seconds, verdict};

const PAGE_SIZE_MAX: usize = 30;

fn allowed(state: &State, asked: &Asked<'_>) -> Result<Place<Job>, Reply> {
    let not_found = || gateway_error(404, 5, &format!("Job {} not found", asked.id));
    let found = state.job(&asked.id).ok_or_else(not_found)?;
    let project = state.pipelines[state.jobs[found].pipeline].project;
    if asked.caller.may_in(state, project, Permission::View) {
        Ok(found)
    } else {
        Err(not_found())
    }
}

/// `GET /jobs/:id`.
pub(super) fn describe(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    if crate::ids::Id::parse(&asked.id).is_err() {
        let message = format!("Job id {} is invalid", asked.id);
        return Err(gateway_error(400, 3, &message));
    }
    let found = allowed(state, asked)?;
    Ok(typed_json(200, &view(state, &state.jobs[found])))
}

/// The machine that a job runs on.
pub(super) fn machine(job: &Job) -> (&'static str, &'static str) {
    if job.plan.self_hosted {
        ("s1-linux", "")
    } else {
        ("e1-standard-2", "ubuntu2204")
    }
}

fn word(job: &Job) -> (&'static str, String) {
    match (job.finished, job.started_at) {
        (Some((_, result)), _) => ("FINISHED", verdict(result).to_uppercase()),
        (None, Some(_)) => ("RUNNING", "NONE".to_owned()),
        (None, None) => ("QUEUED", "NONE".to_owned()),
    }
}

fn view(state: &State, job: &Job) -> Value {
    let pipeline = &state.pipelines[job.pipeline];
    let finished_at = job.finished.map(|(at, _)| at);
    let (job_state, result) = word(job);
    let (kind, image) = machine(job);
    let commands: Vec<&str> = job.plan.log.iter().map(|c| c.command.as_str()).collect();
    let mut env = vec![
        json!({"name": "SEMAPHORE_PIPELINE_ID", "value": pipeline.id}),
        json!({"name": "SEMAPHORE_WORKFLOW_ID", "value": state.workflows[pipeline.workflow].id}),
    ];
    for (name, value) in &pipeline.env_vars {
        env.push(json!({"name": name, "value": value}));
    }
    let agent = job
        .started_at
        .map(|_| json!({"ip": "", "ports": [], "name": ""}));
    json!({
        "metadata": {
            "name": job.plan.name,
            "id": job.id,
            "create_time": time_seconds(Some(job.created_at)),
            "update_time": time_seconds(finished_at.or(job.started_at).or(Some(job.created_at))),
            "start_time": time_seconds(job.started_at),
            "finish_time": time_seconds(finished_at),
        },
        "spec": {
            "project_id": state.project_id(pipeline.project),
            "agent": {
                "machine": {"type": kind, "os_image": image},
                "containers": [],
                "image_pull_secrets": [],
            },
            "secrets": [],
            "env_vars": env,
            "files": [],
            "commands": commands,
            "epilogue_commands": [],
            "epilogue_always_commands": [],
            "epilogue_on_pass_commands": [],
            "epilogue_on_fail_commands": [],
        },
        "status": {"result": result, "state": job_state, "agent": agent},
    })
}

/// `GET /jobs`: without `states` it is empty.
pub(super) fn list(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let states: Vec<String> = pairs(&asked.request.query)
        .filter(|(name, _)| name == "states")
        .map(|(_, value)| value)
        .collect();
    let number = |name: &str| asked.params.get(name).and_then(super::pages::digits);
    let size = number("page_size")
        .filter(|n| *n > 0)
        .unwrap_or(PAGE_SIZE_MAX);
    if size > PAGE_SIZE_MAX {
        return Err(gateway_error(400, 3, "Page size can't exceed 30"));
    }
    let first = number("page_token").unwrap_or(0);
    let mut found: Vec<&Job> = state
        .all_jobs()
        .filter(|job| {
            let project = state.pipelines[job.pipeline].project;
            states.iter().any(|s| s == word(job).0)
                && asked.caller.may_in(state, project, Permission::View)
        })
        .collect();
    found.reverse();
    let shown: Vec<Value> = found
        .iter()
        .skip(first)
        .take(size)
        .map(|job| view(state, job))
        .collect();
    let next = if first + size < found.len() {
        (first + size).to_string()
    } else {
        String::new()
    };
    Ok(typed_json(
        200,
        &json!({"jobs": shown, "next_page_token": next}),
    ))
}

/// `POST /jobs/:id/stop`.
pub(super) fn stop(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    if crate::ids::Id::parse(&asked.id).is_err() {
        return Err(gateway_error(500, 2, "invalid job id"));
    }
    let found = allowed(state, asked)?;
    state.stop_job(found, asked.caller.origin());
    Ok(typed_json(200, &json!({})))
}

/// How a job ended, when it did.
pub(super) fn result(job: &Job) -> Option<Verdict> {
    job.finished.map(|(_, result)| result)
}
