//! What an expression makes out of a secret is a secret too.
//!
//! By value: when something that an expression reads holds a secret, the texts it gives are told to the
//! redactor, unless they hold the secret in a form it knows anyway, or stood in the expression or in what
//! else it reads, so that the name of a branch beside a token is not masked everywhere.

use std::collections::HashSet;

use minijinja::value::ValueKind;
use serde_json::Value;

use super::chain::Chain;
use super::code::Code;
use super::scope::Scope;
use super::token::{self, Kind};
use crate::secret::Redactor;

/// So much of a text that was made is kept in mind; whole answers are not what secrets are made into.
const TEXT_CHARACTERS_MAX: usize = 16 << 10;
/// How deep a value is looked into; deeper ones are no results either.
const DEPTH_MAX: usize = 128;

/// Tells the redactor of the scope what was made out of secrets.
pub(super) fn learn(code: &Code, scope: &Scope, made: &Value) {
    let redactor = scope.redactor();
    if redactor.is_empty() {
        return;
    }
    let mut public = HashSet::new();
    let mut secret = false;
    let parts = code.chains().iter().filter(|chain: &&Chain| !chain.decides);
    for value in parts.filter_map(|chain| scope.read(chain)) {
        each_text(&value, DEPTH_MAX, &mut |text| {
            if redactor.finds_in(text) {
                secret = true;
            } else {
                public.insert(text.to_owned());
            }
        });
    }
    if secret {
        let written = token::all(code.text()).into_iter();
        let written = written.filter(|token| token.kind == Kind::Text);
        public.extend(written.map(|token| token.text.trim_matches(['"', '\'']).to_owned()));
        learn_texts(made, &public, redactor);
    }
}

fn learn_texts(made: &Value, public: &HashSet<String>, redactor: &Redactor) {
    let learn = |text: &str| {
        if !public.contains(text) && !redactor.finds_in(text) {
            let begin: String = text.chars().take(TEXT_CHARACTERS_MAX).collect();
            redactor.learn(&begin);
        }
    };
    match made {
        Value::String(text) => learn(text),
        Value::Number(number) => learn(&number.to_string()),
        Value::Array(items) => items.iter().for_each(|i| learn_texts(i, public, redactor)),
        Value::Object(map) => {
            for (key, item) in map {
                learn(key);
                learn_texts(item, public, redactor);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Every text in a value, keys and numbers too.
fn each_text(value: &minijinja::Value, depth: usize, see: &mut impl FnMut(&str)) {
    let Some(deeper) = depth.checked_sub(1) else {
        return;
    };
    match value.kind() {
        ValueKind::String => see(value.as_str().unwrap_or_default()),
        ValueKind::Number => see(&value.to_string()),
        ValueKind::Seq | ValueKind::Iterable => {
            for item in value.try_iter().into_iter().flatten() {
                each_text(&item, deeper, see);
            }
        }
        ValueKind::Map => {
            for key in value.try_iter().into_iter().flatten() {
                if let Ok(item) = value.get_item(&key) {
                    each_text(&item, deeper, see);
                }
                each_text(&key, deeper, see);
            }
        }
        _ => {}
    }
}
