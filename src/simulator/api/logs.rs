//! Logs: of hosted jobs, of jobs on our own agents, as an artifact, and the page of the web UI.

use serde_json::{Value, json};

use crate::simulator::http::{Reply, Request};
use crate::simulator::params::from_pairs;
use crate::simulator::state::{Job, State};

use super::access::{Permission, gate, host_name};
use super::answers::{bare, html, not_found, plain as plain_text, raw_json, redirect, said, text};
use super::log_events::{as_text, events as events_of, glued, no_log};
use super::route::Asked;

/// How many events one page of the self-hosted logs holds.
const EVENTS_PER_PAGE: usize = 1_000;

/// `GET /api/v1alpha/logs/:job_id`.
pub(super) fn events(state: &State, asked: &Asked<'_>) -> Result<Reply, Reply> {
    let Some(found) = state.job(&asked.id) else {
        return Err(said(404, &format!("Job with id {} not found", asked.id)));
    };
    let job = &state.jobs[found];
    let project = state.pipelines[job.pipeline].project;
    if state.project(project).is_none_or(|p| p.foreign) {
        return Err(not_found());
    }
    let denied = || text(401, "Permission denied");
    if !asked.caller.may(Permission::View) {
        return Err(denied());
    }
    let original = original(state, job);
    let wants_artifact = asked
        .text("artifact_job_logs")
        .is_some_and(|word| ["1", "true", "yes"].contains(&word));
    if wants_artifact {
        if !asked.caller.may(Permission::Artifacts) {
            return Err(denied());
        }
        let host = asked.request.get("host").unwrap_or("localhost");
        let place = format!(
            "http://{host}/_signed/artifacts/jobs/{}/agent/job_logs.txt",
            original.id
        );
        return Ok(redirect(302, &place));
    }
    if let Some(why) = no_log(original) {
        return Err(said(404, &why));
    }
    if job.plan.self_hosted {
        let origin = self_hosted_origin(state, asked.request);
        let jwt = jwt(state, &original.id);
        let place = format!("{origin}/api/v1/logs/{}?jwt={jwt}", original.id);
        return Ok(redirect(302, &place));
    }
    Ok(raw_json(200, &glued(original, &events_of(state, original))))
}

/// The job whose log it is: a job that a rebuild took over has the log of the first one.
fn original<'a>(state: &'a State, job: &'a Job) -> &'a Job {
    job.copy_of.map_or(job, |place| &state.jobs[place])
}

/// The real server says `https` and loses the port.
fn self_hosted_origin(state: &State, request: &Request) -> String {
    let host = request.get("host").unwrap_or("localhost");
    if state.scenario.server.redirects_keep_origin {
        format!("http://{host}")
    } else {
        format!("https://{}", host_name(host))
    }
}

/// The secret in the address of a self-hosted log.
fn jwt(state: &State, job: &str) -> String {
    format!("simulated.{}.jwt", state.id_of(&["jwt", job]))
}

/// `GET /api/v1/logs/:job_id?jwt=…`: pages of events; `next` is null when the job is over.
pub(super) fn self_hosted(state: &State, request: &Request, id: &str) -> Reply {
    let params = from_pairs(&request.query);
    let text_of = |name: &str| params.get(name).and_then(Value::as_str);
    if text_of("jwt") != Some(jwt(state, id).as_str()) {
        return bare(401, "Unauthorized");
    }
    let Some(found) = state.job(id) else {
        return bare(404, &format!("Logs for {id} not found"));
    };
    let job = &state.jobs[found];
    let all = events_of(state, job);
    if all.is_empty() {
        return bare(404, &format!("Logs for {id} not found"));
    }
    if text_of("raw") == Some("true") {
        return plain_text(200, &as_text(&all));
    }
    let first = match text_of("token").map(str::parse::<usize>) {
        None => 0,
        Some(Ok(first)) => first,
        Some(Err(_)) => return bare(400, "bad token"),
    };
    let shown: Vec<&Value> = all.iter().skip(first).take(EVENTS_PER_PAGE).collect();
    let read = first + shown.len();
    let over = job.finished.is_some() && read >= all.len();
    let next = if over { Value::Null } else { json!(read) };
    raw_json(200, &json!({"events": shown, "next": next}).to_string())
}

/// The object store: it refuses what carries an API token, as real ones do.
pub(super) fn artifact(state: &State, request: &Request, id: &str) -> Reply {
    if request.get("authorization").is_some() {
        return bare(400, "<Error><Code>InvalidArgument</Code></Error>");
    }
    match state.job(id) {
        Some(found) => plain_text(200, &as_text(&events_of(state, &state.jobs[found]))),
        None => bare(404, "<Error><Code>NoSuchKey</Code></Error>"),
    }
}

/// `GET /jobs/:job_id/plain_logs.json`: a page of the web UI, where an API token counts only when the
/// organization says so, and JSON is not acceptable.
pub(super) fn plain(state: &State, request: &Request, id: &str) -> Reply {
    if let Err(refused) = gate(state, request) {
        return refused;
    }
    let accepts = request.get("accept").unwrap_or("*/*");
    if !accepts.contains("*/*") && !accepts.contains("text/html") {
        return bare(406, "");
    }
    let known = state.scenario.server.api_token_in_ui;
    let caller = super::access::caller(state, request).ok();
    let job = state.job(id).map(|place| &state.jobs[place]);
    let (true, Some(caller), Some(job)) = (known, caller, job) else {
        return html(404, "<html><body>404</body></html>");
    };
    let project = state.pipelines[job.pipeline].project;
    if !caller.may_in(state, project, Permission::View) {
        return html(404, "<html><body>404</body></html>");
    }
    let original = original(state, job);
    if no_log(original).is_some() {
        return redirect(302, &format!("/jobs/{id}"));
    }
    if job.plan.self_hosted {
        let origin = self_hosted_origin(state, request);
        let jwt = jwt(state, &original.id);
        let place = format!("{origin}/api/v1/logs/{}?jwt={jwt}&raw=true", original.id);
        return redirect(307, &place);
    }
    plain_text(200, &as_text(&events_of(state, original)))
}
