//! `http`: a request to another address.

use indexmap::IndexMap;
use serde_json::Value;

use super::act::{Act, Input, Next, out_of_turn};
use crate::address::Address;
use crate::engine::call::{Call, HttpCall};
use crate::engine::params::Params;
use crate::engine::record::Record;
use crate::engine::retry::CallClass;
use crate::event::{Failure, FailureKind, Fate};

/// The action.
pub(super) struct Http {
    call: Call,
    record: Record,
}

impl Http {
    /// What templates made of the parameters is checked here, before anything is sent.
    pub(super) fn new(params: &Params) -> Result<Self, Failure> {
        let wrong = |words: String| Failure::new(FailureKind::Parameter, words);
        let url = params.text("url").to_owned();
        Address::parse(&url).map_err(|error| wrong(format!("`url` {error}")).hint(error.hint))?;
        let method = params.text("method").to_owned();
        let (kind, body) = body(params).map_err(wrong)?;
        if body.is_some() && matches!(method.as_str(), "GET" | "HEAD") {
            return Err(wrong(format!("a {method} has no body")));
        }
        let mut headers = IndexMap::new();
        for (name, value) in params.texts("headers") {
            check_header(&name, &value).map_err(wrong)?;
            headers.insert(name.to_ascii_lowercase(), value);
        }
        if let Some(kind) = kind {
            headers
                .entry("content-type".to_owned())
                .or_insert_with(|| kind.to_owned());
        }
        let expect = expect(params).map_err(wrong)?;
        let call = HttpCall {
            method,
            url,
            headers,
            body,
            expect,
            idempotent: params.flag("idempotent", false),
        };
        Ok(Self {
            call: Call::Http(Box::new(call)),
            record: Record::default(),
        })
    }
}

impl Act for Http {
    fn next(&mut self, input: Input<'_>) -> Next {
        match input {
            Input::Start => Next::Call(self.call.clone()),
            Input::Answer(answer) => {
                self.record
                    .take(&answer.value, &["status", "headers", "body"]);
                self.record.response.clone_from(&answer.response);
                Next::Done
            }
            Input::Failure(failure) => {
                if let Some(answer) = &failure.response {
                    self.record.take(answer, &["status", "headers", "body"]);
                    let body = answer.get("body").filter(|body| !body.is_string());
                    self.record.response = body.cloned();
                }
                Next::Fail(self.lost(failure))
            }
            Input::Slept => out_of_turn("http"),
        }
    }

    fn record(&self) -> &Record {
        &self.record
    }
}

impl Http {
    /// A request that is sent at most once, and whose answer did not come: nobody can look for what it
    /// did, so the step fails and says so.
    fn lost(&self, failure: &Failure) -> Failure {
        let mut failure = failure.clone();
        failure.response = None;
        let once = CallClass::of(&self.call) == CallClass::Once;
        if once && failure.fate == Fate::Unknown && failure.status.is_none() {
            failure.kind = FailureKind::FateUnknown;
            failure.message = format!(
                "the answer was lost, and whether it was done is not known: {}",
                failure.message
            );
            failure.hint = Some(
                "look there for what it did; `idempotent: true` lets it be sent again when doing it twice does no harm"
                    .to_owned(),
            );
        }
        failure
    }
}

/// The body and its type.
fn body(params: &Params) -> Result<(Option<&'static str>, Option<String>), String> {
    let given: Vec<&str> = ["json", "form", "body"]
        .into_iter()
        .filter(|name| params.0.contains_key(*name))
        .collect();
    Ok(match given.as_slice() {
        [] => (None, None),
        ["json"] => {
            let value = params.0.get("json").unwrap_or(&Value::Null);
            (Some("application/json"), Some(value.to_string()))
        }
        ["form"] => {
            let fields: Vec<String> = params
                .texts("form")
                .iter()
                .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
                .collect();
            let kind = "application/x-www-form-urlencoded";
            (Some(kind), Some(fields.join("&")))
        }
        [_] => (
            Some("text/plain; charset=utf-8"),
            Some(params.text("body").to_owned()),
        ),
        _ => return Err("only one of `json`, `form` and `body` can be sent".to_owned()),
    })
}

fn encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'*')
        .remove(b' ');
    utf8_percent_encode(text, KEPT)
        .to_string()
        .replace(' ', "+")
}

/// What would split a request in two, or what the connection itself says.
fn check_header(name: &str, value: &str) -> Result<(), String> {
    let shown = crate::text::clean_line(name, 60);
    crate::catalog::check_header_name(name).map_err(|why| format!("the header `{shown}` {why}"))?;
    crate::catalog::check_header_value(value)
        .map_err(|why| format!("the value of the header `{shown}` {why}"))
}

fn expect(params: &Params) -> Result<Vec<u16>, String> {
    let Some(list) = params.0.get("expect").and_then(Value::as_array) else {
        return Ok(Vec::new());
    };
    if list.is_empty() {
        return Err("`expect` is empty, and so no answer would do".to_owned());
    }
    list.iter()
        .map(|status| {
            status
                .as_u64()
                .and_then(|status| u16::try_from(status).ok())
                .filter(|status| (100..600).contains(status))
                .ok_or_else(|| format!("`expect`: {status} is no status"))
        })
        .collect()
}
