//! Whatever is asked, in whatever order: no panic, no id twice, nothing done twice for one token.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use runner::simulator::{Done, Request, Scenario, Simulator};
use serde_json::{Value, json};

use super::support::{PROJECT, World, api, start, word};

/// One request of a random sequence: what it asks, about which of the known ids, and how long after
/// the one before.
#[derive(Debug, Clone)]
struct Ask {
    kind: u8,
    which: usize,
    seconds: u16,
    text: String,
}

fn ask() -> impl Strategy<Value = Ask> {
    (0_u8..18, 0_usize..40, 0_u16..200, "\\PC{0,12}").prop_map(|(kind, which, seconds, text)| Ask {
        kind,
        which,
        seconds,
        text,
    })
}

fn request(ask: &Ask, known: &[String]) -> Request {
    let id = match known.get(ask.which % (known.len() + 1)) {
        Some(id) => id.clone(),
        None => ask.text.replace(['/', '?', '#'], "_"),
    };
    let (token, text) = (
        json!({"request_token": format!("t{}", ask.which)}),
        &ask.text,
    );
    match ask.kind {
        0..=2 => api("POST", "/plumber-workflows")
            .json(&json!({"project_id": PROJECT, "reference": format!("b{}", ask.which % 3)})),
        3 => api("GET", &format!("/pipelines/{id}?detailed=true")),
        4 => api("GET", &format!("/pipelines?wf_id={id}&page={}", ask.which)),
        5 => api(
            "GET",
            &format!("/plumber-workflows?project_id={PROJECT}&page_size={text}"),
        ),
        6 => api("POST", &format!("/plumber-workflows/{id}/reschedule")).json(&token),
        7 => api("POST", &format!("/pipelines/{id}/partial_rebuild")).json(&token),
        8 => api("PATCH", &format!("/pipelines/{id}")).json(&json!({"terminate_request": true})),
        9 => api("POST", &format!("/plumber-workflows/{id}/terminate")),
        10 | 11 => api("POST", "/promotions").json(&json!({
            "pipeline_id": id, "name": "Staging", "request_token": format!("p{}", ask.which),
        })),
        12 => api(
            "GET",
            &format!("/promotions?pipeline_id={id}&page_size={text}"),
        ),
        13 => api("GET", &format!("/logs/{id}")),
        14 => api("POST", &format!("/jobs/{id}/stop")),
        15 => api("GET", &format!("/troubleshoot/job/{id}")),
        16 => Request::new(text, &format!("/{text}")).header(text, text),
        _ => {
            let mut odd = api("POST", "/promotions").header("Content-Type", "application/json");
            odd.body = text.as_bytes().to_vec();
            odd
        }
    }
}

/// All ids in an answer.
fn collect(value: &Value, ids: &mut Vec<String>) {
    match value {
        Value::String(text) if runner::ids::Id::parse(text).is_ok() && !ids.contains(text) => {
            ids.push(text.clone());
        }
        Value::Array(all) => all.iter().for_each(|v| collect(v, ids)),
        Value::Object(all) => all.values().for_each(|v| collect(v, ids)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_requests_never_panic_and_ids_stay_unique(asks in proptest::collection::vec(ask(), 1..60)) {
        let mut world = World::built_in("flaky");
        let mut known = Vec::new();
        let mut made = HashSet::new();
        for ask in &asks {
            world.pass(f64::from(ask.seconds));
            let reply = world.send(request(ask, &known));
            prop_assert!((100..600).contains(&reply.status));
            if let Some(body) = reply.json() {
                collect(&body, &mut known);
            }
        }
        for act in world.simulator.acts() {
            let new = match &act.deed {
                Done::RunWorkflow { workflow_id, pipeline_id, .. } => vec![workflow_id, pipeline_id],
                Done::Rerun { new_workflow_id, .. } => vec![new_workflow_id],
                Done::Rebuild { new_pipeline_id, .. } => vec![new_pipeline_id],
                _ => vec![],
            };
            for id in new {
                prop_assert!(made.insert(id.clone()), "{id} was made twice");
            }
        }
        let tokens: Vec<&String> = world.simulator.acts().iter().filter_map(|a| a.request_token.as_ref()).collect();
        let unique: HashSet<&&String> = tokens.iter().collect();
        prop_assert_eq!(unique.len(), tokens.len(), "a token did something twice");
    }
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let world = |seed| {
        let scenario = Scenario::built_in("passing").unwrap();
        let mut simulator = Simulator::new(scenario, seed, start());
        let body = json!({"project_id": PROJECT, "reference": "main"});
        let run = api("POST", "/plumber-workflows").json(&body);
        simulator.handle(&run, start()).text()
    };
    assert_eq!(world(7), world(7));
    assert_ne!(world(7), world(8));
}

#[test]
fn two_thousand_pipelines_are_no_burden() {
    let mut world = World::built_in("passing");
    let mut pipelines = Vec::new();
    for number in 0..2_000 {
        pipelines.push(world.run(&format!("refs/heads/b{number}")).1);
    }
    let began = Instant::now();
    for round in 0..5 {
        world.pass(60.0);
        for id in pipelines.iter().skip(round).step_by(5) {
            world.pipeline(id);
        }
        let list = format!("/pipelines?project_id={PROJECT}&page={round}");
        assert_eq!(world.read(&list).as_array().map(Vec::len), Some(30));
    }
    // About 0.3 s on a slow machine; a scan of everything per request would take minutes.
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(
        word(&world.pipeline(&pipelines[0])["pipeline"]["state"]),
        "done"
    );
}
