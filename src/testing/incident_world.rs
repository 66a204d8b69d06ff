//! The world that a run saw, as a fragment over the empty scenario.

use std::collections::BTreeMap;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::incident::endpoint_of_write;
use crate::clock::millis_between;
use crate::duration::show;
use crate::event::{Event, Failure, FailureKind, Fate, Recorded};

/// All that was seen, by kind.
#[derive(Default)]
struct Seen {
    /// Names of projects by their id.
    projects: IndexMap<String, String>,
    /// The last description of each pipeline that showed its blocks, else of any.
    pipelines: IndexMap<String, Value>,
    /// Promotions by the pipeline they scheduled: the name, and whether the server triggered it.
    scheduled: IndexMap<String, (String, bool)>,
    /// Promotions that were refused: the pipeline, the name, why.
    refused: Vec<(String, String, String)>,
    tasks: IndexMap<String, Value>,
    /// Logs by the id of the job.
    logs: IndexMap<String, Value>,
    faults: Vec<Value>,
    /// Whether the token was not allowed to act.
    reader: bool,
}

/// The world of a run.
pub(super) fn world(events: &[Recorded]) -> Value {
    let seen = seen(events);
    let mut projects: IndexMap<String, Map<String, Value>> = IndexMap::new();
    for (id, name) in &seen.projects {
        projects.insert(id.clone(), project(name, id));
    }
    for pipeline in seen.pipelines.values() {
        let id = text(&pipeline["pipeline"], "project_id");
        let project = projects
            .entry(id.to_owned())
            .or_insert_with(|| project(id, id));
        reference(project, &pipeline["pipeline"]);
    }
    for (id, project) in &mut projects {
        let files = files(&seen, id);
        if !files.is_empty() {
            project.insert("pipelines".to_owned(), Value::Object(files));
        }
    }
    if let (Some(project), false) = (projects.values_mut().next(), seen.tasks.is_empty()) {
        let tasks: Vec<Value> = seen.tasks.values().cloned().collect();
        project.insert("tasks".to_owned(), Value::Array(tasks));
    }
    let mut world = Map::new();
    world.insert("scenario".to_owned(), json!("empty"));
    if let Some(first) = projects
        .values()
        .next()
        .and_then(|project| project.get("name"))
    {
        world.insert("project".to_owned(), first.clone());
    }
    if seen.reader {
        world.insert("role".to_owned(), json!("reader"));
    }
    let projects: Vec<Value> = projects.into_values().map(Value::Object).collect();
    world.insert("projects".to_owned(), Value::Array(projects));
    if !seen.faults.is_empty() {
        world.insert("faults".to_owned(), Value::Array(seen.faults));
    }
    Value::Object(world)
}

fn project(name: &str, id: &str) -> Map<String, Value> {
    let mut project = Map::new();
    project.insert("name".to_owned(), json!(name));
    if crate::ids::Id::parse(id).is_ok() {
        project.insert("id".to_owned(), json!(id));
    }
    project
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn seen(events: &[Recorded]) -> Seen {
    let mut seen = Seen::default();
    let start = events.first().map(|first| first.at.wall);
    // Of each call that is under way: its word, what it is about, its number among those of its endpoint.
    let mut calls: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut sent: BTreeMap<&str, u64> = BTreeMap::new();
    for recorded in events {
        match &recorded.event {
            Event::CallStarted {
                key, call, about, ..
            } => {
                if let Some(endpoint) = endpoint_of_write(call) {
                    *sent.entry(endpoint).or_default() += 1;
                }
                calls.insert(key.to_string(), (call.clone(), about.clone()));
            }
            Event::CallEnded { key, outcome } => {
                let Some((call, about)) = calls.remove(&key.to_string()) else {
                    continue;
                };
                match &outcome.result {
                    Ok(answer) => {
                        seen.answer(&call, &answer.value, answer.response.as_ref());
                    }
                    Err(failure) => {
                        let nth = endpoint_of_write(&call)
                            .map(|endpoint| (endpoint, sent.get(endpoint).copied().unwrap_or(1)));
                        seen.failure(&about, failure, nth, {
                            let after = |at| {
                                Duration::from_millis(
                                    start.map_or(0, |start| millis_between(start, at)),
                                )
                            };
                            (after(outcome.started_at), after(outcome.ended_at))
                        });
                    }
                }
            }
            _ => {}
        }
    }
    seen
}

impl Seen {
    fn answer(&mut self, call: &str, value: &Value, response: Option<&Value>) {
        match call {
            "resolve_project" => {
                let id = text(value, "id").to_owned();
                self.projects.insert(id, text(value, "name").to_owned());
            }
            "resolve_task" => {
                let names = value.get("parameters").and_then(Value::as_array);
                let parameters: Vec<Value> = names
                    .into_iter()
                    .flatten()
                    .map(|name| json!({ "name": name }))
                    .collect();
                let task = json!({
                    "name": text(value, "name"), "id": text(value, "id"),
                    "reference": text(value, "reference"), "parameters": parameters,
                });
                self.tasks.insert(text(value, "id").to_owned(), task);
            }
            "fetch_log" => {
                let id = text(value, "job_id").to_owned();
                self.logs.insert(id, value["failed_command"].clone());
            }
            _ => {}
        }
        if value.get("pipeline").is_some() {
            self.pipeline(value);
        }
        for replaced in array(&value["replaced"])
            .iter()
            .chain(array(&value["pipelines"]))
        {
            if replaced.get("pipeline").is_some() {
                self.pipeline(replaced);
            } else if !text(replaced, "pipeline_id").is_empty() {
                self.pipeline(&json!({ "pipeline": replaced }));
            }
        }
        for event in response.map_or(&[][..], array) {
            let child = text(event, "scheduled_pipeline_id");
            if !child.is_empty() {
                let by_server = crate::ids::Id::parse(text(event, "triggered_by")).is_err();
                let name = text(event, "name").to_owned();
                self.scheduled.insert(child.to_owned(), (name, by_server));
            }
        }
    }

    fn pipeline(&mut self, value: &Value) {
        let id = text(&value["pipeline"], "pipeline_id").to_owned();
        let better = |known: &Value| array(&value["blocks"]).len() >= array(&known["blocks"]).len();
        if self.pipelines.get(&id).is_none_or(better) {
            self.pipelines.insert(id, value.clone());
        }
    }

    /// A call that failed: a fault of the wire, a refusal, or nothing that a world can say.
    fn failure(
        &mut self,
        about: &str,
        failure: &Failure,
        nth: Option<(&'static str, u64)>,
        (from, until): (Duration, Duration),
    ) {
        let mishap = match failure.kind {
            FailureKind::Network if failure.fate == Fate::NotSent => json!("reset_before_acting"),
            FailureKind::Network | FailureKind::InvalidAnswer => json!("reset_after_acting"),
            FailureKind::Timeout => json!("hang"),
            FailureKind::Server => json!({ "answer": { "status": failure.status.unwrap_or(503) } }),
            FailureKind::AuthOutage => json!({ "answer": { "status": 403 } }),
            FailureKind::RateLimited => {
                let after = failure.retry_after_ms.unwrap_or(1_000).max(1_000);
                json!({ "rate_limit": show(Duration::from_millis(after)) })
            }
            FailureKind::Permission => {
                self.reader = true;
                return;
            }
            FailureKind::Refused => {
                if let Some((name, pipeline)) = promotion_of(about) {
                    self.refused.push((pipeline, name, failure.message.clone()));
                }
                return;
            }
            _ => return,
        };
        let rule = match nth {
            Some((endpoint, nth)) => json!({ "on": endpoint, "nth": nth, "do": mishap }),
            // Which look it was is not known, but when it was.
            None => json!({
                "on": "reads", "do": mishap, "from": show(from),
                "until": show(until + Duration::from_millis(1)),
            }),
        };
        self.faults.push(rule);
    }
}

/// Cuts `promotion NAME of pipeline ID`.
fn promotion_of(about: &str) -> Option<(String, String)> {
    let (name, pipeline) = about
        .strip_prefix("promotion ")?
        .rsplit_once(" of pipeline ")?;
    Some((name.to_owned(), pipeline.to_owned()))
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn reference(project: &mut Map<String, Value>, pipeline: &Value) {
    let (branch, commit) = (text(pipeline, "branch_name"), text(pipeline, "commit_sha"));
    let all = project.entry("references").or_insert_with(|| json!({}));
    if branch.is_empty() || commit.is_empty() {
        return;
    }
    let name = if branch.starts_with("refs/") {
        branch.to_owned()
    } else {
        format!("refs/heads/{branch}")
    };
    if let Some(all) = all.as_object_mut() {
        all.entry(name).or_insert_with(
            || json!({ "commit": commit, "message": text(pipeline, "commit_message") }),
        );
    }
}

/// The pipelines of a project by their file, each with its runs.
fn files(seen: &Seen, project: &str) -> Map<String, Value> {
    let mut by_file: IndexMap<&str, Vec<&Value>> = IndexMap::new();
    for pipeline in seen.pipelines.values() {
        let head = &pipeline["pipeline"];
        if text(head, "project_id") == project && !text(head, "pipeline_file").is_empty() {
            by_file
                .entry(text(head, "pipeline_file"))
                .or_default()
                .push(pipeline);
        }
    }
    let mut files = Map::new();
    for (file, mut runs) in by_file {
        runs.sort_by_key(|run| text(&run["pipeline"], "created_at").to_owned());
        files.insert(file.to_owned(), file_of(seen, &runs));
    }
    files
}

fn file_of(seen: &Seen, runs: &[&Value]) -> Value {
    let mut made = Map::new();
    let head = runs.first().map_or(&Value::Null, |run| &run["pipeline"]);
    made.insert("name".to_owned(), json!(text(head, "name")));
    let whole = runs.iter().max_by_key(|run| array(&run["blocks"]).len());
    let blocks = whole.map_or_else(Vec::new, |run| blocks(seen, run));
    if !blocks.is_empty() {
        made.insert("blocks".to_owned(), Value::Array(blocks));
    }
    match runs {
        [only] => made.extend(life(&only["pipeline"])),
        _ => {
            let changes: Vec<Value> = runs.iter().map(|run| change(seen, run)).collect();
            made.insert("runs".to_owned(), Value::Array(changes));
        }
    }
    let promotions = promotions(seen, runs);
    if !promotions.is_empty() {
        made.insert("promotions".to_owned(), Value::Array(promotions));
    }
    Value::Object(made)
}

/// How long a pipeline was in its states, and how it ended when its jobs do not say it.
fn life(pipeline: &Value) -> Map<String, Value> {
    let mut life = Map::new();
    let time = |key: &str| text(pipeline, key).parse::<Timestamp>().ok();
    let mut span = |key: &str, from: Option<Timestamp>, to: Option<Timestamp>| {
        if let (Some(from), Some(to)) = (from, to) {
            let took = Duration::from_millis(millis_between(from, to));
            life.insert(key.to_owned(), json!(show(took)));
        }
    };
    span("init", time("created_at"), time("pending_at"));
    span("queue", time("queuing_at"), time("running_at"));
    let result = text(pipeline, "result");
    let reason = text(pipeline, "reason");
    let by_jobs = result == "passed" || (result == "failed" && matches!(reason, "" | "test"));
    if !by_jobs && !result.is_empty() {
        span("run", time("running_at"), time("done_at"));
        life.insert("result".to_owned(), json!(result));
        if !reason.is_empty() {
            life.insert("reason".to_owned(), json!(reason));
        }
    }
    let error = text(pipeline, "error_description");
    if !error.is_empty() {
        life.insert("error".to_owned(), json!(error));
    }
    life
}

/// The blocks that ran, side by side: what needs what is not to be seen.
fn blocks(seen: &Seen, run: &Value) -> Vec<Value> {
    let ran = ran_for(&run["pipeline"]);
    array(&run["blocks"])
        .iter()
        .filter(|block| !array(&block["jobs"]).is_empty())
        .map(|block| {
            let jobs: Vec<Value> = array(&block["jobs"])
                .iter()
                .map(|job| {
                    let mut made = json!({ "name": text(job, "name"), "wait": "0s", "run": ran });
                    for (key, value) in job_change(seen, job) {
                        made[key] = value;
                    }
                    made
                })
                .collect();
            json!({ "name": text(block, "name"), "jobs": jobs })
        })
        .collect()
}

fn ran_for(pipeline: &Value) -> String {
    let seconds = pipeline.get("ran_for").and_then(Value::as_f64);
    show(Duration::from_millis(
        (seconds.unwrap_or(30.0).max(0.0) * 1_000.0) as u64,
    ))
}

fn job_change(seen: &Seen, job: &Value) -> Map<String, Value> {
    let mut change = Map::new();
    let result = text(job, "result");
    if matches!(result, "failed" | "stopped") {
        change.insert("result".to_owned(), json!(result));
    }
    if let Some(failed) = seen
        .logs
        .get(text(job, "job_id"))
        .filter(|log| log.is_object())
    {
        let lines: Vec<&str> = array(&failed["last_lines"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let code = failed.get("exit_code").cloned().unwrap_or(json!(1));
        change.insert("exit_code".to_owned(), code.clone());
        change.insert(
            "log".to_owned(),
            json!([{
                "command": text(failed, "command"),
                "output": lines.join("\n") + "\n",
                "exit_code": code,
            }]),
        );
    }
    change
}

/// What was special about one of several runs.
fn change(seen: &Seen, run: &Value) -> Value {
    let mut change = life(&run["pipeline"]);
    let mut jobs = Map::new();
    for job in array(&run["blocks"])
        .iter()
        .flat_map(|block| array(&block["jobs"]))
    {
        let mut of_job = job_change(seen, job);
        let result = if of_job.contains_key("result") {
            text(job, "result")
        } else {
            "passed"
        };
        of_job.insert("result".to_owned(), json!(result));
        of_job.insert("run".to_owned(), json!(ran_for(&run["pipeline"])));
        jobs.insert(text(job, "name").to_owned(), Value::Object(of_job));
    }
    if !jobs.is_empty() {
        change.insert("jobs".to_owned(), Value::Object(jobs));
    }
    Value::Object(change)
}

/// The promotions of a file: those that scheduled a pipeline, and those that were refused.
fn promotions(seen: &Seen, runs: &[&Value]) -> Vec<Value> {
    let mut found: IndexMap<String, Value> = IndexMap::new();
    let ids: Vec<&str> = runs
        .iter()
        .map(|run| text(&run["pipeline"], "pipeline_id"))
        .collect();
    for (child, (name, by_server)) in &seen.scheduled {
        let Some(pipeline) = seen.pipelines.get(child).map(|child| &child["pipeline"]) else {
            continue;
        };
        if !ids.contains(&text(pipeline, "promotion_of")) {
            continue;
        }
        let parameters: Vec<Value> = array(&pipeline["env_vars"])
            .iter()
            .map(|name| json!({ "name": name }))
            .collect();
        let mut made = json!({
            "name": name,
            "pipeline_file": text(pipeline, "pipeline_file"),
            "parameters": parameters,
        });
        if *by_server {
            made["auto"] = json!(["passed", "failed"]);
        }
        found.insert(name.clone(), made);
    }
    for (pipeline, name, why) in &seen.refused {
        if ids.contains(&pipeline.as_str()) && !found.contains_key(name) {
            let made = json!({ "name": name, "deployment_target": why });
            found.insert(name.clone(), made);
        }
    }
    found.into_values().collect()
}
