//! A session in virtual time: tokio's paused clock moves on when everything waits.
//!
//! Needs everything in one thread: an in-process transport and a store that is called inline. With a
//! socket to another thread the paused clock would jump at once.

use std::future::Future;

/// Runs a future on a runtime of its own whose clock is paused.
pub fn run<T>(work: impl Future<Output = T>) -> std::io::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    Ok(runtime.block_on(work))
}
