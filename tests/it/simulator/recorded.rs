//! The answers of the real server, played against the simulator.
//!
//! `tests/fixtures/recorded-server` holds what the server answered, in the order it was asked. Here the
//! same world is set up, the same requests are sent, and the answers are compared: status, names of
//! headers, and every value that is neither an id nor a time. An id stands for the same thing
//! throughout: where a recorded answer first showed one, ours shows its counterpart.
//!
//! Of the 124 recorded entries 119 are exchanges. The others tell what was seen afterwards: how pipelines with
//! an unknown file or reference end, and what became of those that were promoted (`timelines.rs`), and how
//! stopped pipelines end, stopped before or while they ran (`stops.rs`).

use std::collections::BTreeMap;
use std::path::Path;

use runner::diagnostic::Source;
use runner::simulator::{Reply, Request, Scenario};
use serde::Deserialize;
use serde_json::Value;

use super::comparison::{Comparison, Exempt};
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

/// What the real server answered.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    pub(super) json: Option<Value>,
    pub(super) text: Option<String>,
    /// Of a long body only the beginning was kept.
    pub(super) beginning: Option<String>,
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

/// What is not compared, and why. Exchanges by file and name.
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
    use Before::{Pass, Start};
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
        other => before_promotions_and_logs(other),
    }
}

fn before_promotions_and_logs(exchange: &str) -> Vec<Before> {
    use Before::{Job, Pass, Start};
    match exchange {
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

/// The simulated world and how it compares so far.
struct Play {
    world: World,
    comparison: Comparison,
}

impl Play {
    fn new() -> Self {
        let path = fixtures().join("scenarios/recorded.yml");
        let source = Source::new("recorded.yml", std::fs::read_to_string(path).unwrap());
        Self {
            world: World::of(Scenario::parse(&source).unwrap_or_else(|e| panic!("{e:?}"))),
            comparison: Comparison::default(),
        }
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
                        self.comparison
                            .ids
                            .insert(theirs.to_owned(), word(&body[key]));
                    }
                }
            }
            Before::Job(theirs, pipeline, name) => {
                let pipeline = self.comparison.ids[pipeline].clone();
                let described = self.world.pipeline(&pipeline);
                let jobs = described["blocks"].as_array().unwrap().iter();
                let job = jobs
                    .flat_map(|block| block["jobs"].as_array().unwrap())
                    .find(|job| job["name"] == name)
                    .unwrap();
                self.comparison
                    .ids
                    .insert(theirs.to_owned(), word(&job["job_id"]));
            }
        }
    }

    fn send(&mut self, asked: &Asked) -> Reply {
        let mut request = Request::new(&asked.method, &self.comparison.ours(&asked.target));
        let mut headers = asked.headers.clone();
        headers
            .entry("Host".to_owned())
            .or_insert_with(|| "127.0.0.1:4080".to_owned());
        if self.comparison.exchange != "auth/no token" {
            headers
                .entry("Authorization".to_owned())
                .or_insert_with(|| "Token admin-token".to_owned());
        }
        request.headers = headers.into_iter().collect();
        request.body = self.comparison.ours(&asked.body).into_bytes();
        self.world.send(request)
    }
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
        play.comparison.exchange.clone_from(&name);
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
        play.comparison.compare(&exchange.answer, &reply, exempt);
        played += 1;
    }
    assert!(
        play.comparison.mistakes.is_empty(),
        "{}",
        play.comparison.mistakes.join("\n")
    );
    assert_eq!(played, 115, "exchanges were played");
    assert_eq!(exempt_seen, EXEMPT.len(), "every exemption is still needed");
}
