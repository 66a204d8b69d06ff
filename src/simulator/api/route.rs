//! Which endpoint a request is for, and the way through the gate to it.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::simulator::http::{Reply, Request};
use crate::simulator::params::{self, BadBody};
use crate::simulator::state::State;

use super::access::{self, Caller};
use super::answers::{bare, gateway_error, message, oops, text};
use super::{jobs, logs, pipelines, projects, promotions, tasks, troubleshoot, workflows};

/// An endpoint with the id in its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulator) struct Endpoint {
    name: &'static str,
    id: String,
}

impl Endpoint {
    /// The name that fault rules use.
    pub(in crate::simulator) fn name(&self) -> &'static str {
        self.name
    }
}

/// Which server answers what is no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum NoEndpoint {
    /// The API server: `oops`.
    Plumber,
    /// The gateway of the jobs: a method that is not there.
    Gateway,
    /// The projects' server.
    Projects,
    /// The web UI: a page.
    Front,
}

/// A request on its way to its endpoint.
pub(super) struct Asked<'a> {
    pub(super) request: &'a Request,
    /// The id in the path, decoded.
    pub(super) id: String,
    /// Query and body as one map.
    pub(super) params: Map<String, Value>,
    pub(super) caller: Caller,
    /// How far lists lag behind.
    pub(super) lag: Duration,
}

impl Asked<'_> {
    /// A parameter that is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.params.get(name).and_then(Value::as_str)
    }
}

/// The name and the id of the endpoint that a request is for, as fault rules name it.
pub fn endpoint_of(request: &Request) -> Option<(&'static str, String)> {
    route(request).ok().map(|found| (found.name, found.id))
}

/// Finds the endpoint.
pub(in crate::simulator) fn route(request: &Request) -> Result<Endpoint, NoEndpoint> {
    let segments: Vec<String> = request
        .path
        .split('/')
        .filter(|s| !s.is_empty())
        .map(|s| percent_decode_str(s).decode_utf8_lossy().into_owned())
        .collect();
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let found = |name: &'static str, id: &str| {
        Ok(Endpoint {
            name,
            id: id.to_owned(),
        })
    };
    match parts.as_slice() {
        ["api", "v1alpha", rest @ ..] => in_v1alpha(&request.method, rest),
        ["api", "v1", "logs", id] if request.method == "GET" => found("self_hosted_logs", id),
        ["jobs", id, "plain_logs.json" | "plain_logs.txt"] if request.method == "GET" => {
            found("plain_logs", id)
        }
        ["_signed", "artifacts", "jobs", id, "agent", "job_logs.txt"]
            if request.method == "GET" =>
        {
            found("artifact_log", id)
        }
        _ => Err(NoEndpoint::Front),
    }
}

fn in_v1alpha(method: &str, rest: &[&str]) -> Result<Endpoint, NoEndpoint> {
    let (name, id) = match (method, rest) {
        ("POST", ["plumber-workflows"]) => ("run_workflow", ""),
        ("GET", ["plumber-workflows"]) => ("list_workflows", ""),
        ("GET", ["plumber-workflows", id]) => ("describe_workflow", *id),
        ("POST", ["plumber-workflows", id, "reschedule"]) => ("rerun_workflow", *id),
        ("POST", ["plumber-workflows", id, "terminate"]) => ("stop_workflow", *id),
        ("GET", ["pipelines"]) => ("list_pipelines", ""),
        ("GET", ["pipelines", id]) => ("describe_pipeline", *id),
        ("PATCH", ["pipelines", id]) => ("stop_pipeline", *id),
        ("POST", ["pipelines", id, "partial_rebuild"]) => ("rebuild_pipeline", *id),
        ("GET", ["pipelines", id, "describe_topology"]) => ("describe_topology", *id),
        ("GET", ["promotions"]) => ("list_promotions", ""),
        ("POST", ["promotions"]) => ("promote", ""),
        ("GET", ["jobs"]) => ("list_jobs", ""),
        ("GET", ["jobs", id]) => ("describe_job", *id),
        ("POST", ["jobs", id, "stop"]) => ("stop_job", *id),
        ("GET", ["logs", id]) => ("logs", *id),
        ("GET", ["projects"]) => ("list_projects", ""),
        ("GET", ["projects", name]) => ("describe_project", *name),
        ("GET", ["tasks" | "schedules"]) => ("list_tasks", ""),
        ("GET", ["tasks" | "schedules", id]) => ("describe_task", *id),
        ("POST", ["tasks" | "schedules", id, "run_now"]) => ("run_task", *id),
        ("GET", ["troubleshoot", "job", id]) => ("troubleshoot_job", *id),
        ("GET", ["troubleshoot", "workflow", id]) => ("troubleshoot_workflow", *id),
        ("GET", ["troubleshoot", "pipeline", id]) => ("troubleshoot_pipeline", *id),
        (_, ["jobs", ..]) => return Err(NoEndpoint::Gateway),
        (_, ["projects", ..]) => return Err(NoEndpoint::Projects),
        (
            _,
            [
                "plumber-workflows" | "pipelines" | "promotions" | "logs" | "tasks" | "schedules"
                | "troubleshoot",
                ..,
            ],
        ) => return Err(NoEndpoint::Plumber),
        _ => return Err(NoEndpoint::Front),
    };
    Ok(Endpoint {
        name,
        id: id.to_owned(),
    })
}

/// Answers a request; lists lag behind so far.
pub(in crate::simulator) fn answer(state: &mut State, request: &Request, lag: Duration) -> Reply {
    let mut reply = whole_answer(state, request, lag);
    if request.method == "HEAD" {
        reply.body.clear();
    }
    reply
}

fn whole_answer(state: &mut State, request: &Request, lag: Duration) -> Reply {
    if let Err(refused) = access::gate(state, request) {
        return refused;
    }
    let endpoint = match route(request) {
        Ok(endpoint) => endpoint,
        Err(NoEndpoint::Front) => return front(),
        Err(other) => match access::caller(state, request) {
            Err(refused) => return refused,
            Ok(_) => return nowhere(other),
        },
    };
    match endpoint.name {
        "self_hosted_logs" => return logs::self_hosted(state, request, &endpoint.id),
        "artifact_log" => return logs::artifact(state, request, &endpoint.id),
        "plain_logs" => return logs::plain(state, request, &endpoint.id),
        _ => {}
    }
    let caller = match access::caller(state, request) {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let params = match params::merged(request) {
        Ok(params) => params,
        Err(BadBody::Malformed(why)) => {
            return text(400, &format!("Malformed request: {}", html_escaped(&why)));
        }
    };
    let asked = Asked {
        request,
        id: endpoint.id,
        params,
        caller,
        lag,
    };
    handled(state, endpoint.name, &asked).unwrap_or_else(|refused| refused)
}

fn handled(state: &mut State, name: &str, asked: &Asked<'_>) -> Result<Reply, Reply> {
    match name {
        "run_workflow" => workflows::run(state, asked),
        "list_workflows" => workflows::list(state, asked),
        "describe_workflow" => workflows::describe(state, asked),
        "rerun_workflow" => workflows::rerun(state, asked),
        "stop_workflow" => workflows::stop(state, asked),
        "list_pipelines" => pipelines::list(state, asked),
        "describe_pipeline" => pipelines::describe(state, asked),
        "stop_pipeline" => pipelines::stop(state, asked),
        "rebuild_pipeline" => pipelines::rebuild(state, asked),
        "describe_topology" => pipelines::topology(state, asked),
        "list_promotions" => promotions::list(state, asked),
        "promote" => promotions::trigger(state, asked),
        "list_jobs" => jobs::list(state, asked),
        "describe_job" => jobs::describe(state, asked),
        "stop_job" => jobs::stop(state, asked),
        "logs" => logs::events(state, asked),
        "list_projects" => projects::list(state, asked),
        "describe_project" => projects::describe(state, asked),
        "list_tasks" => tasks::list(state, asked),
        "describe_task" => tasks::describe(state, asked),
        "run_task" => tasks::run_now(state, asked),
        "troubleshoot_job" => troubleshoot::job(state, asked),
        "troubleshoot_workflow" => troubleshoot::workflow(state, asked),
        "troubleshoot_pipeline" => troubleshoot::pipeline(state, asked),
        _ => Ok(oops()),
    }
}

fn nowhere(which: NoEndpoint) -> Reply {
    match which {
        NoEndpoint::Plumber => oops(),
        NoEndpoint::Gateway => gateway_error(501, 12, "Method Not Allowed"),
        NoEndpoint::Projects => message(404, "Not found"),
        NoEndpoint::Front => front(),
    }
}

fn front() -> Reply {
    let mut reply = bare(404, "<html><body>404</body></html>");
    reply
        .headers
        .push(("content-type".to_owned(), "text/html".to_owned()));
    reply
}

fn html_escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
