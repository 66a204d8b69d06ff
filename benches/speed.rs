//! How fast the parts are that every command waits for: reading and checking a playbook, the steps of the
//! machine, filling in templates.
//!
//! `cargo bench --bench speed` runs them all, `cargo bench --bench speed -- check` those of one name. What
//! is measured is printed; nothing here passes or fails.

use std::fmt::Write as _;
use std::sync::Arc;

use divan::{Bencher, black_box};
use indexmap::IndexMap;
use runner::clock::{Clock, Moment};
use runner::diagnostic::Source;
use runner::engine::{Budget, Machine, RunInfo};
use runner::plan::{BoundInputs, Limits, Plan};
use runner::template::{Data, Expression, Scope, Template};
use serde_json::json;

fn main() {
    divan::main();
}

/// A playbook of so many steps, each of which mentions the one before.
fn chain(steps: usize) -> Arc<Source> {
    let mut text = "playbook: 1\nname: chain\nsteps:\n  s0: { set: { v: 0 } }\n".to_owned();
    for number in 1..steps {
        let before = number - 1;
        writeln!(text, "  s{number}: {{ set: {{ v: \"{{{{ steps.s{before}.v }}}}\" }} }}")
            .expect("a text can be written to");
    }
    Source::new("chain.yml", text)
}

fn plan(steps: usize) -> Arc<Plan> {
    let (plan, wrong) = runner::plan::check(&chain(steps), &Limits::default());
    Arc::new(plan.unwrap_or_else(|| panic!("{wrong:?}")))
}

#[divan::bench(args = [10, 100, 1_000])]
fn parse_and_check(bencher: Bencher<'_, '_>, steps: usize) {
    let source = chain(steps);
    bencher.bench_local(|| runner::plan::check(black_box(&source), &Limits::default()));
}

#[divan::bench(args = [10, 100, 1_000])]
fn machine_steps(bencher: Bencher<'_, '_>, steps: usize) {
    let plan = plan(steps);
    let now = Clock::real().now();
    bencher
        .with_inputs(|| {
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
            };
            let bound = BoundInputs {
                values: IndexMap::new(),
                secrets: Vec::new(),
                env: IndexMap::new(),
            };
            Machine::new(info, Arc::clone(&plan), bound).expect("a machine")
        })
        .bench_local_values(|mut machine| {
            // No step waits for anything: the first turn is the whole run.
            let turn = machine.step(None, Moment::start(now));
            assert!(machine.has_ended());
            turn
        });
}

fn scope() -> Scope {
    let steps = json!({"build": {"outcome": "passed", "pipeline_id": "6cf4569c", "blocks": [1, 2, 3]}});
    Scope::new()
        .with("inputs", Data::new(&json!({"project": "demo", "target": "Production"})))
        .with("steps", Data::new(&steps))
}

#[divan::bench]
fn render_text(bencher: Bencher<'_, '_>) {
    let text = "release of {{ inputs.project }} to {{ inputs.target }}: {{ steps.build.pipeline_id }}";
    let template = Template::parse(text).expect("a template").expect("something to fill in");
    let scope = scope();
    bencher.bench_local(|| template.render(black_box(&scope)));
}

#[divan::bench]
fn evaluate_expression(bencher: Bencher<'_, '_>) {
    let text = "steps.build.outcome == 'passed' and inputs.target in ['Production', 'Staging']";
    let expression = Expression::parse(text).expect("an expression");
    let scope = scope();
    bencher.bench_local(|| expression.holds(black_box(&scope)));
}
