//! A transport that answers what it was told, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue};
use runner::secret::Redactor;
use runner::semaphore::{Client, Origin, Request, Response, Target, Transport, TransportError};

/// One answer, or none.
pub(super) enum Scene {
    Answer {
        status: u16,
        headers: HeaderMap,
        body: Vec<Result<Bytes, TransportError>>,
    },
    Silence(TransportError),
}

impl Scene {
    pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        Self::pieces(status, headers, vec![Ok(Bytes::from(body.to_owned()))])
    }

    pub(super) fn pieces(
        status: u16,
        headers: &[(&str, &str)],
        body: Vec<Result<Bytes, TransportError>>,
    ) -> Self {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        Self::Answer {
            status,
            headers: map,
            body,
        }
    }
}

#[derive(Default)]
pub(super) struct Scripted {
    scenes: Mutex<VecDeque<Scene>>,
    asked: Mutex<Vec<Request>>,
}

impl Scripted {
    /// A client over a script.
    pub(super) fn client(scenes: Vec<Scene>) -> (Client, Arc<Self>) {
        Self::client_of("https://acme.semaphore.test", scenes)
    }

    pub(super) fn client_of(origin: &str, scenes: Vec<Scene>) -> (Client, Arc<Self>) {
        let script = Arc::new(Self {
            scenes: Mutex::new(scenes.into()),
            asked: Mutex::default(),
        });
        let origin = Origin::parse(origin).unwrap();
        let client = Client::new(Arc::<Self>::clone(&script), origin, Redactor::new());
        (client, script)
    }

    /// What was asked, in order.
    pub(super) fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The addresses that were asked, in order.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.asked()
            .iter()
            .map(|request| match &request.target {
                Target::Own { path, query } => runner::semaphore::paths::with_query(path, query),
                Target::Signed(address) => address.expose().to_owned(),
            })
            .collect()
    }
}

impl Transport for Scripted {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.asked.lock().unwrap().push(request);
        let scene = self.scenes.lock().unwrap().pop_front();
        Box::pin(async move {
            match scene.expect("the script ended, but the client asks on") {
                Scene::Silence(error) => Err(error),
                Scene::Answer {
                    status,
                    headers,
                    body,
                } => Ok(Response {
                    status,
                    headers,
                    body: futures_util::stream::iter(body).boxed(),
                }),
            }
        })
    }
}
