//! `/api/v1alpha/plumber-workflows`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::simulator::acts::Done;
use crate::simulator::http::Reply;
use crate::simulator::scenario::{Cue, default_file};
use crate::simulator::state::{NewWorkflow, Place, State, Workflow, WorkflowCause};

use super::access::{Permission, need};
use super::answers::{internal_error, json as body, not_found, said, something_went_wrong};
use super::pages::{Paging, paged};
use super::route::Asked;
use super::words::time_parts;

/// What a full queue says.
pub(super) const QUEUE_IS_FULL: &str = "Limit of queuing pipelines reached";

/// `POST /plumber-workflows`: the server makes its own token, so every call starts a workflow.
pub(super) fn run(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let project = match asked.params.get("project_id") {
        None | Some(Value::Null) => {
            let may = asked.caller.may(Permission::Run);
            return Err(if may {
                something_went_wrong()
            } else {
                not_found()
            });
        }
        Some(Value::String(id)) => state.project_by_id(id).ok_or_else(not_found)?,
        Some(_) => return Err(something_went_wrong()),
    };
    need(&asked.caller, state, project, Permission::Run)?;
    let reference = optional_text(&asked.params, "reference")?;
    let commit_sha = optional_text(&asked.params, "commit_sha")?;
    let file = optional_text(&asked.params, "pipeline_file")?;
    let parameters = parameters(&asked.params)?;
    if reference.is_empty() {
        return Err(said(
            400,
            "{:error, :ppl_req, #Ecto.Changeset<action: :insert, errors: [request_args: {\"Missing field 'branch_name'\", []}], valid?: false>, %{}}",
        ));
    }
    let new = NewWorkflow {
        project,
        reference,
        commit_sha,
        file: if file.is_empty() {
            default_file()
        } else {
            file
        },
        parameters,
        cause: WorkflowCause::Api,
        requester: asked.caller.user.clone(),
        rerun_of: String::new(),
    };
    let started = state
        .start_workflow(new.clone())
        .map_err(|_| said(400, QUEUE_IS_FULL))?;
    let workflow_id = state.workflows[started.workflow].id.clone();
    let pipeline_id = state.pipelines[started.pipeline].id.clone();
    let deed = Done::RunWorkflow {
        project_id: state.project_id(project).to_owned(),
        reference: new.reference,
        pipeline_file: new.file,
        workflow_id: workflow_id.clone(),
        pipeline_id: pipeline_id.clone(),
    };
    state.record(asked.caller.origin(), deed, None, &new.parameters);
    state.cue(Cue::RunWorkflow);
    Ok(body(
        200,
        &json!({"workflow_id": workflow_id, "pipeline_id": pipeline_id}),
    ))
}

fn optional_text(params: &Map<String, Value>, name: &str) -> Result<String, Reply> {
    match params.get(name) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(something_went_wrong()),
    }
}

/// Names to texts; null counts as empty.
fn parameters(params: &Map<String, Value>) -> Result<Vec<(String, String)>, Reply> {
    match params.get("parameters") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => map
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => Ok((name.clone(), text.clone())),
                Value::Null => Ok((name.clone(), String::new())),
                _ => Err(internal_error()),
            })
            .collect(),
        Some(_) => Err(something_went_wrong()),
    }
}

/// The workflow in the path, when the caller may do this with it.
fn allowed(
    state: &State,
    asked: &Asked<'_>,
    permission: Permission,
) -> Result<Place<Workflow>, Reply> {
    let found = state.workflow(&asked.id).ok_or_else(not_found)?;
    let project = state.workflows[found].project;
    need(&asked.caller, state, project, permission)?;
    Ok(found)
}

/// `GET /plumber-workflows/:id`.
pub(super) fn describe(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let found = allowed(state, asked, Permission::View)?;
    let cause = match state.workflows[found].cause {
        WorkflowCause::Hook => json!("HOOK"),
        WorkflowCause::Api => json!("API"),
        WorkflowCause::ManualRun => json!("MANUAL_RUN"),
    };
    Ok(body(200, &json!({"workflow": view(state, found, cause)})))
}

/// The number of a cause.
pub(super) fn cause_number(cause: WorkflowCause) -> u8 {
    match cause {
        WorkflowCause::Hook => 0,
        WorkflowCause::Api => 2,
        WorkflowCause::ManualRun => 3,
    }
}

fn view(state: &State, place: Place<Workflow>, triggered_by: Value) -> Value {
    let workflow = &state.workflows[place];
    let commit = workflow.commit.as_ref();
    let first = workflow.pipelines.first().map(|p| &state.pipelines[*p].id);
    json!({
        "wf_id": workflow.id,
        "triggered_by": triggered_by,
        "rerun_of": workflow.rerun_of,
        "requester_id": workflow.requester,
        "repository_id": "",
        "project_id": state.project_id(workflow.project),
        "organization_id": state.scenario.organization.id,
        "initial_ppl_id": first,
        "hook_id": commit.map_or("", |c| &c.hook_id),
        "created_at": time_parts(Some(workflow.created_at)),
        "commit_sha": commit.map_or("", |c| &c.sha),
        "branch_name": workflow.branch_name,
        "branch_id": commit.map_or("", |c| &c.branch_id),
    })
}

/// `GET /plumber-workflows`.
pub(super) fn list(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let project = asked
        .text("project_id")
        .and_then(|id| state.project_by_id(id))
        .ok_or_else(not_found)?;
    need(&asked.caller, state, project, Permission::View)?;
    let window = Window::read(&asked.params, "created")?;
    let until = visible_until(state, asked);
    let kinds = asked.params.get("git_ref_types").and_then(Value::as_array);
    let mut found: Vec<Place<Workflow>> = Vec::new();
    let all = state.of_project(project).map(|of| of.workflows.as_slice());
    for place in all.unwrap_or_default().iter().rev() {
        let workflow = &state.workflows[*place];
        let fits = workflow.created_at <= until
            && window.holds(workflow.created_at)
            && asked
                .text("branch_name")
                .is_none_or(|name| name.is_empty() || name == workflow.branch_name)
            && asked
                .text("requester_id")
                .is_none_or(|id| id.is_empty() || id == workflow.requester)
            && kinds.is_none_or(|kinds| kinds.contains(&json!(kind(&workflow.reference))));
        if fits {
            found.push(*place);
        }
    }
    if window.is_contradictory() {
        found.clear();
    }
    let view = |place: &Place<Workflow>| {
        let cause = cause_number(state.workflows[*place].cause);
        view(state, *place, json!(cause))
    };
    let paging = Paging::lenient(&asked.params, 30);
    Ok(paged(asked.request, &asked.params, paging, (&found, view)))
}

/// The kind of a reference in the server's words.
pub(super) fn kind(reference: &str) -> &'static str {
    if reference.starts_with("refs/tags/") {
        "TAG"
    } else if reference.starts_with("refs/pull/") {
        "PR"
    } else {
        "BRANCH"
    }
}

/// Up to when a list knows what happened.
pub(super) fn visible_until(state: &State, asked: &Asked<'_>) -> Timestamp {
    jiff::SignedDuration::try_from(asked.lag)
        .ok()
        .and_then(|lag| state.now().saturating_sub(lag).ok())
        .unwrap_or_else(|| state.now())
}

/// A span of time in unix seconds, both ends left out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    after: Option<i64>,
    before: Option<i64>,
}

impl Window {
    /// Reads `<word>_after` and `<word>_before`; what is no number is an exception of the server.
    pub(super) fn read(params: &Map<String, Value>, word: &str) -> Result<Self, Reply> {
        let number = |name: String| match params.get(&name) {
            None => Ok(None),
            Some(Value::String(text)) => text
                .parse::<i64>()
                .map(Some)
                .map_err(|_| something_went_wrong()),
            Some(Value::Number(number)) => Ok(number.as_i64()),
            Some(_) => Err(something_went_wrong()),
        };
        Ok(Self {
            after: number(format!("{word}_after"))?,
            before: number(format!("{word}_before"))?,
        })
    }

    /// Whether it can hold nothing.
    pub(super) fn is_contradictory(&self) -> bool {
        matches!((self.after, self.before), (Some(after), Some(before)) if after >= before)
    }

    /// Whether it says nothing.
    pub(super) fn is_open(&self) -> bool {
        self.after.is_none() && self.before.is_none()
    }

    /// Whether a time lies in it.
    pub(super) fn holds(&self, at: Timestamp) -> bool {
        let second = |s: i64| Timestamp::from_second(s).unwrap_or(Timestamp::MAX);
        self.after.is_none_or(|after| at > second(after))
            && self.before.is_none_or(|before| at < second(before))
    }
}

/// `POST /plumber-workflows/:id/reschedule`.
pub(super) fn rerun(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let old = allowed(state, asked, Permission::Run)?;
    let token = request_token(asked)?;
    let started = state
        .rerun(old, &token, asked.caller.origin())
        .map_err(|_| {
            body(
                400,
                &json!({"code": "RESOURCE_EXHAUSTED", "message": QUEUE_IS_FULL}),
            )
        })?;
    Ok(body(
        200,
        &json!({
            "wf_id": state.workflows[started.workflow].id,
            "ppl_id": state.pipelines[started.pipeline].id,
        }),
    ))
}

/// The token that rerun and rebuild need.
pub(super) fn request_token(asked: &Asked<'_>) -> Result<String, Reply> {
    asked
        .text("request_token")
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .ok_or_else(|| said(400, "Missing required post parameter request_token."))
}

/// `POST /plumber-workflows/:id/terminate`.
pub(super) fn stop(state: &mut State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let workflow = allowed(state, asked, Permission::Stop)?;
    let open = state.stop_workflow(workflow, asked.caller.origin());
    Ok(said(
        200,
        &format!("Termination started for {open} pipelines."),
    ))
}
