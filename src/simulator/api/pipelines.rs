//! `/api/v1alpha/pipelines`.

use serde_json::{Value, json};

use crate::simulator::http::Reply;
use crate::simulator::state::{Pipeline, Place, State};

use super::access::{Permission, need};
use super::answers::{json as body, not_found, said};
use super::pages::{Paging, paged};
use super::pipeline_view::{Spelling, blocks, pipeline};
use super::route::Asked;
use super::workflows::{QUEUE_IS_FULL, Window, kind, request_token, visible_until};

/// The pipeline in the path, when the caller may do this with it.
fn allowed(
    state: &State,
    asked: &Asked<'_>,
    permission: Permission,
) -> Result<Place<Pipeline>, Reply> {
    let found = state.pipeline(&asked.id).ok_or_else(not_found)?;
    need(
        &asked.caller,
        state,
        state.pipelines[found].project,
        permission,
    )?;
    Ok(found)
}

/// `GET /pipelines/:id`; `detailed` is true for the word `true` alone.
pub(super) fn describe(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::View)?;
    let detailed = asked.text("detailed") == Some("true");
    let blocks = if detailed {
        blocks(state, &state.pipelines[found])
    } else {
        Vec::new()
    };
    let view = pipeline(state, found, Spelling::Description, state.now());
    Ok(body(200, &json!({"pipeline": view, "blocks": blocks})))
}

/// `GET /pipelines`.
pub(super) fn list(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let workflow = match asked.text("wf_id").filter(|id| !id.is_empty()) {
        Some(id) => Some(state.workflow(id).ok_or_else(not_found)?),
        None => None,
    };
    let project = match asked.text("project_id").filter(|id| !id.is_empty()) {
        Some(id) => Some(state.project_by_id(id).ok_or_else(not_found)?),
        None => workflow.map(|w| state.workflows[w].project),
    };
    let project = project.ok_or_else(not_found)?;
    need(&asked.caller, state, project, Permission::View)?;
    let created = window(asked, "created")?;
    let done = window(asked, "done")?;
    let until = visible_until(state, asked);
    let all = match workflow {
        Some(w) => state.workflows[w].pipelines.as_slice(),
        None => state
            .of_project(project)
            .map(|of| of.pipelines.as_slice())
            .unwrap_or_default(),
    };
    let filter = Filter::read(asked);
    let found: Vec<Place<Pipeline>> = all
        .iter()
        .rev()
        .copied()
        .filter(|place| {
            let it = &state.pipelines[*place];
            let in_done = match it.stamps.done {
                Some(at) => done.holds(at),
                None => done.is_open(),
            };
            it.project == project
                && it.stamps.created <= until
                && created.holds(it.stamps.created)
                && in_done
                && filter.holds(state, it)
        })
        .collect();
    let view = |place: &Place<Pipeline>| pipeline(state, *place, Spelling::List, until);
    let paging = Paging::lenient(&asked.params, 30);
    Ok(paged(asked.request, &asked.params, paging, (&found, view)))
}

fn window(asked: &Asked<'_>, word: &str) -> Result<Window, Reply> {
    let window = Window::read(&asked.params, word)?;
    if window.is_contradictory() {
        // The typing mistakes are the server's.
        return Err(said(
            400,
            &format!(
                "Inavlid values od fields '{word}_after' and '{word}_before' - first has to be before second."
            ),
        ));
    }
    Ok(window)
}

/// The filters of the list that compare for equality.
struct Filter<'a> {
    branch: Option<&'a str>,
    file: Option<&'a str>,
    queue: Option<&'a str>,
    kinds: Option<&'a Vec<Value>>,
}

impl<'a> Filter<'a> {
    fn read(asked: &'a Asked<'_>) -> Self {
        let given = |name| asked.text(name).filter(|text: &&str| !text.is_empty());
        Self {
            branch: given("branch_name"),
            file: given("yml_file_path"),
            queue: given("queue_id"),
            kinds: asked.params.get("git_ref_types").and_then(Value::as_array),
        }
    }

    fn holds(&self, state: &State, it: &Pipeline) -> bool {
        let workflow = &state.workflows[it.workflow];
        self.branch.is_none_or(|b| b == workflow.branch_name)
            && self.file.is_none_or(|f| f == it.file)
            && self.queue.is_none_or(|q| q == state.queues[it.queue].id)
            && self
                .kinds
                .is_none_or(|k| k.contains(&json!(kind(&workflow.reference))))
    }
}

/// `PATCH /pipelines/:id`: only a JSON `true` counts.
pub(super) fn stop(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::Stop)?;
    if asked.params.get("terminate_request") != Some(&Value::Bool(true)) {
        return Err(said(
            400,
            "Value of 'terminate_request' field must be boolean value 'true'.",
        ));
    }
    state.stop_pipeline(found, asked.caller.origin());
    Ok(said(200, "Pipeline termination started."))
}

/// `POST /pipelines/:id/partial_rebuild`.
pub(super) fn rebuild(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::Run)?;
    let token = request_token(asked)?;
    let it = &state.pipelines[found];
    if !it.is_done() {
        return Err(said(
            400,
            "Only pipelines which are in done state can be partial rebuilt.",
        ));
    }
    if it.has_passed() {
        return Err(said(
            400,
            "Pipelines which passed can not be partial rebuilt.",
        ));
    }
    let new = state
        .rebuild(found, &token, asked.caller.origin())
        .map_err(|_| said(400, QUEUE_IS_FULL))?;
    Ok(body(
        200,
        &json!({"pipeline_id": state.pipelines[new].id, "message": ""}),
    ))
}

/// `GET /pipelines/:id/describe_topology`.
pub(super) fn topology(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::View)?;
    let it = &state.pipelines[found];
    let plan = it.plan.as_ref().filter(|_| it.initialized);
    let blocks: Vec<Value> = plan
        .iter()
        .flat_map(|plan| &plan.blocks)
        .map(|block| {
            let jobs: Vec<&str> = block.jobs.iter().map(|j| j.name.as_str()).collect();
            json!({"name": block.name, "jobs": jobs, "dependencies": block.needs})
        })
        .collect();
    Ok(body(200, &Value::Array(blocks)))
}
