//! `-v` and `-vv`: what is sent, and how it was answered, said on stderr as it happens.
//!
//! It stands between the client and whatever carries its requests, and changes neither. Bodies and headers
//! are never said, nor an address that the server handed out for a log: it holds a key of its own.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::output::Output;
use crate::clock::Clock;
use crate::duration;
use crate::semaphore::{Request, Response, Target, Transport, TransportError};
use crate::text::clean_line;

/// A longer path is cut.
const PATH_CHARACTERS_MAX: usize = 300;

/// A transport that says what passes.
pub(super) struct Spoken {
    inner: Arc<dyn Transport>,
    output: Arc<Output>,
    clock: Clock,
    /// Whether answers are said too.
    answers: bool,
}

impl Spoken {
    /// The transport, made to speak as often as `-v` was said.
    pub(super) fn wrap(
        inner: Arc<dyn Transport>,
        output: &Arc<Output>,
        clock: Clock,
        verbose: u8,
    ) -> Arc<dyn Transport> {
        if verbose == 0 {
            return inner;
        }
        Arc::new(Self {
            inner,
            output: Arc::clone(output),
            clock,
            answers: verbose > 1,
        })
    }
}

impl Transport for Spoken {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let asked = words(&request);
        Box::pin(async move {
            self.output.talk(&format!("> {asked}"));
            let began = self.clock.elapsed();
            let answered = self.inner.send(request).await;
            if self.answers {
                let took = duration::show(self.clock.elapsed().saturating_sub(began));
                let what = match &answered {
                    Ok(response) => response.status.to_string(),
                    Err(error) => clean_line(&error.message, PATH_CHARACTERS_MAX),
                };
                self.output.talk(&format!("< {what} after {took}: {asked}"));
            }
            answered
        })
    }
}

/// The method and the path, with the names and values of the query.
fn words(request: &Request) -> String {
    let Target::Own { path, query } = &request.target else {
        return format!("{} the address of a log", request.method);
    };
    let query: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let line = format!("{} {path}{mark}{}", request.method, query.join("&"));
    clean_line(&line, PATH_CHARACTERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_request_is_said_without_what_is_secret() {
        let read = Request::get("/api/v1alpha/pipelines").query("project_id", "x\ny");
        assert_eq!(words(&read), "GET /api/v1alpha/pipelines?project_id=x y");
        let signed = Request::signed(Secret::new("https://logs.example.com/?key=1234567"));
        assert_eq!(words(&signed), "GET the address of a log");
    }
}
