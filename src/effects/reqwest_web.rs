//! The way to other addresses over the network.
//!
//! Invariants: nothing is built before the first request; every request has a connection of its own; no
//! redirect, no retry, no proxy to this very machine; https only, but for this very machine.

use std::sync::OnceLock;

use futures_util::future::BoxFuture;
use reqwest::{Client, Url};

use super::web::{Web, WebRequest};
use crate::semaphore::{HttpOptions, Response, TransportError, Trouble, reqwest_transport};

/// The way to other addresses over the network.
#[derive(Debug)]
pub struct ReqwestWeb {
    options: HttpOptions,
    clients: OnceLock<Result<Clients, String>>,
}

#[derive(Debug)]
struct Clients {
    /// To other machines: https only, and through the system's proxy.
    far: Client,
    /// To this machine: never through a proxy.
    near: Client,
}

impl ReqwestWeb {
    /// Nothing is opened or read yet.
    pub fn new(options: HttpOptions) -> Self {
        Self {
            options,
            clients: OnceLock::new(),
        }
    }

    async fn carry(&self, request: WebRequest) -> Result<Response, TransportError> {
        let refuse = |why: String| TransportError::not_sent(Trouble::Other, why);
        let clients = self
            .clients
            .get_or_init(|| build(&self.options))
            .as_ref()
            .map_err(|reason| refuse(reason.clone()))?;
        let address = &request.address;
        let url = Url::parse(address.as_str()).map_err(|_| refuse("no address".to_owned()))?;
        // Two readers of one address must agree on where it leads.
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        let host = format!("{}{port}", url.host_str().unwrap_or_default());
        let usual = if address.is_https() { ":443" } else { ":80" };
        if host != address.host().trim_end_matches(usual)
            || (url.scheme() == "https") != address.is_https()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(refuse("the address can be read in two ways".to_owned()));
        }
        let client = if address.is_loopback() {
            &clients.near
        } else {
            &clients.far
        };
        let mut outgoing = client
            .request(request.method, url)
            .headers(request.headers)
            .timeout(request.total_timeout);
        if let Some(body) = request.body {
            outgoing = outgoing.body(body);
        }
        let answer = outgoing
            .send()
            .await
            .map_err(|error| reqwest_transport::explained(error, None))?;
        reqwest_transport::received(answer, request.limits)
    }
}

impl Web for ReqwestWeb {
    fn send(&self, request: WebRequest) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.carry(request))
    }
}

fn build(options: &HttpOptions) -> Result<Clients, String> {
    let authorities = reqwest_transport::authorities(options)?;
    let builder = || {
        reqwest_transport::builder(options, &authorities)
            // A kept connection can break just as it is used, and nobody could tell whether a write
            // went through.
            .pool_max_idle_per_host(0)
    };
    Ok(Clients {
        far: reqwest_transport::built(builder().https_only(true))?,
        near: reqwest_transport::built(builder().no_proxy())?,
    })
}
