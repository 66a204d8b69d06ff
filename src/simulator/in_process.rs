//! The simulator behind a call: for runs in virtual time, where a socket would hold the clock up.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;

use super::http::{Fault, Reply, Request};
use super::world::Simulator;

/// A connection to a simulator in the same process.
#[derive(Debug, Clone)]
pub struct InProcess {
    /// The simulator.
    pub world: Arc<Mutex<Simulator>>,
    /// The clock that says what time it is there.
    pub clock: Clock,
}

/// A reply that did not arrive whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// There is no connection.
    #[error("connection refused")]
    Refused,
    /// The connection broke; whether the server acted is not to be known.
    #[error("connection reset by peer")]
    Reset,
    /// The connection broke in the middle of the body.
    #[error("connection closed after {} bytes of the body", .0.body.len())]
    Cut(Reply),
}

impl InProcess {
    /// A connection to this simulator.
    pub fn new(simulator: Simulator, clock: Clock) -> Self {
        Self {
            world: Arc::new(Mutex::new(simulator)),
            clock,
        }
    }

    /// Sends a request and waits for the reply as long as it takes: for ever, when there is none.
    pub async fn exchange(&self, request: Request) -> Result<Reply, Lost> {
        let now = self.clock.now();
        let mut reply = self
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .handle(&request, now);
        reply.date(now);
        self.carried(reply).await
    }

    /// Sends a request to another server and waits for the reply; none when the scenario has no such server.
    pub async fn exchange_elsewhere(&self, request: Request) -> Option<Result<Reply, Lost>> {
        let reply = self
            .world
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .handle_elsewhere(&request, self.clock.now())?;
        Some(self.carried(reply).await)
    }

    async fn carried(&self, reply: Reply) -> Result<Reply, Lost> {
        match reply.fault {
            Fault::None => Ok(reply),
            Fault::Refused => Err(Lost::Refused),
            Fault::NeverAnswer => std::future::pending().await,
            Fault::ResetBeforeActing | Fault::ResetAfterActing => Err(Lost::Reset),
            Fault::CutBody(bytes) => {
                let mut reply = reply;
                reply.body.truncate(bytes);
                Err(Lost::Cut(reply))
            }
            Fault::Delay(time) => {
                self.clock.sleep(time).await;
                Ok(reply)
            }
        }
    }
}
