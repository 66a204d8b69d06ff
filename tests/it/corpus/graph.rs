//! What plans look like: edges from mentions and needs, and the identity.

use super::*;

fn plan(text: &str) -> Plan {
    let (plan, diagnostics) = check("x.yml", text.as_bytes().to_vec());
    assert!(!diagnostics.has_errors(), "{}", lines(&diagnostics));
    plan.expect("there is a plan when nothing is wrong")
}

/// The edges of every step: `id <- needed: accepted, …`.
fn edges(plan: &Plan) -> Vec<String> {
    plan.steps
        .iter()
        .map(|step| {
            let needs: Vec<String> = step
                .needs
                .iter()
                .map(|need| format!("{}: {}", plan.steps[need.step].id, need.accept))
                .collect();
            format!("{} <- {}", step.id, needs.join(", "))
        })
        .collect()
}

#[test]
fn mentions_make_edges_and_needs_override_them() {
    let found = edges(&plan(
        r#"
playbook: 1
steps:
  last: { set: { x: "{{ steps.b.outcome }} {{ steps.a.outcome }}" } }
  a: { sleep: 1s }
  b: { for_each: "[1]", set: { z: "{{ steps.a.outcome }}" } }
  decides: { when: steps.a.outcome == 'failed', set: { x: "{{ steps.a.why }} {{ steps.b.outcome }}" } }
  free: { sleep: 1s }
  overrides: { needs: { a: failed }, set: { x: "{{ steps.a.why }} {{ steps.free.outcome }}" } }
  asserts: { sleep: 1s, assert: ["this.outcome != steps.b.outcome"] }
  exact: { sleep: 1s, needs: { a: [passed], b: [passed, skipped] } }
  each: { for_each: { in: steps.b.each, key: item.x ~ steps.free.outcome, max_parallel: "{{ steps.exact.attempts }}" }, when: steps.free.outcome == 'passed', sleep: "{{ item }}s" }
finally:
  first: { set: { x: "{{ steps.a.outcome }}" } }
  second: { set: { x: "{{ steps.first.x }}" } }
  third: { needs: { a: failed }, sleep: 1s }
"#,
    ));
    assert_eq!(
        found,
        [
            "last <- a: passed, b: passed",
            "a <- ",
            "b <- a: passed",
            "decides <- a: any, b: passed",
            "free <- ",
            "overrides <- a: failed, free: passed",
            "asserts <- b: passed",
            "exact <- a: passed, b: passed",
            "each <- b: passed, free: any, exact: passed",
            "first <- ",
            "second <- first: passed",
            "third <- a: failed",
        ]
    );
}

#[test]
fn a_single_outcome_in_a_list_is_meant_exactly() {
    use runner::outcome::StepOutcome;
    let plan = plan(
        "playbook: 1\nsteps:\n  a: { sleep: 1s, when: run.name == 'x' }\n  b: { sleep: 1s, needs: { a: [passed] } }\n",
    );
    let accept = plan.steps[1].needs[0].accept;
    assert!(accept.takes(StepOutcome::Passed) && !accept.takes(StepOutcome::Skipped));
}

#[test]
fn what_a_step_reads_is_known_even_when_nothing_orders_it() {
    let plan = plan(
        "playbook: 1\nsteps:\n  a: { sleep: 1s }\nfinally:\n  z: { set: { x: \"{{ steps.a.outcome }}\" } }\n",
    );
    assert!(plan.steps[1].needs.is_empty());
    assert_eq!(plan.steps[1].reads.iter().copied().collect::<Vec<_>>(), [0]);
}

#[test]
fn retries_are_the_steps_own_else_the_playbooks_else_ours() {
    let plan = plan(
        "playbook: 1\ndefaults: { retry: { attempts: 2, backoff: { first: 9s } }, timeout: 7m }\nsteps:\n  a: { sleep: 1s }\n  b: { sleep: 1s, retry: { attempts: 8 } }\n",
    );
    let retries: Vec<(u32, Duration)> = plan
        .steps
        .iter()
        .map(|s| (s.retry.attempts, s.retry.first))
        .collect();
    // What a step leaves out is the playbook's.
    assert_eq!(
        retries,
        [(2, Duration::from_secs(9)), (8, Duration::from_secs(9))]
    );
    assert_eq!(
        plan.steps[0].default_timeout,
        Some(Duration::from_secs(420))
    );
    assert_eq!(plan.finally_timeout, Duration::from_secs(300));
}

#[test]
fn the_digest_is_over_the_meaning() {
    let base = "playbook: 1\nname: x\ninputs:\n  t: { type: string, secret: true, default: secret-one }\nsteps:\n  a:\n    run_workflow: { project: demo, reference: main }\n  b: { sleep: 1s, needs: [a] }\n";
    let digest = |text: &str| plan(text).digest;
    let same = [
        (
            "a comment",
            base.replace("name: x", "# why\nname: x # because"),
        ),
        ("quotes", base.replace("project: demo", "project: \"demo\"")),
        (
            "the order of parameters",
            base.replace(
                "project: demo, reference: main",
                "reference: main, project: demo",
            ),
        ),
        (
            "a description",
            base.replace("  a:\n", "  a:\n    description: words\n"),
        ),
        (
            "the default written out",
            base.replace("steps:", "on_failure: continue\nsteps:"),
        ),
        (
            "the value of a secret",
            base.replace("secret-one", "secret-two"),
        ),
        (
            "the other form of needs",
            base.replace("needs: [a]", "needs: { a: passed }"),
        ),
    ];
    for (what, text) in same {
        assert_ne!(base, text, "{what}");
        assert_eq!(digest(base), digest(&text), "{what}");
    }
    let different = [
        ("a parameter", base.replace("reference: main", "reference: other")),
        ("an edge", base.replace("needs: [a]", "needs: { a: any }")),
        ("a timeout", base.replace("  a:\n", "  a:\n    timeout: 5m\n")),
        ("the name", base.replace("name: x", "name: y")),
        ("a policy", base.replace("steps:", "on_failure: stop\nsteps:")),
        ("text or template", base.replace("project: demo", "project: \"{{ 'demo' }}\"")),
        ("the order of steps", "playbook: 1\nname: x\ninputs:\n  t: { type: string, secret: true, default: secret-one }\nsteps:\n  b: { sleep: 1s, needs: [a] }\n  a:\n    run_workflow: { project: demo, reference: main }\n".to_owned()),
    ];
    for (what, text) in different {
        assert_ne!(digest(base), digest(&text), "{what}");
    }
}
