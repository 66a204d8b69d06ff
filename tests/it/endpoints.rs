//! Every action against the simulator, in virtual time: as it should go, as it should not, and with
//! everything that can go wrong on the wire.

mod again;
mod faults;
mod logs;
mod promotions;
mod table;
mod topology;
mod waits;

use runner::outcome::StepOutcome;
use runner::simulator::{Act, Done, Origin};

use crate::rig::{Ran, Rig};

pub(crate) use table::{FAILING, PASSING};

/// A small world: `main` passes, `red` fails, `flaky` fails once, `slow` takes an hour.
const WORLD: &str = r#"
projects:
  - name: demo
    id: 11111111-1111-4111-8111-111111111111
    references:
      refs/heads/gone: { missing: true }
    pipelines:
      .semaphore/semaphore.yml:
        name: Build
        init: 2s
        queue: 1s
        blocks:
          - name: Compile
            jobs: [{ name: compile, run: 5s }]
          - name: Test
            needs: [Compile]
            jobs:
              - { name: unit, run: 20s }
              - { name: lint, run: 10s }
        references:
          refs/heads/red:
            - jobs: { unit: { result: failed, exit_code: 2, log: [{ command: make test, output: "one\ntwo\n", exit_code: 2 }] } }
          refs/heads/flaky:
            - jobs: { unit: { result: failed, exit_code: 2 } }
            - {}
          refs/heads/flaky-twice:
            - jobs: { unit: { result: failed, exit_code: 2 } }
            - jobs: { unit: { result: failed, exit_code: 2 } }
            - {}
          refs/heads/never:
            - jobs: { unit: { never_started: "invalid machine type" } }
          refs/heads/slow:
            - jobs: { unit: { run: 1h } }
          refs/heads/malformed:
            - { result: failed, reason: malformed, error: "no blocks" }
        promotions:
          - { name: Production, pipeline_file: .semaphore/production.yml, parameters: [{ name: COMMIT }] }
          - { name: Strict, pipeline_file: .semaphore/production.yml, parameters: [{ name: REGION, required: true, options: [eu, us] }] }
          - { name: Red, pipeline_file: .semaphore/red.yml }
          - { name: Guarded, pipeline_file: .semaphore/production.yml, deployment_target: deployment target is cordoned }
          - { name: Vanishing, pipeline_file: .semaphore/production.yml, event: vanishes }
          - { name: Unscheduled, pipeline_file: .semaphore/production.yml, event: fails }
      .semaphore/production.yml:
        name: Deploy
        init: 1s
        queue: 1s
        blocks: [{ name: Deploy, jobs: [{ name: deploy, run: 10s }] }]
      .semaphore/red.yml:
        name: Broken deploy
        init: 1s
        queue: 1s
        blocks: [{ name: Deploy, jobs: [{ name: deploy, run: 10s, result: failed }] }]
      .semaphore/alone.yml:
        name: Alone
        init: 1s
        queue: 1s
        blocks: [{ name: Only, jobs: [{ name: only, run: 5s, self_hosted: true }] }]
    tasks:
      - { name: nightly }
      - { name: red, reference: refs/heads/red }
      - { name: marked, parameters: [{ name: RUNNER_KEY }] }
"#;

/// The small world with more in it: people, faults, habits of the server.
fn world(more: &str) -> String {
    format!("{WORLD}\n{more}\n")
}

/// A playbook of these steps.
fn playbook(steps: &str) -> String {
    let mut text = "playbook: 1\nsteps:\n".to_owned();
    for line in steps.trim_matches('\n').lines() {
        text.push_str("  ");
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn run(steps: &str, more: &str) -> Ran {
    Rig::from_yaml(&playbook(steps), &world(more)).run()
}

/// The step `it` ended so.
#[track_caller]
fn ended(ran: &Ran, outcome: StepOutcome) {
    assert_eq!(ran.step("it").outcome, outcome, "{:#?}", ran.words());
}

/// An output of the step `it`.
fn output<'r>(ran: &'r Ran, name: &str) -> &'r serde_json::Value {
    ran.step("it")
        .outputs
        .get(name)
        .unwrap_or_else(|| panic!("no `{name}` in {:#?}", ran.step("it").outputs))
}

/// What we did to Semaphore, of one kind.
fn ours(ran: &Ran, is: fn(&Done) -> bool) -> Vec<&Act> {
    ran.acts
        .iter()
        .filter(|act| matches!(act.origin, Origin::Api { .. }) && is(&act.deed))
        .collect()
}
