//! A simulated world that is asked in one line each.

use std::time::Duration;

use jiff::Timestamp;
use runner::diagnostic::Source;
use runner::simulator::{Reply, Request, Scenario, Simulator};
use serde_json::{Value, json};

pub(crate) const PROJECT: &str = "11111111-1111-4111-8111-111111111111";

/// A world and its time.
pub(crate) struct World {
    pub(crate) simulator: Simulator,
    pub(crate) now: Timestamp,
}

/// When every world begins.
pub(crate) fn start() -> Timestamp {
    "2026-11-24T01:05:13.066388Z".parse().unwrap()
}

impl World {
    pub(crate) fn built_in(name: &str) -> Self {
        Self::of(Scenario::built_in(name).unwrap())
    }

    pub(crate) fn of(scenario: Scenario) -> Self {
        Self {
            simulator: Simulator::new(scenario, 1, start()),
            now: start(),
        }
    }

    pub(crate) fn yaml(text: &str) -> Self {
        let parsed = Scenario::parse(&Source::new("test.yml", text));
        Self::of(parsed.unwrap_or_else(|e| panic!("{e:?}")))
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, seconds: f64) {
        self.now += Duration::from_secs_f64(seconds);
    }

    pub(crate) fn send(&mut self, request: Request) -> Reply {
        self.simulator.handle(&request, self.now)
    }

    pub(crate) fn get(&mut self, target: &str) -> Reply {
        self.send(api("GET", target))
    }

    /// The body of a successful GET.
    pub(crate) fn read(&mut self, target: &str) -> Value {
        let reply = self.get(target);
        assert_eq!(reply.status, 200, "{target}: {}", reply.text());
        reply.json().unwrap()
    }

    pub(crate) fn post(&mut self, target: &str, body: &Value) -> Reply {
        self.send(api("POST", target).json(body))
    }

    /// Starts a workflow: its id and that of its pipeline.
    pub(crate) fn run(&mut self, reference: &str) -> (String, String) {
        let reply = self.post(
            "/plumber-workflows",
            &json!({"project_id": PROJECT, "reference": reference}),
        );
        assert_eq!(reply.status, 200, "{}", reply.text());
        let body = reply.json().unwrap();
        (word(&body["workflow_id"]), word(&body["pipeline_id"]))
    }

    pub(crate) fn pipeline(&mut self, id: &str) -> Value {
        self.read(&format!("/pipelines/{id}?detailed=true"))
    }

    /// State, result and reason.
    pub(crate) fn ending(&mut self, id: &str) -> (String, String, String) {
        let pipeline = self.pipeline(id)["pipeline"].clone();
        let word = |key: &str| pipeline[key].as_str().unwrap_or_default().to_owned();
        (word("state"), word("result"), word("result_reason"))
    }
}

/// A request of the administrator.
pub(crate) fn api(method: &str, target: &str) -> Request {
    Request::new(method, &format!("/api/v1alpha{target}")).token("admin-token")
}

pub(crate) fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(crate) fn ended(state: &str, result: &str, reason: &str) -> (String, String, String) {
    (state.to_owned(), result.to_owned(), reason.to_owned())
}
