//! Logs of jobs, as a stream of events.
//!
//! Duty: the log of a job, whichever of three ways the server has it: as events, behind a redirect to
//! an address with a key of its own, or as plain text on old installations. Invariants: memory for one
//! event, whatever the size; the token goes to no address but ours; an address with a key is shown to
//! nobody, and one hop is all. It must not write files nor clean what it reads.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderValue, header};

use super::client::{Client, Counters};
use super::config::{Origin, is_loopback};
use super::error::{Class, Error, Fate};
use super::log_events::{EventScanner, Happening, LogEvent};
use super::operation::Operation;
use super::transport::{Chunks, Request, Response, TransportError, Trouble};
use crate::ids::Id;
use crate::secret::{Redactor, Secret};

/// A log that is being read.
pub struct LogStream {
    client: Client,
    counters: Arc<Counters>,
    operation: Operation,
    source: Source,
    body: Option<Chunks>,
    scanner: EventScanner,
    parts: u32,
    bytes: u64,
    complete: bool,
    cut: bool,
}

/// How the server has the log.
enum Source {
    /// Everything in one answer.
    Events,
    /// Behind an address of its own, perhaps in parts; with the number of the last part.
    Signed { address: Secret, next: Option<i64> },
    /// Text, with the beginning of a character that was cut.
    Plain { rest: Vec<u8> },
}

impl std::fmt::Debug for LogStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LogStream({}, {} bytes)", self.operation, self.bytes)
    }
}

impl Client {
    /// Opens the log of a job. That a job has no log is an error of the class `NotFound`, whose words
    /// say why.
    pub async fn log(&self, job: &Id) -> Result<LogStream, Error> {
        let operation = Operation::FetchLog;
        let request = Request::get(format!("/api/v1alpha/logs/{job}"));
        let response = self.open(operation, self.for_log(request)).await?;
        match response.status {
            200..=299 => Ok(self.stream(operation, Source::Events, response)),
            301 | 302 | 303 | 307 | 308 => {
                let address =
                    target(&response, self.origin()).ok_or_else(|| self.odd_target(&response))?;
                self.open_signed(address, None).await
            }
            _ => {
                let refusal = self.refused(operation, response).await;
                // Only where the address itself is unknown may an old installation have the other one.
                let unknown_here = refusal.class == Class::NotFound
                    && matches!(refusal.server_words.as_str(), "" | "oops");
                if unknown_here && let Some(stream) = self.plain_log(job).await {
                    return Ok(stream);
                }
                Err(refusal)
            }
        }
    }

    async fn open_signed(&self, address: Secret, next: Option<i64>) -> Result<LogStream, Error> {
        let response = self.send_signed(&address, next).await?;
        let source = Source::Signed { address, next };
        Ok(self.stream(Operation::FetchSignedLog, source, response))
    }

    async fn send_signed(&self, address: &Secret, next: Option<i64>) -> Result<Response, Error> {
        let operation = Operation::FetchSignedLog;
        let address = match next {
            None => address.clone(),
            Some(next) => {
                let joint = if address.expose().contains('?') {
                    '&'
                } else {
                    '?'
                };
                Secret::new(format!("{}{joint}token={next}", address.expose()))
            }
        };
        let request = self.for_log(Request::signed(address.clone()));
        let response = self.open(operation, request).await?;
        match response.status {
            200..=299 => Ok(response),
            _ => {
                let address = address.expose().to_owned();
                Err(without_address(
                    self.refused(operation, response).await,
                    &address,
                ))
            }
        }
    }

    /// The log as text, if this installation has it there; any trouble means that it has not.
    async fn plain_log(&self, job: &Id) -> Option<LogStream> {
        let operation = Operation::FetchPlainLog;
        let mut request = Request::get(format!("/jobs/{job}/plain_logs.json"));
        // This address belongs to the web interface, which refuses who asks for JSON.
        let accept = HeaderValue::from_static("text/plain, */*");
        request.headers.insert(header::ACCEPT, accept);
        let response = self.open(operation, self.for_log(request)).await.ok()?;
        let is_text = response
            .header("content-type")
            .is_some_and(|kind| kind.trim().to_ascii_lowercase().starts_with("text/plain"));
        (response.status == 200 && is_text)
            .then(|| self.stream(operation, Source::Plain { rest: Vec::new() }, response))
    }

    fn for_log(&self, mut request: Request) -> Request {
        request.total_timeout = self.limits().log_total_timeout;
        request.limits.body_bytes_max = self.limits().log_bytes_max;
        request.limits.header_bytes_max = self.limits().header_bytes_max;
        request
    }

    fn stream(&self, operation: Operation, source: Source, response: Response) -> LogStream {
        LogStream {
            client: self.clone(),
            counters: self.counters(),
            operation,
            source,
            body: Some(response.body),
            scanner: EventScanner::new(self.limits().log_event_bytes_max),
            parts: 1,
            bytes: 0,
            complete: false,
            cut: false,
        }
    }

    fn odd_target(&self, response: &Response) -> Error {
        Error {
            operation: Operation::FetchLog,
            status: Some(response.status),
            class: Class::Redirected,
            fate: Fate::NotDone,
            server_words: String::new(),
            message: format!(
                "`{}` sends the reader of the log to an address that is not https",
                self.host()
            ),
            hint: Some("a log is only fetched over https".to_owned()),
            retry_after: None,
            server_date: super::client::date_of(&response.headers),
        }
    }
}

/// An error of a server that may have said our address, and the key in it, back to us.
fn without_address(mut error: Error, address: &str) -> Error {
    let redactor = Redactor::new();
    redactor.learn(address);
    let query = address.split_once('?').map_or("", |(_, query)| query);
    for pair in query.split('&') {
        redactor.learn(pair.split_once('=').map_or(pair, |(_, value)| value));
    }
    error.server_words = redactor.text(&error.server_words);
    error.message = redactor.text(&error.message);
    error
}

/// Where a redirect leads, if we go there: to https, or on this machine when the server is here too.
fn target(response: &Response, origin: &Origin) -> Option<Secret> {
    let location = response.header("location")?.trim();
    let uri: http::Uri = location.parse().ok()?;
    let host = uri.host().filter(|host| !host.is_empty())?;
    let has_user = uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'));
    let here = origin.is_loopback() && is_loopback(host);
    let allowed = match uri.scheme_str() {
        Some("https") => !has_user,
        Some("http") => !has_user && here,
        Some(_) | None => false,
    };
    allowed.then(|| Secret::new(location))
}

impl LogStream {
    /// The next event; none at the end.
    pub async fn next(&mut self) -> Result<Option<LogEvent>, Error> {
        loop {
            if let Some(event) = self.scanner.take() {
                if matches!(event.what, Happening::JobFinished { .. }) {
                    self.complete = true;
                }
                return Ok(Some(event));
            }
            let Some(body) = &mut self.body else {
                return Ok(None);
            };
            match body.next().await {
                Some(Ok(chunk)) => {
                    if let Some(event) = self.take_chunk(&chunk) {
                        return Ok(Some(event));
                    }
                }
                Some(Err(error)) => {
                    self.body = None;
                    if error.kind == Trouble::BodyTooLarge {
                        self.cut = true;
                    } else {
                        return Err(self.broken(error));
                    }
                }
                None => {
                    self.body = None;
                    if let Some(event) = self.end_of_part().await? {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    /// Whether the job had ended when the log was read, so that nothing is missing at its end.
    pub fn is_complete(&self) -> bool {
        self.complete && !self.cut
    }

    /// Whether a limit cut the log.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// How many pieces of the log could not be read and were left out.
    pub fn skipped(&self) -> u64 {
        self.scanner.skipped()
    }

    /// Bytes read so far, after unpacking.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn take_chunk(&mut self, chunk: &Bytes) -> Option<LogEvent> {
        self.counters.bytes(chunk.len());
        self.bytes += chunk.len() as u64;
        let event = match &mut self.source {
            Source::Events | Source::Signed { .. } => {
                self.scanner.feed(chunk);
                None
            }
            Source::Plain { rest } => {
                rest.extend_from_slice(chunk);
                let whole = whole_characters(rest);
                let text: Vec<u8> = rest.drain(..whole).collect();
                (!text.is_empty())
                    .then(|| LogEvent::bare(String::from_utf8_lossy(&text).into_owned()))
            }
        };
        if self.bytes > self.client.limits().log_bytes_max {
            self.cut = true;
            self.body = None;
        }
        event
    }

    /// A body ended: perhaps another part follows.
    async fn end_of_part(&mut self) -> Result<Option<LogEvent>, Error> {
        let next = self.scanner.finish();
        match &mut self.source {
            Source::Events => {}
            Source::Plain { rest } => {
                self.complete = true;
                if !rest.is_empty() {
                    let text = String::from_utf8_lossy(rest).into_owned();
                    rest.clear();
                    return Ok(Some(LogEvent::bare(text)));
                }
            }
            Source::Signed {
                address,
                next: last,
            } => {
                let grows = next > *last;
                let Some(next) = next else {
                    self.complete = true;
                    return Ok(None);
                };
                if !grows {
                    // The job still runs: this is all there is for now.
                    return Ok(None);
                }
                if self.parts >= self.client.limits().pages_max {
                    self.cut = true;
                    return Ok(None);
                }
                *last = Some(next);
                self.parts += 1;
                let address = address.clone();
                let response = self.client.send_signed(&address, Some(next)).await?;
                self.body = Some(response.body);
            }
        }
        Ok(None)
    }

    fn broken(&self, error: TransportError) -> Error {
        let message = format!(
            "the log broke off after {}: {}",
            crate::size::show(self.bytes),
            error.message
        );
        Error {
            message,
            fate: Fate::NotDone,
            ..Error::of_transport(self.operation, error, &self.client.host())
        }
    }
}

/// How many bytes from the start end with a whole character.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        // Cut in the middle of a character: the rest of it comes with the next piece.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        // No text anyway.
        Err(_) => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_https_or_stays_on_this_machine() {
        let leads = |location: &str, origin: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(header::LOCATION, location.parse().unwrap());
            let response = Response::whole(302, headers, "");
            target(&response, &Origin::parse(origin).unwrap()).is_some()
        };
        let (cloud, here) = ("https://acme.test", "http://127.0.0.1:4000");
        for (location, origin, expected) in [
            ("https://acme.test/api/v1/logs/x?jwt=a.b.c", cloud, true),
            ("https://storage.test/x?sig=1", cloud, true),
            ("http://acme.test/x?jwt=a", cloud, false),
            ("http://127.0.0.1:9/x", cloud, false),
            ("http://127.0.0.1:9/x", here, true),
            ("https://me:pw@storage.test/x", cloud, false),
            ("/login", cloud, false),
            ("file:///etc/passwd", cloud, false),
            ("", cloud, false),
        ] {
            assert_eq!(
                leads(location, origin),
                expected,
                "{location} from {origin}"
            );
        }
    }

    #[test]
    fn a_character_is_not_cut() {
        let text = "a✗".as_bytes();
        assert_eq!(whole_characters(&text[..2]), 1);
        assert_eq!(whole_characters(text), 4);
        assert_eq!(whole_characters(b"\xff\xfe"), 2);
    }
}
