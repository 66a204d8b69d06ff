//! Signals: the first parks the run, the second does so at once.

use tokio::sync::mpsc::UnboundedSender;

use super::exit::Exit;
use crate::drivers::StopRequest;

/// Listens to SIGINT, SIGTERM and SIGHUP for as long as the runtime lives.
#[cfg(unix)]
pub(super) fn listen(stop: &UnboundedSender<StopRequest>) {
    use tokio::signal::unix::{SignalKind, signal};
    let kinds = [
        (SignalKind::interrupt(), "SIGINT", Exit::Interrupt),
        (SignalKind::terminate(), "SIGTERM", Exit::Terminate),
        (SignalKind::hangup(), "SIGHUP", Exit::Hangup),
    ];
    for (kind, name, exit) in kinds {
        let Ok(mut signals) = signal(kind) else {
            continue;
        };
        let stop = stop.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let request = StopRequest::Park {
                    reason: name.to_owned(),
                    exit_code: exit.code(),
                };
                if stop.send(request).is_err() {
                    return;
                }
            }
        });
    }
}

/// Listens to Ctrl-C.
#[cfg(not(unix))]
pub(super) fn listen(stop: &UnboundedSender<StopRequest>) {
    let stop = stop.clone();
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            let request = StopRequest::Park {
                reason: "Ctrl-C".to_owned(),
                exit_code: Exit::Interrupt.code(),
            };
            if stop.send(request).is_err() {
                return;
            }
        }
    });
}
