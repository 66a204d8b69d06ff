//! Signals: the first parks the run, the second does so at once. With `on_interrupt: stop` the first cancels
//! it, and the second parks it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::mpsc::error::SendError;

use super::exit::Exit;
use crate::drivers::StopRequest;

/// Listens to SIGINT, SIGTERM and SIGHUP for as long as the runtime lives.
#[cfg(unix)]
pub(super) fn listen(stop: &UnboundedSender<StopRequest>, cancels: bool) {
    use tokio::signal::unix::{SignalKind, signal};
    let heard = Arc::new(AtomicBool::new(false));
    let kinds = [
        (SignalKind::interrupt(), "SIGINT", Exit::Interrupt),
        (SignalKind::terminate(), "SIGTERM", Exit::Terminate),
        (SignalKind::hangup(), "SIGHUP", Exit::Hangup),
    ];
    for (kind, name, exit) in kinds {
        let Ok(mut signals) = signal(kind) else {
            continue;
        };
        let (stop, heard) = (stop.clone(), Arc::clone(&heard));
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                if tell(&stop, &heard, (name, exit), cancels).is_err() {
                    return;
                }
            }
        });
    }
}

/// Listens to Ctrl-C.
#[cfg(not(unix))]
pub(super) fn listen(stop: &UnboundedSender<StopRequest>, cancels: bool) {
    let (stop, heard) = (stop.clone(), AtomicBool::new(false));
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            if tell(&stop, &heard, ("Ctrl-C", Exit::Interrupt), cancels).is_err() {
                return;
            }
        }
    });
}

/// What a signal asks for. The second one after a cancel parks at once, so it is said twice.
fn tell(
    stop: &UnboundedSender<StopRequest>,
    heard: &AtomicBool,
    (name, exit): (&str, Exit),
    cancels: bool,
) -> Result<(), SendError<StopRequest>> {
    let first = !heard.swap(true, Ordering::Relaxed);
    if cancels && first {
        let by = name.to_owned();
        return stop.send(StopRequest::Cancel { by });
    }
    let park = StopRequest::Park {
        reason: name.to_owned(),
        exit_code: exit.code(),
    };
    if cancels {
        stop.send(park.clone())?;
    }
    stop.send(park)
}
