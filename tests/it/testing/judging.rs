//! What cases say: every expectation can fail, and says what was expected and what came.

use runner::testing::{Schedule, Sweeps};

use super::{PLAYBOOK, case, run};

/// The differences of a case: what it is about, expected, got.
fn differences(text: &str) -> Vec<String> {
    let result = case(text);
    let problem = result
        .problem
        .unwrap_or_else(|| panic!("it passed:\n{text}"));
    assert!(!problem.timeline.is_empty(), "nothing happened");
    problem
        .differences
        .iter()
        .map(|d| format!("{}: {} / {}", d.about, d.expected, d.got))
        .collect()
}

const FAILING: &str = "world: { pipelines: { semaphore.yml: { jobs: { unit: { result: failed, exit_code: 2, log: [{ command: make test, output: \"1 failed\\n\", exit_code: 2 }] } } } } }\n";

/// The world, what is expected in it, and what is said.
const FALLS: [(&str, &str, &str); 22] = [
    ("", "outcome: failed", "the run: `failed` / `passed`"),
    (
        FAILING,
        "exit_code: 0",
        "the exit code: 0 / 1 (the run `failed`: `build` failed)",
    ),
    (
        FAILING,
        "why: deploy",
        "the `why` of the run: something with \"deploy\" / \"`build` failed\"",
    ),
    (
        "",
        "steps: { logs: passed }",
        "step `logs`: `passed` / `blocked`: needs `build: failed`, but it passed",
    ),
    (
        "",
        "steps: { logs: { why: nothing } }",
        "the `why` of step `logs`: something with \"nothing\" / \"needs `build: failed`, but it passed\"",
    ),
    (
        FAILING,
        "steps: { build: { error: deadline } }",
        "the error of step `build`: `deadline` / `pipeline_failed`: the pipeline `Build & Test` failed (test): `unit`",
    ),
    (
        FAILING,
        "steps: { build: { error: { message: lint } } }",
        "the error of step `build`: something with \"lint\" / `pipeline_failed`: the pipeline `Build & Test` failed (test): `unit`",
    ),
    (
        "",
        "steps: { build: { outputs: { result: fail* } } }",
        "output `result` of step `build`: \"fail*\" / \"passed\"",
    ),
    (
        "",
        "outputs: { result: failed }",
        "output `result`: \"failed\" / \"passed\"",
    ),
    ("", "calls: { logs: 2 }", "calls of `logs`: twice / never"),
    (
        "",
        "calls: { run_workflow: { with: { reference: main } } }",
        "calls of `run_workflow`: one with {\"reference\":\"main\"}",
    ),
    (
        "",
        "order: [promote, run_workflow]",
        "the order of the calls: promote, run_workflow / run_workflow, promote (`run_workflow` is missing at its place)",
    ),
    (
        "",
        "promotions: []",
        "the promotions: none / `Production` with COMMIT=abc",
    ),
    (
        "",
        "promotions: [{ name: Production, parameters: {} }]",
        "the promotions: `Production` / `Production` with COMMIT=abc",
    ),
    (
        "",
        "elapsed: { at_most: 1m }",
        "the virtual time: at most 1m / ",
    ),
    (
        "",
        "elapsed: { at_least: 1h }",
        "the virtual time: at least 1h / ",
    ),
    (
        "",
        "messages: boo",
        "the messages: something with \"boo\" / \"needs `build: failed`, but it passed\"",
    ),
    (
        "",
        "files: { \"logs/*\": true }",
        "the files `logs/*`: that there are some / no files at all",
    ),
    (
        FAILING,
        "files: { \"logs/*\": false }",
        "the files `logs/*`: that there are none / logs/unit-",
    ),
    (
        FAILING,
        "files: { \"logs/*\": green }",
        "the files `logs/*`: something with \"green\" / logs/unit-",
    ),
    (
        "world: { role: reader }\n",
        "steps: { build: { error: { status: 500 } } }",
        "the error of step `build`: status 500 / `not_found`: ",
    ),
    (
        "kill_at: 2h\n",
        "outcome: passed",
        "`kill_at`: a run that is at work after 2h / it was over after ",
    ),
];

#[test]
fn every_expectation_can_fail() {
    let wrong: Vec<String> = FALLS
        .into_iter()
        .filter_map(|(world, expect, said)| {
            let found = differences(&format!("{world}expect: {{ {expect} }}"));
            let right = found.len() == 1 && found[0].starts_with(said);
            (!right).then(|| format!("{expect}:\n{}\n{said}\n", found.join("\n")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_expectation_can_hold() {
    let cases = [
        (
            "",
            "outcome: passed, exit_code: 0, steps: { build: passed, deploy: { outcome: passed, outputs: { result: pass*, pipeline_id: \"*\" } } }",
        ),
        (
            "",
            "outputs: { result: passed }, promotions: [{ name: Production, parameters: { COMMIT: a* }, override: false }], elapsed: { at_least: 4m, at_most: 10m }",
        ),
        (
            "",
            "calls: { run_workflow: 1, promote: { at_least: 1, at_most: 3, with: { name: Production } } }, order: [run_workflow, describe_pipeline, promote]",
        ),
        (
            FAILING,
            "outcome: failed, exit_code: 1, why: \"`build` failed\", files: { \"logs/unit-*.log\": [make test, 1 failed] }, messages: [\"`unit`\"], promotions: []",
        ),
        (
            "world: { role: reader }\n",
            "outcome: failed, exit_code: 1, steps: { build: { outcome: failed, error: { kind: not_found, status: 404 } } }",
        ),
        (
            "kill_at: [1m, 4m]\n",
            "outcome: passed, calls: { run_workflow: 1 }",
        ),
        (
            "cancel_at: 1m\n",
            "outcome: canceled, exit_code: 1, elapsed: { at_most: 2m }",
        ),
        (
            "world: { faults: [{ on: any, from: 1m, until: 2h, do: reset_before_acting }] }\n",
            "outcome: parked, exit_code: 7",
        ),
        (
            "world: { people: [{ on: pipeline_running, at: 1m, do: stop }] }\n",
            "outcome: failed, steps: { build: { error: pipeline_stopped } }",
        ),
        (
            "world: { project: web, references: { refs/heads/main: { missing: true } } }\ninputs: { project: web }\n",
            "outcome: failed, calls: { run_workflow: 1 }",
        ),
        (
            "world: { scenario: empty, pipelines: { semaphore.yml: { run: 2m, promotions: [{ name: Production, parameters: [{ name: COMMIT }] }] } } }\n",
            "outcome: passed, promotions: [Production]",
        ),
    ];
    let mut wrong = Vec::new();
    for (world, expect) in cases {
        let result = case(&format!("{world}expect: {{ {expect} }}"));
        for d in result
            .problem
            .into_iter()
            .flat_map(|problem| problem.differences)
        {
            wrong.push(format!(
                "{world}{expect}:\n{}: {} / {}",
                d.about, d.expected, d.got
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The second run on a reference passes, and somebody else starts it.
#[test]
fn runs_differ_and_colleagues_act() {
    let playbook = PLAYBOOK.replace(
        "steps:\n",
        "steps:\n  first:\n    run_workflow: { project: demo, reference: refs/heads/main, wait: false }\n  seen:\n    wait_pipeline: { pipeline: \"{{ steps.first.pipeline_id }}\", follow: true }\n",
    );
    let test = "test: play.yml\nworld:\n  pipelines: { semaphore.yml: { runs: [{ jobs: { unit: { result: failed } } }, {}] } }\n  people: [{ on: pipeline_done, at: 0s, do: rebuild }]\ncases:\n  it: { expect: { steps: { seen: passed } } }\n";
    let result = run(&playbook, test, &Sweeps::default());
    assert!(result.passed(), "{:#?}", result.cases[0].problem);
}

#[test]
fn a_secret_never_shows() {
    let text = "inputs: { hook: hooks-secret-9Kq2 }\nworld: { pipelines: { semaphore.yml: { jobs: { unit: { result: failed, log: [{ command: make, output: \"hooks-secret-9Kq2\\n\" }] } } } } }\nexpect: { files: { \"logs/*\": hooks-secret-9Kq2 } }";
    let result = case(text);
    let problem = result.problem.expect("the log is masked");
    let said = format!("{problem:?}");
    assert!(said.contains("***"), "{said}");
    for difference in &problem.differences {
        assert!(!difference.got.contains("9Kq2"), "{difference:?}");
    }
}

#[test]
fn sweeps_put_a_case_through_faults_kills_and_chance() {
    let test = "test: play.yml\ncases:\n  it: { expect: { outcome: passed } }\n";
    let sweeps = Sweeps {
        faults: true,
        seeds: 10,
        only: None,
    };
    let result = run(PLAYBOOK, test, &sweeps);
    assert!(result.passed(), "{:#?}", result.cases[0].problem);
    assert!(result.cases[0].runs > 60, "{} runs", result.cases[0].runs);
}

/// A schedule alone is one run more, and what the file expects is not asked of it.
#[test]
fn a_schedule_can_be_run_alone() {
    let test = "test: play.yml\ncases:\n  it: { expect: { outcome: failed } }\n";
    for (schedule, passes) in [
        ("plain", false),
        ("answer_lost@2", true),
        ("killed_after@4", true),
        ("7", true),
    ] {
        let only: Schedule = schedule.parse().expect("a schedule");
        let sweeps = Sweeps {
            only: Some(only),
            ..Sweeps::default()
        };
        let result = run(PLAYBOOK, test, &sweeps);
        assert_eq!(result.passed(), passes, "{schedule}");
    }
}

#[test]
fn coverage_knows_what_no_case_reaches() {
    let playbook = PLAYBOOK.replace(
        "  deploy:\n",
        "  deploy:\n    when: inputs.hook is defined\n",
    );
    let test = "test: play.yml\ncases:\n  it: { expect: { outcome: passed } }\n";
    let result = run(&playbook, test, &Sweeps::default());
    let missed: Vec<String> = result
        .coverage
        .missed()
        .map(|(step, point)| format!("{step}: {}", point.words()))
        .collect();
    assert_eq!(
        missed,
        [
            "deploy: runs",
            "deploy: its `when` holds",
            "deploy: its need `build: passed` is not met",
            "logs: runs",
            "logs: its need `build: failed` is met",
        ]
    );
    assert_eq!(result.coverage.counts(), (4, 9));
}
