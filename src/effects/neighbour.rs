//! A transport that is a good neighbour: it keeps the rate for the whole process, and leaves a server
//! alone that says `Retry-After`.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::bucket::Bucket;
use crate::clock::Clock;
use crate::semaphore::{Request, Response, Transport, TransportError};

/// The longest time that a server can make everybody wait.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

tokio::task_local! {
    /// How many requests the call that is at work has made.
    static ASKED: Cell<u32>;
}

/// Carries out a call, and counts its own requests among those of all.
pub(super) async fn counted<T>(call: impl Future<Output = T>) -> (T, u32) {
    ASKED
        .scope(Cell::new(0), async {
            let result = call.await;
            (result, ASKED.with(Cell::get))
        })
        .await
}

/// Wraps another transport.
pub(super) struct Neighbour {
    inner: Arc<dyn Transport>,
    bucket: Bucket,
}

impl Neighbour {
    /// Keeps a rate over a transport.
    pub(super) fn new(inner: Arc<dyn Transport>, clock: Clock, requests_per_second: f64) -> Self {
        Self {
            inner,
            bucket: Bucket::new(clock, requests_per_second),
        }
    }
}

impl Transport for Neighbour {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            self.bucket.take().await;
            // Outside a call nobody counts.
            let _ = ASKED.try_with(|asked| asked.set(asked.get().saturating_add(1)));
            let response = self.inner.send(request).await?;
            if matches!(response.status, 429 | 503)
                && let Some(after) = response.headers.get("retry-after")
                && let Some(seconds) = after
                    .to_str()
                    .ok()
                    .and_then(|text| text.trim().parse::<u64>().ok())
            {
                self.bucket
                    .close_for(Duration::from_secs(seconds).min(RETRY_AFTER_MAX));
            }
            Ok(response)
        })
    }
}
