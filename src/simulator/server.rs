//! The simulator on a loopback socket: the same `handle` behind a mutex, in real time or faster.
//!
//! Faults are carried out on the socket: a connection that breaks, a body that ends early, silence.
//! HTTP/1.1 is read and written by axum over connections that `socket` can break.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State as Shared};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;

use super::http::{Fault, Reply, Request};
use super::scenario::Scenario;
use super::socket::{BreakableListener, Breaker};
use super::world::Simulator;

/// No request of ours is larger.
const BODY_BYTES_MAX: usize = 16 << 20;

/// Starts simulated Semaphores.
#[derive(Debug, Clone, Copy)]
pub struct Server;

/// Why a simulated Semaphore did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// It would be reachable from elsewhere.
    #[error("`{0}` is no loopback address: the simulator is reachable from this machine alone")]
    NotLoopback(SocketAddr),
    /// The address is taken or not ours.
    #[error("cannot listen on `{0}`: {1}")]
    Listen(SocketAddr, std::io::Error),
}

/// A simulated Semaphore that is serving.
#[derive(Debug)]
pub struct Running {
    addr: SocketAddr,
    world: Arc<Mutex<Simulator>>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Front {
    world: Arc<Mutex<Simulator>>,
    clock: Clock,
    stopped: watch::Receiver<bool>,
}

impl Server {
    /// Serves a scenario on a loopback address; port 0 takes a free one. The seed is a function of
    /// the scenario alone, so the same requests get the same ids.
    pub async fn start(
        scenario: Scenario,
        clock: Clock,
        addr: SocketAddr,
    ) -> Result<Running, ServerError> {
        if !addr.ip().is_loopback() {
            return Err(ServerError::NotLoopback(addr));
        }
        let failed = |error| ServerError::Listen(addr, error);
        let listener = tokio::net::TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let simulator = Simulator::new(scenario, 0, clock.now());
        let world = Arc::new(Mutex::new(simulator));
        let (stop, stopped) = watch::channel(false);
        let front = Front {
            world: Arc::clone(&world),
            clock,
            stopped: stopped.clone(),
        };
        let app = axum::Router::new()
            .fallback(answer)
            .with_state(front)
            .into_make_service_with_connect_info::<Breaker>();
        let serving = tokio::spawn(async move {
            let until = async move {
                let mut stopped = stopped;
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let _ = axum::serve(BreakableListener(listener), app)
                .with_graceful_shutdown(until)
                .await;
        });
        Ok(Running {
            addr,
            world,
            stop,
            serving,
        })
    }
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base URL for a client.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The simulator behind it.
    pub fn world(&self) -> Arc<Mutex<Simulator>> {
        Arc::clone(&self.world)
    }

    /// Stops serving: answers what is under way, and breaks what hangs.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        let _ = self.serving.await;
    }
}

async fn answer(
    Shared(front): Shared<Front>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: axum::http::Request<Body>,
) -> Response<Body> {
    let Some(request) = read(request).await else {
        return plain_status(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let now = front.clock.now();
    let mut reply = front
        .world
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .handle(&request, now);
    date(&mut reply, now);
    let mut stopped = front.stopped.clone();
    let stop = async move {
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    match reply.fault {
        Fault::None => whole(&reply),
        Fault::NeverAnswer => {
            stop.await;
            breaker.trip();
            whole(&reply)
        }
        Fault::Refused | Fault::ResetBeforeActing | Fault::ResetAfterActing => {
            breaker.trip();
            whole(&reply)
        }
        Fault::CutBody(bytes) => broken(&reply, bytes),
        Fault::Delay(time) => {
            tokio::select! {
                () = front.clock.sleep(time) => {}
                () = stop => {}
            }
            whole(&reply)
        }
    }
}

/// The stamps in the answers are of the simulated clock, and so is the date, with which clients compare
/// them. Without one, the HTTP library would send that of this machine.
fn date(reply: &mut Reply, now: jiff::Timestamp) {
    let there = |(name, _): &(String, String)| name.eq_ignore_ascii_case("date");
    if !reply.headers.iter().any(there) {
        let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        reply.headers.push(("date".to_owned(), date));
    }
}

async fn read(request: axum::http::Request<Body>) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, BODY_BYTES_MAX).await.ok()?;
    let headers = parts.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Some(Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers.collect(),
        body: body.to_vec(),
    })
}

fn plain_status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn head(reply: &Reply, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &reply.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn whole(reply: &Reply) -> Response<Body> {
    head(reply, Body::from(reply.body.clone()))
}

/// The head and so many bytes of the body, then the connection breaks.
fn broken(reply: &Reply, bytes: usize) -> Response<Body> {
    let start = reply.body.get(..bytes).unwrap_or(&reply.body).to_vec();
    let start = stream::iter([Ok(Bytes::from(start))]);
    let end = stream::once(async {
        // What was written so far leaves first.
        tokio::task::yield_now().await;
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
    });
    let parts = start.chain(end);
    let mut response = head(reply, Body::from_stream(parts));
    let length = HeaderValue::from(reply.body.len());
    response
        .headers_mut()
        .insert(axum::http::header::CONTENT_LENGTH, length);
    response
}
