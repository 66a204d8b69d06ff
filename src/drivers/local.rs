//! A session on the real clock: everything in one thread, on tokio's current-thread runtime.

use std::future::Future;

/// Runs a future on a runtime of its own, with network, signals and the real clock.
pub fn run<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(work))
}
