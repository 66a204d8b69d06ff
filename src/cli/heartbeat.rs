//! The heartbeat: a cron monitor is told that a command began, and how it ended.
//!
//! Duty: which ping says what (pure), and a thin sender. The convention is the one that most monitors
//! understand: the address itself for success, `/start` and `/fail` below it. Invariants: the exit code is
//! never changed, nothing waits longer than a few seconds, the address is a secret and is never shown.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};

use super::exit::Exit;
use crate::address::Address;
use crate::drivers::run_local;
use crate::effects::{ReqwestWeb, Web as _, WebRequest};
use crate::semaphore::{AnswerLimits, HttpOptions, Timeouts};

/// The whole time of one ping.
const PING_TIMEOUT: Duration = Duration::from_secs(5);
/// A ping that did not arrive is sent once more: a lost one is a false alarm.
const TRIES_MAX: u32 = 2;

/// What a monitor is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ping {
    /// The command began.
    Start,
    /// It ended well.
    Success,
    /// It did not.
    Fail(Exit),
}

impl Ping {
    /// What the end of a command says. A run that was parked has not ended: the monitor misses its success
    /// when nobody goes on with it in time.
    pub(super) fn of(exit: Exit) -> Option<Self> {
        match exit {
            Exit::Passed => Some(Self::Success),
            Exit::Parked | Exit::Hangup | Exit::Interrupt | Exit::Terminate => None,
            other => Some(Self::Fail(other)),
        }
    }

    fn address(self, base: &Address) -> Option<Address> {
        match self {
            Self::Success => Some(base.clone()),
            Self::Start => base.below("start").ok(),
            Self::Fail(_) => base.below("fail").ok(),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Start => "runner began\n".to_owned(),
            Self::Success => "runner ended with exit code 0\n".to_owned(),
            Self::Fail(exit) => {
                let (code, meaning) = (exit.code(), exit.meaning());
                format!("runner ended with exit code {code}: {meaning}\n")
            }
        }
    }
}

/// A monitor.
#[derive(Clone)]
pub(super) struct Monitor {
    base: Address,
    web: Arc<ReqwestWeb>,
}

impl Monitor {
    /// Nothing is opened yet.
    pub(super) fn new(base: Address, options: HttpOptions) -> Self {
        let timeouts = Timeouts {
            connect: PING_TIMEOUT,
            idle: PING_TIMEOUT,
            total: PING_TIMEOUT,
        };
        let options = HttpOptions {
            timeouts,
            ca_file: options.ca_file,
        };
        Self {
            base,
            web: Arc::new(ReqwestWeb::new(options)),
        }
    }

    /// Tells it; an error is a warning in words, without the address.
    pub(super) fn tell(&self, ping: Ping) -> Result<(), String> {
        let told = run_local(async {
            let mut told = Err(String::new());
            for _ in 0..TRIES_MAX {
                told = self.send(ping).await;
                match &told {
                    Err(_) => {}
                    Ok(()) => break,
                }
            }
            told
        });
        let reason = match told {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(error) => error.to_string(),
        };
        Err(format!(
            "warning: the monitor at `{}` was not told: {reason}",
            self.base.origin()
        ))
    }

    async fn send(&self, ping: Ping) -> Result<(), String> {
        let address = ping.address(&self.base);
        let request = WebRequest {
            method: Method::POST,
            address: address.ok_or_else(|| "its address is too long".to_owned())?,
            headers: HeaderMap::from_iter([(
                header::CONTENT_TYPE,
                HeaderValue::from_static("text/plain; charset=utf-8"),
            )]),
            body: Some(Bytes::from(ping.words())),
            total_timeout: PING_TIMEOUT,
            limits: AnswerLimits::default(),
        };
        let answer = self.web.send(request).await;
        match answer.map_err(|error| error.message)?.status {
            200..=299 => Ok(()),
            status => Err(format!("it answered {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_monitor_is_told() {
        let base = Address::parse("https://hc.example/key?x=1").unwrap();
        let told = |exit: Exit| {
            let ping = Ping::of(exit)?;
            Some(ping.address(&base)?.as_str().to_owned())
        };
        assert_eq!(
            told(Exit::Passed).as_deref(),
            Some("https://hc.example/key?x=1")
        );
        let failed = "https://hc.example/key/fail?x=1";
        for exit in [
            Exit::Red,
            Exit::Usage,
            Exit::Invalid,
            Exit::Locked,
            Exit::Bug,
        ] {
            assert_eq!(told(exit).as_deref(), Some(failed), "{exit:?}");
        }
        for exit in [Exit::Parked, Exit::Interrupt, Exit::Terminate, Exit::Hangup] {
            assert_eq!(told(exit), None, "{exit:?}");
        }
        assert!(
            Ping::Fail(Exit::Unreachable)
                .words()
                .contains("exit code 7: ")
        );
    }
}
