//! The transport over HTTP: with `effects/reqwest_web.rs` the one file that knows `reqwest`.
//!
//! Duty: to carry a request to the configured server, and to nobody else with the token. Invariants:
//! nothing is built before the first request; no redirect, no retry and no proxy to this very machine;
//! https only, but for this very machine; no error shows an address. It must not know what the requests
//! are about.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::Url;

use super::client::{Client, Limits};
use super::config::{Endpoint, Origin, is_loopback};
use super::paths::with_query;
use super::transport::{
    AnswerLimits, Chunks, Kind, Request, Response, Sent, Target, Timeouts, Transport,
    TransportError, Trouble,
};
use crate::secret::{Redactor, Secret};
use crate::text::clean_line;

/// What the server sees of us. It refuses some names, and asks for the words in brackets.
pub const USER_AGENT: &str = concat!(
    "runner/",
    env!("CARGO_PKG_VERSION"),
    " (SemaphoreCI v2.0 Client)"
);

/// What can be chosen about connections.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// How long things may take; the total is the request's.
    pub timeouts: Timeouts,
    /// A file with certificates of authorities to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}

/// The transport over HTTP.
pub struct HttpTransport {
    endpoint: Endpoint,
    options: HttpOptions,
    clients: OnceLock<Result<Clients, String>>,
}

struct Clients {
    reads: reqwest::Client,
    writes: reqwest::Client,
    authorization: HeaderValue,
}

impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpTransport({})", self.endpoint.origin.url())
    }
}

impl HttpTransport {
    /// A transport to an endpoint. Nothing is opened or read yet.
    pub fn new(endpoint: Endpoint, options: HttpOptions) -> Self {
        Self {
            endpoint,
            options,
            clients: OnceLock::new(),
        }
    }

    /// A client of an endpoint over HTTP; the redactor learns its token.
    pub fn client(endpoint: Endpoint, options: HttpOptions, redactor: Redactor) -> Client {
        redactor.learn(endpoint.token.expose());
        let origin = endpoint.origin.clone();
        let limits = Limits {
            total_timeout: options.timeouts.total,
            ..Limits::default()
        };
        Client::new(Arc::new(Self::new(endpoint, options)), origin, redactor).with_limits(limits)
    }

    fn clients(&self) -> Result<&Clients, TransportError> {
        self.clients
            .get_or_init(|| build(&self.endpoint, &self.options))
            .as_ref()
            .map_err(|reason| TransportError::not_sent(Trouble::Other, reason.clone()))
    }

    async fn carry(&self, request: Request) -> Result<Response, TransportError> {
        let clients = self.clients()?;
        let url = address(&request.target, &self.endpoint.origin)?;
        let client = match request.kind {
            Kind::Read => &clients.reads,
            // A kept connection can break just as it is used, and nobody could tell whether the write
            // went through.
            Kind::Write => &clients.writes,
        };
        let mut headers = request.headers;
        if let Target::Own { .. } = request.target {
            headers.insert(AUTHORIZATION, clients.authorization.clone());
        }
        let mut outgoing = client
            .request(request.method, url)
            .headers(headers)
            .timeout(request.total_timeout);
        if let Some(body) = &request.body {
            outgoing = outgoing.json(body);
        }
        let answer = outgoing
            .send()
            .await
            .map_err(|error| explained(error, None))?;
        received(answer, request.limits)
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

fn build(endpoint: &Endpoint, options: &HttpOptions) -> Result<Clients, String> {
    let mut authorization = HeaderValue::from_str(&format!("Token {}", endpoint.token.expose()))
        .map_err(|_| "the API token does not fit into a header".to_owned())?;
    authorization.set_sensitive(true);
    let authorities = authorities(options)?;
    let base = || {
        let mut builder = builder(options, &authorities).https_only(endpoint.origin.is_https());
        if endpoint.origin.is_loopback() {
            builder = builder.no_proxy();
        }
        builder
    };
    Ok(Clients {
        reads: built(base())?,
        writes: built(base().pool_max_idle_per_host(0))?,
        authorization,
    })
}

/// The certificates of the authorities to trust beside the system's.
pub(crate) fn authorities(options: &HttpOptions) -> Result<Vec<reqwest::Certificate>, String> {
    let Some(file) = &options.ca_file else {
        return Ok(Vec::new());
    };
    let shown = clean_line(&file.display().to_string(), 200);
    let pem = std::fs::read(file)
        .map_err(|error| format!("`http.ca_file` `{shown}` cannot be read: {error}"))?;
    let none = || format!("`http.ca_file` `{shown}` holds no certificates in PEM form");
    let found = reqwest::Certificate::from_pem_bundle(&pem).map_err(|_| none())?;
    if found.is_empty() {
        return Err(none());
    }
    Ok(found)
}

/// What holds for every client: no redirect, no retry, nothing told that was not asked for.
pub(crate) fn builder(
    options: &HttpOptions,
    authorities: &[reqwest::Certificate],
) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(options.timeouts.connect)
        .read_timeout(options.timeouts.idle)
        .timeout(options.timeouts.total);
    if authorities.is_empty() {
        return builder;
    }
    builder.tls_certs_merge(authorities.to_vec())
}

pub(crate) fn built(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    builder
        .build()
        .map_err(|error| format!("no HTTP client: {}", words(&error.without_url())))
}

/// The whole address of a request; anything that is not exactly what was meant is not sent.
fn address(target: &Target, origin: &Origin) -> Result<Url, TransportError> {
    let refuse = |why: &str| TransportError::not_sent(Trouble::Other, why);
    match target {
        Target::Own { path, query } => {
            let whole = format!("{}{}", origin.url(), with_query(path, query));
            let url =
                Url::parse(&whole).map_err(|_| refuse("the path is not one of an address"))?;
            // The parser resolves `..` and the like: then it is another path than the one that was meant.
            if !path.starts_with('/') || url.path() != path {
                return Err(refuse("the path is not one of an address"));
            }
            Ok(url)
        }
        Target::Signed(address) => signed(address, origin)
            .ok_or_else(|| refuse("the server handed out an address that is not https")),
    }
}

fn signed(address: &Secret, origin: &Origin) -> Option<Url> {
    let url = Url::parse(address.expose()).ok()?;
    let no_user = url.username().is_empty() && url.password().is_none();
    let here = origin.is_loopback() && url.host_str().is_some_and(is_loopback);
    let allowed = no_user && (url.scheme() == "https" || (url.scheme() == "http" && here));
    allowed.then_some(url)
}

/// The answer, its body still to be read, and no more of it than the limits allow.
pub(crate) fn received(
    answer: reqwest::Response,
    limits: AnswerLimits,
) -> Result<Response, TransportError> {
    let status = answer.status().as_u16();
    let headers: HeaderMap = answer.headers().clone();
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes > limits.header_bytes_max {
        return Err(TransportError::maybe_sent(
            Trouble::BodyTooLarge,
            format!(
                "the headers of the answer are larger than {}",
                crate::size::show(limits.header_bytes_max as u64)
            ),
        ));
    }
    let mut read: u64 = 0;
    let body: Chunks = answer
        .bytes_stream()
        .map(move |chunk| {
            // These bytes are unpacked already, so that a small answer cannot become a large one.
            let chunk = chunk.map_err(|error| explained(error, Some(Sent::Maybe)))?;
            read += chunk.len() as u64;
            if read > limits.body_bytes_max {
                return Err(TransportError::too_large(limits.body_bytes_max));
            }
            Ok(chunk)
        })
        .boxed();
    Ok(Response {
        status,
        headers,
        body,
    })
}

/// An error in our words. Whether the request was sent is taken from the error unless it is known.
pub(crate) fn explained(error: reqwest::Error, sent: Option<Sent>) -> TransportError {
    let error = error.without_url();
    let text = words(&error);
    let before = error.is_connect() || error.is_builder();
    let about_tls = ["certificate", "handshake", "tls", "unknownissuer"]
        .iter()
        .any(|word| text.to_ascii_lowercase().contains(word));
    let kind = if error.is_timeout() {
        Trouble::Timeout
    } else if error.is_dns() {
        Trouble::Dns
    } else if before && about_tls {
        Trouble::Tls
    } else if error.is_connect() {
        Trouble::Connect
    } else if error.is_body() || error.is_decode() || error.is_request() {
        Trouble::Reset
    } else {
        Trouble::Other
    };
    let derived = if before { Sent::NotSent } else { Sent::Maybe };
    TransportError {
        sent: sent.unwrap_or(derived),
        kind,
        message: match (kind, error.is_connect()) {
            (Trouble::Timeout, true) => format!("no connection in time ({text})"),
            (Trouble::Timeout, false) => format!("too slow ({text})"),
            (_, _) => text,
        },
    }
}

/// An error and all its sources, each once.
fn words(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = vec![error.to_string()];
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let part = inner.to_string();
        if !parts.iter().any(|known| known.contains(&part)) {
            parts.push(part);
        }
        source = inner.source();
    }
    clean_line(&parts.join(": "), 300)
}
