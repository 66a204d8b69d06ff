//! The identity of a plan: a digest over what it means.
//!
//! Comments, descriptions, the order of parameters, the way text is quoted, the defaults of secrets and
//! the values of the environment are no part of it.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Need, Phase, Plan, PlanStep};
use crate::ids;
use crate::playbook::{
    ForEach, Input, InputType, OnConflict, OnFailure, OnInterrupt, Rerun, RerunScope, Retry,
    RetryOn,
};
use crate::template::{Node, Take, Tree};

/// Changes whenever the words below mean something else.
const FORM: &str = "runner plan 1";

/// The digest of a plan.
pub(super) fn of(plan: &Plan) -> String {
    let mut form = Form::default();
    form.text(&plan.name);
    form.list(plan.inputs.iter(), |form, (name, input)| {
        form.text(name);
        form.input(input);
    });
    form.list(plan.vars.iter(), |form, (name, tree)| {
        form.text(name);
        form.tree(tree);
    });
    form.list(plan.concurrency.iter(), |form, concurrency| {
        form.tree(&concurrency.group);
        form.text(match concurrency.on_conflict {
            OnConflict::Wait => "wait",
            OnConflict::Fail => "fail",
            OnConflict::Skip => "skip",
        });
    });
    form.list(plan.timeout.iter(), Form::tree);
    form.number(plan.finally_timeout.as_millis());
    form.on_failure(plan.on_failure);
    form.text(match plan.on_interrupt {
        OnInterrupt::Leave => "leave",
        OnInterrupt::Stop => "stop",
    });
    form.list(plan.steps.iter(), Form::step);
    form.sorted(plan.outputs.iter(), |form, tree| form.tree(tree));
    ids::digest(&[FORM, &form.written])
}

/// The digest of one step, whose needs count by their indices.
pub(super) fn of_step(step: &PlanStep) -> String {
    let mut form = Form::default();
    form.step(step);
    ids::digest(&[FORM, &form.written])
}

/// The meaning as text that no other meaning has: every text is framed by its length, every list by
/// its brackets.
#[derive(Default)]
struct Form {
    written: String,
}

impl Form {
    fn text(&mut self, text: &str) {
        let _ = write!(self.written, "{}:{text}", text.len());
    }

    fn number(&mut self, number: impl std::fmt::Display) {
        let _ = write!(self.written, "#{number};");
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Self, T)) {
        self.written.push('[');
        for item in items {
            each(self, item);
            self.written.push(',');
        }
        self.written.push(']');
    }

    /// A map whose order means nothing.
    fn sorted<'t, T: 't>(
        &mut self,
        entries: impl Iterator<Item = (&'t String, &'t T)>,
        mut each: impl FnMut(&mut Self, &'t T),
    ) {
        let mut entries: Vec<(&String, &T)> = entries.collect();
        entries.sort_by_key(|(name, _)| *name);
        self.list(entries, |form, (name, value)| {
            form.text(name);
            each(form, value);
        });
    }

    fn step(&mut self, step: &PlanStep) {
        self.text(&step.id);
        self.text(match step.phase {
            Phase::Main => "main",
            Phase::Finally => "finally",
        });
        self.list(&step.needs, Self::need);
        self.list(&step.when, |form, when| {
            form.text(when.value.source().trim());
        });
        self.retry(&step.retry);
        self.list(&step.rerun, Self::rerun);
        self.list(&step.until, |form, until| {
            form.list(&until.that, |form, that| {
                form.text(that.value.source().trim());
            });
            form.number(until.poll.as_millis());
        });
        self.list(&step.timeout, |form, timeout| form.tree(&timeout.value));
        self.list(&step.default_timeout, |form, timeout| {
            form.number(timeout.as_millis());
        });
        self.number(u8::from(step.allow_failure));
        self.sorted(step.extract.iter(), |form, extract| {
            form.text(extract.path.source());
            form.text(match extract.take {
                Take::One => "one",
                Take::First => "first",
                Take::All => "all",
                Take::Optional => "optional",
            });
        });
        self.list(&step.asserts, |form, found| {
            form.text(found.value.source().trim());
        });
        self.text(step.action.name);
        self.sorted(step.params.iter(), |form, tree| form.tree(tree));
        if let Some(undo) = &step.undo {
            self.text("undo");
            self.step(undo);
        }
        if let Some(for_each) = &step.for_each {
            self.text("for_each");
            self.for_each(for_each);
        }
        if let Some(used) = &step.used {
            self.text("used");
            self.text(&used.digest);
        }
    }

    fn for_each(&mut self, for_each: &ForEach) {
        self.text(for_each.items.value.source().trim());
        self.list(&for_each.key, |form, key| {
            form.text(key.value.source().trim());
        });
        self.list(&for_each.max_parallel, Self::tree);
        self.on_failure(for_each.on_failure);
    }

    fn on_failure(&mut self, on_failure: OnFailure) {
        self.text(match on_failure {
            OnFailure::Continue => "continue",
            OnFailure::Stop => "stop",
        });
    }

    fn need(&mut self, need: &Need) {
        self.number(need.step);
        self.text(&need.accept.to_string());
    }

    fn rerun(&mut self, rerun: &Rerun) {
        self.tree(&rerun.max);
        self.text(match rerun.scope {
            RerunScope::Failed => "failed",
            RerunScope::All => "all",
        });
        self.list(&rerun.when, |form, when| {
            form.text(when.value.source().trim());
        });
    }

    fn retry(&mut self, retry: &Retry) {
        self.number(retry.attempts);
        self.number(retry.first.as_millis());
        self.number(retry.factor);
        self.number(retry.max.as_millis());
        self.number(retry.jitter);
        self.list(&retry.on, |form, on| {
            form.text(match on {
                RetryOn::Network => "network",
                RetryOn::RateLimited => "429",
                RetryOn::Server => "5xx",
            });
        });
    }

    fn input(&mut self, input: &Input) {
        self.text(word(input.ty));
        // A secret never goes into a digest: a short one could be guessed from it.
        let shown = |value: &Option<Value>| match value {
            Some(_) if input.secret => "secret".to_owned(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        self.text(&shown(&input.default));
        let allowed = input.allowed.clone().map(Value::Array);
        self.text(&shown(&allowed));
        self.list(&input.pattern, |form, pattern| form.text(pattern));
        self.list(input.items, |form, ty| form.text(word(ty)));
        self.number(u8::from(input.optional));
        self.number(u8::from(input.secret));
        self.list(&input.env, |form, env| form.text(env));
    }

    /// Texts are told apart from templates, for a text that looks like one may stand in `{% raw %}`.
    fn tree(&mut self, tree: &Tree) {
        match &tree.node {
            Node::Literal(value) => {
                self.written.push('l');
                self.text(&value.to_string());
            }
            Node::Template(template) => {
                self.written.push('t');
                self.text(template.source());
            }
            Node::Expressions(list) => {
                self.written.push('e');
                self.list(list, |form, (found, _)| form.text(found.source().trim()));
            }
            Node::List(items) => {
                self.written.push('v');
                self.list(items, Self::tree);
            }
            Node::Map(entries) => {
                self.written.push('m');
                self.list(entries, |form, (key, value)| {
                    form.text(&key.name);
                    form.tree(value);
                });
            }
        }
    }
}

fn word(ty: InputType) -> &'static str {
    InputType::ALL
        .iter()
        .find(|(known, _)| *known == ty)
        .map_or("", |(_, word)| *word)
}
