//! The simulator as a transport: for runs in virtual time, where a socket would hold the clock up.
//!
//! It keeps the time-outs of a request on the run's clock, so that a server which never answers is as
//! slow here as it is over HTTP.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::effects::{Web, WebRequest};
use crate::secret::Secret;
use crate::semaphore::{Request, Response, Sent, Target, Transport, TransportError, Trouble};
use crate::simulator::{InProcess, Lost, Reply, Request as SimulatorRequest};

/// A connection to a simulator in the same process.
#[derive(Debug, Clone)]
pub struct InProcessTransport {
    connection: InProcess,
    token: Secret,
    host: String,
}

impl InProcessTransport {
    /// A connection with a token; `host` is what a client over HTTP would send as `Host`.
    pub fn new(connection: InProcess, token: Secret, host: impl Into<String>) -> Self {
        Self {
            connection,
            token,
            host: host.into(),
        }
    }
}

impl Transport for InProcessTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let within = request.total_timeout;
            let sent = translate(&request, &self.token, &self.host);
            tokio::select! {
                biased;
                reply = self.connection.exchange(sent) => answered(reply),
                () = self.connection.clock.sleep(within) => Err(too_slow(within)),
            }
        })
    }
}

fn translate(request: &Request, token: &Secret, host: &str) -> SimulatorRequest {
    let (path, query, own) = match &request.target {
        Target::Own { path, query } => (path.clone(), encoded(query), true),
        Target::Signed(address) => {
            let address = address.expose();
            let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
            let target = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
            let (path, query) = target.split_once('?').unwrap_or((target, ""));
            (path.to_owned(), query.to_owned(), false)
        }
    };
    let mut sent = SimulatorRequest::new(request.method.as_str(), &path).header("Host", host);
    sent.query = query;
    for (name, value) in &request.headers {
        sent = sent.header(name.as_str(), value.to_str().unwrap_or_default());
    }
    sent = sent.header(
        "User-Agent",
        crate::semaphore::reqwest_transport::USER_AGENT,
    );
    if own {
        sent = sent.token(token.expose());
    }
    match &request.body {
        Some(body) => sent.json(body),
        None => sent,
    }
}

fn encoded(query: &[(String, String)]) -> String {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| {
            let encode = |text| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
            format!("{}={}", encode(name), encode(value))
        })
        .collect();
    pairs.join("&")
}

/// The other servers of a simulator in the same process.
#[derive(Debug, Clone)]
pub struct InProcessWeb {
    connection: InProcess,
}

impl InProcessWeb {
    /// The way to the other servers of the simulator behind a connection.
    pub fn new(connection: InProcess) -> Self {
        Self { connection }
    }

    async fn carry(&self, request: WebRequest) -> Result<Response, TransportError> {
        let within = request.total_timeout;
        let address = request.address.as_str();
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let mut sent = SimulatorRequest::new(request.method.as_str(), path);
        sent.query = query.to_owned();
        for (name, value) in &request.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            sent = sent.header(name.as_str(), &value);
        }
        sent.body = request.body.map(|body| body.to_vec()).unwrap_or_default();
        tokio::select! {
            biased;
            reply = self.connection.exchange_elsewhere(sent) => match reply {
                Some(reply) => answered(reply),
                None => Err(TransportError::not_sent(
                    Trouble::Other,
                    "no server of the scenario answers this: add it under `http:` of the scenario",
                )),
            },
            () = self.connection.clock.sleep(within) => Err(too_slow(within)),
        }
    }
}

impl Web for InProcessWeb {
    fn send(&self, request: WebRequest) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

fn too_slow(within: std::time::Duration) -> TransportError {
    TransportError::maybe_sent(
        Trouble::Timeout,
        format!("no answer within {}", crate::duration::show(within)),
    )
}

fn answered(reply: Result<Reply, Lost>) -> Result<Response, TransportError> {
    let broken = || TransportError {
        sent: Sent::Maybe,
        kind: Trouble::Reset,
        message: "the connection was reset".to_owned(),
    };
    let (reply, cut) = match reply {
        Ok(reply) => (reply, false),
        Err(Lost::Cut(reply)) => (reply, true),
        Err(Lost::Reset) => return Err(broken()),
        Err(Lost::Refused) => {
            return Err(TransportError::not_sent(
                Trouble::Connect,
                "connection refused",
            ));
        }
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &reply.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::try_from(name.as_str()),
            HeaderValue::try_from(value.as_str()),
        ) {
            headers.append(name, value);
        }
    }
    let mut chunks = vec![Ok(Bytes::from(reply.body))];
    if cut {
        chunks.push(Err(broken()));
    }
    Ok(Response {
        status: reply.status,
        headers,
        body: stream::iter(chunks).boxed(),
    })
}
