//! The answers of the real server, played against the simulator.
//!
//! `tests/fixtures/recorded-server` holds what the server answered, in the order it was asked. Here the
//! same world is set up, the same requests are sent, and the answers are compared: status, names of
//! headers, and every value that is neither an id nor a time. An id stands for the same thing
//! throughout: where a recorded answer first showed one, ours shows its counterpart.

use std::collections::BTreeMap;
use std::path::Path;

use runner::diagnostic::Source;
use runner::simulator::{Reply, Request, Scenario};
use serde::Deserialize;
use serde_json::Value;

use super::support::{PROJECT, World, word};

#[derive(Deserialize)]
struct Exchange {
    name: String,
    request: Asked,
    answer: Answer,
}

#[derive(Deserialize)]
struct Asked {
    method: String,
    target: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

#[derive(Deserialize)]
struct Answer {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    json: Option<Value>,
    text: Option<String>,
    /// Of a long body only the beginning was kept.
    beginning: Option<String>,
}

/// The files in the order they were recorded.
const FILES: [&str; 9] = [
    "auth",
    "run-workflow",
    "workflows",
    "pipelines",
    "stop",
    "rerun",
    "promotions",
    "logs",
    "other",
];

/// What is not compared, and why.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exempt {
    /// Nothing: the request is not sent.
    All,
    /// The body.
    Body,
    /// Values in the body, but its keys and types are.
    Values,
    /// One value in the body.
    Value(&'static str),
}

/// Exchanges by file and name.
const EXEMPT: [(&str, Exempt, &str); 8] = [
    (
        "other/YAML ok (real validator)",
        Exempt::All,
        "the runner never checks pipeline files on the server, so there is no such endpoint",
    ),
    ("other/YAML ok", Exempt::All, "as above"),
    ("other/YAML bad", Exempt::All, "as above"),
    ("other/YAML missing", Exempt::All, "as above"),
    (
        "other/path of no service",
        Exempt::Body,
        "the recording's web UI was a stand-in that says so in its body",
    ),
    (
        "other/Link header with the production Host",
        Exempt::Values,
        "the recorded world had other pipelines on this page by then",
    ),
    (
        "other/job describe (hand-made imitation of the Go gateway)",
        Exempt::Values,
        "an imitation in the recording; ours has the commands and one more variable",
    ),
    (
        "other/troubleshoot job",
        Exempt::Value(".pipeline.partially_rerun_by"),
        "the recording's backend did not remember the rebuild; the real code sets it",
    ),
];

/// What happens in the world before an exchange.
enum Before {
    /// Time goes by.
    Pass(f64),
    /// A workflow starts: recorded workflow and pipeline, reference, file.
    Start(&'static str, &'static str, &'static str, &'static str),
    /// A recorded job is the one of this name in this recorded pipeline.
    Job(&'static str, &'static str, &'static str),
}

const SEMAPHORE: &str = ".semaphore/semaphore.yml";

fn before(exchange: &str) -> Vec<Before> {
    use Before::{Job, Pass, Start};
    match exchange {
        "run-workflow/11th pipeline in one queue" => (0..10)
            .map(|_| Start("", "", "refs/heads/crowd", SEMAPHORE))
            .collect(),
        "workflows/describe" => vec![Pass(60.0)],
        "pipelines/running, detailed (a running job says result PASSED: enum default)" => vec![
            Start(
                "9fa28c24-3bbe-42ef-9704-0f0033261604",
                "544f6f61-1ce3-4b49-9508-204884f5d031",
                "refs/heads/hang-1",
                SEMAPHORE,
            ),
            Start(
                "83938923-08b3-4f68-ba8d-073a2890d188",
                "c4778d58-324c-401f-a8e9-65f3625f0310",
                "refs/heads/fail-1",
                SEMAPHORE,
            ),
            Start("", "", "refs/heads/nosuch-file", ".semaphore/nosuch.yml"),
            Pass(10.0),
        ],
        "stop/PATCH again, pipeline already done" => vec![Pass(5.0)],
        "stop/terminate workflow" => vec![Start(
            "3f3bc151-eee6-4148-a418-426836a2e55a",
            "",
            "refs/heads/slow-1",
            SEMAPHORE,
        )],
        "stop/terminate workflow, nothing left" => vec![Pass(5.0)],
        "rerun/partial rebuild of one not done" => vec![
            Start(
                "",
                "015f4332-ba02-45a2-a235-1c5562a45e7d",
                "refs/heads/hang-2",
                SEMAPHORE,
            ),
            Pass(3.0),
        ],
        "promotions/list a moment later" | "promotions/list by name" => vec![Pass(0.5)],
        "promotions/pipeline still initializing (no switch yet): 500" => vec![Start(
            "",
            "4f221eb2-8fe1-4fe8-8aeb-55f763200c45",
            "refs/heads/slow-2",
            SEMAPHORE,
        )],
        "promotions/auto promotion (triggered_by is a sentence)" => vec![
            Start(
                "",
                "0b721ad3-4767-49cd-b53e-c3eaa35fae48",
                "refs/heads/auto",
                ".semaphore/canary.yml",
            ),
            Pass(10.0),
        ],
        "logs/job of a self-hosted agent: redirect (always https, host without its port)" => vec![
            Start(
                "",
                "self-hosted",
                "refs/heads/own",
                ".semaphore/self-hosted.yml",
            ),
            Pass(10.0),
            Job(
                "443a36cb-3647-4530-ba10-7b1762f6d765",
                "self-hosted",
                "work",
            ),
        ],
        _ => Vec::new(),
    }
}

/// The simulated world and which of its ids stands for which recorded one.
struct Play {
    world: World,
    ids: BTreeMap<String, String>,
    mistakes: Vec<String>,
    exchange: String,
    exempt_value: &'static str,
}

impl Play {
    fn new() -> Self {
        let path = fixtures().join("scenarios/recorded.yml");
        let source = Source::new("recorded.yml", std::fs::read_to_string(path).unwrap());
        Self {
            world: World::of(Scenario::parse(&source).unwrap_or_else(|e| panic!("{e:?}"))),
            ids: BTreeMap::new(),
            mistakes: Vec::new(),
            exchange: String::new(),
            exempt_value: "",
        }
    }

    fn wrong(&mut self, what: impl std::fmt::Display) {
        self.mistakes.push(format!("{}: {what}", self.exchange));
    }

    /// A recorded text in our ids.
    fn ours(&self, recorded: &str) -> String {
        self.ids
            .iter()
            .fold(recorded.to_owned(), |text, (theirs, ours)| {
                text.replace(theirs, ours)
            })
    }

    fn prepare(&mut self, step: &Before) {
        match *step {
            Before::Pass(seconds) => self.world.pass(seconds),
            Before::Start(workflow, pipeline, reference, file) => {
                let reply = self.world.post(
                    "/plumber-workflows",
                    &serde_json::json!({
                        "project_id": PROJECT, "reference": reference, "pipeline_file": file,
                    }),
                );
                let body = reply.json().unwrap();
                for (theirs, key) in [(workflow, "workflow_id"), (pipeline, "pipeline_id")] {
                    if !theirs.is_empty() {
                        self.ids.insert(theirs.to_owned(), word(&body[key]));
                    }
                }
            }
            Before::Job(theirs, pipeline, name) => {
                let pipeline = self.ids[pipeline].clone();
                let described = self.world.pipeline(&pipeline);
                let jobs = described["blocks"].as_array().unwrap().iter();
                let job = jobs
                    .flat_map(|block| block["jobs"].as_array().unwrap())
                    .find(|job| job["name"] == name)
                    .unwrap();
                self.ids.insert(theirs.to_owned(), word(&job["job_id"]));
            }
        }
    }

    fn send(&mut self, asked: &Asked) -> Reply {
        let mut request = Request::new(&asked.method, &self.ours(&asked.target));
        let mut headers = asked.headers.clone();
        headers
            .entry("Host".to_owned())
            .or_insert_with(|| "127.0.0.1:4080".to_owned());
        if self.exchange != "auth/no token" {
            headers
                .entry("Authorization".to_owned())
                .or_insert_with(|| "Token admin-token".to_owned());
        }
        request.headers = headers.into_iter().collect();
        request.body = self.ours(&asked.body).into_bytes();
        self.world.send(request)
    }

    fn compare(&mut self, recorded: &Answer, reply: &Reply, exempt: Option<Exempt>) {
        if recorded.status != reply.status {
            self.wrong(format!("status {} is {}", recorded.status, reply.status));
        }
        self.compare_headers(recorded, reply);
        if exempt == Some(Exempt::Body) {
            return;
        }
        let values = exempt != Some(Exempt::Values);
        self.exempt_value = match exempt {
            Some(Exempt::Value(at)) => at,
            _ => "",
        };
        if let Some(theirs) = &recorded.json {
            match reply.json() {
                Some(ours) => self.compare_json("", (theirs, &ours), values),
                None => self.wrong(format!("the body is no JSON: {}", reply.text())),
            }
        }
        if let Some(theirs) = &recorded.text {
            let (theirs, ours) = (self.ours(theirs), reply.text());
            // An HTML page of the recording ends with a newline or not.
            if theirs.trim_end() != ours.trim_end() {
                self.wrong(format!("the body `{theirs}` is `{ours}`"));
            }
        }
        if let Some(theirs) = &recorded.beginning {
            // Enough to show the kind of the body and its first key.
            let first_key = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
            let ours = reply.text();
            if first_key(theirs) != first_key(&ours) {
                self.wrong(format!("the body begins with {}", first_key(&ours)));
            }
        }
    }

    fn compare_headers(&mut self, recorded: &Answer, reply: &Reply) {
        // The recording left this one out; it stands on every answer of the v1alpha servers.
        let names: Vec<&str> = reply
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| *name != "cache-control")
            .collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if !recorded.headers.keys().eq(sorted.iter()) {
            let theirs: Vec<&String> = recorded.headers.keys().collect();
            self.wrong(format!("headers {theirs:?} are {sorted:?}"));
        }
        for (name, theirs) in &recorded.headers {
            let ours = reply.get(name).unwrap_or_default().to_owned();
            let same = match name.as_str() {
                "link" => shape_of_links(&self.ours(theirs)) == shape_of_links(&ours),
                "location" => without_secret(&self.ours(theirs)) == without_secret(&ours),
                "total" | "total-pages" => ours.parse::<u64>().is_ok(),
                _ => *theirs == ours,
            };
            if !same {
                self.wrong(format!("header {name} `{theirs}` is `{ours}`"));
            }
        }
    }

    fn compare_json(&mut self, at: &str, (theirs, ours): (&Value, &Value), values: bool) {
        match (theirs, ours) {
            (Value::Object(theirs), Value::Object(ours)) => {
                let keys = |map: &serde_json::Map<String, Value>| {
                    let mut keys: Vec<String> = map.keys().cloned().collect();
                    keys.sort();
                    keys
                };
                if keys(theirs) != keys(ours) {
                    self.wrong(format!(
                        "{at}: keys {:?} are {:?}",
                        keys(theirs),
                        keys(ours)
                    ));
                }
                for (key, theirs) in theirs {
                    if let Some(ours) = ours.get(key) {
                        self.compare_json(&format!("{at}.{key}"), (theirs, ours), values);
                    }
                }
            }
            (Value::Array(theirs), Value::Array(ours)) => {
                if values && theirs.len() != ours.len() {
                    self.wrong(format!("{at}: {} entries are {}", theirs.len(), ours.len()));
                }
                for (n, pair) in theirs.iter().zip(ours).enumerate() {
                    self.compare_json(&format!("{at}[{n}]"), pair, values);
                }
            }
            (Value::String(theirs), Value::String(ours)) => {
                if values && at != self.exempt_value {
                    self.compare_text(at, theirs, ours);
                }
            }
            (Value::Number(_), Value::Number(_)) if is_time(at) => {
                let unset = |n: &Value| n.as_i64() == Some(0);
                // A stamp may fall on a whole second; an unset one is zero in both parts.
                if at.ends_with(".seconds") && unset(theirs) != unset(ours) {
                    self.wrong(format!("{at}: {theirs} is {ours}"));
                }
            }
            _ => {
                let same_kind = std::mem::discriminant(theirs) == std::mem::discriminant(ours);
                if !same_kind || (values && theirs != ours) {
                    self.wrong(format!("{at}: {theirs} is {ours}"));
                }
            }
        }
    }

    fn compare_text(&mut self, at: &str, theirs: &str, ours: &str) {
        let kind = Kind::of(theirs);
        if kind != Kind::of(ours) {
            self.wrong(format!("{at}: `{theirs}` is `{ours}`"));
        } else if kind == Kind::Id {
            let known = self
                .ids
                .entry(theirs.to_owned())
                .or_insert_with(|| ours.to_owned());
            if known != ours {
                let known = known.clone();
                self.wrong(format!("{at}: `{theirs}` stood for `{known}`, is `{ours}`"));
            }
        } else if kind == Kind::Word && self.ours(theirs) != ours {
            self.wrong(format!("{at}: `{theirs}` is `{ours}`"));
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Id,
    Commit,
    Time,
    Seconds,
    Word,
}

impl Kind {
    fn of(text: &str) -> Self {
        // Users, the organization and the project have the same ids in both worlds.
        let fixed = ["aaaaaaaa-", "0a0a0a0a-", "11111111-"];
        if runner::ids::Id::parse(text).is_ok() && !fixed.iter().any(|f| text.starts_with(f)) {
            Self::Id
        } else if text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
            Self::Commit
        } else if text.starts_with("20") && text.len() == 27 && text.ends_with('Z') {
            Self::Time
        } else if text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit()) {
            Self::Seconds
        } else {
            Self::Word
        }
    }
}

fn is_time(at: &str) -> bool {
    [
        ".seconds",
        ".nanos",
        ".timestamp",
        "started_at",
        "finished_at",
    ]
    .iter()
    .any(|end| at.ends_with(end))
}

/// The names of the links, and where they point to but for the number of the page.
fn shape_of_links(links: &str) -> Vec<(String, String)> {
    let digits_gone = |url: &str| {
        let mut shape = String::new();
        for part in url.split('&') {
            let kept = if part.contains("?page=") || part.starts_with("page=") {
                part.trim_end_matches(|c: char| c.is_ascii_digit())
            } else {
                part
            };
            shape.push_str(kept);
            shape.push('&');
        }
        shape
    };
    links
        .split(", ")
        .map(|link| {
            let (url, rel) = link.split_once("; ").unwrap_or((link, ""));
            let url = url.trim_start_matches('<').trim_end_matches('>');
            (digits_gone(url), rel.to_owned())
        })
        .collect()
}

fn without_secret(url: &str) -> &str {
    url.split_once("jwt=").map_or(url, |(place, _)| place)
}

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// The exchanges of a file by their full names.
fn recorded(file: &str) -> Vec<(String, Exchange)> {
    let path = fixtures().join(format!("recorded-server/{file}.json"));
    let text = std::fs::read_to_string(path).unwrap();
    let all: Vec<Exchange> = serde_json::from_str(&text).unwrap();
    all.into_iter()
        .map(|exchange| (format!("{file}/{}", exchange.name), exchange))
        .collect()
}

#[test]
fn the_simulator_answers_as_the_real_server_did() {
    let mut play = Play::new();
    let mut played = 0;
    let mut exempt_seen = 0;
    for (name, exchange) in FILES.iter().flat_map(|file| recorded(file)) {
        play.exchange.clone_from(&name);
        let exempt = EXEMPT
            .iter()
            .find(|(exempt, _, _)| *exempt == name)
            .map(|(_, exempt, _)| *exempt);
        exempt_seen += usize::from(exempt.is_some());
        if exempt == Some(Exempt::All) {
            continue;
        }
        for step in before(&name) {
            play.prepare(&step);
        }
        let reply = play.send(&exchange.request);
        play.compare(&exchange.answer, &reply, exempt);
        played += 1;
    }
    assert!(play.mistakes.is_empty(), "{}", play.mistakes.join("\n"));
    assert_eq!(played, 115, "exchanges were played");
    assert_eq!(exempt_seen, EXEMPT.len(), "every exemption is still needed");
}
