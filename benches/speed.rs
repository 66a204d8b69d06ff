//! How fast the parts are that every command waits for: reading and checking a playbook, the steps of the
//! machine, filling in templates.
//!
//! `cargo bench --bench speed` runs them all, `cargo bench --bench speed -- check` those whose names hold a
//! word. The median of many rounds is printed; nothing here passes or fails.

#![expect(clippy::print_stdout, reason = "what was measured is for the eyes")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use runner::clock::{Clock, Moment};
use runner::diagnostic::Source;
use runner::engine::{Budget, Machine, RunInfo};
use runner::plan::{BoundInputs, Limits, Plan};
use runner::secret::Redactor;
use runner::template::{Data, Expression, Scope, Template};
use serde_json::json;

/// Each is measured for this long.
const FOR: Duration = Duration::from_secs(2);

/// A playbook of so many steps, each of which mentions the one before.
fn chain(steps: usize) -> Arc<Source> {
    let mut text = "playbook: 1\nname: chain\nsteps:\n  s0: { set: { v: 0 } }\n".to_owned();
    for number in 1..steps {
        let before = number - 1;
        let step = format!("  s{number}: {{ set: {{ v: \"{{{{ steps.s{before}.v }}}}\" }} }}\n");
        text.push_str(&step);
    }
    Source::new("chain.yml", text)
}

fn plan(steps: usize) -> Arc<Plan> {
    let (plan, wrong) = runner::plan::check(&chain(steps), &Limits::default());
    Arc::new(plan.unwrap_or_else(|| panic!("{wrong:?}")))
}

fn machine(plan: &Arc<Plan>, now: jiff::Timestamp) -> Machine {
    let info = RunInfo {
        id: "bench".into(),
        salt: "salt".into(),
        path: "chain.yml".into(),
        runner: String::new(),
        url: String::new(),
        started_at: now,
        timeout: None,
        budget: Budget::default(),
        mark: true,
        triage: 3,
    };
    let bound = BoundInputs {
        values: IndexMap::new(),
        secrets: Vec::new(),
        env: IndexMap::new(),
    };
    Machine::new(info, Arc::clone(plan), bound, &Redactor::new()).expect("a machine")
}

/// Measures a thing again and again, and says what one round takes.
fn measure(name: &str, mut once: impl FnMut()) {
    once();
    let began = Instant::now();
    let mut rounds: Vec<Duration> = Vec::new();
    while began.elapsed() < FOR {
        let round = Instant::now();
        once();
        rounds.push(round.elapsed());
    }
    rounds.sort_unstable();
    let median = rounds.get(rounds.len() / 2).copied().unwrap_or_default();
    println!("{name:<28} {median:>12.2?}  median of {}", rounds.len());
}

fn words() -> Vec<String> {
    std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect()
}

fn main() {
    let words = words();
    let wanted =
        |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    for steps in [10, 100, 1_000] {
        let name = format!("parse and check {steps}");
        if wanted(&name) {
            let source = chain(steps);
            measure(&name, || {
                black_box(runner::plan::check(black_box(&source), &Limits::default()));
            });
        }
        let name = format!("machine {steps}");
        if wanted(&name) {
            let plan = plan(steps);
            let now = Clock::real().now();
            // No step waits for anything: the first turn is the whole run.
            measure(&name, || {
                let mut machine = machine(&plan, now);
                black_box(machine.step(None, Moment::start(now)));
                assert!(machine.has_ended());
            });
        }
    }
    let build = json!({"outcome": "passed", "pipeline_id": "6cf4569c", "blocks": [1, 2, 3]});
    let scope = Scope::new()
        .with(
            "inputs",
            Data::new(&json!({"project": "demo", "target": "Production"})),
        )
        .with("steps", Data::new(&json!({ "build": build })));
    if wanted("render a text") {
        let text =
            "release of {{ inputs.project }} to {{ inputs.target }}: {{ steps.build.pipeline_id }}";
        let template = Template::parse(text)
            .expect("a template")
            .expect("something to fill in");
        measure("render a text", || {
            let _ = black_box(template.render(black_box(&scope)));
        });
    }
    if wanted("evaluate an expression") {
        let text = "steps.build.outcome == 'passed' and inputs.target in ['Production', 'Staging']";
        let expression = Expression::parse(text).expect("an expression");
        measure("evaluate an expression", || {
            let _ = black_box(expression.holds(black_box(&scope)));
        });
    }
}
