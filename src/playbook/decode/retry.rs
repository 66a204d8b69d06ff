//! `retry`: how calls that go wrong are tried again.

use super::super::codes;
use super::super::mistakes::Mistakes;
use super::super::model::{Retry, RetryOn};
use super::super::tree::{Yaml, YamlNode};
use super::fields::{self, Fields};
use super::scalars;
use crate::diagnostic::Diagnostic;

const ON: [(RetryOn, &str); 3] = [
    (RetryOn::Network, "network"),
    (RetryOn::RateLimited, "429"),
    (RetryOn::Server, "5xx"),
];

/// The words of `retry`; what they leave out is taken from `base`.
pub(super) fn retry(yaml: &Yaml, base: &Retry, mistakes: &mut Mistakes) -> Option<Retry> {
    let mut fields = Fields::open(yaml, "`retry`", mistakes)?;
    let mut retry = base.clone();
    if let Some(entry) = fields.take("attempts")
        && let Some(n) = scalars::integer(&entry.value, 1..=100, "`attempts`", mistakes)
    {
        retry.attempts = u32::try_from(n).unwrap_or(retry.attempts);
    }
    if let Some(entry) = fields.take("backoff") {
        backoff(&entry.value, &mut retry, mistakes);
    }
    if let Some(entry) = fields.take("on")
        && let Some(items) = fields::list(&entry.value, "`on`", mistakes)
    {
        let on: Vec<RetryOn> = items
            .iter()
            .filter_map(|item| retry_on(item, mistakes))
            .collect();
        if items.is_empty() {
            mistakes.push(
                Diagnostic::error(
                    codes::EMPTY,
                    entry.value.place.clone(),
                    "`on` is empty, and so nothing would be tried again",
                )
                .hint("write `attempts: 1` when nothing shall be tried again"),
            );
        }
        retry.on = on;
    }
    fields.finish(mistakes);
    Some(retry)
}

/// `429` is a number in YAML, and nobody should have to quote it.
fn retry_on(yaml: &Yaml, mistakes: &mut Mistakes) -> Option<RetryOn> {
    match &yaml.node {
        YamlNode::Number(number) if number.as_u64() == Some(429) => Some(RetryOn::RateLimited),
        YamlNode::Number(_) => {
            let words = ON.map(|(_, word)| word);
            mistakes.push(scalars::wrong_word(yaml, yaml.written(), &words, "`on`"));
            None
        }
        _ => scalars::word(yaml, &ON, "`on`", mistakes),
    }
}

fn backoff(yaml: &Yaml, retry: &mut Retry, mistakes: &mut Mistakes) {
    let Some(mut fields) = Fields::open(yaml, "`backoff`", mistakes) else {
        return;
    };
    if let Some(entry) = fields.take("first")
        && let Some(first) = scalars::duration(&entry.value, "`first`", mistakes)
    {
        retry.first = first;
    }
    if let Some(entry) = fields.take("factor")
        && let Some(factor) = scalars::number(&entry.value, 1.0..=100.0, "`factor`", mistakes)
    {
        retry.factor = factor;
    }
    if let Some(entry) = fields.take("max")
        && let Some(max) = scalars::duration(&entry.value, "`max`", mistakes)
    {
        retry.max = max;
    }
    if let Some(entry) = fields.take("jitter")
        && let Some(jitter) = scalars::number(&entry.value, 0.0..=1.0, "`jitter`", mistakes)
    {
        retry.jitter = jitter;
    }
    fields.finish(mistakes);
}
