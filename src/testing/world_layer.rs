//! One fragment of a world on its way into the whole: merging, and the short forms.

use serde_json::{Map, Value, json};

use super::world::Fragments;
use crate::diagnostic::Diagnostic;
use crate::playbook::{Mistakes, codes};

/// The folder in which Semaphore looks for pipelines.
const PIPELINES_FOLDER: &str = ".semaphore/";

/// The name of an item.
pub(super) fn named(item: &Value) -> &str {
    item.get("name").and_then(Value::as_str).unwrap_or_default()
}

/// A list of a map; made when there is none.
pub(super) fn list<'v>(of: &'v mut Value, key: &str) -> Option<&'v mut Vec<Value>> {
    let map = of.as_object_mut()?;
    map.entry(key).or_insert_with(|| json!([])).as_array_mut()
}

fn object<'v>(of: &'v mut Value, key: &str) -> Option<&'v mut Map<String, Value>> {
    let map = of.as_object_mut()?;
    map.entry(key).or_insert_with(|| json!({})).as_object_mut()
}

/// The item of a list that has this name; made when there is none.
fn item<'v>(items: &'v mut Vec<Value>, name: &str) -> Option<&'v mut Value> {
    let at = match items.iter().position(|item| named(item) == name) {
        Some(at) => at,
        None => {
            items.push(json!({ "name": name }));
            items.len() - 1
        }
    };
    items.get_mut(at)
}

/// Merges key by key; anything but two maps is replaced.
fn merge(to: &mut Value, from: Value) {
    match (to, from) {
        (Value::Object(to), Value::Object(from)) => {
            for (key, value) in from {
                match to.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => {
                        to.insert(key, value);
                    }
                }
            }
        }
        (to, from) => *to = from,
    }
}

/// The path of a pipeline file: a bare name stands in the usual folder.
fn path_of(name: &str) -> String {
    if name.contains('/') {
        name.to_owned()
    } else {
        format!("{PIPELINES_FOLDER}{name}")
    }
}

/// One fragment on its way into the whole.
pub(super) struct Layer<'a, 'y> {
    /// The name of the project that the world is about.
    pub(super) project: &'a str,
    pub(super) of: Fragments<'y>,
    pub(super) mistakes: &'a mut Mistakes,
}

impl Layer<'_, '_> {
    /// Lays the fragment over what is there.
    pub(super) fn lay(&mut self, whole: &mut Value, fragment: Value) {
        let Value::Object(fragment) = fragment else {
            return;
        };
        let mut own_project = Map::new();
        for (key, value) in fragment {
            match key.as_str() {
                "scenario" | "project" | "role" => {}
                "pipelines" | "references" | "tasks" => {
                    own_project.insert(key, value);
                }
                "projects" => {
                    for project in array(value) {
                        self.project(whole, project);
                    }
                }
                "people" | "faults" => {
                    let project = json!(self.project);
                    let items = array(value)
                        .into_iter()
                        .map(|item| of_project(item, &project));
                    if let Some(all) = list(whole, &key) {
                        all.extend(items);
                    }
                }
                "http" => {
                    // What is nearer to the case has the first word.
                    if let Some(all) = list(whole, &key) {
                        all.splice(0..0, array(value));
                    }
                }
                _ => {
                    if let Some(map) = whole.as_object_mut() {
                        merge(map.entry(key).or_insert_with(|| json!({})), value);
                    }
                }
            }
        }
        if !own_project.is_empty() {
            own_project.insert("name".to_owned(), json!(self.project));
            self.project(whole, Value::Object(own_project));
        }
    }

    fn project(&mut self, whole: &mut Value, fragment: Value) {
        let name = named(&fragment).to_owned();
        let (Some(projects), Value::Object(fragment)) = (list(whole, "projects"), fragment) else {
            return;
        };
        let Some(project) = item(projects, &name) else {
            return;
        };
        for (key, value) in fragment {
            match key.as_str() {
                "pipelines" => {
                    if let (Value::Object(files), Some(all)) = (value, object(project, "pipelines"))
                    {
                        for (file, pipeline) in files {
                            self.pipeline(all, &path_of(&file), pipeline);
                        }
                    }
                }
                "tasks" => {
                    if let Some(tasks) = list(project, "tasks") {
                        merge_named(tasks, array(value), |task| task);
                    }
                }
                _ => {
                    if let Some(map) = project.as_object_mut() {
                        merge(map.entry(key).or_insert(Value::Null), value);
                    }
                }
            }
        }
    }

    fn pipeline(&mut self, all: &mut Map<String, Value>, file: &str, fragment: Value) {
        let Value::Object(mut fragment) = fragment else {
            return;
        };
        let jobs = fragment.shift_remove("jobs");
        let promotions = fragment.shift_remove("promotions").map(array);
        let pipeline = all.entry(file).or_insert_with(|| json!({}));
        merge(pipeline, Value::Object(fragment));
        if let Some(Value::Object(jobs)) = jobs {
            self.jobs(pipeline, jobs);
        }
        let Some(promotions) = promotions else {
            return;
        };
        if let Some(known) = list(pipeline, "promotions") {
            merge_named(known, promotions, with_file);
        }
        let files: Vec<String> = list(pipeline, "promotions")
            .into_iter()
            .flatten()
            .filter_map(|promotion| promotion.get("pipeline_file")?.as_str().map(str::to_owned))
            .collect();
        for file in files {
            all.entry(file).or_insert_with(|| json!({}));
        }
    }

    /// Changes jobs of the blocks by name; a pipeline without blocks gets one.
    fn jobs(&mut self, pipeline: &mut Value, jobs: Map<String, Value>) {
        let Some(blocks) = list(pipeline, "blocks") else {
            return;
        };
        if blocks.is_empty() {
            let jobs: Vec<Value> = jobs
                .into_iter()
                .map(|(name, mut job)| {
                    merge(&mut job, json!({ "name": name }));
                    job
                })
                .collect();
            blocks.push(json!({ "name": "Block #1", "jobs": jobs }));
            return;
        }
        for (name, change) in jobs {
            let mut of_all = blocks
                .iter_mut()
                .filter_map(|block| block.get_mut("jobs")?.as_array_mut())
                .flatten();
            match of_all.find(|job| named(job) == name) {
                Some(job) => merge(job, change),
                None => self.no_such_job(blocks, &name),
            }
        }
    }

    fn no_such_job(&mut self, blocks: &[Value], name: &str) {
        let known: Vec<&str> = blocks
            .iter()
            .filter_map(|block| block.get("jobs")?.as_array())
            .flatten()
            .map(named)
            .collect();
        let listed: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let place = self.of.place_of(name).unwrap_or(self.of.place);
        self.mistakes.push(
            Diagnostic::error(
                codes::WRONG_WORD,
                place.clone(),
                format!(
                    "no block of this pipeline has a job `{}`",
                    crate::text::clean_line(name, 60)
                ),
            )
            .hint(format!(
                "its jobs are {}; with `blocks` you give it others",
                listed.join(", ")
            ))
            .nearest(name, known),
        );
    }
}

fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

fn merge_named(known: &mut Vec<Value>, more: Vec<Value>, made: impl Fn(Value) -> Value) {
    for fragment in more {
        let name = named(&fragment).to_owned();
        let is_new = !known.iter().any(|item| named(item) == name);
        if let Some(there) = item(known, &name) {
            merge(there, if is_new { made(fragment) } else { fragment });
            if let Some(file) = there.get("pipeline_file").and_then(Value::as_str) {
                there["pipeline_file"] = json!(path_of(file));
            }
        }
    }
}

/// A promotion that names no file starts the file of its own name.
fn with_file(mut promotion: Value) -> Value {
    if promotion.get("pipeline_file").is_none() {
        let name = crate::text::file_name(&named(&promotion).to_lowercase(), 80);
        promotion["pipeline_file"] = json!(path_of(&format!("{name}.yml")));
    }
    promotion
}

/// What somebody does is about the project of the world, when nothing else is said.
fn of_project(mut visit: Value, project: &Value) -> Value {
    let deed = match visit.get("do") {
        // Faults say `do` too, and know no project.
        Some(_) if visit.get("at").is_none() => return visit,
        Some(Value::String(word)) => json!({ word.clone(): {} }),
        Some(deed) => deed.clone(),
        None => return visit,
    };
    let mut deed = deed;
    for (_, target) in deed.as_object_mut().into_iter().flatten() {
        if let Some(target) = target.as_object_mut() {
            target.entry("project").or_insert_with(|| project.clone());
        }
    }
    visit["do"] = deed;
    visit
}
