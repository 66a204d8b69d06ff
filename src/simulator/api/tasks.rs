//! `/api/v1alpha/tasks`, also called `/schedules`.

use serde_json::{Map, Value, json};

use crate::simulator::acts::Done;
use crate::simulator::http::Reply;
use crate::simulator::scenario::{Cue, Task};
use crate::simulator::state::{NewWorkflow, State, WorkflowCause};

use super::access::{Permission, need};
use super::answers::{json as body, not_found, said, something_went_wrong};
use super::pages::{Paging, paged};
use super::route::Asked;
use super::words::{time_text, time_text_or_empty};
use super::workflows::QUEUE_IS_FULL;

/// The id of a task.
pub(super) fn id_of(state: &State, project: usize, task: &Task) -> String {
    match &task.id {
        Some(id) => id.to_lowercase(),
        None => state.id_of(&["task", &project.to_string(), &task.name]),
    }
}

/// The parameters a task takes.
pub(super) fn parameters(task: &Task) -> Vec<Value> {
    task.parameters
        .iter()
        .map(|p| {
            json!({
                "name": p.name,
                "required": p.required,
                "description": "",
                "default_value": p.default.as_deref().unwrap_or_default(),
                "options": p.options,
            })
        })
        .collect()
}

fn view(state: &State, project: usize, task: &Task) -> Value {
    let start = time_text(Some(state.started_at()));
    json!({
        "id": id_of(state, project, task),
        "name": task.name,
        "project_id": state.project_id(project),
        "organization_id": state.scenario.organization.id,
        "reference": task.reference,
        "branch": task.reference.trim_start_matches("refs/heads/"),
        "at": task.at.as_deref().unwrap_or_default(),
        "pipeline_file": task.pipeline_file,
        "requester_id": "",
        "updated_at": start,
        "inserted_at": start,
        "suspended": false,
        "paused": task.paused,
        "recurring": task.at.is_some(),
        "parameters": parameters(task),
        "description": "",
        "pause_toggled_by": "",
        "pause_toggled_at": time_text_or_empty(None),
    })
}

fn find<'a>(state: &'a State, id: &str) -> Option<(usize, &'a Task)> {
    let all = state.scenario.projects.iter().enumerate();
    all.flat_map(|(n, p)| p.tasks.iter().map(move |t| (n, t)))
        .find(|(n, task)| id_of(state, *n, task) == id)
}

/// `GET /tasks`.
pub(super) fn list(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let project = asked
        .text("project_id")
        .and_then(|id| state.project_by_id(id))
        .ok_or_else(not_found)?;
    need(&asked.caller, state, project, Permission::View)?;
    let tasks = state.project(project).map(|p| p.tasks.as_slice());
    let paging = Paging::lenient(&asked.params, 30);
    let view = |task: &Task| view(state, project, task);
    Ok(paged(
        asked.request,
        &asked.params,
        paging,
        (tasks.unwrap_or_default(), view),
    ))
}

/// `GET /tasks/:id`.
pub(super) fn describe(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let (project, task) = find(state, &asked.id).ok_or_else(not_found)?;
    need(&asked.caller, state, project, Permission::View)?;
    let triggers: Vec<Value> = state
        .task_runs(&asked.id)
        .map(|(at, workflow)| {
            json!({
                "triggered_at": time_text(Some(at)),
                "scheduling_status": "passed",
                "scheduled_workflow_id": workflow,
                "reference": task.reference,
                "branch": task.reference.trim_start_matches("refs/heads/"),
                "pipeline_file": task.pipeline_file,
                "error_description": "",
            })
        })
        .collect();
    let view = view(state, project, task);
    Ok(body(200, &json!({"schedule": view, "triggers": triggers})))
}

/// `POST /tasks/:id/run_now`: unlike a run of a workflow it looks at the reference first.
pub(super) fn run_now(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    if crate::ids::Id::parse(&asked.id).is_err() {
        return Err(said(400, "schedule identifier should be a UUID"));
    }
    let found = find(state, &asked.id).map(|(n, task)| (n, task.clone()));
    let Some((project, task)) = found else {
        return Err(said(
            400,
            &format!("Scheduler with id:'{}' not found", asked.id),
        ));
    };
    need(&asked.caller, state, project, Permission::Run)?;
    let reference = reference(asked, &task)?;
    if !state.reference_exists(project, &reference) {
        let (kind, name) = match reference.strip_prefix("refs/tags/") {
            Some(tag) => ("Tag", tag),
            None => ("Branch", reference.trim_start_matches("refs/heads/")),
        };
        return Err(said(
            400,
            &format!("{kind} '{name}' does not exist in the repository"),
        ));
    }
    let file = asked.text("pipeline_file").filter(|f| !f.is_empty());
    let parameters = values(&asked.params, &task)?;
    let started = state
        .start_workflow(NewWorkflow {
            project,
            reference,
            commit_sha: String::new(),
            file: file.unwrap_or(&task.pipeline_file).to_owned(),
            parameters: parameters.clone(),
            cause: WorkflowCause::ManualRun,
            requester: asked.caller.user.clone(),
            rerun_of: String::new(),
        })
        .map_err(|_| said(400, QUEUE_IS_FULL))?;
    let workflow_id = state.workflows[started.workflow].id.clone();
    let deed = Done::RunTask {
        task_id: asked.id.clone(),
        workflow_id: workflow_id.clone(),
    };
    state.record(asked.caller.origin(), deed, None, &parameters);
    state.cue(Cue::RunWorkflow);
    Ok(body(200, &json!({"workflow_id": workflow_id})))
}

fn reference(asked: &Asked<'_>, task: &Task) -> Result<String, Reply> {
    let incomplete = || said(400, "Reference must contain 'type' and 'name' fields");
    match asked.params.get("reference") {
        None | Some(Value::Null) => {}
        Some(Value::Object(map)) => {
            let part = |name| map.get(name).and_then(Value::as_str);
            let (Some(kind), Some(name)) = (part("type"), part("name")) else {
                return Err(incomplete());
            };
            return match kind {
                "BRANCH" => Ok(format!("refs/heads/{name}")),
                "TAG" => Ok(format!("refs/tags/{name}")),
                _ => Err(incomplete()),
            };
        }
        Some(_) => return Err(incomplete()),
    }
    match asked.text("branch") {
        Some(branch) if !branch.is_empty() => Ok(format!("refs/heads/{branch}")),
        _ => Ok(task.reference.clone()),
    }
}

fn values(params: &Map<String, Value>, task: &Task) -> Result<Vec<(String, String)>, Reply> {
    let mut all: Vec<(String, String)> = Vec::new();
    let given = match params.get("parameters") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(_) => return Err(something_went_wrong()),
    };
    for parameter in &task.parameters {
        let value = given.get(&parameter.name).and_then(Value::as_str);
        match value.or(parameter.default.as_deref()) {
            Some(value) => all.push((parameter.name.clone(), value.to_owned())),
            None if parameter.required => {
                let message = format!("Parameter '{}' is required.", parameter.name);
                return Err(said(400, &message));
            }
            None => {}
        }
    }
    for (name, value) in &given {
        let known = task.parameters.iter().any(|p| p.name == *name);
        if let (false, Some(value)) = (known, value.as_str()) {
            all.push((name.clone(), value.to_owned()));
        }
    }
    Ok(all)
}
