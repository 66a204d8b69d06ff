//! `http`: one request to another address, and what its answer means.
//!
//! A write is sent only after its intent is durable. Nobody can look elsewhere for what a lost write did:
//! one that may be done twice is sent again, any other ends as not known.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Map, Value, json};

use super::dispatch::Inner;
use super::failures::out_of_time;
use super::web::WebRequest;
use super::writes::open;
use crate::address::Address;
use crate::engine::call::HttpCall;
use crate::engine::{CallClass, CallRequest};
use crate::event::{Answer, Failure, FailureKind, Fate, Intent};
use crate::semaphore::error::{http_date, retry_after};
use crate::semaphore::{AnswerLimits, Response, Sent, TransportError, Trouble};

/// So much of an answer stands in a message.
const SAID_CHARACTERS_MAX: usize = 200;

impl Inner {
    /// Sends a request, and says whether its answer is one of those that will do.
    pub(super) async fn http(
        &self,
        request: &CallRequest,
        call: &HttpCall,
    ) -> Result<Answer, Failure> {
        let class = CallClass::of(&request.call);
        let outgoing = self.outgoing(call).map_err(elsewhere)?;
        if !class.writes() {
            let within = request.remaining;
            return tokio::select! {
                biased;
                answer = self.exchange(call, outgoing, class) => answer,
                () = self.clock.sleep(within) => {
                    Err(elsewhere(out_of_time("there was no answer", "", None, within)))
                }
            };
        }
        let intents = request.intents.as_ref();
        if intents.previous().is_none() {
            let intent = Intent {
                key: request.key.clone(),
                token: String::new(),
                fence: Vec::new(),
                server_time: None,
            };
            open(intents, intent).await?;
        } else if class == CallClass::Once {
            let words = "the runner ended before the answer came";
            return Err(elsewhere(
                Failure::new(FailureKind::Network, words).fate(Fate::Unknown),
            ));
        }
        self.exchange(call, outgoing, class).await
    }

    fn outgoing(&self, call: &HttpCall) -> Result<WebRequest, Failure> {
        let wrong = |words: String| Failure::new(FailureKind::Refused, words).fate(Fate::NotSent);
        let address = Address::parse(&call.url)
            .map_err(|error| wrong(format!("`url` {error}")).hint(error.hint))?;
        let mut headers = HeaderMap::new();
        for (name, value) in &call.headers {
            let no = || wrong("a header is not of the form that headers have".to_owned());
            let name = HeaderName::try_from(name.as_str()).map_err(|_| no())?;
            let mut value = HeaderValue::try_from(value.as_str()).map_err(|_| no())?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        if self.would_leak(call, &address) {
            return Err(wrong(format!(
                "the API token of Semaphore would leave for `{}`",
                address.host()
            ))
            .hint("give what is asked there a secret of its own"));
        }
        let method = Method::from_bytes(call.method.as_bytes())
            .map_err(|_| wrong("there is no such method".to_owned()))?;
        Ok(WebRequest {
            method,
            address,
            headers,
            body: call.body.clone().map(Bytes::from),
            total_timeout: self.limits.total_timeout,
            limits: AnswerLimits {
                header_bytes_max: self.limits.header_bytes_max,
                body_bytes_max: self.limits.json_bytes_max,
            },
        })
    }

    /// Whether the API token stands anywhere in a request to another server than its own.
    fn would_leak(&self, call: &HttpCall, address: &Address) -> bool {
        let Some((_, token)) = &self.web else {
            return false;
        };
        let token = token.expose();
        let parts = [Some(&call.url), call.body.as_ref()];
        let mut parts = parts.into_iter().flatten().chain(call.headers.values());
        !token.is_empty()
            && address.origin() != self.client.origin().url()
            && parts.any(|part| part.contains(token))
    }

    async fn exchange(
        &self,
        call: &HttpCall,
        outgoing: WebRequest,
        class: CallClass,
    ) -> Result<Answer, Failure> {
        let Some((web, _)) = &self.web else {
            let words = "there is no way to other addresses: this is a bug in runner";
            return Err(Failure::new(FailureKind::Bug, words));
        };
        let shown = format!("{} {}", call.method, outgoing.address.shown());
        let bytes_max = outgoing.limits.body_bytes_max;
        let not_answered = |error: &TransportError| elsewhere(of_transport(&shown, error));
        let mut response = web
            .send(outgoing)
            .await
            .map_err(|error| not_answered(&error))?;
        let body = match response.bytes(bytes_max).await {
            Ok(body) => body,
            Err(error) if error.kind == Trouble::BodyTooLarge => {
                let mut failure = of_transport(&shown, &error);
                failure.status = Some(response.status);
                return Err(elsewhere(failure));
            }
            Err(error) => return Err(not_answered(&error)),
        };
        let body = body_of(&response, &body);
        let value = json!({
            "status": response.status, "headers": headers_of(&response), "body": body,
        });
        if call.expects(response.status) {
            return Ok(Answer {
                value,
                response: Some(body).filter(|body| !body.is_string()),
                ..Answer::default()
            });
        }
        let mut failure = self.unexpected(&shown, &response, &body, class);
        failure.response = Some(Box::new(value));
        Err(elsewhere(failure))
    }

    fn unexpected(
        &self,
        shown: &str,
        response: &Response,
        body: &Value,
        class: CallClass,
    ) -> Failure {
        let status = response.status;
        let reason = http::StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .map_or_else(String::new, |reason| format!(" {reason}"));
        let said = match body {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // A secret is masked before the text is cut, or half of it would stay.
        let said = crate::text::clean_line(&self.redactor.text(&said), SAID_CHARACTERS_MAX);
        let said = if said.is_empty() {
            said
        } else {
            format!(": {said}")
        };
        let (kind, fate) = match status {
            429 => (FailureKind::RateLimited, Fate::NotDone),
            500.. if class.writes() => (FailureKind::Server, Fate::Unknown),
            500.. => (FailureKind::Server, Fate::NotDone),
            _ => (FailureKind::Refused, Fate::NotDone),
        };
        let hint = match status {
            300..=399 => {
                "redirects are not followed: write the address that it leads to".to_owned()
            }
            500.. if class == CallClass::Once => {
                "it is not sent again, for it may have been done; `idempotent: true` allows it"
                    .to_owned()
            }
            _ => format!("`expect: [{status}]` would let this status pass"),
        };
        let date = response.header("date").and_then(http_date);
        let after = response
            .header("retry-after")
            .and_then(|value| retry_after(value, date));
        let mut failure = Failure::new(
            kind,
            format!("`{shown}` was answered {status}{reason}{said}"),
        )
        .hint(hint)
        .fate(fate);
        failure.status = Some(status);
        failure.retry_after_ms = after.map(|d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        failure
    }
}

fn elsewhere(mut failure: Failure) -> Failure {
    failure.elsewhere = true;
    failure
}

fn of_transport(shown: &str, error: &TransportError) -> Failure {
    let kind = match (error.kind, error.sent) {
        (Trouble::Timeout, _) => FailureKind::Timeout,
        (Trouble::BodyTooLarge, _) => FailureKind::Limit,
        // What cannot be sent at all is not tried again.
        (Trouble::Other, Sent::NotSent) => FailureKind::Refused,
        (
            Trouble::Dns | Trouble::Connect | Trouble::Tls | Trouble::Reset | Trouble::Other,
            Sent::NotSent | Sent::Maybe,
        ) => FailureKind::Network,
    };
    // A time-out before the connection stands is trouble of the network.
    let kind = match (kind, error.sent) {
        (FailureKind::Timeout, Sent::NotSent) => FailureKind::Network,
        (kind, _) => kind,
    };
    let fate = match error.sent {
        Sent::NotSent => Fate::NotSent,
        Sent::Maybe => Fate::Unknown,
    };
    Failure::new(kind, format!("`{shown}`: {}", error.message)).fate(fate)
}

/// The value of a body that is JSON, else its text.
fn body_of(response: &Response, bytes: &[u8]) -> Value {
    let kind = response.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let kind = kind.to_ascii_lowercase();
    let says_json = kind.is_empty() || kind.ends_with("/json") || kind.ends_with("+json");
    let value = if says_json {
        serde_json::from_slice(bytes).ok()
    } else {
        None
    };
    value.unwrap_or_else(|| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// The headers by their names in lower case; several of one name are joined.
fn headers_of(response: &Response) -> Value {
    let mut all = Map::new();
    for (name, value) in &response.headers {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let joined = match all.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value,
        };
        all.insert(name.as_str().to_owned(), Value::String(joined));
    }
    Value::Object(all)
}
