//! The identity of a plan: a digest over what it means.
//!
//! Comments, descriptions, the order of parameters, the way text is quoted, the defaults of secrets and
//! the values of the environment are no part of it.

use serde_json::{Map, Value, json};

use super::{Need, Phase, Plan, PlanStep};
use crate::ids;
use crate::playbook::{
    Input, InputType, OnConflict, OnFailure, OnInterrupt, Rerun, RerunScope, Retry, RetryOn,
};
use crate::template::{Node, Take, Tree};

/// Changes whenever the words below mean something else.
const FORM: &str = "runner plan 1";

/// The digest of a plan.
pub(super) fn of(plan: &Plan) -> String {
    let meaning = json!({
        "name": plan.name,
        "inputs": plan.inputs.iter().map(|(n, i)| json!([n, input(i)])).collect::<Vec<_>>(),
        "vars": plan.vars.iter().map(|(n, t)| json!([n, tree(t)])).collect::<Vec<_>>(),
        "concurrency": plan.concurrency.as_ref().map(|c| json!([
            tree(&c.group),
            match c.on_conflict {
                OnConflict::Wait => "wait",
                OnConflict::Fail => "fail",
                OnConflict::Skip => "skip",
            },
        ])),
        "timeout": plan.timeout.as_ref().map(tree),
        "finally_timeout": plan.finally_timeout.as_millis().to_string(),
        "on_failure": match plan.on_failure {
            OnFailure::Continue => "continue",
            OnFailure::Stop => "stop",
        },
        "on_interrupt": match plan.on_interrupt {
            OnInterrupt::Leave => "leave",
            OnInterrupt::Stop => "stop",
        },
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "outputs": sorted(plan.outputs.iter().map(|(n, t)| (n.as_str(), tree(t)))),
    });
    ids::digest(&[FORM, &meaning.to_string()])
}

fn step(step: &PlanStep) -> Value {
    json!({
        "id": step.id,
        "phase": match step.phase { Phase::Main => "main", Phase::Finally => "finally" },
        "needs": step.needs.iter().map(need).collect::<Vec<_>>(),
        "when": step.when.as_ref().map(|w| w.value.source().trim()),
        "retry": retry(&step.retry),
        "rerun": step.rerun.as_ref().map(rerun),
        "until": step.until.as_ref().map(|until| json!([
            until.that.iter().map(|e| e.value.source().trim()).collect::<Vec<_>>(),
            until.poll.as_millis().to_string(),
        ])),
        "timeout": step.timeout.as_ref().map(|t| tree(&t.value)),
        "default_timeout": step.default_timeout.map(|d| d.as_millis().to_string()),
        "allow_failure": step.allow_failure,
        "extract": sorted(step.extract.iter().map(|(name, extract)| {
            let take = match extract.take {
                Take::One => "one",
                Take::First => "first",
                Take::All => "all",
                Take::Optional => "optional",
            };
            (name.as_str(), json!([extract.path.source(), take]))
        })),
        "assert": step.asserts.iter().map(|a| a.value.source().trim()).collect::<Vec<_>>(),
        "action": step.action.name,
        "params": sorted(step.params.iter().map(|(n, t)| (n.as_str(), tree(t)))),
    })
}

fn need(need: &Need) -> Value {
    json!([need.step, need.accept.to_string()])
}

fn rerun(rerun: &Rerun) -> Value {
    let scope = match rerun.scope {
        RerunScope::Failed => "failed",
        RerunScope::All => "all",
    };
    let when = rerun.when.as_ref().map(|when| when.value.source().trim());
    json!([tree(&rerun.max), scope, when])
}

fn retry(retry: &Retry) -> Value {
    let on: Vec<&str> = retry
        .on
        .iter()
        .map(|on| match on {
            RetryOn::Network => "network",
            RetryOn::RateLimited => "429",
            RetryOn::Server => "5xx",
        })
        .collect();
    json!([
        retry.attempts,
        retry.first.as_millis().to_string(),
        retry.factor,
        retry.max.as_millis().to_string(),
        retry.jitter,
        on,
    ])
}

fn input(input: &Input) -> Value {
    let word = InputType::ALL
        .iter()
        .find(|(ty, _)| *ty == input.ty)
        .map(|(_, word)| *word);
    json!({
        "type": word,
        // A secret never goes into a digest: a short one could be guessed from it.
        "default": input.default.as_ref().filter(|_| !input.secret),
        "has_default": input.default.is_some(),
        "enum": input.allowed.as_ref().filter(|_| !input.secret),
        "pattern": input.pattern,
        "items": input.items.map(|ty| InputType::ALL.iter().find(|(t, _)| *t == ty).map(|(_, w)| *w)),
        "optional": input.optional,
        "secret": input.secret,
        "env": input.env,
    })
}

/// Texts are told apart from templates, for a text that looks like one may stand in `{% raw %}`.
fn tree(of: &Tree) -> Value {
    match &of.node {
        Node::Literal(value) => json!(["literal", value]),
        Node::Template(template) => json!(["template", template.source()]),
        Node::Expressions(list) => json!([
            "expressions",
            list.iter()
                .map(|(e, _)| e.source().trim())
                .collect::<Vec<_>>()
        ]),
        Node::List(items) => json!(["list", items.iter().map(tree).collect::<Vec<_>>()]),
        Node::Map(entries) => json!([
            "map",
            entries
                .iter()
                .map(|(k, t)| json!([k.name, tree(t)]))
                .collect::<Vec<_>>()
        ]),
    }
}

fn sorted<'a>(entries: impl Iterator<Item = (&'a str, Value)>) -> Value {
    let mut entries: Vec<(&str, Value)> = entries.collect();
    entries.sort_by(|a, b| a.0.cmp(b.0));
    Value::Object(
        entries
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>(),
    )
}
