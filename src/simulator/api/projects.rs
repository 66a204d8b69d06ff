//! `/api/v1alpha/projects`: found by name alone; another server with its own dialect.

use serde_json::{Value, json};

use crate::simulator::http::Reply;
use crate::simulator::scenario::default_file;
use crate::simulator::state::State;

use super::access::Permission;
use super::answers::{message, typed_json};
use super::pages::digits;
use super::route::Asked;

/// The page size is fixed.
const PAGE_SIZE: usize = 500;
const PAGES_MAX: usize = 100;

/// `GET /projects/:name`.
pub(super) fn describe(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = state
        .project_by_name(&asked.id)
        .filter(|n| state.project(*n).is_some_and(|p| !p.foreign))
        .ok_or_else(|| message(404, "Not found"))?;
    if !asked.caller.may(Permission::View) {
        return Err(message(401, "Unauthorized"));
    }
    Ok(typed_json(200, &view(state, found)))
}

/// `GET /projects`.
pub(super) fn list(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let page = match asked.params.get("page") {
        None => 1,
        Some(value) => digits(value)
            .filter(|n| (1..=PAGES_MAX).contains(n))
            .ok_or_else(|| message(400, "Bad Request"))?,
    };
    let total = state.scenario.projects.len();
    let shown: Vec<Value> = (0..total)
        .skip((page - 1) * PAGE_SIZE)
        .take(PAGE_SIZE)
        .filter(|n| asked.caller.may_in(state, *n, Permission::View))
        .map(|n| view(state, n))
        .collect();
    let mut reply = typed_json(200, &Value::Array(shown));
    let more = page * PAGE_SIZE < total;
    reply.headers.push(("x-page".to_owned(), page.to_string()));
    reply
        .headers
        .push(("x-has-more".to_owned(), more.to_string()));
    Ok(reply)
}

fn view(state: &State, number: usize) -> Value {
    let id = state.project_id(number);
    let Some(project) = state.project(number) else {
        return Value::Null;
    };
    let organization = &state.scenario.organization;
    let owner = state
        .scenario
        .tokens
        .first()
        .map_or("", |t| t.user.as_str());
    let tasks: Vec<Value> = project
        .tasks
        .iter()
        .map(|task| {
            json!({
                "id": super::tasks::id_of(state, number, task),
                "name": task.name,
                "branch": task.reference.trim_start_matches("refs/heads/"),
                "at": task.at.as_deref().unwrap_or_default(),
                "pipeline_file": task.pipeline_file,
                "scheduled": task.at.is_some(),
                "parameters": super::tasks::parameters(task),
            })
        })
        .collect();
    json!({
        "apiVersion": "v1alpha",
        "kind": "Project",
        "metadata": {
            "name": project.name,
            "id": id,
            "org_id": organization.id,
            "owner_id": owner,
            "description": "",
        },
        "spec": {
            "repository": {
                "name": project.name,
                "owner": organization.name,
                "url": format!("git@github.com:{}/{}.git", organization.name, project.name),
                "pipeline_file": default_file(),
                "integration_type": "github_app",
                "run_on": ["branches", "tags"],
                "whitelist": {"branches": [], "tags": []},
                "status": {
                    "pipeline_files": [{"path": default_file(), "level": "pipeline"}],
                },
            },
            "tasks": tasks,
            "schedulers": [],
            "visibility": "private",
            "custom_permissions": false,
            "debug_permissions": [],
            "attach_permissions": [],
        },
    })
}
